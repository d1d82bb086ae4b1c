import Foundation
import GRDBSQLite
import Martlet
import MartletValues

/// Looking back: the log as it is told to people, and the state of an earlier moment. See `KeptLog` for what there is to read.
extension SQLiteStorage {
  /// Reads one row of the log, or more as long as they are together below this.
  private static let bytesOfPage = 1 << 20

  package func log(_ request: LogRequest) throws -> LogPage {
    guard case .ready = state else { throw StorageError(.unavailable, "\(path) is not open, or has failed; restart") }
    var page = LogPage(commits: [], next: nil)
    var bytes = 0
    try connection.perform { handle in
      // The row that holds the commit at which to begin may go on behind it.
      let select = try Statement(
        """
        SELECT \(LogRow.columns) FROM commit_log
        WHERE last_timestamp <= ifnull((SELECT min(last_timestamp) FROM commit_log WHERE last_timestamp >= ?1), ?1) AND last_timestamp > ?2
        ORDER BY last_timestamp DESC
        """, on: handle)
      select.bind(1, Int64(clamping: request.before))
      select.bind(2, kept.start)
      defer { select.reset() }
      while try select.step() {
        let row = try LogRow(from: select, after: select.uint64(2), path: path)
        var found: [LoggedCommit] = []
        var isBefore = false
        try row.forEachCommit(path: path) { record in
          guard record.timestamp < request.before else { return }
          if let since = request.since, record.wallClockMilliseconds < since {
            isBefore = true
            return
          }
          if let table = request.table {
            var touches = false
            try record.forEachWrite { if $0.id.tableNumber == table { touches = true } }
            guard touches else { return }
          }
          found.append(try LoggedCommit(record))
        }
        let room = request.limit - page.commits.count
        page.commits += found.reversed().prefix(room)
        bytes += row.payload.count
        guard found.count <= room, page.commits.count < request.limit else {
          page.next = page.commits.last?.timestamp
          return
        }
        page.next = row.firstTimestamp
        // Clocks are set back now and then; but a whole row from before is the end.
        if isBefore, found.isEmpty {
          page.next = nil
          return
        }
        if bytes >= Self.bytesOfPage { return }
      }
      page.next = nil
    }
    return page
  }

  // MARK: Rewinding

  package func rewind(to point: RestorePoint) throws -> Rewind {
    guard case .ready = state else { throw StorageError(.unavailable, "\(path) is not open, or has failed; restart") }
    try finishWriting()
    let timestamp = try timestamp(of: point)
    let rounds = kept.rounds.drop { $0.last <= timestamp }
    let base = rounds.first?.first ?? checkpoint.foldedTimestamp
    var touched: Set<DocumentID> = []
    var touchedInRounds: Set<DocumentID> = []
    let folded = checkpoint.foldedTimestamp
    try forEachLogRow(after: base) { row in
      guard row.lastTimestamp > timestamp else { return true }
      try row.forEachCommit(path: path) { record in
        guard record.timestamp > timestamp else { return }
        try record.forEachWrite {
          touched.insert($0.id)
          if record.timestamp <= folded { touchedInRounds.insert($0.id) }
        }
      }
      return true
    }
    var rewind = Rewind(timestamp: timestamp, documents: [:])
    try forEachLogRow(after: base) { row in
      guard row.firstTimestamp <= timestamp else { return false }
      try row.forEachCommit(path: path) { record in
        guard record.timestamp <= timestamp else { return }
        try record.forEachWrite { write in
          guard touched.contains(write.id) else { return }
          rewind.documents.updateValue(write.put.map { Rewind.Document(creationTime: $0.creationTime, json: Array($0.json)) }, forKey: write.id)
        }
      }
      return true
    }
    for round in rounds {
      try forEachImage(of: round) { id, document in
        if touched.contains(id), rewind.documents.index(forKey: id) == nil { rewind.documents.updateValue(document, forKey: id) }
      }
    }
    for id in touched where rewind.documents.index(forKey: id) == nil {
      guard !touchedInRounds.contains(id) else {
        throw StorageError(.corrupt, "\(path): table kept_images lacks what document \(id) was; restore another moment, or a snapshot")
      }
      rewind.documents.updateValue(try document(id), forKey: id)
    }
    return rewind
  }

  /// The documents have to be those of one timestamp.
  private func finishWriting() throws {
    guard checkpoint.foldTarget != nil else { return }
    try step("checkpointing") { statements in
      while checkpoint.foldTarget != nil { _ = try foldSlice(statements) }
    }
  }

  private func timestamp(of point: RestorePoint) throws -> UInt64 {
    switch point {
    case .timestamp(let timestamp):
      guard timestamp >= kept.start, timestamp <= lastTimestamp else {
        throw StorageError(
          .unavailable, "the log leads back to timestamp \(kept.start), and the last is \(lastTimestamp): \(timestamp) is not within")
      }
      return timestamp
    case .time(let time):
      let over = kept.rounds.prefix { $0.endedMilliseconds <= time }
      var found = over.last?.last ?? kept.start
      var firstLater: Double?
      try forEachLogRow(after: found) { row in
        try row.forEachCommit(path: path) { record in
          guard firstLater == nil else { return }
          if record.wallClockMilliseconds > time { firstLater = record.wallClockMilliseconds } else { found = record.timestamp }
        }
        return firstLater == nil
      }
      // What came before the first commit that is kept is known as it was then, and not since when it was so.
      if found == kept.start, let firstLater {
        throw StorageError(
          .unavailable, "the first commit that the log has kept was made at \(Self.text(ofTime: firstLater)), which is later; a snapshot may be older")
      }
      return found
    }
  }

  private static func text(ofTime milliseconds: Double) -> String {
    Date(timeIntervalSince1970: milliseconds / 1000).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  private func forEachImage(of round: KeptRound, _ body: (DocumentID, Rewind.Document?) throws -> Void) throws {
    try connection.perform { handle in
      let select = try Statement("SELECT id, creation_time, checksum, json FROM kept_images WHERE round = ?1 ORDER BY id", on: handle)
      select.bind(1, round.first)
      while try select.step() {
        guard let id = DocumentKey.decode(select.bytes(0)) else {
          throw StorageError(.corrupt, "\(path): table kept_images, a row of round \(round.first) has a malformed id; restore a snapshot")
        }
        let isAbsent = select.isNull(3)
        let creationTime = select.double(1)
        let json = select.bytes(3)
        let checksum = isAbsent ? nil : Checksum.of(document: id, creationTime: creationTime, json: json)
        guard Self.checksum(ofImage: checksum, of: id, round: round.first) == select.uint64(2) else {
          throw StorageError(
            .corrupt, "\(path): table kept_images, document \(id) of round \(round.first) does not match its checksum; restore a snapshot")
        }
        try body(id, isAbsent ? nil : Rewind.Document(creationTime: creationTime, json: Array(json)))
      }
    }
  }

  private func document(_ id: DocumentID) throws -> Rewind.Document? {
    try connection.perform { handle in
      let select = try Statement("SELECT creation_time, checksum, json FROM documents WHERE id = ?1", on: handle)
      return try DocumentKey.withBytes(of: id) { key in
        select.bind(blob: 1, key)
        guard try select.step() else { return nil }
        let json = select.bytes(2)
        guard Checksum.of(document: id, creationTime: select.double(0), json: json) == select.uint64(1) else {
          throw StorageError(.corrupt, "\(path): table documents, document \(id) does not match its checksum; restore a snapshot")
        }
        return Rewind.Document(creationTime: select.double(0), json: Array(json))
      }
    }
  }
}
