import GRDB
import GRDBSQLite
import Martlet

/// What SQLite answered when it could not do something.
struct SQLiteFailure: Error, CustomStringConvertible {
  /// SQLite's extended result code.
  var code: Int32
  var message: String

  init(_ code: Int32, on connection: OpaquePointer) {
    let extended = sqlite3_extended_errcode(connection)
    self.code = extended & 0xFF == code & 0xFF ? extended : code
    message = String(cString: sqlite3_errmsg(connection))
  }

  init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }

  var primaryCode: Int32 { code & 0xFF }
  var description: String { "SQLite error \(code): \(message)" }
}

extension StorageError {
  /// Says for a file what a failure means, and how to mend it. A `StorageError` stays as it is.
  /// - Parameter remedy: what to do when the disk is mended.
  init(_ error: any Error, path: String, doing: String, remedy: String = "restart: nothing that was acknowledged is lost") {
    let failure: SQLiteFailure
    switch error {
    case let error as StorageError:
      self = error
      return
    case let error as SQLiteFailure: failure = error
    case let error as DatabaseError:
      failure = SQLiteFailure(code: error.extendedResultCode.rawValue, message: error.message ?? "")
    default:
      self.init(.failed, "\(path): \(doing) failed", cause: error)
      return
    }
    switch failure.primaryCode {
    case SQLITE_BUSY, SQLITE_LOCKED:
      let holder = Files.holder(of: path).map { ", number \($0)" } ?? ""
      self.init(
        .locked, "\(path) is in use by another process\(holder); stop that server, or choose another data file with --data", cause: failure)
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      // SQLite reads nothing more of a file whose header it doesn't know.
      let place = failure.primaryCode == SQLITE_NOTADB ? " (its header, bytes 0 to 99, is none of a database; \"repair\" reads on behind it)" : ""
      self.init(.corrupt, "\(path): \(doing) found a damaged file\(place); keep a copy of it, and restore a snapshot", cause: failure)
    case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH:
      self.init(.unavailable, "\(path) can't be opened for writing; its directory must exist and belong to the server's user", cause: failure)
    case SQLITE_FULL:
      self.init(.failed, "\(path): \(doing) found the disk full; free some space and \(remedy)", cause: failure)
    default:
      self.init(.failed, "\(path): \(doing) failed; look after the disk and \(remedy)", cause: failure)
    }
  }
}
