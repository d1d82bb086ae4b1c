import MartletWire

/// Running jobs when they are due.
///
/// Nothing polls. A commit that writes a job, the end of a job, and one timer for the earliest time to come have the engine look, and a look
/// reads the first entries of an index. Due jobs begin in the order of their times: mutations one after another on the engine's thread (long
/// ones beside it), actions as far as their pools have places: one that is full holds up its own.
extension Engine {
  /// Ends what an earlier process left half done, and begins to run jobs.
  package func startJobs() {
    guard let jobs = jobsTable else { return }
    wallMilliseconds = environment.clock.wallMilliseconds()
    for id in jobs.assumeIsolated({ $0.ids(of: .inProgress, nil, upTo: nil, atMost: .max) }) {
      end(id, error: "the server stopped while the action ran; it is not known how far it came, and it is not run again")
    }
    jobQueue.isOn = true
    jobQueue.isStale = true
    scheduleTurnEnd()
  }

  private var jobsTable: StoredTable? { try? catalog.table(of: ScheduledFunctions.self).table }

  /// Begins what is due, and sets the timer for what isn't yet. A part of each turn's end.
  func runDueJobs() {
    guard jobQueue.isStale, jobQueue.isOn, lifecycle == .running, let jobs = jobsTable else { return }
    jobQueue.isStale = false
    let now = wallMilliseconds
    var left = JobQueue.mostPerTurn
    beginMutations(of: jobs, upTo: now, &left)
    beginActions(of: jobs, upTo: now, &left)
    removeOldJobs(of: jobs, before: now - JobQueue.keptMilliseconds, &left)
    if left == 0 {
      // Others may be due, too; sockets come first.
      jobQueue.isStale = true
      scheduleTurnEnd()
    } else if let next = nextTime(of: jobs, after: now) {
      wake(at: next, now: now)
    }
  }

  private func beginMutations(of jobs: StoredTable, upTo now: Double, _ left: inout Int) {
    guard jobQueue.running.count - jobQueue.actions.count - jobQueue.beginning < JobQueue.mostBeside else { return }
    let due = jobs.assumeIsolated { [most = left + jobQueue.running.count] in $0.ids(of: .pending, .mutation, upTo: now, atMost: most) }
    for id in due where left > 0 && !jobQueue.running.contains(id) {
      left -= 1
      runMutation(job: id)
      guard jobQueue.running.count - jobQueue.actions.count - jobQueue.beginning < JobQueue.mostBeside else { return }
    }
  }

  private func runMutation(job id: DocumentID) {
    guard let (job, function) = job(id) else { return }
    jobQueue.statistics.noteBegin(lateness: wallMilliseconds - job.scheduledTime)
    jobQueue.running.insert(id)
    start(registry.runner(of: function), Self.arguments(job: id), .anonymous) { engine, result in
      engine.jobQueue.running.remove(id)
      engine.jobQueue.isStale = true
      engine.scheduleTurnEnd()
      switch result {
      case .success(let answer):
        if answer.json == Array("false".utf8) { engine.jobQueue.statistics.failed += 1 }
      case .failure(let error):
        // Where a limit was exceeded the transaction is over, and can't note that itself.
        if !engine.lifecycle.isStorageFailed { engine.end(id, error: error.message) }
      }
    }
  }

  private func beginActions(of jobs: StoredTable, upTo now: Double, _ left: inout Int) {
    for pool in actions.names where left > 0 {
      let places = min(left, actions[pool].free)
      guard places > 0 else { continue }
      for id in dueActions(of: jobs, in: pool, upTo: now, atMost: places) {
        left -= 1
        begin(action: id)
      }
    }
  }

  /// The first jobs of a pool. Which pool a job belongs to is its function's affair, so the index has them mixed: each pool remembers how far others'
  /// jobs stand before its first, and so passes each of them once.
  private func dueActions(of jobs: StoredTable, in pool: String, upTo now: Double, atMost count: Int) -> [DocumentID] {
    let running = jobQueue.running
    guard actions.names.count > 1 else {
      let due = jobs.assumeIsolated { $0.ids(of: .pending, .action, upTo: now, atMost: count + running.count) }
      return Array(due.lazy.filter { !running.contains($0) }.prefix(count))
    }
    let (ids, place, isCut) = jobs.assumeIsolated { [registry, from = jobQueue.places[pool]] in
      $0.actions(from: from, upTo: now, atMost: count, passing: JobQueue.mostPassed) { id, function in
        // A function that is there no more ends its job, which needs no place.
        !running.contains(id) && (registry.find(function)?.pool ?? ActionPools.standard) == pool
      }
    }
    jobQueue.places[pool] = place
    if isCut {
      jobQueue.isStale = true
      scheduleTurnEnd()
    }
    return ids
  }

