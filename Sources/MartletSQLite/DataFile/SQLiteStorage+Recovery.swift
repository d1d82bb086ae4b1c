import GRDBSQLite
import Martlet
import MartletValues

extension SQLiteStorage {
  /// Streams the documents, then the log's tail. A million documents of 200 bytes take about a second, most of it SQLite's stepping.
  ///
  /// A fold that a crash interrupted is finished first, so that the documents are those of one timestamp. Every row is checked before it is
  /// handed over; that none is missing is known only at the end, so a sink must not be used when this throws.
  package func recover(into sink: inout some RecoverySink) throws {
    precondition(isOpened, "the storage was recovered before, or closed")
    becomeReady()
    // What the sink throws is not the storage's failure, and goes to the caller as it is.
    var refusal: (any Error)?
    do {
      try step("recovery") { statements in
        try openKeptLog()
        try finishInterruptedFold()
        // Each page is read once: kept, they would lie between the documents that are made meanwhile, and leave holes.
        try connection.execute("PRAGMA cache_size = -1024")
        try streamDocuments(into: &sink, refusal: &refusal)
        try streamLog(into: &sink, statements, refusal: &refusal)
        try connection.execute("PRAGMA cache_size = -\(Connection.cacheKilobytes)")
        try checkpointWAL()
      }
    } catch {
      guard let refusal else { throw (error as? StorageError)?.locating(in: connection) ?? error }
      abandon()
      throw refusal
    }
    try sink.finished(lastTimestamp: lastTimestamp)
  }

  private func streamDocuments(into sink: inout some RecoverySink, refusal: inout (any Error)?) throws {
    var count: Int64 = 0
    var sum: UInt64 = 0
    try connection.perform { handle in
      let select = try Statement("SELECT id, creation_time, checksum, json FROM documents ORDER BY id", on: handle)
      var last: DocumentID?
      do {
        while try select.step() {
          guard let id = DocumentKey.decode(select.bytes(0)) else {
            throw StorageError(
              .corrupt, "\(path): table documents, the row after document \(last?.description ?? "(none)") has a malformed id; restore a snapshot")
          }
          let creationTime = select.double(1)
          let json = select.bytes(3)
          let checksum = Checksum.of(document: id, creationTime: creationTime, json: json)
          guard checksum == select.uint64(2) else {
            throw StorageError(
              .corrupt,
              "\(path): table documents, document \(id) of table \(name(ofTable: id.tableNumber)) (\(json.count) bytes) does not match its checksum; restore a snapshot"
            ).at(place(of: id))
          }
          do { try sink.document(id, creationTime: creationTime, json: json) } catch {
            refusal = error
            throw error
          }
          count += 1
          sum &+= checksum
          last = id
        }
      } catch let failure as SQLiteFailure {
        throw StorageError(failure, path: path, doing: "reading table documents after document \(last?.description ?? "(none)")")
      }
    }
    guard count == checkpoint.documentCount, sum == checkpoint.documentSum else {
      throw StorageError(
        .corrupt,
        "\(path): table documents holds \(count) documents, and \(checkpoint.documentCount) were written to it: "
          + "some are lost, doubled or of an older state; restore a snapshot")
    }
  }

  private func streamLog(into sink: inout some RecoverySink, _ statements: Statements, refusal: inout (any Error)?) throws {
    lastTimestamp = checkpoint.foldedTimestamp
    unfoldedLogBytes = 0
    try forEachLogRow(after: checkpoint.foldedTimestamp) { row in
      try row.forEachCommit(path: path) { record in
        do { try sink.commit(record) } catch {
          refusal = error
          throw error
        }
      }
      lastTimestamp = row.lastTimestamp
      unfoldedLogBytes += row.payload.count
      return true
    }
    guard lastTimestamp >= checkpoint.loggedTimestamp else {
      throw StorageError(
        .corrupt, "\(path): table commit_log ends at row \(lastTimestamp), but it reached \(checkpoint.loggedTimestamp): rows are lost; restore a snapshot")
    }
  }

  /// Walks the log's rows, checked, until `body` returns false.
  func forEachLogRow(after timestamp: UInt64, _ body: (LogRow) throws -> Bool) throws {
    let select = statements!.readLog
    try connection.perform { _ in
      var previous = timestamp
      do {
        select.bind(1, timestamp)
        defer { select.reset() }
        while try select.step() {
          let row: LogRow
          do { row = try LogRow(from: select, after: previous, path: path) } catch let error as StorageError {
            throw error.at(place(ofLogRow: select.uint64(0)))
          }
          previous = row.lastTimestamp
          guard try body(row) else { break }
        }
      } catch let failure as SQLiteFailure {
        throw StorageError(failure, path: path, doing: "reading table commit_log after row \(previous)")
      }
    }
  }
}
