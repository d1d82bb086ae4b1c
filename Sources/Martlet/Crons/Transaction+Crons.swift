import MartletWire

/// Crons within a transaction.
extension Transaction {
  func cron(_ name: String) throws -> Document<Crons>? {
    try DatabaseReader(transaction: self).query(Crons.self).withIndex(\.byName) { $0.eq(\.cron, name) }.unique()
  }

  /// Adds a cron, or changes the one of its name. The next time stays where the schedule does.
  @discardableResult
  func register(_ cron: Cron, isDeclared: Bool) throws -> ID<Crons> {
    do { try cron.schedule.validate() } catch { throw WireError(.invalidArguments, "cron \"\(cron.name)\": \(error)") }
    let args = try checkedArguments(of: cron.function, cron.arguments, "cron \"\(cron.name)\"")
    let old = try self.cron(cron.name)
    if let old, old.isDeclared, !isDeclared {
      throw ApplicationError("cron \"\(cron.name)\" is declared by the app; choose another name")
    }
    let text = cron.schedule.text
    if let old, old.schedule == text, old.function == cron.function, old.args == args, old.isDeclared == isDeclared { return old.id }
    let keepsTime = old?.schedule == text
    let anchor = keepsTime ? old!.anchor : now.rounded(.down)
    let nextTime = keepsTime ? old!.nextTime : next(of: cron.schedule, after: now, anchor: anchor)
    return try asServer { db in
      func fill(_ draft: borrowing Draft<Crons>) {
        draft.cron = cron.name
        draft.schedule = text
        draft.function = cron.function
        draft.args = args
        draft.nextTime = nextTime
        draft.anchor = anchor
        draft.isDeclared = isDeclared
        draft.job = old?.job
      }
      guard let old else { return try db.insert(Crons.self) { fill($0) } }
      try db.replace(old.id) { fill($0) }
      return old.id
    }
  }

  /// Ends a cron. What it scheduled and didn't begin yet never runs.
  func remove(_ cron: Document<Crons>) throws {
    if let job = cron.job, try DatabaseReader(transaction: self).find(job)?.state.kind == .pending { try cancel(job) }
    try asServer { db in try db.delete(cron.id) }
  }

  /// Makes the declared crons those of the app.
  func declare(_ crons: [Cron]) throws {
    for old in try DatabaseReader(transaction: self).query(Crons.self).collect()
    where old.isDeclared && !crons.contains(where: { $0.name == old.cron }) {
      try remove(old)
    }
    for cron in crons { try register(cron, isDeclared: true) }
  }

  private func next(of schedule: Schedule, after time: Double, anchor: Double) -> Double? {
    schedule.next(after: Int64(time.rounded(.down)), anchor: Int64(anchor)).map(Double.init)
  }

  // MARK: Running

  /// How many crons that are due are begun in one transaction.
  static let mostCronsBegun = 32

  /// Schedules the jobs of crons that are due, and sets their next times.
  func beginDueCrons() throws {
    let due = try DatabaseReader(transaction: self).query(Crons.self)
      .withIndex(\.byNextTime) { $0.gt(\.nextTime, nil).lte(\.nextTime, now) }.take(Self.mostCronsBegun)
    for cron in due {
      let job = try begin(cron, at: cron.nextTime ?? now)
      let nextTime = Schedule.known(cron.schedule).flatMap { next(of: $0, after: now, anchor: cron.anchor) }
      try asServer { db in
        try db.patch(cron.id) {
          $0.nextTime = nextTime
          if let job { $0.job = job }
        }
      }
    }
  }

  /// Begins a run beside the schedule.
  func beginByHand(_ cron: Document<Crons>) throws {
    guard let job = try begin(cron, at: now) else { return }
    try asServer { db in try db.patch(cron.id) { $0.job = job } }
  }

  /// Begins a run, or notes why it is skipped.
  /// - Returns: its job, which the cron is to name.
  private func begin(_ cron: Document<Crons>, at time: Double) throws -> ID<ScheduledFunctions>? {
    if let job = cron.job, let last = try DatabaseReader(transaction: self).find(job), !last.isOver {
      events.cronsSkipped += 1
      try note(run: cron, at: time, .skipped, "the run of \(Int(last.scheduledTime)) was still going", nil)
      return nil
    }
    let args = cron.storage.value(of: "args").map { Array($0) } ?? []
    do {
      let job = try schedule(cron.function, arguments: args, at: time, cron: cron.cron)
      try note(run: cron, at: time, .pending, nil, job)
      events.cronRuns += 1
      return job
    } catch let error as WireError {
      // The function is gone, or takes other arguments by now.
      try note(run: cron, at: time, .failed, error.message, nil)
      return nil
    }
  }

  private func note(
    run cron: Document<Crons>, at time: Double, _ status: CronRunStatus, _ error: String?, _ job: ID<ScheduledFunctions>?
  ) throws {
    try asServer { db in
      let runs = try db.query(CronRuns.self).withIndex(\.byCron) { $0.eq(\.cron, cron.cron) }
      for old in try runs.take(max(0, try runs.count() - CronRuns.kept + 1)) { try db.delete(old.id) }
      try db.insert(CronRuns.self) {
        $0.cron = cron.cron
        $0.scheduledTime = time
        $0.status = status
        $0.error = error
        $0.job = job
        $0.logLines = []
        if job == nil { $0.endTime = now }
      }
    }
  }

  /// Notes in a cron's run how its job fares.
  func noteRun(of job: Document<ScheduledFunctions>, _ state: JobState, result: String? = nil) throws {
    guard job.cron != nil else { return }
    try asServer { db in
      let runs = try db.query(CronRuns.self).withIndex(\.byJob) { $0.eq(\.job, job.id) }
      guard let run = try runs.first() else { return }
      let lines = logLines.prefix(20).map { "\($0.level.rawValue): \($0.message)" }
      try db.patch(run.id) {
        $0.status = CronRunStatus(rawValue: state.kind.rawValue) ?? .failed
        if $0.startTime == nil { $0.startTime = now }
        guard state.kind != .inProgress else { return }
        $0.endTime = now
        $0.error = state.error
        $0.result = result.map { String($0.prefix(1_000)) }
        $0.logLines = lines
      }
    }
  }
}

extension Document where T == ScheduledFunctions {
  /// Whether somebody is told what the function answered.
  var wantsResult: Bool { self.cron != nil || self.retry != nil || self.work != nil }

  /// Whether it has run, or never will. (To read a number is cheaper than a state, and this is asked of each job several times.)
  var isOver: Bool { self.completedTime != nil }
}
