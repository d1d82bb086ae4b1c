import GRDBSQLite
import Martlet
import MartletValues

/// Folding the log into the documents, and the WAL into the file, in slices of a few milliseconds.
///
/// None of this syncs by itself: a fold's transactions run with `synchronous = NORMAL`. They lie in the WAL after the rows that they fold, so
/// whatever part of the WAL survives a crash is consistent, and losing a fold loses nothing but work.
extension SQLiteStorage {
  package var checkpointIsDue: Bool {
    // A fold that was begun in an idle moment can wait for the next one.
    walBytes >= options.walBytes || unfoldedLogBytes >= options.unfoldedBytes || oldestIsTooOld
  }

  package func checkpointSlice() throws -> Bool {
    try step("checkpointing") { statements in
      if walBytes >= options.walBytes {
        try checkpointWAL()
        return hasWork
      }
      // What is too old was folded long ago, and is what a disk fills up with.
      if kept.isTrimming || oldestIsTooOld {
        try trimSlice()
        return hasWork
      }
      return try foldSlice(statements)
    }
  }

  private var hasWork: Bool { fold != nil || unfoldedLogBytes > 0 || kept.isTrimming || oldestIsTooOld }

  /// Folds so much for each byte that is appended that a round is over before another one's worth of log has come. Called when nobody folds, or
  /// when folding has fallen behind: the named bound of the log (G9).
  func payFoldDebt(for appendedBytes: Int, _ statements: Statements) throws {
    var work = 0
    while work < 4 * appendedBytes {
      let before = fold?.work ?? 0
      guard try foldSlice(statements) else { return }
      work += max((fold?.work ?? 0) - before, 4096)
      if walBytes >= options.maximumWALBytes { try checkpointWAL() }
    }
  }

  func foldSlice(_ statements: Statements) throws -> Bool {
    let round: FoldRound
    if let fold {
      round = fold
    } else {
      guard unfoldedLogBytes > 0 else { return false }
      round = FoldRound(after: checkpoint.foldedTimestamp, isKept: options.keptMilliseconds != nil)
      fold = round
    }
    switch round.phase {
    case .reading:
      if try readSlice(round) { round.phase = .writing }
    case .writing:
      if try writeSlice(round, statements) {
        round.runs = []
        round.phase = .deleting
        unfoldedLogBytes -= round.byteCount
        if round.isKept { fold = nil }
      }
    case .deleting:
      if try deleteSlice(round, statements) { fold = nil }
    }
    return hasWork
  }

  /// Reads and sorts a stretch of the log. True when the round has what it takes.
  /// With a limit, the round takes all up to there, whatever its size.
  private func readSlice(_ round: FoldRound, upTo limit: UInt64? = nil) throws -> Bool {
    let roundBytes = limit == nil ? options.roundBytes : Int.max
    let run = FoldRun()
    var sliceBytes = 0
    var isComplete = true
    try forEachLogRow(after: round.target) { row in
      guard row.lastTimestamp <= limit ?? .max else { return false }
      guard sliceBytes < options.sliceLogBytes, round.byteCount < roundBytes else {
        isComplete = false
        return false
      }
      try run.add(row, path: path)
      round.target = row.lastTimestamp
      round.rows.append((row.lastTimestamp, row.payload.count))
      round.byteCount += row.payload.count
      sliceBytes += row.payload.count
      return true
    }
    run.sort()
    if run.endedMilliseconds > 0 { round.endedMilliseconds = run.endedMilliseconds }
    round.runs.append(run)
    round.work += sliceBytes
    return isComplete || round.byteCount >= roundBytes
  }

  /// Writes some documents. True when the round's are all written, and `folded_timestamp` with the last of them.
  private func writeSlice(_ round: FoldRound, _ statements: Statements) throws -> Bool {
    try setSynchronous(.normal)
    var row = checkpoint
    var isComplete = false
    try connection.transaction { handle in
      row.foldTarget = round.target
      var written = 0
      while written < options.sliceDocuments {
        guard let entry = round.next() else {
          isComplete = true
          row.foldedTimestamp = round.target
          row.foldTarget = nil
          if round.isKept { try store(KeptRound(round), on: handle) }
          break
        }
        try write(entry, of: round, statements, &row)
        round.work += CommitRecord.Layout.putHeader + (entry.json?.count ?? 0)
        // A document of many pages counts for more.
        written += 1 + (entry.json?.count ?? 0) / 4096
      }
      try statements.storeCheckpoint.run(storing: row)
    }
    checkpoint = row
    if isComplete {
      if round.isKept { kept.rounds.append(KeptRound(round)) }
      if kept.rounds.isEmpty { kept.start = row.foldedTimestamp }
    }
    return isComplete
  }

  private func write(_ entry: FoldRun.Entry, of round: FoldRound, _ statements: Statements, _ row: inout CheckpointRow) throws {
    try DocumentKey.withBytes(of: entry.id) { key in
      let old = statements.readDocumentChecksum
      old.bind(blob: 1, key)
      let exists = try old.step()
      let oldChecksum = exists ? old.uint64(0) : 0
      if exists {
        row.documentCount -= 1
        row.documentSum &-= oldChecksum
      }
      old.reset()
      if round.isKept { try keepImage(of: entry.id, key, exists ? oldChecksum : nil, in: round, statements) }
      if let json = entry.json {
        let checksum = Checksum.of(document: entry.id, creationTime: entry.creationTime, json: json)
        let put = statements.putDocument
        put.bind(blob: 1, key)
        put.bind(2, entry.creationTime)
        put.bind(3, checksum)
        put.bind(text: 4, json)
        try put.run()
        row.documentCount += 1
        row.documentSum &+= checksum
      } else if exists {
        statements.deleteDocument.bind(blob: 1, key)
        try statements.deleteDocument.run()
      }
    }
  }

  /// Deletes some of the rows that were folded. True when none is left. Deleting follows each row's chain of pages, so it too goes in slices.
  private func deleteSlice(_ round: FoldRound, _ statements: Statements) throws -> Bool {
    var bytes = 0
    var last: UInt64?
    while round.deletedRows < round.rows.count, bytes < options.sliceDeletedBytes {
      // A row of a few bytes still costs its deletion: as if it had 4 KB.
      bytes += max(round.rows[round.deletedRows].byteCount, 4096)
      last = round.rows[round.deletedRows].lastTimestamp
      round.deletedRows += 1
    }
    round.work += bytes
    if let last {
      try setSynchronous(.normal)
      try connection.perform { _ in
        statements.deleteLog.bind(1, last)
        try statements.deleteLog.run()
      }
    }
    return round.deletedRows == round.rows.count
  }

  // MARK: At start

  func finishInterruptedFold() throws {
    guard let target = checkpoint.foldTarget else { return }
    // As it was begun: if what it replaced was not kept from the start, nothing leads back across it.
    let round = FoldRound(after: checkpoint.foldedTimestamp, isKept: try hasImages(of: checkpoint.foldedTimestamp))
    while round.target < target {
      let before = round.target
      _ = try readSlice(round, upTo: target)
      guard round.target > before else { break }
    }
    guard round.target == target else {
      throw StorageError(
        .corrupt, "\(path): table commit_log ends at row \(round.target), but rows up to \(target) were being folded; restore a snapshot")
    }
    while try !writeSlice(round, statements!) {}
    if !round.isKept || options.keptMilliseconds == nil { try forgetKeptLog() }
  }
}
