import MartletWire

/// Going back, while the server runs.
///
/// A restore is commits like any others, with new timestamps: what was `synced` stays so, those who watch are told the values as they are then, a transaction that
/// read what was replaced runs again, and a disk that fails takes all of it back. Those commits are one batch, so after a crash it has happened, or it hasn't.
///
///     read and check ──▶ mutations wait ──▶ keep what is ──▶ the difference ──▶ commits, in one turn ──▶ on disk ──▶ mutations go on
///     (a snapshot)       (what runs, ends)  (a snapshot)      (beside)
///
/// Queries and subscriptions go on all the time. Whatever is wrong, a snapshot that is damaged, documents that don't fit the schema, no room for the snapshot of
/// what is, leaves everything as it was.
extension Engine {
  package enum RestoreSource: Sendable, Hashable {
    /// A name, or a file's path that begins with a slash.
    case snapshot(String)
    case moment(RestorePoint)
  }

  package struct RestoreReport: Sendable {
    /// Of the commit that the state is that of now, and of the last that it has seen of those before.
    package var timestamp: UInt64
    package var restored: UInt64
    /// Documents that were put or deleted.
    package var writes: Int
    package var documents: Int
    /// The snapshot of what was there before.
    package var before: String

    var value: Value {
      [
        "timestamp": .float64(Double(timestamp)), "restored": .float64(Double(restored)), "writes": .float64(Double(writes)),
        "documents": .float64(Double(documents)), "before": .string(before),
      ]
    }
  }

  static let restoreFunction = "_system:restore"
  package static let bytesOfRestoreCommit = 4 << 20
  package static let beforeRestorePrefix = "before-restore-"

  package func restore(_ source: RestoreSource) async throws -> RestoreReport {
    guard !isRestoring else { throw ApplicationError("another restore is under way; wait for its end") }
    isRestoring = true
    defer { isRestoring = false }
    do { return try await restoreAlone(source) } catch let error as StorageError {
      throw ApplicationError("nothing was restored: \(error.message)")
    } catch let error as SchemaError {
      throw ApplicationError("\(error)")
    }
  }

  private func restoreAlone(_ source: RestoreSource) async throws -> RestoreReport {
    var read: (Recovery, RecoveredData)?
    if case .snapshot(let name) = source { read = try await readSnapshot(name) }
    await beginRunningAlone()
    let report: RestoreReport
    do {
      try await untilDurable()
      await untilHandedOver()
      let before = try await writeSnapshot(.timed(prefix: Self.beforeRestorePrefix))
      let (plan, restored) = try await plan(source, read)
      report = carryOut(plan, restored, before: before.name)
      // Until then mutations would find the log full of what is being restored.
      try await untilDurable()
    } catch {
      endRunningAlone()
      throw error
    }
    endRunningAlone()
    restartJobs()
    logger.notice(
      "the database was restored",
      metadata: ["timestamp": "\(report.restored)", "writes": "\(report.writes)", "before": "\(report.before)"])
    return report
  }

  private func readSnapshot(_ name: String) async throws -> (Recovery, RecoveredData) {
    let snapshots = try snapshotStore
    let (schema, host, memory) = (schema, host, memory)
    return try await doLongWork(.restore, name, total: knownDocuments(of: name)) { work in
      let (recovery, recovered) = try RestorePlan.recovery(
        schema,
        { sink in
          var counting = Counting(sink: sink, work: work, memory: memory)
          _ = try snapshots.read(name, into: &counting)
          sink = counting.sink
        }, executor: host.executor)
      return ReadSnapshot(recovery: recovery, recovered: recovered)
    }.both
  }

