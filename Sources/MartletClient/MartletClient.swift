@_exported public import MartletValues
import MartletWire
import NIOPosix
import Synchronization

/// A connection to a Martlet server that any number of tasks share.
///
///     let client = try await MartletClient.connect(url: "martlet://127.0.0.1:7433")
///     let order = try await client.run(Orders.create(items))
///     for try await orders in client.subscribe(Orders.byStatus("pending")) { … }
///     await client.close()
///
/// - **Order.** The mutations that one task sends one after another run in that order. Requests are pipelined: those of
///   many tasks are under way at the same time, and are written together.
/// - **Loss.** If the connection breaks, the client connects again behind the scenes, with growing pauses, and queries and
///   mutations that were in flight are sent again: the server answers a mutation that has run as it did then, so each runs
///   exactly once, even if the server itself was restarted. Requests that are made meanwhile wait. An action that was in
///   flight fails with `connectionLost`, as nobody knows how far it came; and so does everything that waits after
///   `offlineTimeoutSeconds` without a connection: only then it isn't known whether a mutation was committed. Subscriptions
///   go on by themselves. `connectionState` tells how things stand.
/// - **Cancelling.** A task that is cancelled gets its `CancellationError` at once, and the server is told to stop. A
///   mutation may have been committed all the same.
/// - **End.** `close()` lets what is in flight finish. A client that is dropped without it closes by itself.
///
/// Costs: a request is one allocation for its line and one for its answer; it starts no task.
public final class MartletClient: Sendable {
  private let core: ClientCore
  private let lastID = Atomic<UInt64>(0)

  private init(_ configuration: ClientConfiguration, _ transport: any ClientTransport) {
    core = ClientCore(configuration: configuration, transport: transport)
  }

  deinit {
    core.submit(.close(nil))
  }

  /// Returns when the server has welcomed the client. Throws a `MartletError`: `connectionLost` if there is no server,
  /// and the server's own error if it refuses the token.
  public static func connect(_ configuration: ClientConfiguration) async throws -> MartletClient {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    return try await connect(
      configuration, over: SocketTransport(eventLoop: eventLoop, host: configuration.host, port: configuration.port))
  }

  /// The same over another transport, which knows where the server is.
  package static func connect(
    _ configuration: ClientConfiguration, over transport: any ClientTransport
  ) async throws -> MartletClient {
    let client = MartletClient(configuration, transport)
    do {
      try await withTaskCancellationHandler {
        _ = try await client.answer { client.core.submit(.start($0)) }
      } onCancel: {
        client.core.submit(.close(nil))
      }
    } catch let error as MartletError where error.code == .clientClosed {
      throw CancellationError()
    }
    return client
  }

  public static func connect(
    host: String = "127.0.0.1", port: Int = 7433, token: String? = nil
  ) async throws -> MartletClient {
    try await connect(ClientConfiguration(host: host, port: port, token: token))
  }

  /// - Parameter url: `martlet://host:port`, `host:port` or `host`.
  public static func connect(url: String, token: String? = nil) async throws -> MartletClient {
    guard let configuration = ClientConfiguration(url: url, token: token) else {
      throw MartletError(.badRequest, "a server's address is martlet://host:port or host:port, not \"\(url)\"")
    }
    return try await connect(configuration)
  }

  /// Ends all subscriptions, waits up to five seconds for what is in flight, and closes the connection.
  public func close() async {
    _ = try? await answer { core.submit(.close($0)) }
  }
}

// MARK: - Requests

extension MartletClient {
  /// Runs a function once, by the kind that it is of. Throws a `MartletError` or `CancellationError`.
  @discardableResult
  public func run<Output: WireValue>(_ call: FunctionCall<Output>) async throws -> Output {
    try await Output(answer: request(call.kind.verb, call.name, call.arguments).json)
  }

  /// The answer with its timestamp: of a mutation's commit, of a query's snapshot.
  public func runWithTimestamp<Output: WireValue>(
    _ call: FunctionCall<Output>
  ) async throws -> (value: Output, timestamp: UInt64) {
    let answer = try await request(call.kind.verb, call.name, call.arguments)
    return (try Output(answer: answer.json), answer.timestamp)
  }

  /// Runs a mutation, and shows what it is expected to do before the server has answered.
  ///
  /// ```swift
  /// try await client.run(Chat.like(message)) { local in
  ///   try local.update(Chat.latest(channel, 10)) { messages in
  ///     for index in messages.indices where messages[index].id == message { try messages[index].patch { $0.likes += 1 } }
  ///   }
  /// }
  /// ```
  ///
  /// The subscriptions that `optimistically` changes deliver the changed values at once, as optimistic. When the mutation fails, they deliver
  /// the server's again. When it succeeds, the change is a part of what they show until the server's own values have it: nobody sees the older
  /// value in between. Until then it is made again, after those that were made before it, whenever the server tells newer values. A connection
  /// that breaks changes nothing of that; a caller who is cancelled, or a client that has been offline for too long, takes the change back, as an
  /// error does.
  ///
  /// - Parameter optimistically: runs on the client's own thread, so it is short; see `LocalQueries`.
  /// - Throws: as `run` does; `badRequest` if the call isn't one of a mutation.
  @discardableResult
  public func run<Output: WireValue>(
    _ call: FunctionCall<Output>, optimistically: @escaping OptimisticUpdate
  ) async throws -> Output {
    guard call.kind == .mutation else {
      throw MartletError(.badRequest, "an optimistic update is made with a mutation, and \(call.name) is called as \(call.kind.rawValue)")
    }
    return try await Output(answer: request(.mutation, call.name, call.arguments, optimistically).json)
  }

