import MartletWire

/// Committing, and what follows it: the batch, the log, the release.
extension Engine {
  /// Makes a transaction's writes the new head. Nothing can fail here, and nothing else runs in between.
  func commit(_ transaction: Transaction) -> UInt64 {
    guard transaction.changesAnything else { return headTimestamp }
    if let answer = transaction.sessionAnswer { keep(answer, in: transaction) }
    transaction.releaseSnapshots()
    beginCommit(at: transaction.now, by: transaction.function.utf8Name)
    for view in transaction.views where !view.writes.isEmpty { carryOut(view.writes, in: view.table) }
    if beside.mustRemember { beside.remember(transaction.tableWrites, at: headTimestamp) }
    return endCommit()
  }

  /// - Parameter function: who the log says that it was.
  func commit(_ part: TableWrites, at wallMilliseconds: Double, by function: String) -> UInt64 {
    beginCommit(at: wallMilliseconds, by: ContiguousArray(function.utf8))
    carryOut(part.writes, in: part.table)
    if beside.mustRemember { beside.remember([part], at: headTimestamp) }
    return endCommit()
  }

  /// Makes many writes the new head, in commits of about so many bytes that follow each other without anything between them. They are of one batch,
  /// if none is open, and so on disk all or none.
  func commit(_ parts: [TableWrites], at wallMilliseconds: Double, by function: String, bytesEach: Int) -> UInt64 {
    let function = ContiguousArray(function.utf8)
    beginCommit(at: wallMilliseconds, by: function)
    var bytes = 0
    for part in parts {
      var rest = part.writes[...]
      while !rest.isEmpty {
        if bytes >= bytesEach {
          _ = endCommit()
          beginCommit(at: wallMilliseconds, by: function)
          bytes = 0
        }
        var count = 0
        for write in rest where bytes < bytesEach {
          bytes += CommitRecord.Layout.putHeader + (write.new?.jsonCount ?? 0)
          count += 1
        }
        let slice = ContiguousArray(rest.prefix(count))
        rest = rest.dropFirst(count)
        carryOut(slice, in: part.table)
        if beside.mustRemember { beside.remember([TableWrites(table: part.table, writes: slice)], at: headTimestamp) }
      }
    }
    return endCommit()
  }

  /// The same in one commit.
  func commit(_ parts: ContiguousArray<TableWrites>, at wallMilliseconds: Double, by function: String) -> UInt64 {
    beginCommit(at: wallMilliseconds, by: ContiguousArray(function.utf8))
    for part in parts { carryOut(part.writes, in: part.table) }
    if beside.mustRemember { beside.remember(parts, at: headTimestamp) }
    return endCommit()
  }

  private func beginCommit(at wallMilliseconds: Double, by function: ContiguousArray<UInt8>) {
    headTimestamp += 1
    function.withUnsafeBytes {
      records.begin(timestamp: headTimestamp, wallClockMilliseconds: wallMilliseconds, function: $0)
    }
  }

  private func carryOut(_ writes: ContiguousArray<DocumentWrite>, in table: StoredTable) {
    records.put(writes)
    replaced.note(writes, &scratch.builder.spares)
    let hits = table.apply(writes)
    for hit in hits { live.markStale(hit) }
    if memory.isLimited { noteGrowth(of: writes, in: table) }
    if table.layout.number < SystemTables.firstWithoutJobs { noteJobs(writes, in: table) }
  }

  private func endCommit() -> UInt64 {
    records.end()
    if let metrics, pipeline.openCommits == 0 { metrics.openSince = environment.clock.monotonicNanoseconds() }
    pipeline.noteCommit()
    statistics.commits += 1
    scheduleTurnEnd()
    return headTimestamp
  }

  /// Asks for `endTurn` once all that is ready now has been handled: every line of every socket that has some.
  func scheduleTurnEnd() {
    guard !turnEndIsScheduled else { return }
    turnEndIsScheduled = true
    host.enqueue { self.assumeIsolated { $0.endTurn() } }
  }

  private func endTurn() {
    turnEndIsScheduled = false
    wallMilliseconds = environment.clock.wallMilliseconds()
    runDueJobs()
    if pipeline.canSeal, !keepsBatchOpen() { seal() }
    // While the disk is busy and commits wait, publishing waits with them: see invariant 3.
    if pipeline.openCommits == 0 { publish() }
    if pipeline.gate == 0 { replaced.letGoOfRetired() }
    meterMemory()
    if let metrics { handOver(metrics) }
  }

  /// Whether the batch waits for clients that were just released: see `BatchPacing`. Live queries don't wait for them.
  private func keepsBatchOpen() -> Bool {
    guard pacing.fullCount > 0, nothingIsToPublish else { return false }
    let waiting = waitingOpen.count
    guard pacing.keepsOpen(waiting: waiting, bytes: records.byteCount, now: environment.clock.monotonicNanoseconds()) else { return false }
    guard !lookIsScheduled else { return true }
    lookIsScheduled = true
    let number = pipeline.openNumber
    host.enqueueSoon(afterNanoseconds: BatchPacing.patienceNanoseconds) {
      self.assumeIsolated { engine in
        engine.lookIsScheduled = false
        if number == engine.pipeline.openNumber { engine.pacing.noteLook(waiting: engine.waitingOpen.count, before: waiting) }
        engine.scheduleTurnEnd()
      }
    }
    return true
  }

  /// Seals a batch that was kept open as soon as it is full, and not at the end of the turn: the disk works while the turn's other requests are handled.
  func sealIfFull() {
    guard pacing.isFull(waiting: waitingOpen.count, bytes: records.byteCount), pipeline.canSeal, nothingIsToPublish else { return }
    seal()
  }

