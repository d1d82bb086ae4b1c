import Foundation
import GRDBSQLite
import Martlet
import MartletValues

/// The new data file of a repair, while it is filled.
final class RepairOutput {
  let path: String
  private let temporary: String
  private let connection: Connection
  private var put: Statement?
  private var putNew: Statement?
  private var delete: Statement?
  /// Rows of `documents` that were saved.
  private(set) var documents = 0
  private(set) var appDocuments = 0

  init(_ path: String) throws {
    self.path = path
    temporary = path + ".repairing"
    unlink(temporary)
    connection = try Connection(path: temporary, purpose: .build)
    try DataFileSchema.create(on: connection, checkpoint: CheckpointRow(), createdMilliseconds: Date().timeIntervalSince1970 * 1000)
    (put, putNew, delete) = try connection.perform { handle in
      let columns = "INTO documents (id, creation_time, checksum, json) VALUES (?1, ?2, ?3, ?4)"
      return (
        try Statement("INSERT OR REPLACE \(columns)", on: handle), try Statement("INSERT OR IGNORE \(columns)", on: handle),
        try Statement("DELETE FROM documents WHERE id = ?1", on: handle)
      )
    }
    try connection.execute("BEGIN")
  }

  /// Where the tables of a new file have their roots.
  func tables() throws -> [TreeWalk.Table] {
    try connection.perform { handle in
      let select = try Statement("SELECT name, rootpage, sql FROM sqlite_master WHERE type = 'table'", on: handle)
      var tables: [TreeWalk.Table] = []
      while try select.step() {
        tables.append(TreeWalk.Table(name: select.string(0), root: UInt32(select.int64(1)), sql: select.string(2)))
      }
      return tables
    }
  }

  /// Takes over a row of `documents`, if it is whole.
  func save(_ row: StoredRow, replacing: Bool) throws -> Bool {
    guard row.columns.count == 4, let key = row.bytes(0), let creationTime = row.real(1), let checksum = row.integer(2), let json = row.bytes(3)
    else { return false }
    return try row.payload.withUnsafeBytes { payload in
      let json = UnsafeRawBufferPointer(rebasing: payload[json])
      guard let id = DocumentKey.decode(UnsafeRawBufferPointer(rebasing: payload[key])),
        Checksum.of(document: id, creationTime: creationTime, json: json) == UInt64(bitPattern: checksum)
      else { return false }
      try insert(id, creationTime, json, replacing ? put! : putNew!)
      return true
    }
  }

  func carryOut(_ write: LoggedWrite) throws {
    if let new = write.put { return try insert(write.id, new.creationTime, new.json, put!) }
    try connection.perform { _ in
      try DocumentKey.withBytes(of: write.id) { key in
        delete!.bind(blob: 1, key)
        try delete!.run()
      }
    }
  }

  private func insert(_ id: DocumentID, _ creationTime: Double, _ json: UnsafeRawBufferPointer, _ statement: Statement) throws {
    try connection.perform { handle in
      try DocumentKey.withBytes(of: id) { key in
        statement.bind(blob: 1, key)
        statement.bind(2, creationTime)
        statement.bind(3, Checksum.of(document: id, creationTime: creationTime, json: json))
        statement.bind(text: 4, json)
        try statement.run()
        documents += Int(sqlite3_changes(handle))
      }
    }
  }

  /// Says the tables' names in the report. A table whose entry in the catalog is lost gets another, or no server could start on the file.
  func nameTables(_ report: inout RepairReport) throws {
    var names: [UInt32: String] = [:]
    var numbers: [UInt32] = []
    try connection.perform { handle in
      let catalog = try Statement(TableCatalog.sql, on: handle)
      while try catalog.step() { if let entry = TableCatalog.entry(catalog.string(0)) { names[entry.number] = entry.name } }
      let used = try Statement("SELECT DISTINCT substr(id, 1, 4) FROM documents", on: handle)
      while try used.step() { numbers.append(used.bytes(0).loadUnaligned(as: UInt32.self).bigEndian) }
    }
    for number in numbers where number >= Recovery.firstAppTableNumber && names[number] == nil {
      let name = "recovered_\(number)"
      names[number] = name
      report.renamedTables.append(name)
      let entry = Array(#"{"name":"\#(name)","number":\#(number)}"#.utf8)
      let id = DocumentID(tableNumber: Recovery.catalogNumber, high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
      try entry.withUnsafeBytes { try insert(id, Date().timeIntervalSince1970 * 1000, $0, put!) }
    }
    for index in report.lostDocuments.indices {
      if let id = report.lostDocuments[index].id, let name = names[id.tableNumber] { report.lostDocuments[index].table = name }
    }
  }

  /// Completes, syncs and names the file.
  func finish(timestamp: UInt64) throws {
    var checkpoint = CheckpointRow(loggedTimestamp: timestamp, foldedTimestamp: timestamp)
    try connection.perform { handle in
      let select = try Statement("SELECT id, checksum FROM documents", on: handle)
      while try select.step() {
        checkpoint.documentCount += 1
        checkpoint.documentSum &+= select.uint64(1)
        if let id = DocumentKey.decode(select.bytes(0)), id.tableNumber >= Recovery.firstAppTableNumber { appDocuments += 1 }
      }
      try Statement(Statement.updateCheckpoint, on: handle).run(storing: checkpoint)
      try Connection.execute("COMMIT", on: handle)
    }
    (put, putNew, delete) = (nil, nil, nil)
    try connection.close()
    try Files.publish(temporary, as: path)
  }

  func abandon() {
    (put, putNew, delete) = (nil, nil, nil)
    try? connection.close()
    unlink(temporary)
  }
}
