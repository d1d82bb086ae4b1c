import MartletTesting
import MartletValues
import Synchronization

@testable import Martlet

/// Functions that run later, and those that schedule them. `Counters` is what they change.
enum Jobs: FunctionModule {
  static let path = "jobs"
  static let functions: [any ServerFunction] = [
    later, at, laterThenFail, cancel, cancelSelf, again, states, add, hidden, fail, failAfterWriting, tooMuch, slow, call, idle, callFailing,
    wait, laterFromAction, cancelFromAction, badArguments, query,
  ]

  static let later = Mutation("later", Arg("after", .double), Arg("function", .string), Arg("args", .record(.any))) { ctx, after, function, args in
    try ctx.scheduler.run(after: .milliseconds(after), call(function, args))
  }

  static let at = Mutation("at", Arg("time", .double), Arg("name", .string)) { ctx, time, name in
    try ctx.scheduler.run(at: time, add(name, 1))
  }

  static let laterThenFail = Mutation("laterThenFail", Arg("name", .string)) { ctx, name in
    try ctx.scheduler.run(after: .zero, add(name, 1))
    throw ApplicationError("taken back")
  }

  static let badArguments = Mutation("badArguments", Arg("kind", .string), Arg("function", .string), Arg("args", .record(.any))) {
    ctx, kind, function, args in
    try ctx.scheduler.run(
      after: .zero,
      FunctionCall<Null>(kind: FunctionKind(rawValue: kind)!, name: function, arguments: ObjectValue(uniqueFields: args.map { ($0, $1) })))
  }

  static let cancel = Mutation("cancel", Arg("job", .id(ScheduledFunctions.self))) { ctx, job in try ctx.scheduler.cancel(job) }

  private static func call(_ function: String, _ args: [String: Value]) -> FunctionCall<Value> {
    FunctionCall(
      kind: function.hasSuffix("Action") ? .action : .mutation, name: "jobs:\(function)",
      arguments: ObjectValue(uniqueFields: args.map { ($0, $1) }))
  }

  // MARK: What is scheduled

  static let add = Mutation("add", Arg("name", .string), Arg("amount", .double)) { ctx, name, amount in
    try CounterFunctions.add(ctx.db, name, amount)
  }

  static let hidden = Mutation("hidden", Arg("name", .string), visibility: .internal) { ctx, name in
    precondition(!ctx.identity.isAdmin && ctx.identity.subject == nil)
    try CounterFunctions.add(ctx.db, name, 1)
  }

  static let fail = Mutation("fail") { ctx in throw ApplicationError("on purpose") }

  static let failAfterWriting = Mutation("failAfterWriting", Arg("name", .string)) { ctx, name in
    try CounterFunctions.add(ctx.db, name, 1)
    try ctx.scheduler.run(after: .zero, add(name, 100))
    throw Broken()
  }

  struct Broken: Error {}

  static let tooMuch = Mutation("tooMuch", Arg("name", .string), limits: { $0.documentsWritten = 3 }) { ctx, name in
    for number in 0..<9 { _ = try? CounterFunctions.add(ctx.db, "\(name)\(number)", 1) }
  }

  /// Goes over the budget of the engine's thread.
  static let slow = Mutation("slow", Arg("name", .string)) { ctx, name in
    let id = ID<Counters>(DocumentID(tableNumber: 1, high: 0, low: 0))
    for _ in 0..<5_000 { _ = try ctx.db.find(id) }
    try CounterFunctions.add(ctx.db, name, 1)
  }

  /// Schedules itself anew, so many times.
  static let again: Mutation<Null, String, Int> = Mutation("again", Arg("name", .string), Arg("times", .wholeNumber)) { ctx, name, times -> Void in
    try CounterFunctions.add(ctx.db, name, 1)
    if times > 1 { try ctx.scheduler.run(after: .seconds(1), again(name, times - 1)) }
  }

  /// Cancels the job that it is, which changes nothing, and one that is over.
  static let cancelSelf = Mutation("cancelSelf", Arg("name", .string)) { ctx, name in
    for job in try ctx.db.query(ScheduledFunctions.self).collect() { try ctx.scheduler.cancel(job.id) }
    try CounterFunctions.add(ctx.db, name, 1)
  }

  static let call = Action("addAction", Arg("name", .string)) { ctx, name in
    try await ctx.run(add(name, 1))
  }

  static let idle = Action("idleAction", Arg("name", .string)) { ctx, name in name }

  static let callFailing = Action("failAction") { ctx in throw ApplicationError("no luck") }

  /// Never ends by itself.
  static let wait = Action("waitAction", Arg("name", .string)) { ctx, name in
    try await ctx.run(add(name, 1))
    try await Gate.waitForCancellation()
    try await ctx.run(add(name, 10))
  }

  static let laterFromAction = Action("laterAction", Arg("name", .string)) { ctx, name in
    try await ctx.scheduler.run(after: .seconds(2), add(name, 1))
  }

  static let cancelFromAction = Action("cancelAction", Arg("job", .id(ScheduledFunctions.self))) { ctx, job in
    try await ctx.scheduler.cancel(job)
  }

  // MARK: Looking

  static let states = Query("states") { ctx in
    try ctx.db.query(ScheduledFunctions.self).collect().map { job in
      "\(job.function.dropFirst("jobs:".count)) \(job.state.kind.rawValue)\(job.state.error.map { ": \($0)" } ?? "")"
    }
  }

  static let query = Query("query") { ctx in 1 }
}

/// A place where a task waits without time, until it is cancelled.
enum Gate {
  static func waitForCancellation() async throws {
    let waiting = Mutex<CheckedContinuation<Void, any Error>?>(nil)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        waiting.withLock { $0 = continuation }
        if Task.isCancelled { waiting.withLock { $0.take() }?.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      waiting.withLock { $0.take() }?.resume(throwing: CancellationError())
    }
  }
}

extension EngineHarness {
  static func jobs(
    seed: UInt64 = 1, disk: MemoryStorage.Disk = .init(), configuration: EngineConfiguration = EngineConfiguration(),
    pace: SimulatedLogWriter.Pace = .immediate
  ) throws -> EngineHarness {
    try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self, Jobs.self], seed: seed, disk: disk, configuration: configuration,
      pace: pace)
  }
}
