import Foundation
import GRDB
import GRDBSQLite
import Martlet

/// One SQLite connection, opened and closed by GRDB, used by hand (see `Statement` for why).
///
/// GRDB brings what is easy to get wrong: opening, extended result codes, the order of the first pragmas, closing. Its queue costs 0.24 µs
/// a call and runs the body on the caller's thread, so every use of the raw handle stays inside it.
final class Connection {
  enum Purpose {
    /// The server's data file: the write-ahead log, and nobody else.
    case dataFile
    /// A new file that becomes visible only when it is complete: no journal, no syncs but the last.
    case build
    case read
  }

  /// Measured, see docs/storage.md: of 4, 8 and 16 KB, the size that is cheapest for batches and nearly so for single commits.
  static let pageSize = 8192
  static let cacheKilobytes = 32_768

  let path: String
  private let queue: DatabaseQueue

  /// - Parameter vfs: the name of what SQLite shall use instead of the operating system's files; nil for these.
  init(path: String, purpose: Purpose, vfs: String? = nil) throws {
    self.path = path
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    configuration.readonly = purpose == .read
    configuration.label = "martlet"
    // A file that is built has one transaction open from call to call.
    configuration.allowsUnsafeTransactions = purpose == .build
    configuration.prepareDatabase { db in
      switch purpose {
      case .dataFile:
        // Before anything else touches the file: then the WAL's index lies in memory instead of a shared file, and the lock is held for good.
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        try db.execute(sql: "PRAGMA page_size = \(Connection.pageSize)")
        guard try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL") == "wal" else {
          throw SQLiteFailure(code: SQLITE_CANTOPEN, message: "the file system can't hold a write-ahead log")
        }
        try db.execute(sql: "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -\(Connection.cacheKilobytes)")
      case .build:
        try db.execute(
          sql: """
            PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = \(Connection.pageSize); PRAGMA journal_mode = OFF;
            PRAGMA synchronous = OFF; PRAGMA cache_size = -32768
            """)
      case .read:
        try db.execute(sql: "PRAGMA query_only = ON")
      }
    }
    do {
      queue = try DatabaseQueue(path: vfs.map { "file:\(path)?vfs=\($0)" } ?? path, configuration: configuration)
    } catch {
      var refusal = StorageError(error, path: path, doing: "opening")
      // Nothing else of the file is read until then.
      if refusal.code == .corrupt, purpose == .dataFile {
        refusal.message += "; its header, or the list of its tables behind it, is damaged (bytes 0 to \(Connection.pageSize - 1)); "
          + "what is whole can be saved with \"repair\""
      }
      throw refusal
    }
  }

  func perform<Result>(_ body: (OpaquePointer) throws -> Result) rethrows -> Result {
    try queue.writeWithoutTransaction { db in
      guard let handle = db.sqliteConnection else { preconditionFailure("the connection was closed") }
      return try body(handle)
    }
  }

  /// The same from within another call, where a row is damaged on which a statement stands.
  func performWithin<Result>(_ body: (OpaquePointer) throws -> Result) rethrows -> Result {
    try queue.unsafeReentrantWrite { db in
      guard let handle = db.sqliteConnection else { preconditionFailure("the connection was closed") }
      return try body(handle)
    }
  }

  /// All of it, or nothing.
  func transaction<Result>(_ body: (OpaquePointer) throws -> Result) throws -> Result {
    try perform { handle in
      try Connection.execute("BEGIN IMMEDIATE", on: handle)
      do {
        let result = try body(handle)
        try Connection.execute("COMMIT", on: handle)
        return result
      } catch {
        // Some errors have rolled back already. One that is thrown here says less than the one that brought us here.
        if sqlite3_get_autocommit(handle) == 0 { try? Connection.execute("ROLLBACK", on: handle) }
        throw error
      }
    }
  }

  func execute(_ sql: String) throws { try perform { try Connection.execute(sql, on: $0) } }

  static func execute(_ sql: String, on handle: OpaquePointer) throws(SQLiteFailure) {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
      throw SQLiteFailure(sqlite3_errcode(handle), on: handle)
    }
  }

  func integer(_ sql: String) throws -> Int64 {
    try perform { handle in
      let statement = try Statement(sql, on: handle)
      return try statement.step() ? statement.int64(0) : 0
    }
  }

  func string(_ sql: String) throws -> String? {
    try perform { handle in
      let statement = try Statement(sql, on: handle)
      return try statement.step() && !statement.isNull(0) ? statement.string(0) : nil
    }
  }

  /// Statements must have gone before.
  func close() throws { try queue.close() }
}
