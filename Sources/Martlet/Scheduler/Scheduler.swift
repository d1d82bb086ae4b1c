import MartletWire

/// `ctx.scheduler` of a mutation: has functions run later, as a part of the transaction. If it commits, the jobs are there; if it throws, none
/// is.
///
/// ```swift
/// let job = try ctx.scheduler.run(after: .seconds(30), Bank.transferFunds(alice, bob, 10))
/// try ctx.scheduler.cancel(job)
/// ```
///
/// A scheduled mutation runs exactly once, a scheduled action at most once. They run as nobody: `ctx.identity` is anonymous, and internal
/// functions may be scheduled. Times are kept to the millisecond. O(log n) each, whatever the number of jobs.
public struct Scheduler {
  let transaction: Transaction

  /// Runs a mutation or an action after a time; at once, for one that is past.
  @discardableResult
  public func run<Result: WireValue>(after delay: Duration, _ call: FunctionCall<Result>) throws -> ID<ScheduledFunctions> {
    try run(at: transaction.now + delay.inMilliseconds, call)
  }

  /// - Parameter time: milliseconds since 1970, as `ctx.now`.
  @discardableResult
  public func run<Result: WireValue>(at time: Double, _ call: FunctionCall<Result>) throws -> ID<ScheduledFunctions> {
    try transaction.schedule(call.name, arguments: call.arguments, at: time)
  }

  /// Has a job that is pending never run. The task of an action that runs is cancelled; what it does then is its own affair, and the job is
  /// `canceled`. A job that is over stays as it is. Throws `not_found` where there is no such job.
  public func cancel(_ job: ID<ScheduledFunctions>) throws { try transaction.cancel(job) }
}

/// `ctx.scheduler` of an action: each call is a transaction of its own, and takes effect at once.
public struct ActionScheduler: Sendable {
  let engine: Engine

  /// Runs a mutation or an action after a time; at once, for one that is past.
  @discardableResult
  public func run<Result: WireValue>(after delay: Duration, _ call: FunctionCall<Result>) async throws -> ID<ScheduledFunctions> {
    try await schedule(call.name, call.arguments, "after", delay.inMilliseconds)
  }

  /// - Parameter time: milliseconds since 1970.
  @discardableResult
  public func run<Result: WireValue>(at time: Double, _ call: FunctionCall<Result>) async throws -> ID<ScheduledFunctions> {
    try await schedule(call.name, call.arguments, "at", time)
  }

  /// See `Scheduler.cancel`.
  public func cancel(_ job: ID<ScheduledFunctions>) async throws {
    _ = try await engine.call(JobFunctions.cancel, arguments: ["id": .string(job.description)])
  }

  private func schedule(_ function: String, _ arguments: [UInt8], _ when: String, _ time: Double) async throws -> ID<ScheduledFunctions> {
    let text = try await engine.call(
      JobFunctions.schedule,
      arguments: [
        "args": .string(String(decoding: arguments, as: UTF8.self)), "function": .string(function), when: .float64(time),
      ])
    return try text.withUnsafeBytes {
      var reader = JSONReader($0)
      return try ID<ScheduledFunctions>.decode(from: &reader)
    }
  }
}

extension Duration {
  /// Rounded to a millisecond.
  var inMilliseconds: Double {
    (Double(components.seconds) * 1_000 + Double(components.attoseconds) / 1e15).rounded()
  }
}
