import MartletWire

/// Running jobs when they are due.
///
/// Nothing polls. A commit that writes a job, the end of a job, and one timer for the earliest time to come have the engine look, and a look
/// reads the first entries of an index. Due jobs begin in the order of their times: mutations one after another on the engine's thread (long
/// ones beside it), actions as far as their pools have places: one that is full holds up its own.
extension Engine {
  /// Ends what an earlier process left half done, and begins to run jobs.
  ///
  /// - Parameter done: is told the reason where a declared cron can't be: its schedule is wrong, or its function isn't there. Then no job runs.
  package func startJobs(_ crons: [Cron], _ done: @escaping @Sendable (WireError?) -> Void) {
    start(CronFunctions.declare(crons), [], .anonymous) { engine, result in
      if case .failure(let error) = result { return done(error) }
      engine.startJobs()
      done(nil)
    }
  }

  private func startJobs() {
    wallMilliseconds = environment.clock.wallMilliseconds()
    endJobsThatDoNotRun("the server stopped while the action ran; it is not known how far it came, and it is not run again")
    jobQueue.isOn = true
    jobQueue.startTime = wallMilliseconds
    jobQueue.isStale = true
    scheduleTurnEnd()
  }

  /// Ends jobs of which the table says that they run, and that don't.
  func endJobsThatDoNotRun(_ reason: String) {
    guard let jobs = jobsTable else { return }
    for id in jobs.assumeIsolated({ $0.ids(of: .inProgress, nil, upTo: nil, atMost: .max) }) where !jobQueue.running.contains(id) {
      end(id, error: reason)
    }
  }

  private var jobsTable: StoredTable? { try? catalog.table(of: ScheduledFunctions.self).table }

