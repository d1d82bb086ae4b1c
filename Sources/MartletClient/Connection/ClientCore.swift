import MartletWire
import Synchronization

/// Carries out what `ClientStateMachine` decides, on one thread.
///
/// Callers put events into an inbox; the first one wakes the thread, the others ride along. So requests that are made
/// while it works are written together: one system call for all, and no task for any.
///
/// `@unchecked Sendable` is sound: `inbox` has its lock, and everything that changes below "On the thread" is touched
/// on the transport's thread only, which the methods there assert.
final class ClientCore: @unchecked Sendable {
  typealias Waiter = CheckedContinuation<Answer, any Error>
  typealias Machine = ClientStateMachine<Waiter, SubscriptionMailbox>

  private let configuration: ClientConfiguration
  private let transport: any ClientTransport
  private let inbox = Mutex<[Machine.Event]>([])
  let states = ConnectionStates()

  // On the thread.
  private var machine: Machine
  private var actions: [Machine.Action] = []
  private var connection: (any ClientConnection)?
  /// Counts attempts. What an older attempt's connection reports is not listened to.
  private var attempt = 0
  /// The one that was told last.
  private var connectionState = ConnectionState.connecting

  /// How long a server has to answer what is in flight after `bye`.
  private static let closeTimeoutSeconds = 5.0

  init(configuration: ClientConfiguration, transport: any ClientTransport) {
    self.configuration = configuration
    self.transport = transport
    let session = String(transport.random(), radix: 36) + String(transport.random(), radix: 36)
    self.machine = Machine(
      session: session, token: configuration.token, maximumRequestsInFlight: configuration.maximumRequestsInFlight,
      acceptsPatches: configuration.acceptsPatches)
  }

  /// From any thread. Events are handled in the order in which they were submitted.
  func submit(_ event: Machine.Event) {
    let isFirst = inbox.withLock { events in
      events.append(event)
      return events.count == 1
    }
    if isFirst { transport.execute { self.drainInbox() } }
  }
}

// MARK: - On the thread

extension ClientCore {
  private func drainInbox() {
    transport.assertIsCurrent()
    let events = inbox.withLock { inbox in
      let events = inbox
      inbox = []
      return events
    }
    for event in events { handle(event) }
    flush()
  }

  private func handle(_ event: Machine.Event) {
    transport.assertIsCurrent()
    // What an action sets off comes back through the transport or the inbox, so this is never entered while it runs.
    machine.handle(event, &actions)
    let state = machine.connectionState
    if state != connectionState {
      connectionState = state
      // Before anybody hears of what came of it.
      states.note(state)
    }
    for action in actions { perform(action) }
    actions.removeAll(keepingCapacity: true)
  }

  private func perform(_ action: Machine.Action) {
    switch action {
    case .connect: connect()
    case .send(let bytes): connection?.write(bytes)
    case .answer(let waiter, .success(let answer)): waiter.resume(returning: answer)
    case .answer(let waiter, .failure(let error)): waiter.resume(throwing: error)
    case .deliver(let mailbox, let delivery): mailbox.deliver(delivery)
    case .finish(let mailbox, let error): mailbox.finish(error)
    case .renewToken: renewToken()
    case .scheduleReconnect(let attempt):
      let random = Double(transport.random() >> 11) * 0x1p-53
      schedule(configuration.backoff.delayMilliseconds(attempt: attempt, random: random) / 1000, .reconnectDue)
    case .scheduleCloseDue: schedule(Self.closeTimeoutSeconds, .closeDue)
    case .scheduleOfflineDue(let loss): schedule(configuration.offlineTimeoutSeconds, .offlineDue(loss: loss))
    case .abandonConnection:
      attempt += 1
      connection?.close()
      connection = nil
    }
  }

  /// The transport holds no client that is otherwise gone.
  private func schedule(_ seconds: Double, _ event: Machine.Event) {
    transport.schedule(afterSeconds: seconds) { [weak self] in
      self?.handle(event)
      self?.flush()
    }
  }

  private func flush() { connection?.flush() }

  private func connect() {
    attempt += 1
    let attempt = attempt
    transport.schedule(afterSeconds: configuration.connectTimeoutSeconds) { [weak self] in
      guard let self, self.attempt == attempt else { return }
      self.handle(.connectTimedOut)
      self.flush()
    }
    guard let provider = configuration.tokenProvider else { return openConnection(attempt) }
    provideToken(provider, attempt) { failure in
      if let failure { self.ended(attempt, "there is no token: \(failure)") } else { self.openConnection(attempt) }
    }
  }

  /// Asks for a token and hands it to the machine, unless the attempt, or the connection that it led to, has ended by then.
  private func provideToken(
    _ provider: @escaping @Sendable () async throws -> String?, _ attempt: Int, _ done: @escaping @Sendable ((any Error)?) -> Void
  ) {
    Task {
      let token: Result<String?, any Error>
      do {
        let text = try await provider()
        if let text { try MartletClient.checkWord(text, "a token") }
        token = .success(text)
      } catch { token = .failure(error) }
      transport.execute {
        guard attempt == self.attempt else { return }
        switch token {
        case .success(let token):
          self.handle(.token(token))
          self.flush()
          done(nil)
        case .failure(let error): done(error)
        }
      }
    }
  }

  /// A provider that fails here leaves the connection anonymous; the next connection asks it again.
  private func renewToken() {
    guard let provider = configuration.tokenProvider else { return }
    provideToken(provider, attempt) { _ in }
  }

  private func openConnection(_ attempt: Int) {
    transport.connect(
      timeoutSeconds: configuration.connectTimeoutSeconds,
      ClientConnectionEnd(core: self, attempt: attempt, maximumLineBytes: configuration.maximumLineBytes))
  }

  /// The methods that a connection's end calls.
  func connected(_ connection: any ClientConnection, _ attempt: Int) {
    guard attempt == self.attempt else { return connection.close() }
    self.connection = connection
    handle(.connected)
    flush()
  }

  func received(_ line: UnsafeRawBufferPointer, _ attempt: Int) {
    guard attempt == self.attempt else { return }
    switch ServerMessage.read(line) {
    case .message(let message): handle(.received(message))
    case .ignored: break
    case .malformed: handle(.receivedGarbage(reason: "the server sent a line that is not Martlet's protocol"))
    }
  }

  func receivedTooLongLine(_ attempt: Int) {
    guard attempt == self.attempt else { return }
    let limit = configuration.maximumLineBytes
    handle(.receivedGarbage(reason: "the server sent a line of more than \(limit) bytes, this client's limit"))
  }

  func receivedAll() {
    flush()
  }

  func ended(_ attempt: Int, _ reason: String) {
    guard attempt == self.attempt else { return }
    connection = nil
    self.attempt += 1
    handle(.connectionEnded(reason: reason))
    flush()
  }
}
