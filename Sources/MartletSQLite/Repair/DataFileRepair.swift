import Foundation
import GRDBSQLite
import Martlet
import MartletValues

/// Saves what is whole of a damaged data file into a new one.
///
///     documents whose checksums are right ─▶ then each row of the log that is whole, in order ─▶ a new file, which a server starts on
///
/// **What is whole** is known exactly: every row has a checksum over its contents and its key. So nothing is guessed from what a row looks like.
/// Pages are read past SQLite, which stops at the first that it doesn't understand: `TreeWalk` goes on behind it, and looks for rows on pages that nothing
/// leads to any more.
///
/// **What a hole in the log means.** A row holds a batch, and is lost as a whole. The commits after it are carried out all the same, unless `stopsAtHole`:
/// so each document is as new as can be, but what a lost commit wrote is as it was before. With `stopsAtHole` the state is one that there was, and older.
///
/// The damaged file is opened for reading only. The new one has a temporary name until it is complete, and never replaces one. Memory: a
/// few dozen bytes for each row of the log; documents stream, and the log goes through a temporary file.
package struct DataFileRepair {
  private let source: String
  private let stopsAtHole: Bool
  private var report: RepairReport
  private let output: RepairOutput
  private let walk: TreeWalk
  private var tables: [TreeWalk.Table]
  /// The tables of a new file.
  private let standard: [TreeWalk.Table]
  private let scratch: Connection
  private var logColumns: Columns = []

  /// Throws `StorageError`: `locked` if a server runs on the file, `unavailable` if there is none, or there is something at `output` already; `corrupt` where
  /// nothing at all could be saved.
  package static func run(_ source: String, to output: String, stopsAtHole: Bool = false) throws -> RepairReport {
    guard Files.exists(source) else { throw StorageError(.unavailable, "there is no data file at \(source)") }
    for path in [output, output + "-wal"] where Files.exists(path) {
      throw StorageError(.unavailable, "\(path) exists already, and a repair never replaces anything; choose another with --output")
    }
    let lock = try DataFileLock(source)
    defer { lock.close() }
    let logPath = source + "-wal"
    let log = open(logPath, O_RDONLY)
    defer { if log >= 0 { close(log) } }
    let pages = PageFile(
      database: FileBytes(name: source, descriptor: lock.descriptor), log: log < 0 ? nil : FileBytes(name: logPath, descriptor: log))
    let target = try RepairOutput(output)
    do {
      var repair = try DataFileRepair(source, pages, target, stopsAtHole)
      try repair.run()
      return repair.report
    } catch {
      target.abandon()
      throw StorageError(error, path: output, doing: "repairing \(source)")
    }
  }

  private init(_ source: String, _ pages: PageFile, _ output: RepairOutput, _ stopsAtHole: Bool) throws {
    self.source = source
    self.stopsAtHole = stopsAtHole
    self.output = output
    report = RepairReport(source: source, output: output.path)
    walk = TreeWalk(pages)
    tables = walk.tables()
    // SQLite's name for a file of its own that goes with the connection.
    scratch = try Connection(path: "", purpose: .build)
    // A list that is lost with its page: the tables of every data file are made in the same order, and so have the same roots.
    standard = try output.tables()
    let known = Set(tables.map(\.name))
    // A file of format 1 has no kept log, and other tables' pages where that would be.
    let hasKeptLog = walk.file.userVersion != 1
    tables += standard.filter { !known.contains($0.name) && (hasKeptLog || !$0.name.hasPrefix("kept_")) }
  }

  private mutating func run() throws {
    defer { try? scratch.close() }
    if !walk.file.hasSoundHeader {
      report.damage.append(.init(table: nil, place: "byte 0 of \(source)", reason: "the header is damaged"))
    }
    let checkpoint = try checkpoint()
    var lost = try readDocuments()
    report.missing = checkpoint.map { Int(clamping: $0.documentCount) - output.documents - lost.count }
    var rows = try logRows(after: checkpoint?.foldedTimestamp ?? 0)
    for table in tables where !["documents", "commit_log", "checkpoint"].contains(table.name) {
      walk.walk(table.name, root: table.root, isTable: table.hasRowid) { _ in true }
    }
    try readStrays(after: checkpoint?.foldedTimestamp ?? 0, &rows)
    try replay(rows.sorted { $0.timestamp < $1.timestamp }, checkpoint, &lost)
    report.lostDocuments = lost
    report.damage += walk.damage.map { .init(table: $0.tree, place: "\($0.place)", reason: $0.reason) }
    try output.nameTables(&report)
    guard output.documents > 0 || report.isWhole else {
      throw StorageError(.corrupt, "\(source) has no document that is whole: there is nothing to save; restore a snapshot")
    }
    let end = report.lostCommits.map(\.through).max() ?? 0
    // Timestamps that were given once are not given again, though what they were given to is lost.
    try output.finish(timestamp: max(report.timestamp, end, checkpoint?.loggedTimestamp ?? 0))
    report.documents = output.appDocuments
  }

  private func table(_ name: String) -> TreeWalk.Table? { tables.first { $0.name == name } }

  // MARK: The checkpoint

  /// nil if it is damaged. SQLite reads the row again, from a table like the one it was in, so that it is checked as at every start.
  private mutating func checkpoint() throws -> CheckpointRow? {
    guard let table = table("checkpoint") else { return nil }
    let columns = try makeScratch(table)
    var row: CheckpointRow?
    walk.walk("checkpoint", root: table.root, isTable: true) { stored in
      try? scratch.execute("DELETE FROM checkpoint")
      try? insert(stored, into: table.name, columns)
      row = try? CheckpointRow.read(from: scratch)
      return row == nil
    }
    if row == nil, let page = walk.file.page(table.root) {
      report.damage.append(.init(table: "checkpoint", place: "\(page.place)", reason: "the row is damaged"))
    }
    return row
  }

  // MARK: Documents

  /// Saves the documents that are whole, and answers with those that are not.
  private mutating func readDocuments() throws -> [RepairReport.LostDocument] {
    guard let table = table("documents") else { return [] }
    var lost: [RepairReport.LostDocument] = []
    try walk.walk("documents", root: table.root, isTable: false) { row in
      if try !output.save(row, replacing: true) {
        let id = row.bytes(0).flatMap { range in row.payload[range].withUnsafeBytes { DocumentKey.decode($0) } }
        lost.append(.init(table: id.map { "number \($0.tableNumber)" } ?? "unknown", id: id, place: "\(row.place)"))
      }
      return true
    }
    return lost
  }

  /// Rows behind pages that are lost. Only where some are, or documents are missing: else what nothing leads to is garbage.
  private mutating func readStrays(after timestamp: UInt64, _ rows: inout [LogPlace]) throws {
    let knowsFreePages = walk.walkFreePages()
    func hides(_ tree: String) -> Bool { walk.damage.contains { $0.tree == tree && $0.hidesRows } }
    let before = output.documents
    if hides("documents") || report.missing ?? 0 > 0 { try walk.forEachStrayRow(ofTable: false) { _ = try output.save($0, replacing: false) } }
    report.strayDocuments = output.documents - before
    if let missing = report.missing { report.missing = missing - report.strayDocuments }
    let rowsBefore = rows.count
    if hides("commit_log") { walk.forEachStrayRow(ofTable: true) { take($0, after: timestamp, isStray: true, &rows) } }
    report.strayAreUncertain = !knowsFreePages && (report.strayDocuments > 0 || rows.count > rowsBefore)
  }

  // MARK: The log

  private struct LogPlace {
    var timestamp: UInt64
    var place: PageFile.Place
    /// On a page that nothing leads to: what isn't whole there is no row at all.
    var isStray: Bool
  }

  /// Copies the log's rows into the scratch table, from where they are read and checked as at every start.
  private mutating func logRows(after timestamp: UInt64) throws -> [LogPlace] {
    guard let table = table("commit_log") else { return [] }
    logColumns = try makeScratch(table)
    var places: [LogPlace] = []
    walk.walk("commit_log", root: table.root, isTable: true) { stored in
      take(stored, after: timestamp, isStray: false, &places)
      return true
    }
    return places
  }

  private func take(_ stored: StoredRow, after timestamp: UInt64, isStray: Bool, _ places: inout [LogPlace]) {
    guard let rowid = stored.rowid, rowid >= 0, UInt64(rowid) > timestamp, (try? insert(stored, into: "commit_log", logColumns)) != nil
    else { return }
    places.append(LogPlace(timestamp: UInt64(rowid), place: stored.place, isStray: isStray))
  }

  /// Carries out the log's commits. A document that was lost and is written or deleted by one of them is lost no more.
  private mutating func replay(_ places: [LogPlace], _ checkpoint: CheckpointRow?, _ lost: inout [RepairReport.LostDocument]) throws {
    let start = checkpoint?.foldedTimestamp
    /// The last commit of the rows that were read.
    var last = start ?? 0
    var isFirst = true
    var damaged: [PageFile.Place] = []
    var lostIDs = Set(lost.compactMap(\.id))
    report.timestamp = last
    report.completeThrough = last
    for place in places {
      let isWhole = try scratch.perform { handle in
        let select = try Statement("SELECT \(LogRow.columns) FROM commit_log WHERE last_timestamp = ?1", on: handle)
        select.bind(1, place.timestamp)
        guard try select.step(), let row = try? LogRow(from: select, after: select.uint64(2), path: source), row.firstTimestamp > last,
          (try? row.forEachCommit(path: source, { _ in })) != nil
        else { return false }
        // Without a checkpoint nobody knows where the log begins.
        if row.previousTimestamp != last, !(isFirst && start == nil) {
          report.lostCommits.append(.init(after: last, through: row.previousTimestamp, place: damaged.first.map { "\($0)" }))
          damaged = []
        }
        isFirst = false
        last = row.lastTimestamp
        let isAfterLost = !report.lostCommits.isEmpty
        if isAfterLost, stopsAtHole { return true }
        try row.forEachCommit(path: source) { commit in
          try commit.forEachWrite {
            try output.carryOut($0)
            lostIDs.remove($0.id)
          }
          if isAfterLost { report.commitsAfterLost += 1 }
        }
        report.timestamp = last
        if !isAfterLost { report.completeThrough = last }
        return true
      }
      if !isWhole, !place.isStray { damaged.append(place.place) }
    }
    lost.removeAll { $0.id.map { !lostIDs.contains($0) } ?? false }
    // What a row says of its timestamp is not to be believed where the row isn't whole.
    let end = checkpoint?.loggedTimestamp ?? (damaged.isEmpty ? 0 : last + 1)
    if last < end {
      report.lostCommits.append(.init(after: last, through: end, place: damaged.first.map { "\($0)" }))
    } else {
      report.damage += damaged.map { .init(table: "commit_log", place: "\($0)", reason: "a row is damaged") }
    }
    if stopsAtHole, let first = report.lostCommits.first {
      report.lostCommits = [.init(after: first.after, through: max(last, end), place: first.place)]
    }
  }

  // MARK: Rows into scratch tables

  private typealias Columns = [(name: String, isKey: Bool)]

  /// Makes a table as new files have it, and answers with the columns that the damaged file's has, in their order: a file of an older format lacks some, or
  /// has them elsewhere. What the file says of them counts only if they are columns that there are.
  private func makeScratch(_ table: TreeWalk.Table) throws -> Columns {
    guard let standard = standard.first(where: { $0.name == table.name }) else { preconditionFailure("no new file has a table \(table.name)") }
    let stated = (try? columns(of: table.name, madeBy: table.sql)) ?? []
    let known = try columns(of: table.name, madeBy: standard.sql)
    return !stated.isEmpty && Set(stated.map(\.name)).isSubset(of: known.map(\.name)) ? stated : known
  }

  private func columns(of table: String, madeBy sql: String) throws -> Columns {
    try scratch.execute("DROP TABLE IF EXISTS \(table)")
    try scratch.execute(sql)
    return try scratch.perform { handle in
      let names = try Statement("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid", on: handle)
      names.bind(1, table)
      var columns: Columns = []
      while try names.step() { columns.append((names.string(0), names.int64(1) > 0)) }
      return columns
    }
  }

  private func insert(_ stored: StoredRow, into table: String, _ all: Columns) throws {
    try scratch.perform { handle in
      // A row from before a column was added lacks it.
      let columns = all.prefix(stored.columns.count)
      let list = columns.map { SnapshotFormat.quoted($0.name) }.joined(separator: ", ")
      let insert = try Statement("INSERT INTO \(table) (\(list)) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))", on: handle)
      try stored.payload.withUnsafeBytes { payload in
        for (index, column) in columns.enumerated() {
          let parameter = Int32(index + 1)
          switch stored.columns[index] {
          case .null:
            if column.isKey, let rowid = stored.rowid { insert.bind(parameter, rowid) } else { insert.bindNull(parameter) }
          case .integer(let value): insert.bind(parameter, value)
          case .real(let value): insert.bind(parameter, value)
          case .text(let range): insert.bind(text: parameter, UnsafeRawBufferPointer(rebasing: payload[range]))
          case .blob(let range): insert.bind(blob: parameter, UnsafeRawBufferPointer(rebasing: payload[range]))
          }
        }
        try insert.run()
      }
    }
  }
}