  private func plan(_ source: RestoreSource, _ read: (Recovery, RecoveredData)?) async throws -> (RestorePlan, UInt64) {
    let (catalog, contents) = (catalog, contentsNow)
    switch source {
    case .snapshot(let name):
      guard let read else { preconditionFailure("a snapshot is read before") }
      let snapshot = ReadSnapshot(recovery: read.0, recovered: read.1)
      let plan = try await doLongWork(.restore, name, total: 0) { _ in
        try RestorePlan.to(snapshot: snapshot.recovery, snapshot.recovered, of: catalog, now: contents)
      }
      return (plan, read.1.timestamp)
    case .moment(let point):
      let rewind = try await readLog { try $0.rewind(to: point) }
      let plan = try await doLongWork(.restore, "", total: 0) { [memory] _ in
        try RestorePlan.to(rewind, of: catalog, now: contents, memory: memory)
      }
      return (plan, rewind.timestamp)
    }
  }

  private var contentsNow: [UInt32: TableContents] {
    var contents: [UInt32: TableContents] = [:]
    for table in catalog.tables { contents[table.layout.number] = table.unsettledSnapshot }
    return contents
  }

  /// In one turn of the engine's thread, so nobody sees a part of it.
  private func carryOut(_ plan: RestorePlan, _ restored: UInt64, before: String) -> RestoreReport {
    restoreCount += 1
    for part in plan.parts {
      if let last = part.writes.lazy.compactMap({ $0.new?.creationTime }).max() { part.table.note(creationTime: last) }
    }
    if !plan.parts.isEmpty {
      _ = commit(
        plan.parts, at: environment.clock.wallMilliseconds(), by: Self.restoreFunction, bytesEach: Self.bytesOfRestoreCommit)
    }
    return RestoreReport(
      timestamp: headTimestamp, restored: restored, writes: plan.writeCount, documents: documentCount, before: before)
  }

  /// What a start does with the jobs and crons that it finds.
  private func restartJobs() {
    jobQueue.places.removeAll()
    jobQueue.removalTime = 0
    endJobsThatDoNotRun("the database was restored to a moment at which the action ran; it is not known how far it came, and it is not run again")
    start(CronFunctions.declare(declaredCrons), [], .anonymous) { engine, result in
      if case .failure(let error) = result {
        engine.logger.error("the crons could not be declared after a restore", metadata: ["error": "\(error.message)"])
      }
    }
    jobQueue.isStale = true
    scheduleTurnEnd()
  }

  // MARK: Running alone

  /// From then on mutations wait, as they do for one of theirs that runs alone.
  private func beginRunningAlone() async {
    while beside.isExclusive {
      await withCheckedContinuation { continuation in
        beside.waitForExclusive { _ in continuation.resume() }
      }
    }
    beside.beginExclusive()
  }

  /// Until the log has been given all that the head shows: it is read for the way back. Under relaxed durability nobody else waits for that.
  private func untilHandedOver() async {
    guard pipeline.openCommits > 0 else { return }
    await withCheckedContinuation { continuation in wait(.work { _ in continuation.resume() }) }
  }

  private func endRunningAlone() {
    for work in beside.endExclusive() { work(self) }
  }
}

/// `@unchecked Sendable` is sound: it is handed from one thread to the next, and used by one at a time.
private struct ReadSnapshot: @unchecked Sendable {
  let recovery: Recovery
  let recovered: RecoveredData
  var both: (Recovery, RecoveredData) { (recovery, recovered) }
}

private struct Counting<Sink: RecoverySink>: RecoverySink {
  var sink: Sink
  let work: LongWork
  let memory: MemoryRoom
  /// At the beginning: what is read is seen by the meter as well, and would count twice.
  private var room: Int
  var count = 0

  init(sink: Sink, work: LongWork, memory: MemoryRoom) {
    self.sink = sink
    self.work = work
    self.memory = memory
    room = memory.left
  }

  mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) throws {
    room -= json.count + MemoryRoom.documentBytes
    guard room >= 0 else { throw memory.refusal(of: "nothing was restored: the snapshot, which is read beside what there is,") }
    try sink.document(id, creationTime: creationTime, json: json)
    count += 1
    if count % 1_024 == 0 { work.note(documents: count) }
  }
  mutating func commit(_ record: CommitRecord) throws { try sink.commit(record) }
  mutating func finished(lastTimestamp: UInt64) throws { try sink.finished(lastTimestamp: lastTimestamp) }
}
