import Foundation
import Martlet

/// What a snapshot's file holds besides the documents, and how it is named.
///
///     _snapshot         key, value      format, timestamp, created_milliseconds, created (text), checksum
///     _snapshot_tables  name, number, sql_table, document_count, document_sum
///     accounts          _id, _creationTime, document        one table for each of the database's, system tables (`_…`) included
///     …
///
/// The documents' tables are for people too:
///
///     sqlite3 Snapshots/monday.martlet.sqlite "select sum(document ->> 'balance') from accounts"
///
/// A table has the name of Martlet's table, unless SQLite can't tell it from another (it ignores the case of ASCII letters, and keeps `sqlite_`
/// to itself); then it has `table_` and the table's number. `_snapshot_tables` says which.
enum SnapshotFormat {
  static let version: Int64 = 1
  /// "MrtS"
  static let applicationID: Int64 = 0x4D72_7453
  static let fileSuffix = ".martlet.sqlite"

  static let sql = """
    CREATE TABLE _snapshot (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE _snapshot_tables (
      name TEXT PRIMARY KEY, number INTEGER NOT NULL, sql_table TEXT NOT NULL, document_count INTEGER NOT NULL,
      document_sum INTEGER NOT NULL) WITHOUT ROWID;
    """

  static func path(of name: String, in directory: String) throws -> String {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard isPlain, !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 200 else {
      throw StorageError(
        .unavailable, "\"\(name)\" can't name a snapshot: use 1 to 200 letters, digits, '-', '_' and '.', beginning with none of '.'")
    }
    return directory + "/" + name + fileSuffix
  }

  static func quoted(_ identifier: String) -> String {
    "\"" + identifier.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}

/// One table of a snapshot.
package struct SnapshotTable: Sendable, Equatable {
  package var name: String
  package var number: UInt32
  package var documentCount: Int
  /// Sum (mod 2⁶⁴) of the documents' checksums: equal contents have equal sums, whatever the order.
  package var documentSum: UInt64
  /// What it is called in the file.
  package var sqlTable: String
}

/// What a snapshot says about itself.
package struct SnapshotManifest: Sendable, Equatable {
  package var name: String
  package var path: String
  package var byteCount: Int
  /// The last commit that it holds.
  package var timestamp: UInt64
  package var createdMilliseconds: Double
  /// In the order of their numbers.
  package var tables: [SnapshotTable]

  package var documentCount: Int { tables.reduce(0) { $0 + ($1.name.hasPrefix("_") ? 0 : $1.documentCount) } }

  /// Of what stands in the two tables of the snapshot's own, so that a lost table, or a count changed with it, is found.
  var checksum: UInt64 {
    var text = "\(timestamp)|\(createdMilliseconds.bitPattern)"
    for table in tables {
      text += "|\(table.name.utf8.count):\(table.name)|\(table.number)|\(table.documentCount)|\(table.documentSum)"
    }
    return text.withUTF8 { Checksum.of(UnsafeRawBufferPointer($0), seed: UInt64(SnapshotFormat.version)) }
  }
}
