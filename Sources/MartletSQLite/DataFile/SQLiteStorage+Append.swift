import GRDBSQLite
import Martlet

extension SQLiteStorage {
  /// One transaction, mostly of one INSERT: SQLite's work is 4 µs and the writing of the pages, the rest is the sync.
  package func append(_ batch: LogBatch, sync: Bool) throws {
    precondition(batch.firstTimestamp > lastTimestamp, "batches must come in the order of their timestamps")
    precondition(batch.firstTimestamp <= batch.lastTimestamp && batch.lastTimestamp <= UInt64(Int64.max) && batch.commitCount > 0)
    let rows = batch.bytes.count > options.rowBytes ? batch.split(upTo: options.rowBytes) : nil
    if let row = rows?.first(where: { $0.bytes.count > LogBatch.maximumByteCount }) {
      throw StorageError(
        .tooLarge, "a commit of \(row.bytes.count) bytes; at most \(LogBatch.maximumByteCount) fit in one: lower the limit of a transaction's writes")
    }
    try step("appending to the log") { statements in
      try setSynchronous(sync ? .full : .normal)
      if let rows {
        try connection.transaction { _ in
          var previous = lastTimestamp
          for row in rows {
            try insert(row, after: previous, statements)
            previous = row.lastTimestamp
          }
        }
      } else {
        try connection.perform { _ in try insert(batch, after: lastTimestamp, statements) }
      }
      lastTimestamp = batch.lastTimestamp
      unfoldedLogBytes += batch.bytes.count
      hasUnsyncedBatches = !sync
      if walBytes >= options.maximumWALBytes { try checkpointWAL() }
      if unfoldedLogBytes >= options.maximumUnfoldedBytes { try payFoldDebt(for: batch.bytes.count, statements) }
    }
  }

  private func insert(_ row: LogBatch, after previous: UInt64, _ statements: Statements) throws {
    try row.bytes.withUnsafeBytes { payload in
      let insert = statements.append
      insert.bind(1, row.lastTimestamp)
      insert.bind(2, row.firstTimestamp)
      insert.bind(3, previous)
      insert.bind(4, Int64(row.commitCount))
      insert.bind(5, LogRow.checksum(of: row, previousTimestamp: previous, payload: payload))
      insert.bind(blob: 6, payload)
      try insert.run()
    }
  }

  /// SQLite syncs its WAL only with a transaction, so this makes one, of a single small row.
  package func sync() throws {
    try step("syncing the log") { _ in
      guard hasUnsyncedBatches else { return }
      try setSynchronous(.full)
      try noteLogEnd()
      hasUnsyncedBatches = false
    }
  }
}
