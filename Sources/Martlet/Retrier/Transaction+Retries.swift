import MartletWire

/// Retries within a transaction.
extension Transaction {
  func beginRetries(
    _ name: String, _ arguments: [UInt8], _ start: WorkStart, _ options: RetryOptions, _ completion: RetryCompletion?
  ) throws -> ID<RetryRuns> {
    if let problem = options.problem { throw WireError(.invalidArguments, "retrying \(name): \(problem)") }
    let args = try checkedArguments(of: name, arguments, "retrying \(name)")
    if let completion, registry.find(completion.function) == nil { throw registry.unknown(completion.function) }
    try requireRoom(forArguments: arguments.count)
    let run = try asServer { db in
      try db.insert(RetryRuns.self) {
        $0.function = name
        $0.args = args
        $0.options = options
        $0.onComplete = completion
        $0.failures = 0
        $0.state = .inProgress
      }
    }
    try beginAttempt(of: run, name, arguments, at: start.time(now: now))
    return run
  }

  private func beginAttempt(of run: ID<RetryRuns>, _ name: String, _ arguments: [UInt8], at time: Double) throws {
    let job = try schedule(name, arguments: arguments, at: time, retry: run)
    try asServer { db in try db.patch(run) { $0.job = job } }
  }

  func cancelRetries(_ id: ID<RetryRuns>) throws {
    let run = try DatabaseReader(transaction: self).get(id)
    guard run.state == .inProgress else { return }
    // The end of the job is the end of the run.
    if let job = run.job { try cancel(job) }
  }

  /// An attempt ended: so does the run, or the next attempt is scheduled.
  func noteAttempt(of job: Document<ScheduledFunctions>, _ state: JobState, result: String?, _ advice: RetryAdvice) throws {
    guard let id = job.retry, let run = try DatabaseReader(transaction: self).find(id), run.state == .inProgress else { return }
    switch state.kind {
    case .pending, .inProgress: return
    case .canceled: try complete(run, .canceled, advice)
    case .success: try complete(run, .success(result.flatMap { try? Value(json: $0) } ?? .null), advice)
    case .failed:
      let failures = run.failures + 1
      let error = state.error ?? "it failed"
      try asServer { db in
        try db.patch(id) {
          $0.failures = failures
          $0.error = error
        }
      }
      guard advice.isRetryable, failures <= run.options.maxFailures else { return try complete(run, .failed(error), advice) }
      let wait = max(run.options.backoff(afterFailures: failures, &random), advice.retryAfterMilliseconds ?? 0)
      let args = run.storage.value(of: "args").map { Array($0) } ?? []
      do {
        try beginAttempt(of: id, run.function, args, at: now + wait)
        events.retries += 1
      } catch let error as WireError {
        // The function is gone, or takes other arguments by now.
        try complete(run, .failed(error.message), advice)
      }
    }
  }

  private func complete(_ run: Document<RetryRuns>, _ result: RetryResult, _ advice: RetryAdvice) throws {
    try asServer { db in
      try db.patch(run.id) {
        $0.completedTime = now
        switch result {
        case .success(let value):
          $0.state = .success
          $0.result = value
        case .failed(let error):
          $0.state = .failed
          $0.error = error
        case .canceled: $0.state = .canceled
        }
      }
    }
    guard let completion = run.onComplete else { return }
    if let problem = advice.completionProblem { return logCompletion(run, problem) }
    guard let function = registry.find(completion.function), function.kind == .mutation else {
      return logCompletion(run, registry.unknown(completion.function).message)
    }
    var arguments = JSONWriter()
    arguments.write(object: [completion.run: .string(run.id.description), completion.result: result.value])
    var answer = JSONWriter()
    do {
      try arguments.withUnsafeBytes { try registry.runNested(function, $0, in: self, into: &answer) }
    } catch {
      if abort != nil { throw error }
      logCompletion(run, text(of: error))
    }
  }

  private func logCompletion(_ run: Document<RetryRuns>, _ problem: String) {
    logLines.append(
      LogLine(
        function: run.onComplete?.function ?? run.function, level: .error,
        message: "onComplete of run \(run.id), \(run.function): \(problem)", at: now))
  }
}

/// What is known of a failure beside its text.
struct RetryAdvice {
  var isRetryable = true
  var retryAfterMilliseconds: Double?
  /// Why `onComplete` is not called: it was, and could not end.
  var completionProblem: String?

  init(of error: (any Error)? = nil) {
    guard let decision = error as? any RetryDecision else { return }
    isRetryable = decision.isRetryable
    retryAfterMilliseconds = decision.retryAfter?.inMilliseconds
  }
}
