import MartletWire

/// Everything that the client decides: pure, so that each case can be tested as a list of events and actions.
///
///     idle ──start──▶ connecting ──welcome──▶ open ──close──▶ closing
///                      ▲  │  │                 │                │
///           reconnectDue  │  └─ first attempt  │ connection     │ connection ended,
///                      │  │     failed,        │ ended          │ or closeDue
///                      │  ▼     close          ▼                ▼
///                     waiting ◀────────────────┘              closed
///                        └───────────close──────────────────────▲
///
/// Invariants:
/// 1. A request is held from the moment it is made until it is answered, cancelled or given up; then, and only then, its
///    waiter is answered, exactly once.
/// 2. Requests are on the wire only in `open` and `closing`. Those that are made, or left, in `connecting` and `waiting` wait
///    for the next connection; after a time without one they fail, and so do new ones until there is one.
/// 3. Subscriptions outlive connections. Each is subscribed to again by every connection that opens.
/// 4. A subscription's value is delivered at the `synced` that follows it, so values that are delivered together are of
///    one snapshot. What a broken connection left without its `synced` is never delivered.
/// 5. A patch is applied to the last value that came, delivered or not. A subscription whose patch doesn't fit is made anew:
///    it shows its older value until the server has told it the newest one.
/// 6. A sink that is finished gets nothing more.
///
/// `Waiter` is whoever waits for an answer, `Sink` whoever takes a subscription's values; the machine only passes them on.
struct ClientStateMachine<Waiter: Sendable, Sink: Sendable>: ~Copyable {
  enum Event: Sendable {
    /// The first connection is to be made. Comes once.
    case start(Waiter)
    /// The socket is connected.
    case connected
    /// An attempt failed, or the connection is gone.
    case connectionEnded(reason: String)
    case connectTimedOut
    case reconnectDue
    case received(ServerMessage)
    /// A line that can't be read, or that is too long.
    case receivedGarbage(reason: String)
    case request(id: UInt64, Request, Waiter)
    /// The one who asked is no longer interested.
    case cancel(id: UInt64)
    case subscribe(id: UInt64, line: [UInt8], Sink)
    case unsubscribe(id: UInt64)
    case close(Waiter?)
    /// The server had its time to end the connection after `bye`.
    case closeDue
    /// There has been no connection for long, since the loss with this number.
    case offlineDue(loss: Int)
  }

  enum Action {
    case connect
    /// Bytes of whole lines.
    case send([UInt8])
    case answer(Waiter, Result<Answer, MartletError>)
    case deliver(Sink, Delivery)
    /// No error: the client was closed, and the sequence ends.
    case finish(Sink, MartletError?)
    case scheduleReconnect(attempt: Int)
    case scheduleCloseDue
    case scheduleOfflineDue(loss: Int)
    /// Drop the connection, or the attempt; its `connectionEnded` is not reported.
    case abandonConnection
  }

  typealias Request = ClientRequest

  private enum State {
    case idle
    /// Until the server's welcome. `starter` waits for the first connection.
    case connecting(attempt: Int, starter: Waiter?)
    case open(maximumLineBytes: Int)
    /// For the timer of this attempt.
    case waiting(attempt: Int)
    case closing([Waiter])
    case closed(MartletError?)
  }

  private struct Subscription {
    var line: [UInt8]
    var sink: Sink
    /// What came since the last `synced`: the newest only.
    var staged: Result<[UInt8], MartletError>?
    /// The last value that came, where the next one may be a patch to it.
    var base: [UInt8]?
    /// It has been made anew, and waits for its value. Patches that were on their way are of no use to it.
    var awaitsValue = false
  }

  private var state = State.idle
  private var hello: Hello
  private let maximumRequestsInFlight: Int
  private var requests = RequestQueue<Waiter>()
  private var subscriptions: [UInt64: Subscription] = [:]
  /// Subscriptions that have something staged, so that `synced` costs only what has changed.
  private var staged: [UInt64] = []
  /// What the server said before it closed.
  private var farewell: WireError?
  /// Why the last connection ended.
  private var lossReason = ""
  private var losses = 0
  /// There has been no connection for so long that requests are not kept for the next one.
  private var isOffline = false

  /// - Parameter session: under which name the server keeps the answers of mutations. Each client needs one of its own.
  init(session: String, token: String?, maximumRequestsInFlight: Int, acceptsPatches: Bool = false) {
    self.hello = Hello(protocolVersion: WireProtocol.version, session: session, token: token, patches: acceptsPatches)
    self.maximumRequestsInFlight = maximumRequestsInFlight
  }