  /// First a commit that says that the action begins, then, when that is durable, the action: so it runs at most once.
  private func begin(action id: DocumentID) {
    guard let (job, function) = job(id) else { return }
    let pool = function.pool
    jobQueue.running.insert(id)
    jobQueue.beginning += 1
    actions[pool].reserve()
    let lateness = wallMilliseconds - job.scheduledTime
    let args = job.storage.value(of: "args").map { Array($0) } ?? []
    start(JobFunctions.begin, Self.arguments(job: id), .anonymous) { engine, result in
      engine.whenDurable { failure in
        self.assumeIsolated { engine in
          engine.jobQueue.beginning -= 1
          engine.actions[pool].endReservation()
          engine.jobQueue.isStale = true
          engine.scheduleTurnEnd()
          guard failure == nil, case .success(let answer) = result, answer.json == Array("true".utf8), engine.jobQueue.isOn else {
            engine.jobQueue.running.remove(id)
            // It may be pending still.
            engine.jobQueue.places[pool] = nil
            return
          }
          engine.jobQueue.statistics.noteBegin(lateness: lateness)
          engine.run(action: function, args, job: id)
        }
      }
    }
  }

  private func run(action function: FunctionDefinition, _ args: [UInt8], job id: DocumentID) {
    let finish: Completion = { engine, result in
      engine.jobQueue.running.remove(id)
      engine.jobQueue.actions[id] = nil
      switch result {
      case .success: engine.end(id, error: nil)
      case .failure(let error): engine.end(id, error: error.message)
      }
    }
    do throws(WireError) {
      jobQueue.actions[id] = try startAction(function, arguments: args, identity: .anonymous, completion: finish)
    } catch {
      finish(self, .failure(error))
    }
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

  private func end(_ id: DocumentID, error: String?) {
    if error != nil { jobQueue.statistics.failed += 1 }
    jobQueue.isStale = true
    scheduleTurnEnd()
    var arguments: ObjectValue = ["job": .string(id.description)]
    if let error { arguments["error"] = .string(error) }
    var writer = JSONWriter()
    writer.write(object: arguments)
    start(JobFunctions.end, writer.bytes, .anonymous) { engine, result in
      guard case .failure(let error) = result else { return }
      engine.logger.error("a job's end could not be noted", metadata: ["job": "\(id)", "error": "\(error.message)"])
    }
  }

  private static func arguments(job id: DocumentID) -> [UInt8] { Array(#"{"job":"\#(id)"}"#.utf8) }

  /// Jobs were written: they are looked at when the turn ends, and an action whose job was cancelled is told when that is durable.
  func noteJobs(_ writes: ContiguousArray<DocumentWrite>) {
    jobQueue.isStale = true
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

  private func removeOldJobs(of jobs: StoredTable, before time: Double, _ left: inout Int) {
    guard let oldest = jobs.assumeIsolated({ $0.firstCompletion }), oldest < time else { return }
    left = 0
    start(JobFunctions.removeOld, Array(#"{"before":\#(time)}"#.utf8), .anonymous) { _, _ in }
  }

  var pendingJobs: Int { jobsTable?.assumeIsolated { $0.pendingCount } ?? 0 }

  // MARK: The timer

  private func nextTime(of jobs: StoredTable, after now: Double) -> Double? {
    jobs.assumeIsolated { jobs in
      // What is due and not begun waits for the end of another, which has the engine look again.
      [
        jobs.firstTime(of: .mutation, after: now), jobs.firstTime(of: .action, after: now),
        jobs.firstCompletion.map { max(now, $0 + JobQueue.keptMilliseconds) },
      ].compactMap(\.self).min()
    }
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
  private static var byCompletion: IndexSlot { .declared(1) }

  fileprivate func document(_ id: DocumentID) -> DocumentStorage? { unsettledSnapshot.document(InternalID(id)) }

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

  fileprivate var firstCompletion: Double? {
    var keys = IndexKeyWriter()
    keys.append(value: .float64(-.infinity))
    let field = TableSchema.of(ScheduledFunctions.self).prototype.completedTime
    return first(in: Self.byCompletion, from: keys.key(tie: 0), to: nil)?.read(field)
  }

  private func first(in slot: IndexSlot, from lower: IndexKey, to upper: IndexKey?) -> DocumentStorage? {
    var found: DocumentStorage?
    snapshot.forEach(in: slot, from: lower, to: upper, descending: false) {
      found = $1
      return false
    }
    return found
  }
}
