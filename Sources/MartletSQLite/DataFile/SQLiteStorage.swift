import Foundation
import GRDBSQLite
import Martlet
import MartletValues

/// The engine's storage: one SQLite database in WAL mode.
///
/// Format, invariants and the measurements behind the numbers here are in docs/storage.md. In short:
///
///     append ─▶ commit_log ──fold──▶ documents          both in one file, so one transaction moves data between them
///                                └──▶ kept_images       what they were before, where the log is kept
///
/// States, and who makes each transition:
///
///     opened ──recover()──▶ ready ──an error of append, sync or checkpointSlice──▶ failed
///        └──────────close()───┴──close()──▶ closed ◀──────────close()─────────────────┘
///
/// In `failed` by the disk, the connection is left open for the rest of the process, because closing it would make SQLite checkpoint its log, which is
/// to write and to sync once more on a disk that has just failed (promise 4 of `Storage`). The file stays locked until the process ends.
///
/// Sendable without a lock: `Storage` promises calls from one thread at a time, with a happens-before between them, as the log's
/// thread is started after the recovery. Nothing else touches the state.
package final class SQLiteStorage: Storage, @unchecked Sendable {
  enum State {
    case opened, ready, closed
    case failed(StorageError)
  }

  package let path: String
  package let options: Options
  let connection: Connection
  var statements: Statements?
  private(set) var state = State.opened
  private var synchronous = Synchronous.full
  private let walFrames: UnsafeMutablePointer<Int32>

  var checkpoint: CheckpointRow
  var fold: FoldRound?
  var kept = KeptLog()
  var lastTimestamp: UInt64 = 0
  var hasUnsyncedBatches = false
  package internal(set) var unfoldedLogBytes = 0

  /// Opens a data file, or makes a new one. Takes the lock that keeps every other process out, and reads no documents yet.
  /// Throws `StorageError`: `locked`, `versionMismatch`, `unavailable`, `corrupt`.
  package init(path: String, options: Options = Options()) throws {
    self.path = path
    self.options = options
    if options.vfs == nil { try Files.requireNoStrayLog(beside: path) }
    connection = try Connection(path: path, purpose: .dataFile, vfs: options.vfs)
    walFrames = .allocate(capacity: 1)
    walFrames.initialize(to: 0)
    do {
      try DataFileSchema.prepare(connection, createdMilliseconds: Date().timeIntervalSince1970 * 1000)
      if options.vfs == nil { try Files.syncDirectory(of: path) }
      checkpoint = try CheckpointRow.read(from: connection)
      statements = try connection.perform { handle in
        let frames = walFrames
        sqlite3_wal_hook(
          handle,
          { context, _, _, frames in
            context!.assumingMemoryBound(to: Int32.self).pointee = frames
            return SQLITE_OK
          }, frames)
        return try Statements(on: handle)
      }
    } catch let failure as SQLiteFailure where failure.primaryCode == SQLITE_ERROR {
      // What SQLite knows of the tables is text in the file.
      throw StorageError(.corrupt, "\(path): the definition of a table is damaged; keep a copy of it, and restore a snapshot", cause: failure)
    } catch {
      throw StorageError(error, path: path, doing: "opening").locating(in: connection)
    }
  }

  deinit {
    guard !staysOpen else {
      // The connection stays, and with it its statements and the counter that its hook writes to.
      statements?.leak()
      _ = Unmanaged.passRetained(connection)
      return
    }
    try? close()
    walFrames.deallocate()
  }

  package func close() throws {
    if case .closed = state { return }
    guard !staysOpen else { return }
    // Closing moves the WAL into the file, and SQLite says nothing of a sync that fails while it does: so what isn't synced is synced first.
    if case .ready = state {
      try step("closing") { _ in
        try setSynchronous(.full)
        try noteLogEnd()
      }
    }
    state = .closed
    statements = nil
    fold = nil
    do { try connection.close() } catch { throw StorageError(error, path: path, doing: "closing") }
  }

  /// Ends a storage whose reader refused what it read.
  func abandon() {
    state = .opened
    try? close()
  }

  /// Whether closing would write to a disk that has failed. Corruption that was found is no such failure.
  private var staysOpen: Bool {
    if case .failed(let error) = state { error.code == .failed } else { false }
  }

  /// The log's part that is in the WAL and not yet in the database's pages.
  var walBytes: Int { Int(walFrames.pointee) * Connection.pageSize }

  // MARK: States

  /// Runs one step of the storage. Whatever it throws ends the storage's life.
  func step<Result>(_ doing: String, _ body: (Statements) throws -> Result) throws -> Result {
    switch state {
    case .opened: preconditionFailure("the storage was not recovered")
    case .closed: throw StorageError(.closed, "\(path) was closed")
    case .failed(let error): throw StorageError(.failed, "\(path) accepts nothing since an error; restart", cause: error)
    case .ready: break
    }
    do {
      return try body(statements!)
    } catch {
      let error = StorageError(error, path: path, doing: doing)
      state = .failed(error)
      throw error
    }
  }

  func becomeReady() { state = .ready }

  var isOpened: Bool { if case .opened = state { true } else { false } }

  // MARK: Syncing

  /// FULL syncs the WAL with each transaction, NORMAL only before the WAL is checkpointed. A pragma costs some microseconds, so it is set only
  /// when it changes.
  enum Synchronous: String { case full = "FULL", normal = "NORMAL" }

  func setSynchronous(_ wanted: Synchronous) throws {
    guard synchronous != wanted else { return }
    try connection.execute("PRAGMA synchronous = \(wanted.rawValue)")
    synchronous = wanted
  }

  /// Moves the WAL's pages to their places and syncs them, so that the next transaction begins the WAL at its front again.
  /// To write over an old WAL is also twice as fast as to let it grow: a sync then need not write the file's length (105 µs and 225 µs).
  func checkpointWAL() throws {
    try noteLogEnd()
    try connection.perform { handle in
      var frames: Int32 = 0
      var moved: Int32 = 0
      let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved)
      guard code == SQLITE_OK else { throw SQLiteFailure(code, on: handle) }
      if frames == moved { walFrames.pointee = 0 }
    }
  }

  /// Writes down how far the log reaches.
  func noteLogEnd() throws {
    var row = checkpoint
    row.loggedTimestamp = lastTimestamp
    try connection.perform { _ in try statements!.storeCheckpoint.run(storing: row) }
    checkpoint = row
  }
}