  /// Takes one event, and appends what is to be done, in order.
  mutating func handle(_ event: consuming Event, _ actions: inout [Action]) {
    switch event {
    case .start(let waiter):
      // A caller that was cancelled early has closed the client before it started.
      guard case .idle = state else { return actions.append(.answer(waiter, .failure(refusal))) }
      state = .connecting(attempt: 0, starter: waiter)
      actions.append(.connect)
    case .connected:
      guard case .connecting = state else { return }
      actions.append(.send(ClientLines.hello(hello)))
    case .connectionEnded(let reason):
      connectionEnded(farewell.map { "the server closed it (\($0))" } ?? reason, &actions)
    case .connectTimedOut:
      guard case .connecting = state else { return }
      actions.append(.abandonConnection)
      connectionEnded("the server did not answer in time", &actions)
    case .reconnectDue:
      guard case .waiting(let attempt) = state else { return }
      state = .connecting(attempt: attempt, starter: nil)
      actions.append(.connect)
    case .received(let message): receive(message, &actions)
    case .receivedGarbage(let reason):
      actions.append(.abandonConnection)
      connectionEnded(reason, &actions)
    case .request(let id, let request, let waiter): send(id, request, waiter, &actions)
    case .cancel(let id): cancel(id, &actions)
    case .subscribe(let id, let line, let sink): subscribe(id, line, sink, &actions)
    case .unsubscribe(let id): unsubscribe(id, &actions)
    case .close(let waiter): close(waiter, &actions)
    case .closeDue:
      guard case .closing = state else { return }
      actions.append(.abandonConnection)
      connectionEnded("the client closed it", &actions)
    case .offlineDue(let loss):
      guard loss == losses, !isOpen, !isOffline else { return }
      isOffline = true
      fail(requests.takeAll(), refusal, &actions)
    }
  }

  /// How things stand, for an app to show.
  var connectionState: ConnectionState {
    switch state {
    case .idle, .connecting(_, starter: _?): .connecting
    case .connecting(let attempt, nil), .waiting(let attempt): .reconnecting(attempt: attempt, reason: lossReason)
    case .open: .connected
    case .closing, .closed(nil): .closed(nil)
    case .closed(let error?): .closed(error)
    }
  }

  private var isOpen: Bool {
    if case .open = state { return true }
    return false
  }
}

// MARK: - Requests

extension ClientStateMachine {
  private mutating func send(_ id: UInt64, _ request: Request, _ waiter: Waiter, _ actions: inout [Action]) {
    switch state {
    case .closing, .closed: return actions.append(.answer(waiter, .failure(refusal)))
    case .idle, .connecting, .waiting, .open: break
    }
    guard !isOffline else { return actions.append(.answer(waiter, .failure(refusal))) }
    guard requests.count < maximumRequestsInFlight else {
      let message = "\(maximumRequestsInFlight) requests of this client are in flight, which is its limit"
      return actions.append(.answer(waiter, .failure(MartletError(.overloaded, message))))
    }
    requests.add(id, request, waiter)
    sendWaiting(&actions)
  }

  /// Sends what waits, as far as the server may be asked.
  ///
  /// - Parameter areLast: they can't be sent again, so it doesn't matter how many answers the server keeps.
  private mutating func sendWaiting(areLast: Bool = false, _ actions: inout [Action]) {
    guard case .open(let maximumLineBytes) = state else { return }
    while let (id, line) = requests.takeUnsent(areLast: areLast) {
      if let error = Self.tooLong(line, maximumLineBytes) {
        if let refused = requests.remove(id) { actions.append(.answer(refused.entry.waiter, .failure(error))) }
      } else {
        actions.append(.send(line))
      }
    }
  }

  private mutating func cancel(_ id: UInt64, _ actions: inout [Action]) {
    guard let cancelled = requests.remove(id) else { return }
    if case .call = cancelled.entry.request, cancelled.wasSent, isOpen { actions.append(.send(ClientLines.cancel(id))) }
    actions.append(.answer(cancelled.entry.waiter, .failure(MartletError(.cancelled, "the caller cancelled the request"))))
    sendWaiting(&actions)
  }

  private mutating func answer(_ id: UInt64, _ result: Result<Answer, MartletError>, _ actions: inout [Action]) {
    // The connection is about to end; the next one's server runs it.
    if case .failure(let error) = result, error.code == .shuttingDown, isOpen, requests.noteRefusal(id) { return }
    guard let answered = requests.remove(id)?.entry else { return }
    if case .auth(_, let token) = answered.request, case .success = result { hello.token = token }
    actions.append(.answer(answered.waiter, result))
    sendWaiting(&actions)
  }

  private func fail(_ entries: [RequestQueue<Waiter>.Entry], _ error: MartletError, _ actions: inout [Action]) {
    for entry in entries { actions.append(.answer(entry.waiter, .failure(error))) }
  }

