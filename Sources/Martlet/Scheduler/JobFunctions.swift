import MartletWire

/// The transactions that the scheduler itself runs: each moves jobs from one state to the next. They are not listed, and nobody calls them
/// by name.
enum JobFunctions {
  /// `{"args","function","after"|"at"}` → the job's id
  static let schedule = FunctionDefinition(
    name: "_system:schedule", visibility: .internal,
    arguments: [("after", .optional(.float64)), ("args", .string), ("at", .optional(.float64)), ("function", .string)],
    limits: Limits.ofServer,
    body: .mutation { context, arguments, answer in
      let after = try arguments.take("after", Validator.optional(.double))
      let at = try arguments.take("at", Validator.optional(.double))
      let args = try arguments.take("args", Validator.string)
      let function = try arguments.take("function", Validator.string)
      let time = at ?? context.now + (after ?? 0)
      answer.write(id: try context.transaction.schedule(function, arguments: Array(args.utf8), at: time).raw)
    })

  static let cancel = FunctionDefinition(
    name: "_system:cancelJob", visibility: .public, arguments: [("id", .id(table: ScheduledFunctions.name))],
    body: .mutation { context, arguments, answer in
      let id = try arguments.take("id", Validator.id(ScheduledFunctions.self))
      try arguments.finish()
      try context.transaction.cancel(id)
      answer.writeNull()
    })

  /// Notes that an action is about to run. Answers false where its job is not pending any more.
  static let begin = FunctionDefinition(
    name: "_system:beginJob", visibility: .internal, arguments: [("job", .id(table: ScheduledFunctions.name))],
    limits: Limits.ofServer,
    body: .mutation { context, arguments, answer in
      let id = try arguments.take("job", Validator.id(ScheduledFunctions.self))
      let job = try context.db.find(id)
      guard let job, job.state.kind == .pending else { return answer.write(boolean: false) }
      try context.transaction.begin(job)
      answer.write(boolean: true)
    })

  /// Notes how a job ended: with an error or without. One that was cancelled meanwhile, or removed, stays as it is.
  static let end = FunctionDefinition(
    name: "_system:endJob", visibility: .internal,
    arguments: [
      ("completionProblem", .optional(.string)), ("error", .optional(.string)), ("isFinal", .optional(.boolean)),
      ("job", .id(table: ScheduledFunctions.name)), ("result", .optional(.string)), ("retryAfter", .optional(.float64)),
    ],
    limits: Limits.ofServer,
    body: .mutation { context, arguments, answer in
      let error = try arguments.take("error", Validator.optional(.string))
      let id = try arguments.take("job", Validator.id(ScheduledFunctions.self))
      let result = try arguments.take("result", Validator.optional(.string))
      var advice = RetryAdvice()
      advice.isRetryable = try arguments.take("isFinal", Validator.optional(.boolean)) != true
      advice.retryAfterMilliseconds = try arguments.take("retryAfter", Validator.optional(.double))
      advice.completionProblem = try arguments.take("completionProblem", Validator.optional(.string))
      if let job = try context.db.find(id), !job.isOver {
        try context.transaction.end(job, error.map { JobState(.failed, error: $0) } ?? JobState(.success), result: result, advice)
      }
      answer.writeNull()
    })

  /// How many finished jobs are removed in one commit.
  static let mostRemoved = 500

  /// Removes jobs, runs of the retrier, and work of pools, that ended up to a time, the oldest first.
  static let removeOld = FunctionDefinition(
    name: "_system:removeOldJobs", visibility: .internal, arguments: [("upTo", .float64)],
    limits: Limits.ofServer,
    body: .mutation { context, arguments, answer in
      let time = try arguments.take("upTo", Validator.double)
      let jobs = try context.db.query(ScheduledFunctions.self)
        .withIndex(\.byCompletion) { $0.gt(\.completedTime, nil).lte(\.completedTime, time) }.take(mostRemoved)
      let runs = try context.db.query(RetryRuns.self)
        .withIndex(\.byCompletion) { $0.gt(\.completedTime, nil).lte(\.completedTime, time) }.take(mostRemoved)
      let works = try context.db.query(WorkItems.self)
        .withIndex(\.byCompletion) { $0.gt(\.completedTime, nil).lte(\.completedTime, time) }.take(mostRemoved)
      try context.transaction.asServer { db in
        for job in jobs { try db.delete(job.id) }
        for run in runs { try db.delete(run.id) }
        for work in works { try db.delete(work.id) }
      }
      answer.writeNull()
    })

  /// Runs a mutation's job: the function and the job's end are one transaction. Where the function throws, what it wrote is taken back, and
  /// the job's failure commits alone. Answers whether it didn't.
  static func runner(of function: FunctionDefinition) -> FunctionDefinition {
    FunctionDefinition(
      name: function.name, visibility: .internal, arguments: [("job", .id(table: ScheduledFunctions.name))],
      limits: { $0 = function.limits(on: $0) },
      body: .mutation { context, arguments, answer in
        let id = try arguments.take("job", Validator.id(ScheduledFunctions.self))
        let transaction = context.transaction
        guard let job = try context.db.find(id), !job.isOver else { return answer.write(boolean: true) }
        guard let args = job.storage.value(of: "args") else { preconditionFailure("a job has arguments") }
        var failure: String?
        do { try transaction.registry.runNested(function, args, in: transaction, into: &answer) } catch {
          failure = transaction.text(of: error)
          transaction.caught = WireError((error as? WireError)?.code ?? (error is ApplicationError ? .application : .functionFailed), failure!)
        }
        // A job may cancel itself; what it did then stays all the same.
        if try failure != nil || context.db.find(id)?.isOver == false {
          let result = job.wantsResult && failure == nil ? String(decoding: answer.bytes, as: UTF8.self) : nil
          try transaction.end(job, failure.map { JobState(.failed, error: $0) } ?? JobState(.success), result: result)
        }
        answer.removeAll()
        answer.write(boolean: failure == nil)
      }
    ).numbered(function.number)
  }
}

extension Transaction {
  /// An error as it is kept with a job: whole, since only the app and its admin read jobs.
  func text(of error: any Error) -> String {
    let text =
      switch error {
      case let error as ApplicationError: error.message
      case let error as WireError: error.message
      default: "\(error)"
      }
    return environment.outside.secrets.redact(text)
  }
}

extension Engine {
  /// Runs one of the server's own functions, and gives its answer when it is durable.
  func call(_ function: FunctionDefinition, arguments: ObjectValue) async throws -> [UInt8] {
    guard stopping.mayCall else { throw StoppingActions.isOver }
    var writer = JSONWriter()
    writer.write(object: arguments)
    let json = writer.bytes
    return try await withCheckedThrowingContinuation { continuation in
      start(function, json, .anonymous) { engine, result in
        engine.whenDurable { failure in
          if let failure { continuation.resume(throwing: failure) } else { continuation.resume(with: result.map(\.json)) }
        }
      }
    }
  }
}