  /// Begins what is due, and sets the timer for what isn't yet. A part of each turn's end.
  func runDueJobs() {
    // Where too many commits wait for the disk, jobs wait with them; the end of a batch has the engine look again.
    guard jobQueue.isStale, jobQueue.isOn, lifecycle == .running, commitRefusal == nil, let jobs = jobsTable else { return }
    jobQueue.isStale = false
    let now = wallMilliseconds
    if isDue(nextCronTime, now) { keepUp(CronFunctions.begin, [], now) }
    if isDue(nextWorkTime, now) { keepUp(WorkFunctions.keep, [], now) }
    if jobQueue.removalTime <= now { removeOld(jobs, now) }
    let lastAnswerKept = now - SessionAnswers.keptMilliseconds
    if isDue(oldestSessionAnswer, lastAnswerKept) { keepUp(SessionAnswers.removeOld, Array(#"{"upTo":\#(lastAnswerKept)}"#.utf8), now) }
    // Each of them has its turn, however many wait for another.
    let isMoreDue = [beginMutations(of: jobs, upTo: now), beginActions(of: jobs, upTo: now)]
    if isMoreDue.contains(true) {
      // Sockets come first.
      jobQueue.isStale = true
      scheduleTurnEnd()
    } else if let next = nextTime(of: jobs, after: now) {
      wake(at: next, now: now)
    }
  }

  private var oldestSessionAnswer: Double? {
    (try? catalog.table(of: SessionAnswers.self).table)?.assumeIsolated { $0.firstCreationTime }
  }

  private var nextCronTime: Double? {
    (try? catalog.table(of: Crons.self).table)?.assumeIsolated { $0.nextCronTime }
  }

  /// Whether more may be due than were begun.
  private func beginMutations(of jobs: StoredTable, upTo now: Double) -> Bool {
    guard jobQueue.besideCount < JobQueue.mostBeside else { return false }
    let most = JobQueue.mostPerTurn + jobQueue.running.count
    let due = jobs.assumeIsolated { $0.ids(of: .pending, .mutation, upTo: now, atMost: most) }
    let end = environment.clock.monotonicNanoseconds() + JobQueue.nanosecondsPerTurn
    for id in due where !jobQueue.running.contains(id) {
      runMutation(job: id)
      // The end of one of those has the engine look again.
      guard jobQueue.besideCount < JobQueue.mostBeside else { return false }
      if environment.clock.monotonicNanoseconds() > end { return true }
    }
    return due.count == most
  }

  private func runMutation(job id: DocumentID) {
    guard let (job, function) = job(id) else { return }
    noteBegin(lateness: jobQueue.lateness(of: job, now: wallMilliseconds))
    jobQueue.running.insert(id)
    start(registry.runner(of: function), Self.arguments(job: id), .anonymous, origin: .job(id, cron: job.cron)) { engine, result in
      engine.jobQueue.running.remove(id)
      engine.jobQueue.isStale = true
      engine.scheduleTurnEnd()
      switch result {
      case .success(let answer):
        if answer.json == Array("false".utf8) { engine.jobQueue.statistics.failed += 1 } else { engine.jobQueue.statistics.succeeded += 1 }
      case .failure(let error):
        // Where a limit was exceeded the transaction is over, and can't note that itself. One that the disk was too slow for is still pending.
        if !engine.lifecycle.isStorageFailed, error.code != .overloaded { engine.end(id, error: error.message) }
      }
    }
  }

  private func noteBegin(lateness: Double) {
    jobQueue.statistics.noteBegin(lateness: lateness)
    metrics?.jobLateness.recordNanoseconds(Int64(max(0, lateness) * 1_000_000))
  }

  /// Whether more may be due than were begun, and have a place.
  private func beginActions(of jobs: StoredTable, upTo now: Double) -> Bool {
    var isMoreDue = false
    for pool in actions.names {
      let places = actions[pool].free
      guard places > 0 else { continue }
      let count = min(JobQueue.mostPerTurn, places)
      let (due, isCut) = dueActions(of: jobs, in: pool, upTo: now, atMost: count)
      for id in due { begin(action: id) }
      if isCut || due.count == count && count < places { isMoreDue = true }
    }
    return isMoreDue
  }

  /// The first jobs of a pool, and whether looking for them ended only since it took long. Which pool a job belongs to is its function's affair, so the
  /// index has them mixed: each pool remembers how far others' jobs stand before its first, and so passes each of them once.
  private func dueActions(
    of jobs: StoredTable, in pool: String, upTo now: Double, atMost count: Int
  ) -> (ids: [DocumentID], isCut: Bool) {
    let running = jobQueue.running
    guard actions.names.count > 1 else {
      let due = jobs.assumeIsolated { $0.ids(of: .pending, .action, upTo: now, atMost: count + running.count) }
      return (Array(due.lazy.filter { !running.contains($0) }.prefix(count)), false)
    }
    let (ids, place, isCut) = jobs.assumeIsolated { [registry, from = jobQueue.places[pool]] in
      $0.actions(from: from, upTo: now, atMost: count, passing: JobQueue.mostPassed) { id, function in
        // A function that is there no more ends its job, which needs no place.
        !running.contains(id) && (registry.find(function)?.pool ?? ActionPools.standard) == pool
      }
    }
    jobQueue.places[pool] = place
    return (ids, isCut)
  }

  /// First a commit that says that the action begins, then, when that is durable, the action: so it runs at most once.
  private func begin(action id: DocumentID) {
    guard let (job, function) = job(id) else { return }
    let pool = function.pool
    jobQueue.running.insert(id)
    jobQueue.beginning += 1
    actions[pool].reserve()
    let lateness = jobQueue.lateness(of: job, now: wallMilliseconds)
    let args = job.storage.value(of: "args").map { Array($0) } ?? []
    let (cron, wantsResult) = (job.cron, job.wantsResult)
    start(JobFunctions.begin, Self.arguments(job: id), .anonymous) { engine, result in
      engine.whenDurable { failure in
        self.assumeIsolated { engine in
          engine.jobQueue.beginning -= 1
          engine.actions[pool].endReservation()
          engine.jobQueue.isStale = true
          engine.scheduleTurnEnd()
          guard failure == nil, case .success(let answer) = result, answer.json == Array("true".utf8) else {
            engine.jobQueue.running.remove(id)
            // It may be pending still.
            engine.jobQueue.places[pool] = nil
            engine.tellIfActionsEnded()
            return
          }
          // It was cancelled while that became durable.
          guard let begun = engine.job(id)?.0, !begun.isOver else {
            engine.jobQueue.running.remove(id)
            engine.tellIfActionsEnded()
            return
          }
          engine.noteBegin(lateness: lateness)
          engine.run(action: function, args, job: id, cron: cron, wantsResult: wantsResult)
          engine.tellIfActionsEnded()
        }
      }
    }
  }

  private func run(action function: FunctionDefinition, _ args: [UInt8], job id: DocumentID, cron: String?, wantsResult: Bool) {
    let finish: Completion = { engine, result in
      engine.jobQueue.running.remove(id)
      engine.jobQueue.actions[id] = nil
      switch result {
      case .success(let answer): engine.end(id, error: nil, result: wantsResult ? String(decoding: answer.json, as: UTF8.self) : nil)
      case .failure(let error): engine.end(id, error: engine.whole(error), RetryAdvice(of: engine.failedActionError))
      }
    }
    do throws(WireError) {
      jobQueue.actions[id] = try startAction(
        function, arguments: args, identity: .anonymous, origin: .job(id, cron: cron), completion: finish)
    } catch {
      finish(self, .failure(error))
    }
  }

  /// What an action threw, as its job keeps it: see `Transaction.text(of:)`.
  private func whole(_ described: WireError) -> String {
    guard described.code == .functionFailed, let thrown = failedActionError, !(thrown is WireError) else { return described.message }
    return environment.outside.secrets.redact("\(thrown)")
  }

  /// The job and its function; nil where there is no such function any more, which ends the job.
  private func job(_ id: DocumentID) -> (Document<ScheduledFunctions>, FunctionDefinition)? {
    guard let table = jobsTable, let storage = table.assumeIsolated({ $0.document(id) }) else { return nil }
    let job = Document(storage: storage, schema: TableSchema.of(ScheduledFunctions.self))
    guard let function = registry.find(job.function), function.jobKind == job.kind else {
      end(id, error: registry.unknown(job.function).message)
      return nil
    }
    return (job, function)
  }

  private func end(_ id: DocumentID, error: String?, result: String? = nil, _ advice: RetryAdvice = RetryAdvice()) {
    guard commitRefusal == nil || lifecycle.isStorageFailed else {
      return whenDurable { _ in self.assumeIsolated { $0.end(id, error: error, result: result, advice) } }
    }
    if error != nil { jobQueue.statistics.failed += 1 } else { jobQueue.statistics.succeeded += 1 }
    jobQueue.isStale = true
    scheduleTurnEnd()
    var arguments: ObjectValue = ["job": .string(id.description)]
    if let error { arguments["error"] = .string(error) }
    if let result { arguments["result"] = .string(result) }
    if !advice.isRetryable { arguments["isFinal"] = true }
    if let time = advice.retryAfterMilliseconds { arguments["retryAfter"] = .float64(time) }
    if let problem = advice.completionProblem { arguments["completionProblem"] = .string(problem) }
    var writer = JSONWriter()
    writer.write(object: arguments)
    start(JobFunctions.end, writer.bytes, .anonymous) { engine, outcome in
      guard case .failure(let failure) = outcome, !engine.lifecycle.isStorageFailed else { return }
      guard failure.code != .overloaded else {
        // When what waits is on disk there is room.
        return engine.whenDurable { lost in
          if lost == nil { self.assumeIsolated { $0.end(id, error: error, result: result, advice) } }
        }
      }
      engine.logger.error("a job's end could not be noted", metadata: ["job": "\(id)", "error": "\(failure.message)"])
      // What a run of the retrier calls at its end may exceed a limit, and with it the whole transaction.
      guard advice.completionProblem == nil else { return }
      var again = advice
      again.completionProblem = failure.message
      engine.end(id, error: error, result: result, again)
    }
  }

  private static func arguments(job id: DocumentID) -> [UInt8] { Array(#"{"job":"\#(id)"}"#.utf8) }

  /// Jobs were written: they are looked at when the turn ends, and an action whose job was cancelled is told when that is durable.
  func noteJobs(_ writes: ContiguousArray<DocumentWrite>, in table: StoredTable) {
    jobQueue.isStale = true
    guard table.layout.number == SystemTables.jobsNumber else { return }
    if !jobQueue.places.isEmpty { lookAgain(before: writes) }
    guard !jobQueue.actions.isEmpty else { return }
    for write in writes {
      guard let action = jobQueue.actions[write.id], write.changesAnything else { continue }
      whenDurable { failure in
        guard failure == nil else { return }
        self.assumeIsolated { engine in
          guard engine.actions.cancel(action) else { return }
          engine.jobQueue.running.remove(write.id)
          engine.jobQueue.actions[write.id] = nil
        }
      }
    }
  }

  /// Jobs that came, or came back, stand before the place from which some pools go on.
  private func lookAgain(before writes: ContiguousArray<DocumentWrite>) {
    let fields = TableSchema.of(ScheduledFunctions.self).prototype
    for write in writes {
      guard let job = write.new, job.read(fields.kind) == .action, job.read(fields.state).kind == .pending else { continue }
      let position = StoredTable.position(ofActionAt: job.read(fields.scheduledTime))
      for (pool, place) in jobQueue.places where position < place { jobQueue.places[pool] = position }
    }
  }

  private func isDue(_ time: Double?, _ now: Double) -> Bool { time.map { $0 <= now } ?? false }

  /// Runs one of the scheduler's own transactions, and has the engine look again at its end. One at a time: it may have to wait for a
  /// transaction that runs alone, and until then all looks as it did. One that fails is left alone for a while: that is a mistake of the
  /// server's own, and must not keep it from everything else.
  private func keepUp(_ function: FunctionDefinition, _ arguments: [UInt8], _ now: Double) {
    guard jobQueue.restsUntil(function) <= now, jobQueue.keepingUp.insert(function.name).inserted else { return }
    start(function, arguments, .anonymous) { engine, result in
      engine.jobQueue.keepingUp.remove(function.name)
      engine.jobQueue.isStale = true
      engine.scheduleTurnEnd()
      guard case .failure(let error) = result, error.code != .overloaded, !engine.lifecycle.isStorageFailed else { return }
      engine.logger.error("the scheduler tries again in a minute", metadata: ["function": "\(function.name)", "error": "\(error.message)"])
      engine.jobQueue.rests[function.name] = now + JobQueue.restMilliseconds
    }
  }

  var pendingJobs: Int { jobsTable?.assumeIsolated { $0.pendingCount } ?? 0 }

  // MARK: The timer

  /// What is due and not begun waits for the end of another, which has the engine look again.
  private func nextTime(of jobs: StoredTable, after now: Double) -> Double? {
    let cron = nextCronTime.map { max($0, jobQueue.restsUntil(CronFunctions.begin)) }
    let removal = max(jobQueue.removalTime, jobQueue.restsUntil(JobFunctions.removeOld))
    let work = nextWorkTime.map { max($0, jobQueue.restsUntil(WorkFunctions.keep)) }
    let answers = oldestSessionAnswer.map { max($0 + SessionAnswers.keptMilliseconds, jobQueue.restsUntil(SessionAnswers.removeOld)) }
    let due = [JobKind.mutation, .action].compactMap { kind in jobs.assumeIsolated { $0.firstTime(of: kind, after: now) } }
    return (due + [cron, removal, work, answers].compactMap(\.self).filter { $0 > now }).min()
  }

  /// Removes what was kept for long enough, or notes when that is to be looked for again.
  private func removeOld(_ jobs: StoredTable, _ now: Double) {
    let (oldest, lastKept) = (oldestCompletion(of: jobs), now - JobQueue.keptMilliseconds)
    guard !isDue(oldest, lastKept) else { return keepUp(JobFunctions.removeOld, Array(#"{"upTo":\#(lastKept)}"#.utf8), now) }
    jobQueue.removalTime = max(now + JobQueue.removalMilliseconds, (oldest ?? now) + JobQueue.keptMilliseconds)
  }

  /// When the oldest finished job ended, or the oldest finished run of the retrier, or work of a pool.
  private func oldestCompletion(of jobs: StoredTable) -> Double? {
    let others = [try? catalog.table(of: RetryRuns.self).table, try? catalog.table(of: WorkItems.self).table].compactMap(\.self)
    return ([jobs.assumeIsolated { $0.firstTime(in: StoredTable.byCompletion) }] + others.map { $0.assumeIsolated { $0.firstTime(in: .declared(0)) } })
      .compactMap(\.self).min()
  }

  private func wake(at time: Double, now: Double) {
    let time = min(time, now + JobQueue.longestSleep)
    if let wakeTime = jobQueue.wakeTime, wakeTime <= time { return }
    jobQueue.wakeTime = time
    host.schedule(afterMilliseconds: max(1, Int((time - now).rounded(.up)))) {
      self.assumeIsolated { engine in
        // A timer that was set for later, before an earlier job came, finds nothing to do.
        if engine.jobQueue.wakeTime == time { engine.jobQueue.wakeTime = nil }
        engine.jobQueue.isStale = true
        engine.scheduleTurnEnd()
      }
    }
  }
}

extension StoredTable {
  private static var byState: IndexSlot { .declared(0) }
  fileprivate static var byCompletion: IndexSlot { .declared(1) }
  private static var byNextTime: IndexSlot { .declared(1) }

  fileprivate func document(_ id: DocumentID) -> DocumentStorage? { currentDocument(InternalID(id)) }

  /// The jobs of a state and kind, by their times.
  fileprivate func ids(of state: JobState.Kind, _ kind: JobKind?, upTo time: Double?, atMost count: Int) -> [DocumentID] {
    var keys = IndexKeyWriter()
    keys.append(value: .string(state.rawValue))
    if let kind { keys.append(value: .string(kind.rawValue)) }
    let lower = keys.key(tie: 0)
    var upper = lower.prefixSuccessor()
    if let time {
      keys.append(value: .float64(time))
      upper = keys.key(tie: 0).prefixSuccessor()
    }
    var ids: [DocumentID] = []
    snapshot.forEach(in: Self.byState, from: lower, to: upper, descending: false) {
      ids.append($1.id)
      return ids.count < count
    }
    return ids
  }

  /// Where actions that are pending begin, which are due at a time.
  fileprivate static func position(ofActionAt time: Double) -> IndexKey {
    var keys = IndexKeyWriter()
    keys.append(value: .string(JobState.Kind.pending.rawValue))
    keys.append(value: .string(JobKind.action.rawValue))
    keys.append(value: .float64(time))
    return keys.key(tie: 0)
  }

  /// The due actions that `isWanted`, by their times, from a place on; the place at which looking ended, and whether it ended only since it took long.
  fileprivate func actions(
    from: IndexKey?, upTo time: Double, atMost count: Int, passing mostPassed: Int, where isWanted: (DocumentID, String) -> Bool
  ) -> (ids: [DocumentID], place: IndexKey?, isCut: Bool) {
    let function = TableSchema.of(ScheduledFunctions.self).prototype.function
    let lower = from ?? Self.position(ofActionAt: -.infinity)
    let upper = Self.position(ofActionAt: time).prefixSuccessor()
    var (ids, place, passed): ([DocumentID], IndexKey?, Int) = ([], from, 0)
    snapshot.forEach(in: Self.byState, from: lower, to: upper, descending: false) { key, job in
      // Those that are found stay in the index until they have begun, so the first of them is where the next look begins.
      if ids.isEmpty { place = key }
      if isWanted(job.id, job.read(function)) {
        ids.append(job.id)
        return ids.count < count
      }
      passed += 1
      return passed < mostPassed
    }
    return (ids, place, passed >= mostPassed)
  }

  fileprivate var pendingCount: Int {
    var keys = IndexKeyWriter()
    keys.append(value: .string(JobState.Kind.pending.rawValue))
    let lower = keys.key(tie: 0)
    return snapshot.count(in: Self.byState, from: lower, to: lower.prefixSuccessor())
  }

  /// When the first pending job of a kind is to run that isn't due yet.
  fileprivate func firstTime(of kind: JobKind, after time: Double) -> Double? {
    var keys = IndexKeyWriter()
    keys.append(value: .string(JobState.Kind.pending.rawValue))
    keys.append(value: .string(kind.rawValue))
    let upper = keys.key(tie: 0).prefixSuccessor()
    keys.append(value: .float64(time))
    let field = TableSchema.of(ScheduledFunctions.self).prototype.scheduledTime
    return first(in: Self.byState, from: keys.key(tie: 0).prefixSuccessor(), to: upper)?.read(field)
  }

  fileprivate var nextCronTime: Double? { firstTime(in: Self.byNextTime) }

  fileprivate var firstCreationTime: Double? { first(in: .byCreationTime, from: nil, to: nil)?.creationTime }

  /// The least time in an index of times, some of which are missing.
  fileprivate func firstTime(in slot: IndexSlot) -> Double? {
    var keys = IndexKeyWriter()
    keys.append(value: .float64(-.infinity))
    guard let found = first(in: slot, from: keys.key(tie: 0), to: nil) else { return nil }
    guard case .float64(let time)? = layout.indexes[slot.declaredPosition].values(of: found)?.first else { return nil }
    return time
  }

  private func first(in slot: IndexSlot, from lower: IndexKey?, to upper: IndexKey?) -> DocumentStorage? {
    var found: DocumentStorage?
    snapshot.forEach(in: slot, from: lower, to: upper, descending: false) {
      found = $1
      return false
    }
    return found
  }
}
