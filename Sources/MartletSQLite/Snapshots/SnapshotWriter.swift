import Foundation
import GRDBSQLite
import Martlet
import MartletValues

/// Writes a snapshot: a complete SQLite file of one timestamp.
///
///     let writer = try SnapshotWriter(directory: "Snapshots", name: "monday", timestamp: …, wallClockMilliseconds: …)
///     for table in tables {
///       try writer.beginTable(table.name, number: table.number)
///       for document in table { try writer.document(document.id, creationTime: …, json: …) }
///     }
///     let manifest = try writer.finish()
///
/// It is fed from a snapshot in memory, on a thread of its own, while commits go on. The file has a temporary name until it is complete and
/// synced, so a crash leaves no half of one. Documents may come in any order; in that of their ids it is fastest (about 2 µs each).
///
/// **Disturbing the log least:** on ext4, a sync of the log can wait for other files' unwritten pages. So the writer syncs its file every 256 KB,
/// and the log waits for that much at most, not for the whole snapshot.
///
/// One thread at a time; not shared.
package final class SnapshotWriter {
  private let connection: Connection
  private let temporary: String
  private let path: String
  private var manifest: SnapshotManifest
  private var insert: Statement?
  private var unsyncedBytes = 0
  private var isFinished = false
  private static let bytesBetweenSyncs = 256 << 10

  /// Throws `StorageError.unavailable` if there is a snapshot of this name, or the directory can't be written.
  package init(directory: String, name: String, timestamp: UInt64, wallClockMilliseconds: Double) throws {
    path = try SnapshotFormat.path(of: name, in: directory)
    guard !Files.exists(path) else {
      throw StorageError(.unavailable, "there is a snapshot \"\(name)\" already; choose another name, or remove it")
    }
    temporary = directory + "/." + name + SnapshotFormat.fileSuffix + ".partial"
    unlink(temporary)
    manifest = SnapshotManifest(
      name: name, path: path, byteCount: 0, timestamp: timestamp, createdMilliseconds: wallClockMilliseconds, tables: [])
    connection = try Connection(path: temporary, purpose: .build)
    try attempt {
      try connection.execute(SnapshotFormat.sql)
      try connection.execute(
        "PRAGMA application_id = \(SnapshotFormat.applicationID); PRAGMA user_version = \(SnapshotFormat.version); BEGIN")
    }
  }

  deinit { abandon() }

  /// Begins a table. The documents that follow are its.
  package func beginTable(_ name: String, number: UInt32) throws {
    let lowercase = name.lowercased()
    let isTaken =
      lowercase.hasPrefix("sqlite_") || lowercase.hasPrefix("_snapshot") || lowercase.hasPrefix("table_")
      || name.utf8.contains(0) || manifest.tables.contains { $0.sqlTable.lowercased() == lowercase }
    let sqlTable = isTaken ? "table_\(number)" : name
    try attempt {
      let quoted = SnapshotFormat.quoted(sqlTable)
      try connection.execute("CREATE TABLE \(quoted) (_id TEXT PRIMARY KEY, _creationTime REAL NOT NULL, document TEXT NOT NULL) WITHOUT ROWID")
      insert = try connection.perform { try Statement("INSERT INTO \(quoted) VALUES (?1, ?2, ?3)", on: $0) }
    }
    manifest.tables.append(SnapshotTable(name: name, number: number, documentCount: 0, documentSum: 0, sqlTable: sqlTable))
  }

  /// Adds a document to the table that was begun last.
  package func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) throws {
    guard let insert else { preconditionFailure("a document before its table") }
    let index = manifest.tables.count - 1
    precondition(id.tableNumber == manifest.tables[index].number, "a document of another table")
    try attempt {
      try connection.perform { _ in
        insert.bind(1, id.description)
        insert.bind(2, creationTime)
        insert.bind(text: 3, json)
        try insert.run()
      }
      manifest.tables[index].documentCount += 1
      manifest.tables[index].documentSum &+= Checksum.of(document: id, creationTime: creationTime, json: json)
      unsyncedBytes += json.count + 64
      if unsyncedBytes >= Self.bytesBetweenSyncs {
        try connection.execute("COMMIT")
        // Opening and closing the file gives up this process's locks on it. Nobody else knows its name.
        try Files.sync(temporary)
        try connection.execute("BEGIN")
        unsyncedBytes = 0
      }
    }
  }

  /// Completes, syncs and names the file.
  package func finish() throws -> SnapshotManifest {
    precondition(!isFinished, "the snapshot was finished, or abandoned")
    insert = nil
    manifest.tables.sort { $0.number < $1.number }
    try attempt {
      try connection.perform { handle in
        let meta = try Statement("INSERT INTO _snapshot VALUES (?1, ?2)", on: handle)
        try meta.run("format", SnapshotFormat.version)
        try meta.run("timestamp", Int64(bitPattern: manifest.timestamp))
        try meta.run("checksum", Int64(bitPattern: manifest.checksum))
        meta.bind(1, "created_milliseconds")
        meta.bind(2, manifest.createdMilliseconds)
        try meta.run()
        meta.bind(1, "created")
        meta.bind(2, Date(timeIntervalSince1970: manifest.createdMilliseconds / 1000).formatted(.iso8601))
        try meta.run()
        let tables = try Statement("INSERT INTO _snapshot_tables VALUES (?1, ?2, ?3, ?4, ?5)", on: handle)
        for table in manifest.tables {
          tables.bind(1, table.name)
          tables.bind(2, Int64(table.number))
          tables.bind(3, table.sqlTable)
          tables.bind(4, Int64(table.documentCount))
          tables.bind(5, table.documentSum)
          try tables.run()
        }
        try Connection.execute("COMMIT", on: handle)
      }
      try connection.close()
      try Files.publish(temporary, as: path)
    }
    isFinished = true
    manifest.byteCount = Files.size(path)
    return manifest
  }

  /// Removes what was written. Does nothing after `finish`.
  package func abandon() {
    guard !isFinished else { return }
    isFinished = true
    insert = nil
    try? connection.close()
    unlink(temporary)
  }

  private func attempt(_ body: () throws -> Void) throws {
    do { try body() } catch { throw StorageError(error, path: path, doing: "writing the snapshot", remedy: "try again: there is no such snapshot now") }
  }
}

extension Statement {
  fileprivate func run(_ key: String, _ value: Int64) throws {
    bind(1, key)
    bind(2, value)
    try run()
  }
}
