import Martlet
import Synchronization

/// A storage in memory, for simulation: a disk whose crashes and failures are chosen by the test.
///
/// It keeps apart what is synced and what is only written. `crash()` is a loss of power: what was not synced is gone, or, as with a real
/// disk, a part of it from the front may have survived. After a crash a new `MemoryStorage` is opened on the same `Disk`, as a new
/// process would.
///
///     let disk = MemoryStorage.Disk()
///     let storage = MemoryStorage(disk)
///     disk.fail(.append, after: 3)             // the fourth fails
///     …
///     disk.crash(keepingUnsynced: 0)
///     let restarted = MemoryStorage(disk)
///
/// Everything is guarded by one mutex in the disk, so a test may look at it, and let it fail, while an engine's thread uses it.
package final class MemoryStorage: Storage {
  package let disk: Disk
  private let generation: Int

  /// Opens the disk. The storage that had it open before, if any, is from now on like one of a process that died: its calls throw.
  package init(_ disk: Disk = Disk()) {
    self.disk = disk
    generation = disk.state.withLock { state in
      state.generation += 1
      state.failure = nil
      return state.generation
    }
  }

  package func recover(into sink: inout some RecoverySink) throws {
    let (documents, rows, folded) = try withState { ($0.documents, $0.rows, $0.foldedTimestamp) }
    for (id, document) in documents.sorted(by: { $0.key < $1.key }) {
      try document.json.withUnsafeBytes { try sink.document(id, creationTime: document.creationTime, json: $0) }
    }
    var last = folded
    for row in rows {
      try row.batch.bytes.withUnsafeBytes { bytes in
        try CommitRecord.decodeAll(bytes) { try sink.commit($0) }
      }
      last = row.batch.lastTimestamp
    }
    try sink.finished(lastTimestamp: last)
  }

  package func append(_ batch: LogBatch, sync: Bool) throws {
    try withState { state in
      precondition(batch.firstTimestamp > state.lastTimestamp, "batches must come in the order of their timestamps")
      try state.attempt(.append)
      state.rows.append(Row(batch: batch, isSynced: false))
      if sync { try state.sync() }
    }
  }

  package func sync() throws {
    try withState { state in
      // What is synced stands before what isn't.
      if state.rows.last?.isSynced == false { try state.sync() }
    }
  }

  package var checkpointIsDue: Bool {
    disk.state.withLock { $0.rows.count >= $0.rowsBeforeCheckpoint }
  }

  package var unfoldedLogBytes: Int {
    disk.state.withLock { state in state.rows.reduce(0) { $0 + $1.batch.bytes.count } }
  }

  /// Folds one row. As on the real disk, a fold is as durable as its row: one that was not synced is not folded.
  package func checkpointSlice() throws -> Bool {
    try withState { state in
      guard let row = state.rows.first, row.isSynced else { return false }
      try state.attempt(.checkpoint)
      try row.batch.bytes.withUnsafeBytes { bytes in
        try CommitRecord.decodeAll(bytes) { record in
          try record.forEachWrite { write in
            state.documents[write.id] = write.put.map { Document(creationTime: $0.creationTime, json: [UInt8]($0.json)) }
          }
        }
      }
      state.foldedTimestamp = row.batch.lastTimestamp
      state.rows.removeFirst()
      return state.rows.first?.isSynced ?? false
    }
  }

  package func close() throws {
    disk.state.withLock { state in
      if state.generation == generation { state.generation += 1 }
    }
  }

  private func withState<Result>(_ body: (inout Disk.State) throws -> sending Result) throws -> sending Result {
    try disk.state.withLock { state in
      guard state.generation == generation else {
        throw StorageError(.closed, "the disk was closed, or opened again by another")
      }
      if let failure = state.failure { throw failure }
      return try body(&state)
    }
  }
}
