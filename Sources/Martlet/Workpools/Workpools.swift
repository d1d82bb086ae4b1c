import MartletWire

/// Looking at workpools: `ctx.workpools` in a query, and (with enqueueing) in a mutation.
public protocol ReadsWorkpools {
  var transaction: TransactionHandle { get }
}

/// `ctx.workpools` of a query.
public struct WorkpoolReader: ReadsWorkpools {
  public let transaction: TransactionHandle
}

extension ReadsWorkpools {
  /// How a piece of work stands; nil where there is none, or it ended more than 7 days ago. O(log n).
  ///
  /// In a live query, the position has it run again whenever work before it starts, or is enqueued. Who needs no position reads the document
  /// (`ctx.db.find(work)?.state`).
  public func status(_ work: ID<WorkItems>) throws -> WorkStatus? { try transaction.transaction.workStatus(work) }

  /// How much a pool has to do. O(log n).
  public func counts(_ pool: Workpool) throws -> WorkCounts { try transaction.transaction.workCounts(pool.name) }

  public func isPaused(_ pool: Workpool) throws -> Bool { try transaction.transaction.isPaused(pool: pool.name) }
}

/// `ctx.workpools` of a mutation: has functions run as soon as their pool has a place for them. A part of the transaction, like any job.
///
/// ```swift
/// try ctx.workpools.enqueue(mail, send(user), onComplete: sent)
/// ```
///
/// Work starts in the order of its times, then in that in which it was enqueued. A mutation runs exactly once. An action runs at most once for each
/// attempt; where the pool or `retry` says so it is tried again as the retrier does: longer and longer waits, at least as long as an error asks
/// for, none where an error is final. What waits to be tried again takes up no place. What a crash interrupts counts as a failure.
///
/// `onComplete` is told the result by a job of its own, which is a part of the transaction that notes the end: exactly once, across restarts. Where
/// it throws, that job has failed, and the work has ended all the same.
///
/// Enqueueing reads nothing, so that any number of clients, and long mutations, do it at a time. O(log n) each, whatever the number of pieces.
public struct Workpools: ReadsWorkpools {
  public let transaction: TransactionHandle

  /// - Parameters:
  ///   - call: a mutation or an action.
  ///   - retry: how an action is tried again, instead of the pool's `retry`.
  ///   - onComplete: a mutation that takes the work's id and its result.
  @discardableResult
  public func enqueue<Answer: WireValue, Module: FunctionModule, Result: WireValue>(
    _ pool: Workpool, _ call: FunctionCall<Answer>, start: WorkStart = .now, retry: RetryOptions? = nil,
    onComplete: MutationFunction<Module, Result, ID<WorkItems>, WorkResult>
  ) throws -> ID<WorkItems> {
    try enqueue(WorkOrder(pool, [call], start, retry, onComplete.completion))[0]
  }

  @discardableResult
  public func enqueue<Answer: WireValue>(
    _ pool: Workpool, _ call: FunctionCall<Answer>, start: WorkStart = .now, retry: RetryOptions? = nil
  ) throws -> ID<WorkItems> {
    try enqueue(WorkOrder(pool, [call], start, retry, nil))[0]
  }

  /// Enqueues several, in their order.
  @discardableResult
  public func enqueueAll<Answer: WireValue, Module: FunctionModule, Result: WireValue>(
    _ pool: Workpool, _ calls: [FunctionCall<Answer>], start: WorkStart = .now, retry: RetryOptions? = nil,
    onComplete: MutationFunction<Module, Result, ID<WorkItems>, WorkResult>
  ) throws -> [ID<WorkItems>] {
    try enqueue(WorkOrder(pool, calls, start, retry, onComplete.completion))
  }

  @discardableResult
  public func enqueueAll<Answer: WireValue>(
    _ pool: Workpool, _ calls: [FunctionCall<Answer>], start: WorkStart = .now, retry: RetryOptions? = nil
  ) throws -> [ID<WorkItems>] {
    try enqueue(WorkOrder(pool, calls, start, retry, nil))
  }

  /// Has work that waits never start. The task of an action that runs is cancelled; what it does then is its own affair, and the work is
  /// `canceled`, its place free. What is over stays as it is. Throws `not_found` where there is no such work.
  public func cancel(_ work: ID<WorkItems>) throws { try transaction.transaction.cancel(work: work) }

