import Martlet
import MartletValues
import Synchronization

extension MemoryStorage {
  struct Document: Sendable, Equatable {
    var creationTime: Double
    var json: [UInt8]
  }

  struct Row: Sendable {
    var batch: LogBatch
    var isSynced: Bool
  }

  /// What can be told to fail.
  package enum Operation: Hashable, Sendable {
    case append, sync, checkpoint
  }

  /// What outlives a process: the rows, and which of them would outlive a loss of power.
  package final class Disk: Sendable {
    struct State: Sendable {
      var documents: [DocumentID: Document] = [:]
      var foldedTimestamp: UInt64 = 0
      var rows: [Row] = []
      var rowsBeforeCheckpoint = 64
      /// How many more calls succeed before one fails.
      var countdowns: [Operation: Int] = [:]
      var counts: [Operation: Int] = [:]
      var failure: StorageError?
      var generation = 0

      var lastTimestamp: UInt64 { rows.last?.batch.lastTimestamp ?? foldedTimestamp }

      mutating func attempt(_ operation: Operation) throws {
        counts[operation, default: 0] += 1
        guard let left = countdowns[operation] else { return }
        guard left == 0 else {
          countdowns[operation] = left - 1
          return
        }
        countdowns[operation] = nil
        let error = StorageError(.failed, "the simulated disk refused the \(operation) number \(counts[operation]!); restart to go on")
        failure = error
        throw error
      }

      mutating func sync() throws {
        try attempt(.sync)
        for index in rows.indices.reversed() {
          if rows[index].isSynced { break }
          rows[index].isSynced = true
        }
      }
    }

    let state = Mutex(State())

    package init() {}

    /// Lets an operation fail after `count` more that succeed. The storage that meets it accepts nothing more.
    package func fail(_ operation: Operation, after count: Int = 0) {
      state.withLock { $0.countdowns[operation] = count }
    }

    /// Loss of power: rows that were not synced are gone, but for the first `keepingUnsynced` of them. Storages that are open die.
    package func crash(keepingUnsynced: Int = 0) {
      state.withLock { state in
        let synced = state.rows.prefix(while: \.isSynced).count
        state.rows.removeSubrange(min(synced + keepingUnsynced, state.rows.count)...)
        for index in state.rows.indices { state.rows[index].isSynced = true }
        state.countdowns = [:]
        state.generation += 1
      }
    }

    /// How many rows make a checkpoint due. 64 unless set.
    package func setRowsBeforeCheckpoint(_ count: Int) {
      state.withLock { $0.rowsBeforeCheckpoint = count }
    }

    package var unsyncedRowCount: Int {
      state.withLock { state in state.rows.count { !$0.isSynced } }
    }

    package var rowCount: Int { state.withLock { $0.rows.count } }

    /// The timestamp up to which a loss of power would lose nothing.
    package var syncedTimestamp: UInt64 {
      state.withLock { state in
        state.rows.last(where: \.isSynced)?.batch.lastTimestamp ?? state.foldedTimestamp
      }
    }

    /// How often an operation was tried.
    package func count(_ operation: Operation) -> Int {
      state.withLock { $0.counts[operation] ?? 0 }
    }
  }
}
