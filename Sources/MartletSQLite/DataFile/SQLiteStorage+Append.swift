import GRDBSQLite
import Martlet

extension SQLiteStorage {
  /// One INSERT, which is one transaction: SQLite's work is 4 µs and the writing of the pages, the rest is the sync.
  package func append(_ batch: LogBatch, sync: Bool) throws {
    precondition(batch.firstTimestamp > lastTimestamp, "batches must come in the order of their timestamps")
    precondition(batch.firstTimestamp <= batch.lastTimestamp && batch.lastTimestamp <= UInt64(Int64.max) && batch.commitCount > 0)
    guard batch.bytes.count <= LogBatch.maximumByteCount else {
      throw StorageError(
        .tooLarge, "a batch of \(batch.bytes.count) bytes; at most \(LogBatch.maximumByteCount) fit in one: lower the limit of a transaction's writes")
    }
    try step("appending to the log") { statements in
      try setSynchronous(sync ? .full : .normal)
      try connection.perform { _ in
        try batch.bytes.withUnsafeBytes { payload in
          let insert = statements.append
          insert.bind(1, batch.lastTimestamp)
          insert.bind(2, batch.firstTimestamp)
          insert.bind(3, lastTimestamp)
          insert.bind(4, Int64(batch.commitCount))
          insert.bind(5, LogRow.checksum(of: batch, previousTimestamp: lastTimestamp, payload: payload))
          insert.bind(blob: 6, payload)
          try insert.run()
        }
      }
      lastTimestamp = batch.lastTimestamp
      unfoldedLogBytes += batch.bytes.count
      hasUnsyncedBatches = !sync
      if walBytes >= options.maximumWALBytes { try checkpointWAL() }
      if unfoldedLogBytes >= options.maximumUnfoldedBytes { try payFoldDebt(for: batch.bytes.count, statements) }
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
