public import Martlet
public import MartletClient

/// A whole server within a test: the engine with its functions, crons and jobs, on a clock that the test moves, without a socket or a file.
///
/// ```swift
/// let server = try MartletTestServer(schema: [Todos.self], functions: [TodoFunctions.self])
/// let client = try await server.client()
/// try await client.run(TodoFunctions.add("Feed the birds"))
/// await server.advance(by: .seconds(86_400))
/// ```
///
/// - **Time** stands still until `advance`, which takes no time: a month of crons runs in moments. `ctx.now`, jobs, crons, retries, timeouts, and
///   the pauses of clients that connect again are all on this clock.
/// - **Everything else** happens at once. A call is answered, and its subscriptions have their values, before the clock moves, and what a
///   mutation schedules for now has run, except for actions that wait for something outside of the server.
/// - **The same seed gives the same run:** the same ids, the same random numbers, the same order. What tasks of the test do side by side comes in
///   the order in which they get to do it.
/// - **Other servers** are what `fetch` says.
/// - **Data** live as long as this object and its clients do, and outlive `restart`.
///
/// The clients are those that an app uses; they speak the line protocol with the engine, by memory.
public final class MartletTestServer: Sendable {
  private let world: TestWorld

  /// - Parameters:
  ///   - schema: the tables; these and what follows as `MartletApp` has them.
  ///   - tokens: who holds the tokens of its clients; without it only admins can sign in.
  ///   - requiredEnvironment: as `MartletApp` has it.
  ///   - adminKey: what admins sign in with, who may call internal functions: `client(token: key)`. Once there is one, the `_system` functions need it.
  ///   - environment: what actions find in `ctx.environment`.
  ///   - fetch: what another server answers to an action; without it, none can be reached.
  ///   - startingAt: the time at first, in milliseconds since 1970.
  ///   - seed: of the server's random numbers, ids among them.
  ///   - printsLog: whether the server's log goes to standard error. What a function threw, of which clients learn only `function_failed`, is there.
  /// - Throws: what keeps the server from starting: a schema, function or cron that can't be.
  public convenience init(
    schema: [any Table.Type], functions: [any FunctionModule.Type], triggers: [Trigger] = [], crons: [Cron] = [],
    limits: Limits = Limits(), pools: [String: Int] = [:], workpools: [Workpool] = [], tokens: (any TokenVerifier)? = nil,
    requiredEnvironment: [String] = [], adminKey: String? = nil, environment: [String: String] = [:],
    fetch: (@Sendable (Request) -> FetchReply)? = nil, startingAt: Double = 1_795_004_800_000, seed: UInt64 = 1, printsLog: Bool = false
  ) throws {
    let app = AppDefinition(
      tables: schema, modules: functions, triggers: triggers, crons: crons, limits: limits, pools: pools, workpools: workpools,
      tokens: tokens, requiredEnvironment: requiredEnvironment)
    try self.init(app, adminKey: adminKey, environment: environment, fetch: fetch, startingAt: startingAt, seed: seed, printsLog: printsLog)
  }

  /// The same for an app as examples have it.
  package init(
    _ app: AppDefinition, adminKey: String? = nil, environment: [String: String] = [:], fetch: (@Sendable (Request) -> FetchReply)? = nil,
    startingAt: Double = 1_795_004_800_000, seed: UInt64 = 1, printsLog: Bool = false
  ) throws {
    try app.checkEnvironment(environment)
    world = try TestWorld(
      app, adminKey, SimulatedClock(startingAt: startingAt), fetch.map { fetch in SimulatedFetcher { fetch($0).reply } }, environment, seed, printsLog)
  }

  /// What another server does about a request.
  public enum FetchReply: Sendable {
    case response(Response, after: Duration = .zero)
    case failure(FetchError.Kind, after: Duration = .zero)
    /// Nothing, so that the request's timeout comes.
    case silence

    fileprivate var reply: SimulatedFetcher.Reply {
      switch self {
      case .response(let response, let after): .response(response, after: after.wholeMilliseconds)
      case .failure(let kind, let after): .failure(kind, after: after.wholeMilliseconds)
      case .silence: .silence
      }
    }
  }

  /// A new client, connected.
  public func client(token: String? = nil) async throws -> MartletClient {
    try await client(ClientConfiguration(token: token))
  }

  /// The same for clients that behave in another way. The configuration's address is of no account.
  public func client(_ configuration: ClientConfiguration) async throws -> MartletClient {
    try await MartletClient.connect(configuration, over: world)
  }

  /// The time of the server, in milliseconds since 1970: what `ctx.now` is.
  public var now: Double { world.clock.wallMilliseconds() }

  /// Lets time pass, and everything happen that is due in it, each at its time.
  ///
  /// What tasks of the test do because of it (in a loop over a subscription, say) isn't waited for.
  public func advance(by duration: Duration) async {
    await world.perform { $0.advance(milliseconds: duration.wholeMilliseconds) }
  }

  /// Returns when nothing is left to do at this time.
  public func settle() async {
    await world.perform { _ in }
  }

  /// Breaks all connections, and refuses new ones for a time. Clients connect again after a pause, so once time has passed.
  public func disconnectClients(for duration: Duration = .zero) async {
    await world.perform { $0.disconnectClients(forMilliseconds: duration.wholeMilliseconds) }
  }

  /// Stops the server as a loss of power would, and starts it again with its data. Clients connect again after a pause, so once time has passed.
  public func restart() async throws {
    try await world.perform { world in Result { try world.restart() } }.get()
  }
}

extension Duration {
  fileprivate var wholeMilliseconds: Int {
    let (seconds, attoseconds) = components
    return max(0, Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
  }
}
