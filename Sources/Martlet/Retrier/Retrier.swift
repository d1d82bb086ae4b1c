import MartletWire

/// `ctx.retrier` of a mutation: has an action run until it succeeds, and tells a mutation how it ended. A part of the transaction, like any
/// job.
///
/// ```swift
/// try ctx.retrier.run(Payments.charge(order), onComplete: Orders.wasCharged)
/// ```
///
/// Each attempt is a scheduled action: it runs at most once, and what a crash interrupts counts as a failure. Attempts wait longer and longer
/// (`RetryOptions`), at least as long as an error asks for (`RetryDecision.retryAfter`), and end at once where an error is final. `onComplete`
/// runs in the transaction that notes the end, so exactly once, across restarts; where it throws, the run has ended all the same, and
/// the server's log says so.
///
/// An action that is tried again may have done its work already when it failed: make it idempotent.
///
/// `start:` has the first attempt begin later, as that of work in a pool: for a service that wants a pause between two calls.
public struct Retrier {
  let transaction: Transaction

  /// - Parameters:
  ///   - start: when the first attempt begins.
  ///   - onComplete: a mutation that takes the run's id and its result.
  @discardableResult
  public func run<Answer: WireValue, Module: FunctionModule, Result: WireValue>(
    _ call: FunctionCall<Answer>, start: WorkStart = .now, options: RetryOptions = RetryOptions(),
    onComplete: MutationFunction<Module, Result, ID<RetryRuns>, RetryResult>
  ) throws -> ID<RetryRuns> {
    try transaction.beginRetries(call.name, call.arguments, start, options, onComplete.completion)
  }

  @discardableResult
  public func run<Answer: WireValue>(
    _ call: FunctionCall<Answer>, start: WorkStart = .now, options: RetryOptions = RetryOptions()
  ) throws -> ID<RetryRuns> {
    try transaction.beginRetries(call.name, call.arguments, start, options, nil)
  }

  /// How a run stands; nil where there is none, or it ended more than 7 days ago.
  public func status(_ run: ID<RetryRuns>) throws -> Document<RetryRuns>? {
    try DatabaseReader(transaction: transaction).find(run)
  }

  /// Ends a run: no further attempt begins, and one that runs is cancelled. One that is over stays as it is.
  public func cancel(_ run: ID<RetryRuns>) throws { try transaction.cancelRetries(run) }
}

/// `ctx.retrier` of an action: each call is a transaction of its own.
public struct ActionRetrier: Sendable {
  let engine: Engine

  /// See `Retrier.run`.
  @discardableResult
  public func run<Answer: WireValue, Module: FunctionModule, Result: WireValue>(
    _ call: FunctionCall<Answer>, start: WorkStart = .now, options: RetryOptions = RetryOptions(),
    onComplete: MutationFunction<Module, Result, ID<RetryRuns>, RetryResult>
  ) async throws -> ID<RetryRuns> {
    try await run(call.name, call.arguments, start, options, onComplete.completion)
  }

  @discardableResult
  public func run<Answer: WireValue>(
    _ call: FunctionCall<Answer>, start: WorkStart = .now, options: RetryOptions = RetryOptions()
  ) async throws -> ID<RetryRuns> {
    try await run(call.name, call.arguments, start, options, nil)
  }

  public func cancel(_ run: ID<RetryRuns>) async throws {
    _ = try await engine.call(RetryFunctions.cancel, arguments: ["run": .string(run.description)])
  }

  private func run(
    _ name: String, _ arguments: [UInt8], _ start: WorkStart, _ options: RetryOptions, _ completion: RetryCompletion?
  ) async throws -> ID<RetryRuns> {
    let answer = try await engine.call(RetryFunctions.begin(name, arguments, start, options, completion), arguments: [:])
    return try answer.withUnsafeBytes {
      var reader = JSONReader($0)
      return try ID<RetryRuns>.decode(from: &reader)
    }
  }
}


extension MutationFunction {
  /// How this mutation, of the id and the result of a run, or of work in a pool, is called at its end.
  var completion: RetryCompletion {
    var names: [String] = []
    for argument in repeat each arguments { names.append(argument.name) }
    precondition(names.count == 2, "an id and a result")
    return RetryCompletion(function: definition.name, run: names[0], result: names[1])
  }
}

/// The transactions that actions need of the retrier.
enum RetryFunctions {
  static let cancel = FunctionDefinition(
    name: "_system:cancelRetries", visibility: .internal, arguments: [("run", .id(table: RetryRuns.name))],
    limits: Limits.ofServer,
    body: .mutation { context, arguments, answer in
      try context.transaction.cancelRetries(try arguments.take("run", Validator.id(RetryRuns.self)))
      answer.writeNull()
    })

  static func begin(
    _ name: String, _ arguments: [UInt8], _ start: WorkStart, _ options: RetryOptions, _ completion: RetryCompletion?
  ) -> FunctionDefinition {
    FunctionDefinition(
      name: "_system:beginRetries", visibility: .internal, arguments: [],
      limits: Limits.ofServer,
      body: .mutation { context, _, answer in
        answer.write(id: try context.transaction.beginRetries(name, arguments, start, options, completion).raw)
      })
  }
}