  /// The same for all that is in a pool now. It is done a part at a time; nothing of the pool starts until it is.
  public func cancelAll(_ pool: Workpool) throws { try transaction.transaction.cancelAll(inPool: pool.name) }

  /// Starts no more of a pool's work, until `resume`; what runs goes on. Kept across restarts.
  public func pause(_ pool: Workpool) throws { try transaction.transaction.setPaused(true, pool: pool.name) }

  public func resume(_ pool: Workpool) throws { try transaction.transaction.setPaused(false, pool: pool.name) }

  private func enqueue(_ order: WorkOrder) throws -> [ID<WorkItems>] { try transaction.transaction.enqueue(order) }
}

/// `ctx.workpools` of an action: each call is a transaction of its own.
public struct ActionWorkpools: Sendable {
  let engine: Engine

  /// See `Workpools.enqueue`.
  @discardableResult
  public func enqueue<Answer: WireValue, Module: FunctionModule, Result: WireValue>(
    _ pool: Workpool, _ call: FunctionCall<Answer>, start: WorkStart = .now, retry: RetryOptions? = nil,
    onComplete: MutationFunction<Module, Result, ID<WorkItems>, WorkResult>
  ) async throws -> ID<WorkItems> {
    try await enqueue(WorkOrder(pool, [call], start, retry, onComplete.completion))[0]
  }

  @discardableResult
  public func enqueue<Answer: WireValue>(
    _ pool: Workpool, _ call: FunctionCall<Answer>, start: WorkStart = .now, retry: RetryOptions? = nil
  ) async throws -> ID<WorkItems> {
    try await enqueue(WorkOrder(pool, [call], start, retry, nil))[0]
  }

  /// Enqueues several in one transaction, all or none.
  @discardableResult
  public func enqueueAll<Answer: WireValue, Module: FunctionModule, Result: WireValue>(
    _ pool: Workpool, _ calls: [FunctionCall<Answer>], start: WorkStart = .now, retry: RetryOptions? = nil,
    onComplete: MutationFunction<Module, Result, ID<WorkItems>, WorkResult>
  ) async throws -> [ID<WorkItems>] {
    try await enqueue(WorkOrder(pool, calls, start, retry, onComplete.completion))
  }

  @discardableResult
  public func enqueueAll<Answer: WireValue>(
    _ pool: Workpool, _ calls: [FunctionCall<Answer>], start: WorkStart = .now, retry: RetryOptions? = nil
  ) async throws -> [ID<WorkItems>] {
    try await enqueue(WorkOrder(pool, calls, start, retry, nil))
  }

  /// See `Workpools.cancel`.
  public func cancel(_ work: ID<WorkItems>) async throws { try await change { try $0.cancel(work: work) } }

  /// See `Workpools.cancelAll`.
  public func cancelAll(_ pool: Workpool) async throws { try await change { try $0.cancelAll(inPool: pool.name) } }

  private func enqueue(_ order: WorkOrder) async throws -> [ID<WorkItems>] {
    let answer = try await engine.call(WorkFunctions.once { try $0.enqueue(order).encode(to: &$1) }, arguments: [:])
    return try answer.withUnsafeBytes {
      var reader = JSONReader($0)
      return try [ID<WorkItems>].decode(from: &reader)
    }
  }

  private func change(_ body: @escaping @Sendable (Transaction) throws -> Void) async throws {
    _ = try await engine.call(
      WorkFunctions.once {
        try body($0)
        $1.writeNull()
      }, arguments: [:])
  }
}

/// What is to be enqueued, without its types.
struct WorkOrder: Sendable {
  var pool: String
  var calls: [(name: String, arguments: [UInt8])]
  var start: WorkStart
  var retry: RetryOptions?
  var completion: RetryCompletion?

  init<Answer: WireValue>(
    _ pool: Workpool, _ calls: [FunctionCall<Answer>], _ start: WorkStart, _ retry: RetryOptions?, _ completion: RetryCompletion?
  ) {
    self.pool = pool.name
    self.calls = calls.map { ($0.name, $0.arguments) }
    self.start = start
    self.retry = retry
    self.completion = completion
  }
}
