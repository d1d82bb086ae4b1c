/// What a query's handler is given.
///
/// A handler must be deterministic: it reads `now` and `random` instead of the clock and the system's generator, because
/// the server may run it again.
public struct QueryContext {
  @usableFromInline let transaction: Transaction

  @inlinable public var db: DatabaseReader { DatabaseReader(transaction: transaction) }
  public var log: FunctionLog { FunctionLog(transaction: transaction) }
  public var identity: Identity { transaction.identity }

  /// When the request began: milliseconds since 1970.
  public var now: Double { transaction.now }

  public var random: DeterministicRandom {
    get { transaction.random }
    nonmutating set { transaction.random = newValue }
  }

  /// A new UUID at each access: random, version 4, drawn from `random`, so the same in each run of one request.
  public var uuid: String { transaction.nextUUID() }

  /// How work in pools stands.
  public var workpools: WorkpoolReader { WorkpoolReader(transaction: TransactionHandle(transaction: transaction)) }

  /// Runs another query on the same snapshot.
  public func run<Result: WireValue>(_ call: FunctionCall<Result>) throws -> Result {
    try transaction.registry.runNested(call, in: transaction)
  }
}

/// What a mutation's handler is given. Its writes become visible to others together, when it has returned; if it throws,
/// nothing stays.
public struct MutationContext {
  @usableFromInline let transaction: Transaction

  @inlinable public var db: DatabaseWriter { DatabaseWriter(transaction: transaction) }
  public var log: FunctionLog { FunctionLog(transaction: transaction) }
  public var identity: Identity { transaction.identity }

  /// When the request began: milliseconds since 1970.
  public var now: Double { transaction.now }

  public var random: DeterministicRandom {
    get { transaction.random }
    nonmutating set { transaction.random = newValue }
  }

  /// A new UUID at each access: random, version 4, drawn from `random`, so the same in each run of one request.
  public var uuid: String { transaction.nextUUID() }

  /// Has functions run later, if this transaction commits.
  public var scheduler: Scheduler { Scheduler(transaction: transaction) }

  /// Has actions run until they succeed.
  public var retrier: Retrier { Retrier(transaction: transaction) }

  /// Has functions run of which a bounded number may at a time.
  public var workpools: Workpools { Workpools(transaction: TransactionHandle(transaction: transaction)) }

  /// Counts how often something is done, and says when it is too often.
  public var rateLimiter: RateLimiter { RateLimiter(transaction: transaction) }

  /// Has functions run on a calendar, from this transaction on.
  public var crons: CronScheduler { CronScheduler(transaction: transaction) }

  /// Runs a query or a mutation inside this transaction. One that throws takes back its own writes; this mutation may
  /// catch the error and go on.
  @discardableResult
  public func run<Result: WireValue>(_ call: FunctionCall<Result>) throws -> Result {
    try transaction.registry.runNested(call, in: transaction)
  }
}

/// What an action's handler is given. It reaches the data only by running queries and mutations, each a transaction of
/// its own, and the world by `fetch`.
public struct ActionContext: Sendable {
  package let engine: Engine
  public let identity: Identity
  package let run: ActionRun

  package init(engine: Engine, identity: Identity, run: ActionRun) {
    self.engine = engine
    self.identity = identity
    self.run = run
  }

  /// Has functions run later.
  public var scheduler: ActionScheduler { ActionScheduler(engine: engine) }

  /// Has actions run until they succeed.
  public var retrier: ActionRetrier { ActionRetrier(engine: engine) }

  /// Has functions run of which a bounded number may at a time.
  public var workpools: ActionWorkpools { ActionWorkpools(engine: engine) }

  /// Runs a query, a mutation or another action.
  @discardableResult
  public func run<Result: WireValue>(_ call: FunctionCall<Result>) async throws -> Result {
    let json = try await engine.call(call.name, kind: call.kind, arguments: call.arguments, identity: identity, caller: run.function)
    return try json.withUnsafeBytes {
      var reader = JSONReader($0)
      return try Result.decode(from: &reader)
    }
  }
}
