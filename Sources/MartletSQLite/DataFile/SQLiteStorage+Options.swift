import Foundation
import Martlet

extension SQLiteStorage {
  /// Sizes, in bytes, that bound how long one call takes and how much a restart replays. The defaults were measured: docs/storage.md.
  package struct Options: Sendable {
    /// When a checkpoint of the WAL is due. It holds the log's thread for about 0.7 ms a megabyte.
    package var walBytes = 2 << 20
    /// When an append checkpoints the WAL itself, because nobody called `checkpointSlice()`.
    package var maximumWALBytes = 16 << 20
    /// When a fold is due even under load; the log's thread folds earlier when nothing is committed. More means fewer writes, since a
    /// document that is written often is folded once; less means a faster restart.
    package var unfoldedBytes = 512 << 20
    /// When an append folds too, as much as it adds and more: commits are then as slow as folding is, and the log grows no further.
    package var maximumUnfoldedBytes = 1 << 30
    /// What one round of folding takes at most; held in memory while it lasts.
    package var roundBytes = 128 << 20
    /// Log that one slice reads.
    package var sliceLogBytes = 1 << 20
    /// Documents that one slice writes.
    package var sliceDocuments = 256
    /// Log that one slice deletes.
    package var sliceDeletedBytes = 2 << 20
    /// A batch of more than this is several rows, as far as its commits allow it.
    package var rowBytes = 16 << 20
    /// For how long the way back to each commit is kept, in milliseconds; nil: not at all.
    package var keptMilliseconds: Double?
    /// Milliseconds since 1970: what the age of kept commits is measured by.
    package var now: @Sendable () -> Double = { Date().timeIntervalSince1970 * 1000 }
    /// The SQLite VFS that holds the data file; nil for the operating system's files.
    package var vfs: String?

    package init() {}
  }

  /// The prepared statements. They go before the connection is closed.
  final class Statements {
    let append: Statement
    let readLog: Statement
    let deleteLog: Statement
    let readDocumentChecksum: Statement
    let keepImage: Statement
    let keepAbsence: Statement
    let putDocument: Statement
    let deleteDocument: Statement
    let storeCheckpoint: Statement

    init(on handle: OpaquePointer) throws {
      append = try Statement(
        """
        INSERT INTO commit_log (last_timestamp, first_timestamp, previous_timestamp, commits, checksum, record_format, payload)
        VALUES (?1, ?2, ?3, ?4, ?5, \(CommitRecord.Format.current.rawValue), ?6)
        """, on: handle)
      readLog = try Statement(
        "SELECT \(LogRow.columns) FROM commit_log WHERE last_timestamp > ?1 ORDER BY last_timestamp", on: handle)
      deleteLog = try Statement("DELETE FROM commit_log WHERE last_timestamp <= ?1", on: handle)
      readDocumentChecksum = try Statement("SELECT checksum FROM documents WHERE id = ?1", on: handle)
      keepImage = try Statement(
        "INSERT OR IGNORE INTO kept_images SELECT ?1, id, creation_time, ?3, json FROM documents WHERE id = ?2", on: handle)
      keepAbsence = try Statement("INSERT OR IGNORE INTO kept_images VALUES (?1, ?2, 0, ?3, NULL)", on: handle)
      putDocument = try Statement("INSERT OR REPLACE INTO documents (id, creation_time, checksum, json) VALUES (?1, ?2, ?3, ?4)", on: handle)
      deleteDocument = try Statement("DELETE FROM documents WHERE id = ?1", on: handle)
      storeCheckpoint = try Statement(Statement.updateCheckpoint, on: handle)
    }

    /// Keeps them from ever being finalized, with the connection of a storage that failed.
    func leak() { _ = Unmanaged.passRetained(self) }
  }
}