  /// Why a request can't be sent in this state.
  private var refusal: MartletError {
    switch state {
    case .closing, .closed(nil): Self.closed
    case .closed(let error?): error
    case .idle, .connecting, .waiting, .open:
      MartletError(.connectionLost, "there is no connection, and has been none for long; the client is connecting again: \(lossReason)")
    }
  }

  private static func tooLong(_ line: [UInt8], _ maximumLineBytes: Int) -> MartletError? {
    let length = line.count - 1
    guard length > maximumLineBytes else { return nil }
    return MartletError(.lineTooLong, "the server takes lines of up to \(maximumLineBytes) bytes, this one has \(length)")
  }
}

// MARK: - Subscriptions

extension ClientStateMachine {
  private mutating func subscribe(_ id: UInt64, _ line: [UInt8], _ sink: Sink, _ actions: inout [Action]) {
    switch state {
    case .closing, .closed(nil): actions.append(.finish(sink, nil))
    case .closed(let error?): actions.append(.finish(sink, error))
    case .idle, .connecting, .waiting: subscriptions[id] = Subscription(line: line, sink: sink)
    case .open(let maximumLineBytes):
      subscriptions[id] = Subscription(line: line, sink: sink)
      sendSubscription(id, maximumLineBytes, &actions)
    }
  }

  private mutating func sendSubscription(_ id: UInt64, _ maximumLineBytes: Int, _ actions: inout [Action]) {
    guard let subscription = subscriptions[id] else { return }
    if let error = Self.tooLong(subscription.line, maximumLineBytes) {
      finish(id, error, &actions)
    } else {
      actions.append(.send(subscription.line))
    }
  }

  private mutating func unsubscribe(_ id: UInt64, _ actions: inout [Action]) {
    guard subscriptions.removeValue(forKey: id) != nil, case .open = state else { return }
    actions.append(.send(ClientLines.unsubscribe(id)))
  }

  private mutating func finish(_ id: UInt64, _ error: MartletError?, _ actions: inout [Action]) {
    guard let subscription = subscriptions.removeValue(forKey: id) else { return }
    actions.append(.finish(subscription.sink, error))
  }

  private mutating func finishAll(_ error: MartletError?, _ actions: inout [Action]) {
    for id in subscriptions.keys.sorted() { finish(id, error, &actions) }
    staged.removeAll()
  }

  private mutating func stage(_ id: UInt64, _ result: Result<[UInt8], MartletError>) {
    guard let index = subscriptions.index(forKey: id) else { return }
    if subscriptions.values[index].staged == nil { staged.append(id) }
    subscriptions.values[index].staged = result
    subscriptions.values[index].base = hello.patches ? try? result.get() : nil
    subscriptions.values[index].awaitsValue = false
  }

  private mutating func stage(_ id: UInt64, patch: [UInt8], _ actions: inout [Action]) {
    guard let index = subscriptions.index(forKey: id), !subscriptions.values[index].awaitsValue else { return }
    let value = subscriptions.values[index].base.flatMap { base in
      base.withUnsafeBytes { base in patch.withUnsafeBytes { try? ValuePatch.apply($0, to: base) } }
    }
    if let value { return stage(id, .success(value)) }
    guard case .open(let maximumLineBytes) = state else { return }
    subscriptions.values[index].base = nil
    subscriptions.values[index].awaitsValue = true
    actions.append(.send(ClientLines.unsubscribe(id)))
    sendSubscription(id, maximumLineBytes, &actions)
  }

  private mutating func deliverStaged(_ timestamp: UInt64, _ actions: inout [Action]) {
    for id in staged {
      // One that has ended since is no longer there.
      guard let index = subscriptions.index(forKey: id) else { continue }
      guard let result = subscriptions.values[index].staged.take() else { continue }
      actions.append(.deliver(subscriptions.values[index].sink, Delivery(result: result, timestamp: timestamp)))
    }
    staged.removeAll(keepingCapacity: true)
  }
}

// MARK: - The connection

extension ClientStateMachine {
  private mutating func receive(_ message: ServerMessage, _ actions: inout [Action]) {
    switch message {
    case .welcome(let welcome): open(welcome, &actions)
    case .ok(let id, let timestamp, let json):
      answer(id, .success(Answer(timestamp: timestamp, json: json)), &actions)
    case .error(let id?, let error):
      if subscriptions[id] != nil {
        // A server that is shutting down is about to end the connection; the next one's is asked again.
        if error.code != .shuttingDown { finish(id, MartletError(error), &actions) }
      } else {
        answer(id, .failure(MartletError(error)), &actions)
      }
    case .error(nil, let error): refused(error, &actions)
    case .update(let id, let json): stage(id, .success(json))
    case .patch(let id, let json): stage(id, patch: json, &actions)
    case .failed(let id, let error): stage(id, .failure(MartletError(error)))
    case .synced(let timestamp): deliverStaged(timestamp, &actions)
    case .pong(let id): answer(id, .success(Answer(timestamp: 0, json: [])), &actions)
    case .closing(let error): farewell = error
    }
  }

