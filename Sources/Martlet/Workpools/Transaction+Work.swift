import MartletWire

/// Workpools within a transaction.
extension Transaction {
  /// What a document may need beside arguments: it must not come out when work starts that its document, or its job's, is too long for the server,
  /// whatever the function that enqueued it may write.
  private static let bytesBesideArguments = 4_096

  func enqueue(_ order: WorkOrder) throws -> [ID<WorkItems>] {
    let pool = try declared(order.pool)
    if let problem = order.retry?.problem { throw WireError(.invalidArguments, "workpool \(pool.name): \(problem)") }
    let time = order.start.time(now: now)
    guard time.isFinite, time - now <= Self.furthestMilliseconds else {
      throw WireError(
        .invalidArguments, "workpool \(pool.name): work can't start at \(time): a time is milliseconds since 1970, at most five years from now")
    }
    if let completion = order.completion, registry.find(completion.function) == nil { throw registry.unknown(completion.function) }
    return try order.calls.map { call in
      let purpose = "workpool \(pool.name): \(call.name)"
      let args = try checkedArguments(of: call.name, call.arguments, purpose)
      guard let kind = registry.find(call.name)?.jobKind else { preconditionFailure("\(call.name) was found a moment ago") }
      guard kind == .action || order.retry == nil else {
        throw WireError(.invalidArguments, "\(purpose) is a mutation, which would fail again as it failed; only actions have a retry")
      }
      let most = max(defaultLimits.limits.documentBytes, Limits().documentBytes) - Self.bytesBesideArguments
      guard call.arguments.count <= most else {
        throw WireError(.invalidArguments, "\(purpose): its arguments have \(call.arguments.count) bytes, and \(most) are the most; pass an id")
      }
      try requireRoom(forArguments: call.arguments.count)
      return try asServer { db in
        try db.insert(WorkItems.self) {
          $0.pool = pool.name
          $0.function = call.name
          $0.args = args
          $0.kind = kind
          $0.retry = kind == .action ? order.retry ?? pool.retry : nil
          $0.onComplete = order.completion
          $0.state = .pending
          $0.time = time
          $0.failures = 0
        }
      }
    }
  }

  private func declared(_ name: String) throws -> Workpool {
    if let pool = registry.workpools.first(where: { $0.name == name }) { return pool }
    throw WireError(.invalidArguments, "there is no workpool \"\(name)\"; declare it: MartletApp(…, workpools: […])")
  }

  private var workItems: TableQuery<WorkItems> {
    get throws { try DatabaseReader(transaction: self).query(WorkItems.self) }
  }

  // MARK: Cancelling, pausing

  func cancel(work id: ID<WorkItems>) throws { try cancel(DatabaseReader(transaction: self).get(id)) }

  private func cancel(_ work: Document<WorkItems>) throws {
    switch work.state {
    case .pending: try finish(work, .canceled)
    case .running:
      // The end of its job is its own.
      if let job = try work.job.flatMap({ try DatabaseReader(transaction: self).find($0) }), !job.isOver {
        try end(job, JobState(.canceled))
      } else {
        try finish(work, .canceled)
      }
    case .success, .failed, .canceled: return
    }
  }

  /// Notes until where work is to be cancelled, which may be more than one transaction can do.
  func cancelAll(inPool name: String) throws {
    _ = try declared(name)
    let last = try [WorkState.pending, .running].compactMap { state in
      try workItems.withIndex(\.byState) { $0.eq(\.pool, name).eq(\.state, state) }.order(.descending).first()?.creationTime
    }.max()
    if let last { try change(pool: name) { $0.canceledUpTo = max($0.canceledUpTo ?? last, last) } }
  }

  func setPaused(_ isPaused: Bool, pool name: String) throws {
    _ = try declared(name)
    if try self.isPaused(pool: name) != isPaused { try change(pool: name) { $0.isPaused = isPaused } }
  }

  func isPaused(pool name: String) throws -> Bool { try state(ofPool: name)?.isPaused ?? false }

  private func state(ofPool name: String) throws -> Document<WorkpoolStates>? {
    try DatabaseReader(transaction: self).query(WorkpoolStates.self).withIndex(\.byName) { $0.eq(\.pool, name) }.unique()
  }

  private func change(pool name: String, _ body: (borrowing Draft<WorkpoolStates>) -> Void) throws {
    let state = try state(ofPool: name)
    try asServer { db in
      if let state {
        try db.patch(state.id) { body($0) }
      } else {
        try db.insert(WorkpoolStates.self) {
          $0.pool = name
          $0.isPaused = false
          body($0)
        }
      }
    }
  }

  // MARK: Looking

  func workStatus(_ id: ID<WorkItems>) throws -> WorkStatus? {
    guard let work = try DatabaseReader(transaction: self).find(id) else { return nil }
    switch work.state {
    case .pending:
      let position = try workItems.withIndex(\.byTurn) { $0.eq(\.pool, work.pool).eq(\.state, .pending) }.rank(of: work)
      return .pending(position: position ?? 0, attempt: work.failures + 1)
    case .running: return .running(attempt: work.failures + 1)
    case .success: return .finished(.success(work.result ?? .null))
    case .failed: return .finished(.failed(work.error ?? ""))
    case .canceled: return .finished(.canceled)
    }
  }

