import MartletWire

/// Writing jobs within a transaction.
extension Transaction {
  /// How far ahead a job may lie: five years, as nobody means more by it.
  static let furthestMilliseconds = 5 * 366 * 86_400_000.0

  @discardableResult
  func schedule(
    _ name: String, arguments: [UInt8], at time: Double, cron: String? = nil, retry: ID<RetryRuns>? = nil, work: ID<WorkItems>? = nil
  ) throws -> ID<ScheduledFunctions> {
    let args = try checkedArguments(of: name, arguments, "scheduling \(name)")
    guard let kind = registry.find(name)?.jobKind else { preconditionFailure("\(name) was found a moment ago") }
    guard time.isFinite, time - now <= Self.furthestMilliseconds else {
      throw WireError(.invalidArguments, "\(name) can't be scheduled at \(time): a time is milliseconds since 1970, at most five years from now")
    }
    // What the server schedules itself is for something that was begun.
    if cron == nil, retry == nil, work == nil { try requireRoom(forArguments: arguments.count) }
    return try asServer { db in
      try db.insert(ScheduledFunctions.self) {
        $0.function = name
        $0.args = args
        $0.kind = kind
        $0.scheduledTime = time
        $0.state = JobState(.pending)
        $0.cron = cron
        $0.retry = retry
        $0.work = work
      }
    }
  }

  /// The arguments of a call that is to be made later, as a value.
  /// - Throws: where there is no such function, where it can't run by itself, or where it takes other arguments.
  func checkedArguments(of name: String, _ arguments: [UInt8], _ purpose: String) throws -> Value {
    guard let function = registry.find(name) else { throw registry.unknown(name) }
    guard function.jobKind != nil else {
      throw WireError(.wrongKind, "\(name) is \(function.kind.withArticle): mutations and actions can be scheduled")
    }
    return try arguments.withUnsafeBytes { json in
      var reader = JSONReader(json)
      do { try function.arguments.check(&reader) { self.catalog.table(named: $0)?.layout.number } } catch let error as ValidationError {
        throw WireError(.invalidArguments, "\(purpose): \(error.prefixed(by: .field("args")))")
      }
      var again = JSONReader(json)
      return try again.readValue()
    }
  }

  func cancel(_ id: ID<ScheduledFunctions>) throws {
    let job = try DatabaseWriter(transaction: self).get(id)
    if !job.isOver { try end(job, JobState(.canceled)) }
  }

  func begin(_ job: Document<ScheduledFunctions>) throws {
    try asServer { db in try db.patch(job.id) { $0.state = JobState(.inProgress) } }
    try noteRun(of: job, JobState(.inProgress))
  }

  /// - Parameter result: what the function answered, where that is known.
  func end(
    _ job: Document<ScheduledFunctions>, _ state: JobState, result: String? = nil, _ advice: RetryAdvice = RetryAdvice()
  ) throws {
    try asServer { db in
      try db.patch(job.id) {
        $0.state = state
        $0.completedTime = now
      }
    }
    try noteRun(of: job, state, result: result)
    try noteAttempt(of: job, state, result: result, advice)
    try noteWork(of: job, state, result: result, advice)
  }

  /// Runs `body` with the right to write the server's own tables.
  func asServer<Answer>(_ body: (DatabaseWriter) throws -> Answer) throws -> Answer {
    let before = writesAsServer
    writesAsServer = true
    defer { writesAsServer = before }
    return try body(DatabaseWriter(transaction: self))
  }
}

extension FunctionDefinition {
  /// As what it can be scheduled; nil for a query.
  var jobKind: JobKind? {
    switch kind {
    case .query: nil
    case .mutation: .mutation
    case .action: .action
    }
  }
}
