import GRDBSQLite
import Martlet

/// The data file's tables, and how a file is known to be one.
///
///     meta         key, value                       for people: when it was made
///     checkpoint   one row: see `CheckpointRow`
///     commit_log   one row a batch                  last_timestamp is the key, so appending touches only the tree's right edge
///     documents    one row a document               id = u32 table number ‖ u64 high ‖ u64 low, big-endian: the order of ids
///     kept_rounds, kept_images                      the way back, where the log is kept: see `KeptLog`
///
/// `application_id` says that a file is Martlet's, `user_version` in which format. The checksum of a row comes before the payload, so that
/// it can be read without following the payload's chain of overflow pages.
///
/// **Upgrades.** A file of an older format becomes one of this format when it is opened, in one transaction that takes no longer for a large file: what
/// is new are tables, and a column whose default says that the rows that are there already are of the old format.
enum DataFileSchema {
  static let formatVersion = 2
  /// "MrtD"
  static let applicationID: Int32 = 0x4D72_7444

  static let sql = """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE checkpoint (
      id INTEGER PRIMARY KEY CHECK (id = 1), logged_timestamp INTEGER NOT NULL, folded_timestamp INTEGER NOT NULL, fold_target INTEGER,
      document_count INTEGER NOT NULL, document_sum INTEGER NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE commit_log (
      last_timestamp INTEGER PRIMARY KEY, first_timestamp INTEGER NOT NULL, previous_timestamp INTEGER NOT NULL,
      commits INTEGER NOT NULL, checksum INTEGER NOT NULL, record_format INTEGER NOT NULL DEFAULT 1, payload BLOB NOT NULL);
    CREATE TABLE documents (
      id BLOB PRIMARY KEY, creation_time REAL NOT NULL, checksum INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
    """ + keptLog

  private static let keptLog = """
    CREATE TABLE kept_rounds (
      first_timestamp INTEGER PRIMARY KEY, last_timestamp INTEGER NOT NULL, ended_milliseconds REAL NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE kept_images (
      round INTEGER NOT NULL, id BLOB NOT NULL, creation_time REAL NOT NULL, checksum INTEGER NOT NULL, json TEXT,
      PRIMARY KEY (round, id)) WITHOUT ROWID;
    """

  private static let upgradeFromOne = """
    ALTER TABLE commit_log ADD COLUMN record_format INTEGER NOT NULL DEFAULT 1;
    """ + keptLog

  /// Makes the tables of a new file, or checks that those of an old one can be read.
  static func prepare(_ connection: Connection, createdMilliseconds: Double) throws {
    if try connection.integer("SELECT count(*) FROM sqlite_master") == 0 {
      try create(on: connection, checkpoint: CheckpointRow(), createdMilliseconds: createdMilliseconds)
      return
    }
    guard try connection.integer("PRAGMA application_id") == Int64(applicationID) else {
      throw StorageError(.versionMismatch, "\(connection.path) is a SQLite database, but not a data file of Martlet; choose another path")
    }
    switch try connection.integer("PRAGMA user_version") {
    case Int64(formatVersion): return
    case 1:
      try connection.transaction { handle in
        try Connection.execute(upgradeFromOne, on: handle)
        try Connection.execute("PRAGMA user_version = \(formatVersion)", on: handle)
      }
    case let version:
      throw StorageError(
        .versionMismatch,
        "\(connection.path) has format \(version), this version reads formats 1 to \(formatVersion); start the version that wrote it, "
          + "take a snapshot there, and restore that here")
    }
  }

  static func create(on connection: Connection, checkpoint: CheckpointRow, createdMilliseconds: Double) throws {
    try connection.transaction { handle in
      try Connection.execute(sql, on: handle)
      try Connection.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(formatVersion)", on: handle)
      let meta = try Statement("INSERT INTO meta VALUES (?, ?)", on: handle)
      meta.bind(1, "created_milliseconds")
      meta.bind(2, createdMilliseconds)
      try meta.run()
      try Statement("INSERT INTO checkpoint VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)", on: handle).run(storing: checkpoint)
    }
  }
}

/// What the documents table is: the state as of `foldedTimestamp`, or on its way to `foldTarget`.
struct CheckpointRow: Equatable {
  /// The log reaches at least this far. Written whenever the WAL is checkpointed, so that a row which the file loses from the log's end
  /// (from its middle, the chain of rows would show it) is missed.
  var loggedTimestamp: UInt64 = 0
  var foldedTimestamp: UInt64 = 0
  /// Set while a fold writes: some documents are then as of the target already. A recovery that finds it finishes the fold first.
  var foldTarget: UInt64?
  var documentCount: Int64 = 0
  /// Sum (mod 2⁶⁴) of the checksums of all documents, in any order. A row that is lost, doubled, or came back in an older state,
  /// each of them with a right checksum of its own, makes the sum wrong.
  var documentSum: UInt64 = 0

  var checksum: UInt64 {
    Checksum.of(loggedTimestamp, foldedTimestamp, foldTarget ?? .max, UInt64(bitPattern: documentCount), documentSum)
  }

  static func read(from connection: Connection) throws -> CheckpointRow {
    try connection.perform { handle in
      let statement = try Statement(
        "SELECT logged_timestamp, folded_timestamp, fold_target, document_count, document_sum, checksum FROM checkpoint WHERE id = 1", on: handle)
      guard try statement.step() else {
        throw StorageError(.corrupt, "\(connection.path): the row of table checkpoint is missing; restore a snapshot")
      }
      let row = CheckpointRow(
        loggedTimestamp: statement.uint64(0), foldedTimestamp: statement.uint64(1),
        foldTarget: statement.isNull(2) ? nil : statement.uint64(2), documentCount: statement.int64(3), documentSum: statement.uint64(4))
      guard row.checksum == statement.uint64(5) else {
        throw StorageError(.corrupt, "\(connection.path): the row of table checkpoint does not match its checksum; restore a snapshot")
      }
      return row
    }
  }
}

extension Statement {
  static let updateCheckpoint = """
    UPDATE checkpoint SET logged_timestamp = ?1, folded_timestamp = ?2, fold_target = ?3, document_count = ?4, document_sum = ?5, checksum = ?6
    WHERE id = 1
    """

  func run(storing row: CheckpointRow) throws {
    bind(1, row.loggedTimestamp)
    bind(2, row.foldedTimestamp)
    if let target = row.foldTarget { bind(3, target) } else { bindNull(3) }
    bind(4, row.documentCount)
    bind(5, row.documentSum)
    bind(6, row.checksum)
    try run()
  }
}