  private var nothingIsToPublish: Bool { live.stale.isEmpty && sessionsToPublish.isEmpty }

  private func seal() {
    guard let batch = records.takeBatch() else { preconditionFailure("an open batch holds commits") }
    let number = pipeline.seal()
    replaced.seal()
    swap(&waitingOpen, &waitingWriting)
    let lastTimestamp = batch.lastTimestamp
    statistics.logBytes += UInt64(batch.bytes.count)
    if let metrics { metrics.writingSince = metrics.openSince }
    pacing.noteSealed(at: environment.clock.monotonicNanoseconds())
    log.write(batch) { error in
      let diskDone = self.environment.clock.monotonicNanoseconds()
      self.host.enqueue {
        self.assumeIsolated { engine in
          if let error {
            engine.storageFailed(error)
          } else {
            engine.batchIsDurable(number, lastTimestamp, diskDone)
          }
        }
      }
    }
    if configuration.durability == .relaxed { releaseWaiters(number) }
  }

  private func batchIsDurable(_ number: CommitPipeline.BatchNumber, _ timestamp: UInt64, _ diskDone: UInt64) {
    guard pipeline.writing == number else { return }
    _ = pipeline.noteDurable()
    durableTimestamp = timestamp
    replaced.batchIsDurable()
    statistics.batches += 1
    if let metrics { metrics.commitTime.recordNanoseconds(Int64(environment.clock.monotonicNanoseconds() &- metrics.writingSince)) }
    let released = releaseWaiters(number)
    pacing.noteReleased(released, waiting: waitingOpen.count, diskDone: diskDone, now: environment.clock.monotonicNanoseconds())
    scheduleTurnEnd()
  }

  /// - Returns: how many sessions wait for nothing more.
  @discardableResult
  private func releaseWaiters(_ number: CommitPipeline.BatchNumber) -> Int {
    var released = 0
    var waiters: ContiguousArray<DurabilityWaiter> = []
    swap(&waiters, &waitingWriting)
    for waiter in waiters {
      switch waiter {
      case .session(let session):
        session.release(upTo: number)
        // It may have been too full to be read from.
        throttle(session)
        if session.outbound.heldCount == 0 { released += 1 }
      case .work(let work): work(nil)
      }
    }
    return released
  }

  // MARK: Waiting for the disk

  /// Why no mutation can commit now; nil where one can.
  var commitRefusal: WireError? {
    if lifecycle.isStorageFailed { return Self.storageFailure }
    guard records.byteCount > configuration.openBatchBytes else { return nil }
    return WireError(
      .overloaded,
      "\(records.byteCount) bytes of commits wait for the disk, and \(configuration.openBatchBytes) may: it is slower than its writers; try again")
  }

  /// The batch that must be durable before what the head shows may leave; 0 for none.
  var gate: CommitPipeline.BatchNumber { configuration.durability == .relaxed ? 0 : pipeline.gate }

  /// Notes who waits for the batch that `gate` names.
  func wait(_ waiter: DurabilityWaiter) {
    if pipeline.openCommits > 0 { waitingOpen.append(waiter) } else { waitingWriting.append(waiter) }
  }

  /// Runs `work` when all that the head shows is durable.
  func whenDurable(_ work: @escaping @Sendable (WireError?) -> Void) {
    if gate == 0 { work(nil) } else { wait(.work(work)) }
  }

  // MARK: When the disk fails

  static let storageFailure = WireError(
    .storageFailed,
    "the server can't write to its disk, so nothing commits; reads go on. Free or mend the disk, and restart the server: nothing acknowledged is lost")

  /// Takes back every commit that is not durable, in the reverse order, and tells those who wait for one.
  private func storageFailed(_ error: any Error) {
    guard !lifecycle.isStorageFailed else { return }
    logger.critical("the commit log failed; no further commit is taken until a restart", metadata: ["error": "\(error)"])
    lifecycle = .storageFailed("\(error)")
    for entry in replaced.takeAll() {
      guard let table = catalog.table(number: entry.id.tableNumber) else { continue }
      for hit in table.putBack(entry.old, under: entry.id) { live.markStale(hit) }
    }
    records = CommitRecordWriter()
    headTimestamp = durableTimestamp
    pipeline.abandon()
    beside.abandon(after: headTimestamp)
    for session in sessions.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) { session.forgetLost(self) }
    let waiters = waitingWriting + waitingOpen
    waitingWriting.removeAll()
    waitingOpen.removeAll()
    for waiter in waiters {
      switch waiter {
      case .session(let session):
        session.storageFailed()
        throttle(session)
      case .work(let work): work(Self.storageFailure)
      }
    }
    scheduleTurnEnd()
  }
}

/// One table's writes of a commit.
struct TableWrites: Sendable {
  let table: StoredTable
  var writes: ContiguousArray<DocumentWrite>
}

extension CommitRecordWriter {
  fileprivate mutating func put(_ writes: ContiguousArray<DocumentWrite>) {
    writes.withUnsafeBufferPointer { writes in
      for index in writes.indices where writes[index].changesAnything {
        if let new = writes[index].new { put(new) } else { delete(writes[index].id) }
      }
    }
  }
}

extension Transaction {
  var tableWrites: ContiguousArray<TableWrites> {
    var parts: ContiguousArray<TableWrites> = []
    for view in views {
      let writes = view.writes.filter(\.changesAnything)
      if !writes.isEmpty { parts.append(TableWrites(table: view.table, writes: ContiguousArray(writes))) }
    }
    return parts
  }
}