  private mutating func open(_ welcome: Welcome, _ actions: inout [Action]) {
    guard case .connecting(_, let starter) = state else { return }
    guard welcome.protocolVersion == WireProtocol.version else {
      let message = "the server speaks version \(welcome.protocolVersion) of the protocol, this client \(WireProtocol.version)"
      giveUp(MartletError(.unexpectedAnswer, message), &actions)
      return
    }
    state = .open(maximumLineBytes: welcome.maxLineBytes)
    isOffline = false
    if let starter { actions.append(.answer(starter, .success(Answer(timestamp: 0, json: [])))) }
    for id in subscriptions.keys.sorted() { sendSubscription(id, welcome.maxLineBytes, &actions) }
    sendWaiting(&actions)
  }

  /// An error that names no request.
  private mutating func refused(_ error: WireError, _ actions: inout [Action]) {
    switch (state, error.code) {
    // It answers `hello`, and would do so again.
    case (.connecting, .unauthenticated), (.connecting, .forbidden), (.connecting, .badRequest),
      (.connecting, .unknownVerb):
      giveUp(MartletError(error), &actions)
    // Some request will never be answered, and there is no telling which.
    case (.connecting, _), (.open, _):
      actions.append(.abandonConnection)
      connectionEnded("the server refused a line (\(error))", &actions)
    // What is in flight may still be answered.
    case (.closing, _), (.idle, _), (.waiting, _), (.closed, _): break
    }
  }

  private mutating func connectionEnded(_ reason: String, _ actions: inout [Action]) {
    farewell = nil
    lossReason = reason
    switch state {
    case .idle, .waiting, .closed: return
    case .connecting(_, let starter?):
      let error = MartletError(.connectionLost, "can't connect: \(reason)")
      state = .closed(error)
      actions.append(.answer(starter, .failure(error)))
      fail(requests.takeAll(), error, &actions)
      finishAll(error, &actions)
    case .connecting(let attempt, nil):
      state = .waiting(attempt: attempt + 1)
      actions.append(.scheduleReconnect(attempt: attempt + 1))
    case .open:
      state = .waiting(attempt: 1)
      losses += 1
      fail(requests.takeLost(), Self.lost(reason), &actions)
      dropStaged()
      actions.append(.scheduleReconnect(attempt: 1))
      actions.append(.scheduleOfflineDue(loss: losses))
    case .closing(let waiters):
      state = .closed(nil)
      fail(requests.takeAll(), Self.lost(reason), &actions)
      for waiter in waiters { actions.append(.answer(waiter, .success(Answer(timestamp: 0, json: [])))) }
    }
  }

  private static func lost(_ reason: String) -> MartletError {
    MartletError(.connectionLost, "the connection ended before the answer, so it is not known what became of the request: \(reason)")
  }

  private mutating func dropStaged() {
    for id in staged {
      guard let index = subscriptions.index(forKey: id) else { continue }
      subscriptions.values[index].staged = nil
    }
    staged.removeAll()
  }

  private mutating func close(_ waiter: Waiter?, _ actions: inout [Action]) {
    let done = Result<Answer, MartletError>.success(Answer(timestamp: 0, json: []))
    switch state {
    case .closed: if let waiter { actions.append(.answer(waiter, done)) }
    case .closing(let waiters): state = .closing(waiters + (waiter.map { [$0] } ?? []))
    case .open:
      sendWaiting(areLast: true, &actions)
      state = .closing(waiter.map { [$0] } ?? [])
      finishAll(nil, &actions)
      actions.append(.send(ClientLines.bye))
      actions.append(.scheduleCloseDue)
    case .idle, .waiting, .connecting:
      if case .connecting(_, let starter?) = state { actions.append(.answer(starter, .failure(Self.closed))) }
      state = .closed(nil)
      fail(requests.takeAll(), Self.closed, &actions)
      finishAll(nil, &actions)
      actions.append(.abandonConnection)
      if let waiter { actions.append(.answer(waiter, done)) }
    }
  }

  /// Connecting again would meet the same refusal.
  private mutating func giveUp(_ error: MartletError, _ actions: inout [Action]) {
    guard case .connecting(_, let starter) = state else { return }
    state = .closed(error)
    actions.append(.abandonConnection)
    if let starter { actions.append(.answer(starter, .failure(error))) }
    fail(requests.takeAll(), error, &actions)
    finishAll(error, &actions)
  }

  private static var closed: MartletError { MartletError(.clientClosed, "this client has been closed") }
}

extension ClientStateMachine.Action: Equatable where Waiter: Equatable, Sink: Equatable {}