  func workCounts(_ pool: String) throws -> WorkCounts {
    WorkCounts(pending: try workCount(pool, .pending), running: try workCount(pool, .running))
  }

  private func workCount(_ pool: String, _ state: WorkState) throws -> Int {
    try workItems.withIndex(\.byState) { $0.eq(\.pool, pool).eq(\.state, state) }.count()
  }

  // MARK: Running

  /// How much of a pool is started, or cancelled, in one transaction, and how many bytes of documents in all pools, about: each is written
  /// twice or three times, and what is written has a limit.
  private static let mostWorkAtOnce = 64
  private static let mostBytesAtOnce = 1 << 20

  /// Starts what has a place, and goes on with what is to be cancelled. Only one of these transactions is under way at a time; that is where the
  /// bound is kept.
  func keepWorkpools() throws {
    var bytes = Self.mostBytesAtOnce
    let pools = registry.workpools
    guard !pools.isEmpty else { return }
    // Where there is more than one transaction does, all pools have their turn.
    let first = Int.random(in: pools.indices, using: &random)
    for pool in pools[first...] + pools[..<first] {
      let state = try state(ofPool: pool.name)
      if let time = state?.canceledUpTo {
        guard try cancelSome(of: pool, upTo: time, &bytes) else { continue }
        try change(pool: pool.name) { $0.canceledUpTo = nil }
      }
      if state?.isPaused != true { try startSome(of: pool, &bytes) }
    }
  }

  private func startSome(of pool: Workpool, _ bytes: inout Int) throws {
    let places = min(pool.maxParallelism - (try workCount(pool.name, .running)), Self.mostWorkAtOnce)
    guard places > 0 else { return }
    let due = try workItems.withIndex(\.byTurn) { $0.eq(\.pool, pool.name).eq(\.state, .pending).lte(\.time, now) }.take(places)
    for work in due where bytes > 0 {
      bytes -= work.storage.json.count
      try start(work)
    }
  }

  private func start(_ work: Document<WorkItems>) throws {
    let args = work.storage.value(of: "args").map { Array($0) } ?? []
    do {
      let job = try schedule(work.function, arguments: args, at: now, work: work.id)
      try asServer { db in
        try db.patch(work.id) {
          $0.state = .running
          $0.job = job
        }
      }
    } catch let error as WireError {
      // The function is gone, or takes other arguments by now.
      try finish(work, .failed(error.message))
    }
  }

  /// Whether all is cancelled that was created up to a time.
  private func cancelSome(of pool: Workpool, upTo time: Double, _ bytes: inout Int) throws -> Bool {
    // What runs comes first: what fails meanwhile is pending then.
    for state in [WorkState.running, .pending] {
      let found = try workItems
        .withIndex(\.byState) { $0.eq(\.pool, pool.name).eq(\.state, state).lte("_creationTime", .float64(time)) }.take(Self.mostWorkAtOnce)
      for work in found {
        guard bytes > 0 else { return false }
        bytes -= work.storage.json.count
        try cancel(work)
      }
      if found.count == Self.mostWorkAtOnce { return false }
    }
    return true
  }

  /// An attempt ended: so does the work, or it waits to be tried again.
  func noteWork(of job: Document<ScheduledFunctions>, _ state: JobState, result: String?, _ advice: RetryAdvice) throws {
    guard let id = job.work, let work = try DatabaseReader(transaction: self).find(id), work.state == .running, work.job == job.id else { return }
    // The end was tried to be noted as it was, with a result that is too long, say.
    if let problem = advice.completionProblem { return try finish(work, .failed("how it ended could not be noted: \(problem)")) }
    switch state.kind {
    case .pending, .inProgress: return
    case .canceled: try finish(work, .canceled)
    case .success: try finish(work, .success(result.flatMap { try? Value(json: $0) } ?? .null))
    case .failed:
      let failures = work.failures + 1
      let error = state.error ?? "it failed"
      guard let retry = work.retry, advice.isRetryable, failures <= retry.maxFailures else { return try finish(work, .failed(error), failures) }
      let wait = max(retry.backoff(afterFailures: failures, &random), advice.retryAfterMilliseconds ?? 0)
      try asServer { db in
        try db.patch(id) {
          $0.state = .pending
          $0.time = now + wait
          $0.failures = failures
          $0.error = error
        }
      }
    }
  }

  private func finish(_ work: Document<WorkItems>, _ result: WorkResult, _ failures: Int? = nil) throws {
    try asServer { db in
      try db.patch(work.id) {
        $0.completedTime = now
        if let failures { $0.failures = failures }
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
    guard let completion = work.onComplete else { return }
    var arguments = JSONWriter()
    arguments.write(object: [completion.run: .string(work.id.description), completion.result: result.value])
    do { try schedule(completion.function, arguments: arguments.bytes, at: now) } catch let error as WireError {
      logLines.append(
        LogLine(function: completion.function, level: .error, message: "onComplete of work \(work.id), \(work.function): \(error.message)", at: now))
    }
  }
}
