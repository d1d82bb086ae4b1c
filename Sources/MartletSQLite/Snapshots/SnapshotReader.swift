import Foundation
import Martlet
import MartletValues

/// Reads a snapshot, and checks it while it reads: its format, and for each table the count and the sum of its documents.
///
/// One thread at a time; not shared.
package final class SnapshotReader {
  package let manifest: SnapshotManifest
  private let connection: Connection

  /// Opens a snapshot and reads what it says about itself. Throws `StorageError`: `unavailable`, `versionMismatch`, `corrupt`.
  package init(path: String) throws {
    guard Files.exists(path) else { throw StorageError(.unavailable, "there is no snapshot at \(path)") }
    connection = try Connection(path: path, purpose: .read)
    do { manifest = try Self.describe(connection) } catch { throw StorageError(error, path: path, doing: "reading the snapshot") }
  }

  package convenience init(directory: String, name: String) throws {
    try self.init(path: SnapshotFormat.path(of: name, in: directory))
  }

  deinit { try? connection.close() }

  /// Hands over every document, table by table in the order of their numbers, in a table in the order of ids. What was handed over before a throw is
  /// worthless: that a table is complete is known at its end.
  package func forEachDocument(
    _ body: (SnapshotTable, DocumentID, _ creationTime: Double, _ json: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    for table in manifest.tables {
      try forEachDocument(in: table) { try body(table, $0, $1, $2) }
    }
  }

  package func forEachDocument(
    in table: SnapshotTable, _ body: (DocumentID, _ creationTime: Double, _ json: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var count = 0
    var sum: UInt64 = 0
    var last = "(none)"
    do {
      try connection.perform { handle in
        let select = try Statement(
          "SELECT _id, _creationTime, document FROM \(SnapshotFormat.quoted(table.sqlTable)) ORDER BY _id", on: handle)
        while try select.step() {
          let text = select.string(0)
          guard let id = DocumentID(text), id.tableNumber == table.number else {
            throw StorageError(.corrupt, "\(manifest.path): table \(table.name), the row after document \(last) has a malformed id")
          }
          let creationTime = select.double(1)
          let json = select.bytes(2)
          sum &+= Checksum.of(document: id, creationTime: creationTime, json: json)
          count += 1
          last = text
          try body(id, creationTime, json)
        }
      }
    } catch let failure as SQLiteFailure {
      throw StorageError(failure, path: manifest.path, doing: "reading table \(table.name) after document \(last)")
    }
    guard count == table.documentCount, sum == table.documentSum else {
      throw StorageError(
        .corrupt,
        "\(manifest.path): table \(table.name) has \(count) documents with checksum \(String(sum, radix: 16)), "
          + "\(table.documentCount) with \(String(table.documentSum, radix: 16)) were written; restore another snapshot")
    }
  }

  /// Reads it whole, and throws if anything is wrong.
  package func verify() throws {
    try forEachDocument { _, _, _, _ in }
  }

  private static func describe(_ connection: Connection) throws -> SnapshotManifest {
    let path = connection.path
    guard try connection.integer("PRAGMA application_id") == SnapshotFormat.applicationID else {
      throw StorageError(.versionMismatch, "\(path) is not a snapshot of Martlet")
    }
    let version = try connection.integer("PRAGMA user_version")
    guard version == SnapshotFormat.version else {
      throw StorageError(
        .versionMismatch, "\(path) is a snapshot of format \(version), this version reads \(SnapshotFormat.version); use the version that wrote it")
    }
    let file = URL(fileURLWithPath: path).lastPathComponent
    var manifest = SnapshotManifest(
      name: file.hasSuffix(SnapshotFormat.fileSuffix) ? String(file.dropLast(SnapshotFormat.fileSuffix.count)) : file,
      path: path, byteCount: Files.size(path), timestamp: 0, createdMilliseconds: 0, tables: [])
    var checksum: UInt64?
    try connection.perform { handle in
      let meta = try Statement("SELECT key, value FROM _snapshot", on: handle)
      while try meta.step() {
        switch meta.string(0) {
        case "timestamp": manifest.timestamp = meta.uint64(1)
        case "created_milliseconds": manifest.createdMilliseconds = meta.double(1)
        case "checksum": checksum = meta.uint64(1)
        default: break
        }
      }
      let tables = try Statement(
        "SELECT name, number, document_count, document_sum, sql_table FROM _snapshot_tables ORDER BY number", on: handle)
      while try tables.step() {
        guard let number = UInt32(exactly: tables.int64(1)) else {
          throw StorageError(.corrupt, "\(path): table \(tables.string(0)) has the impossible number \(tables.int64(1))")
        }
        manifest.tables.append(
          SnapshotTable(
            name: tables.string(0), number: number, documentCount: Int(tables.int64(2)), documentSum: tables.uint64(3),
            sqlTable: tables.string(4)))
      }
    }
    guard checksum == manifest.checksum else {
      throw StorageError(.corrupt, "\(path): its list of tables does not match its checksum; restore another snapshot")
    }
    return manifest
  }
}
