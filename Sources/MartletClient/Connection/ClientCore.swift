import MartletWire
import NIOCore
import NIOPosix
import Synchronization

/// Carries out what `ClientStateMachine` decides, on one event loop.
///
/// Callers put events into an inbox; the first one wakes the loop, the others ride along. So requests that are made
/// while the loop works are written together: one system call for all, and no task for any.
///
/// `@unchecked Sendable` is sound: `inbox` has its lock, and everything that changes below "On the loop" is touched
/// on `eventLoop` only, which each method there asserts.
final class ClientCore: @unchecked Sendable {
  typealias Waiter = CheckedContinuation<Answer, any Error>
  typealias Machine = ClientStateMachine<Waiter, SubscriptionMailbox>

  private let configuration: ClientConfiguration
  private let eventLoop: any EventLoop
  private let inbox = Mutex<[Machine.Event]>([])
  let states = ConnectionStates()

  // On the loop.
  private var machine: Machine
  private var actions: [Machine.Action] = []
  private var channel: (any Channel)?
  /// Counts attempts. What an older attempt's channel reports is not listened to.
  private var attempt = 0
  private var output = ByteBuffer()
  /// The one that was told last.
  private var connectionState = ConnectionState.connecting

  /// How long a server has to answer what is in flight after `bye`.
  private static let closeTimeout = TimeAmount.seconds(5)

  init(configuration: ClientConfiguration, eventLoop: any EventLoop) {
    self.configuration = configuration
    self.eventLoop = eventLoop
    let session = String(UInt64.random(in: 0 ... .max), radix: 36) + String(UInt64.random(in: 0 ... .max), radix: 36)
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
    if isFirst { eventLoop.execute { self.drainInbox() } }
  }
}

// MARK: - On the loop

extension ClientCore {
  private func drainInbox() {
    eventLoop.assertInEventLoop()
    let events = inbox.withLock { inbox in
      let events = inbox
      inbox = []
      return events
    }
    for event in events { handle(event) }
    flush()
  }

  private func handle(_ event: Machine.Event) {
    eventLoop.assertInEventLoop()
    // What an action sets off comes back through the loop or the inbox, so this is never entered while it runs.
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
    case .send(let bytes): output.writeBytes(bytes)
    case .answer(let waiter, .success(let answer)): waiter.resume(returning: answer)
    case .answer(let waiter, .failure(let error)): waiter.resume(throwing: error)
    case .deliver(let mailbox, let delivery): mailbox.deliver(delivery)
    case .finish(let mailbox, let error): mailbox.finish(error)
    case .renewToken: renewToken()
    case .scheduleReconnect(let attempt):
      let delay = configuration.backoff.delayMilliseconds(attempt: attempt, random: .random(in: 0..<1))
      schedule(.microseconds(Int64(delay * 1000)), .reconnectDue)
    case .scheduleCloseDue: schedule(Self.closeTimeout, .closeDue)
    case .scheduleOfflineDue(let loss):
      schedule(.microseconds(Int64(configuration.offlineTimeoutSeconds * 1e6)), .offlineDue(loss: loss))
    case .abandonConnection:
      attempt += 1
      output.clear()
      channel?.close(promise: nil)
      channel = nil
    }
  }

  /// The loop holds no client that is otherwise gone.
  private func schedule(_ delay: TimeAmount, _ event: Machine.Event) {
    eventLoop.scheduleTask(in: delay) { [weak self] in
      self?.handle(event)
      self?.flush()
    }
  }

  private func flush() {
    guard output.readableBytes > 0, let channel else { return }
    channel.writeAndFlush(output, promise: nil)
    output = channel.allocator.buffer(capacity: 1024)
  }

  private func connect() {
    attempt += 1
    let attempt = attempt
    output.clear()
    let timeout = TimeAmount.nanoseconds(Int64(configuration.connectTimeoutSeconds * 1e9))
    eventLoop.scheduleTask(in: timeout) { [weak self] in
      guard let self, self.attempt == attempt else { return }
      self.handle(.connectTimedOut)
      self.flush()
    }
    guard let provider = configuration.tokenProvider else { return openChannel(attempt, timeout) }
    provideToken(provider, attempt) { failure in
      if let failure { self.ended(attempt, "there is no token: \(failure)") } else { self.openChannel(attempt, timeout) }
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
      eventLoop.execute {
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

  private func openChannel(_ attempt: Int, _ timeout: TimeAmount) {
    ClientBootstrap(group: eventLoop)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(timeout)
      .channelInitializer { [maximumLineBytes = configuration.maximumLineBytes] channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = ClientChannelHandler(core: self, attempt: attempt, maximumLineBytes: maximumLineBytes)
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .connect(host: configuration.host, port: configuration.port)
      .whenFailure { error in self.ended(attempt, ConnectionReason.text(error)) }
  }

  /// The methods that the channel's handler calls.
  func connected(_ channel: any Channel, _ attempt: Int) {
    guard attempt == self.attempt else { return channel.close(promise: nil) }
    self.channel = channel
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
    channel = nil
    self.attempt += 1
    handle(.connectionEnded(reason: reason))
    flush()
  }
}