  public func query(_ function: String, _ arguments: Value = [:]) async throws -> Value {
    try await Value(answer: request(.query, function, arguments.encoded).json)
  }

  @discardableResult
  public func mutation(_ function: String, _ arguments: Value = [:]) async throws -> Value {
    try await Value(answer: request(.mutation, function, arguments.encoded).json)
  }

  @discardableResult
  public func mutation(
    _ function: String, _ arguments: Value = [:], optimistically: @escaping OptimisticUpdate
  ) async throws -> Value {
    try await Value(answer: request(.mutation, function, arguments.encoded, optimistically).json)
  }

  @discardableResult
  public func action(_ function: String, _ arguments: Value = [:]) async throws -> Value {
    try await Value(answer: request(.action, function, arguments.encoded).json)
  }

  public var connectionState: ConnectionState { core.states.current }

  /// How the connection stands now, and each time that this changes. Ends when the client is closed. A loop that is slow gets the newest state.
  public var connectionStates: AsyncStream<ConnectionState> { core.states.watch() }

  /// How long the server takes to answer a line.
  @discardableResult
  public func ping() async throws -> Duration {
    let id = nextID()
    let clock = ContinuousClock()
    let start = clock.now
    _ = try await send(id, .ping(line: ClientLines.ping(id)))
    return clock.now - start
  }

  /// Sets the connection's identity, or clears it; live queries run again as the new one. Connections that are made
  /// later use it too, unless there is a `tokenProvider`.
  public func authenticate(_ token: String?) async throws {
    if let token { try Self.checkWord(token, "a token") }
    let id = nextID()
    _ = try await send(id, .auth(line: ClientLines.auth(id, token), token: token))
  }

  private func request(
    _ verb: ClientVerb, _ function: String, _ arguments: [UInt8], _ update: OptimisticUpdate? = nil
  ) async throws -> Answer {
    try Self.checkWord(function, "a function's name")
    let id = nextID()
    return try await send(id, .call(verb, line: ClientLines.call(verb, id, function, arguments)), update)
  }

  private func send(
    _ id: UInt64, _ request: ClientCore.Machine.Request, _ update: OptimisticUpdate? = nil
  ) async throws -> Answer {
    do {
      return try await withTaskCancellationHandler {
        try await answer { waiter in
          core.submit(.request(id: id, request, waiter, optimistically: update))
          // A cancellation before this line may have come before the request, and found nothing.
          if Task.isCancelled { core.submit(.cancel(id: id)) }
        }
      } onCancel: {
        core.submit(.cancel(id: id))
      }
    } catch let error as MartletError where error.code == .cancelled && Task.isCancelled {
      throw CancellationError()
    }
  }

  private func answer(_ submit: (ClientCore.Waiter) -> Void) async throws -> Answer {
    try await withCheckedThrowingContinuation(submit)
  }

  private func nextID() -> UInt64 { nextIDs(1) }

  /// The first of so many ids that follow each other.
  private func nextIDs(_ count: Int) -> UInt64 {
    lastID.add(UInt64(count), ordering: .relaxed).oldValue + 1
  }

  /// A blank or a line end inside a word would make another line of what follows.
  static func checkWord(_ word: String, _ what: String) throws(MartletError) {
    guard !word.isEmpty, word.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw MartletError(.badRequest, "\(what) is one word without blanks")
    }
  }
}

// MARK: - Subscriptions

extension MartletClient {
  /// A query's value, live. Nothing is sent before the sequence is iterated.
  public func subscribe<Output: WireValue>(_ call: FunctionCall<Output>) -> Subscription<Output> {
    Subscription(client: self, query: QueryKey(function: call.name, arguments: call.arguments))
  }

  public func subscribe(_ function: String, _ arguments: Value = [:]) -> Subscription<Value> {
    Subscription(client: self, query: QueryKey(function: function, arguments: arguments.encoded))
  }

  /// Several queries' values, live, and always of one snapshot.
  ///
  /// ```swift
  /// for try await (total, richest) in client.subscribe(Bank.total(), Bank.richest(10)) { show(total, richest) }
  /// ```
  ///
  /// Without the app's types, a call is made by name: `FunctionCall<Value>(kind: .query, name: "accounts:total")`.
  public func subscribe<each Output: WireValue>(_ calls: repeat FunctionCall<each Output>) -> SubscriptionGroup<repeat each Output> {
    var queries: [QueryKey] = []
    for call in repeat each calls { queries.append(QueryKey(function: call.name, arguments: call.arguments)) }
    return SubscriptionGroup(client: self, queries: queries)
  }

  func begin(_ queries: [QueryKey], _ mailbox: SubscriptionMailbox) -> UInt64 {
    let first = nextIDs(max(queries.count, 1))
    do throws(MartletError) {
      guard !queries.isEmpty else { throw MartletError(.badRequest, "a subscription names its queries, and this one names none") }
      for query in queries { try Self.checkWord(query.function, "a function's name") }
      let lines = zip(first..., queries).map { id, query in
        SubscribedQuery(key: query, line: ClientLines.call(.subscribe, id, query.function, query.arguments))
      }
      core.submit(.subscribe(id: first, lines, mailbox))
    } catch {
      mailbox.finish(error)
    }
    return first
  }

  func end(_ id: UInt64) {
    core.submit(.unsubscribe(id: id))
  }
}

extension Value {
  fileprivate var encoded: [UInt8] {
    var writer = JSONWriter()
    writer.write(value: self)
    return writer.bytes
  }
}
