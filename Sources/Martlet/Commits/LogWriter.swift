import CHints
import CoreMetrics
import Glibc
import Synchronization

/// Writes batches to the storage, one at a time, and says when each is durable.
package protocol LogWriter: Sendable {
  /// Called with a batch only when the one before has completed. `completion` may be called on any thread.
  func write(_ batch: LogBatch, completion: @escaping @Sendable ((any Error)?) -> Void)

  /// Runs `work` with the storage between two batches, on the log's thread. For reading: commits wait as long as it takes.
  func read(_ work: @escaping @Sendable (any Storage) -> Void)

  /// Writes what is left, folds the log into the documents, and lets go of the storage. No `write` may follow.
  func close() throws
}

/// How long an acknowledged commit may be lost by a crash of the machine.
public enum Durability: String, Sendable, CaseIterable {
  /// Never: nothing that depends on a commit leaves the server before the commit is on disk.
  case full
  /// For `ThreadedLogWriter.relaxedSyncMilliseconds`. A crash of the server alone loses nothing.
  case relaxed
}

/// The log's own thread: write, sync, release, and checkpoint while nobody waits.
package final class ThreadedLogWriter: LogWriter {
  /// The longest time between syncs under `relaxed` durability.
  package static let relaxedSyncMilliseconds = 50

  /// Folding waits until nothing was committed for so long: it uses the same disk, and perhaps the same core, as commits.
  /// (Under load that never ends the storage asks for it when the log has become long: `checkpointIsDue`.)
  private static let idleMilliseconds = 250
  /// Less than this isn't worth folding: a restart replays it in some ten milliseconds.
  private static let foldedWhenIdleBytes = 4 << 20
  /// How long folding may delay the end of the process. What is left is folded after the next start.
  private static let closingNanoseconds: UInt64 = 2_000_000_000
  /// Short slices, so that this thread takes the engine's core, where they share one, as soon as a batch is there. It needs some 20 µs of it until the
  /// disk works; the engine runs live queries meanwhile, which it would else do first.
  private static let timeSliceNanoseconds: UInt64 = 100_000

  private enum Job {
    case write(LogBatch, completion: @Sendable ((any Error)?) -> Void)
    case read(@Sendable (any Storage) -> Void)
  }

  private let storage: any Storage
  private let durability: Durability
  private let metrics: MetricsBackend?
  private let clock = SystemClock()
  private let mailbox: Mailbox<Job>
  private let finished = Mailbox<Result<Void, any Error>>()

  package init(storage: any Storage, durability: Durability, metrics: MetricsBackend? = nil) {
    self.storage = storage
    self.metrics = metrics
    self.durability = durability
    mailbox = Mailbox()
    OwnThread.start { [self] in
      _ = martlet_set_time_slice(Self.timeSliceNanoseconds)
      finished.put(Result { try run() })
    }
  }

  package func write(_ batch: LogBatch, completion: @escaping @Sendable ((any Error)?) -> Void) {
    mailbox.put(.write(batch, completion: completion))
  }

  package func read(_ work: @escaping @Sendable (any Storage) -> Void) { mailbox.put(.read(work)) }

  package func close() throws {
    mailbox.close()
    try finished.take(timeoutMilliseconds: nil)?.get()
  }

  private func timed<Answer>(_ timer: CoreMetrics.Timer?, _ work: () throws -> Answer) rethrows -> Answer {
    guard let timer else { return try work() }
    let start = clock.monotonicNanoseconds()
    defer { timer.recordNanoseconds(Int64(clock.monotonicNanoseconds() &- start)) }
    return try work()
  }

  private func run() throws {
    /// When the first batch that isn't synced was appended: however many follow it, it waits no longer than it may.
    var unsyncedSince: UInt64?
    var hasUnsynced: Bool { unsyncedSince != nil }
    func unsyncedMilliseconds() -> Int {
      unsyncedSince.map { Int((clock.monotonicNanoseconds() - $0) / 1_000_000) } ?? 0
    }
    var failure: (any Error)?
    /// Nobody has committed for a while, and the log is being folded.
    var isFolding = false
    while true {
      let timeout: Int? =
        if failure != nil {
          nil
        } else if hasUnsynced {
          max(0, Self.relaxedSyncMilliseconds - unsyncedMilliseconds())
        } else if storage.checkpointIsDue || isFolding {
          0
        } else if storage.unfoldedLogBytes >= Self.foldedWhenIdleBytes {
          Self.idleMilliseconds
        } else {
          storage.millisecondsToNextSlice
        }
      if let job = mailbox.take(timeoutMilliseconds: timeout) {
        guard case .write(let batch, let completion) = job else {
          if case .read(let work) = job { work(storage) }
          continue
        }
        isFolding = false
        if failure == nil {
          do {
            try timed(metrics?.logWriteTime) { try storage.append(batch, sync: durability == .full) }
            if durability == .relaxed, !hasUnsynced { unsyncedSince = clock.monotonicNanoseconds() }
          } catch { failure = error }
        }
        completion(failure)
        do {
          if failure == nil, unsyncedMilliseconds() >= Self.relaxedSyncMilliseconds {
            try timed(metrics?.logWriteTime) { try storage.sync() }
            unsyncedSince = nil
          }
        } catch { failure = error }
        // After the release, so that nobody waits for it; under load there is no other time.
        do {
          if failure == nil, storage.checkpointIsDue { _ = try timed(metrics?.checkpointTime) { try storage.checkpointSlice() } }
        } catch { failure = error }
        metrics?.unfoldedLogBytes.record(storage.unfoldedLogBytes)
        continue
      }
      if mailbox.isClosed { break }
      do {
        if hasUnsynced {
          try timed(metrics?.logWriteTime) { try storage.sync() }
          unsyncedSince = nil
        } else {
          isFolding = try timed(metrics?.checkpointTime) { try storage.checkpointSlice() }
          metrics?.unfoldedLogBytes.record(storage.unfoldedLogBytes)
        }
      } catch { failure = error }
    }
    if failure == nil {
      if hasUnsynced { try storage.sync() }
      let start = clock.monotonicNanoseconds()
      while clock.monotonicNanoseconds() - start < Self.closingNanoseconds, try storage.checkpointSlice() {}
    }
    try storage.close()
  }
}

/// What one thread leaves for another to take, in order.
///
/// `@unchecked Sendable` is sound: everything is guarded by the one POSIX mutex, which is never held while foreign code runs.
final class Mailbox<Item: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var items: [Item] = []
  private var closed = false

  init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func put(_ item: Item) {
    pthread_mutex_lock(mutex)
    items.append(item)
    pthread_mutex_unlock(mutex)
    // Not under the lock, which the other thread would wake up only to wait for.
    pthread_cond_signal(condition)
  }

  func close() {
    pthread_mutex_lock(mutex)
    closed = true
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }

  var isClosed: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return closed && items.isEmpty
  }

  /// The next item; nil when none came in time, or none will come any more.
  func take(timeoutMilliseconds: Int?) -> Item? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    var deadline = timespec()
    if let timeoutMilliseconds {
      clock_gettime(CLOCK_MONOTONIC, &deadline)
      deadline.tv_sec += timeoutMilliseconds / 1_000
      deadline.tv_nsec += timeoutMilliseconds % 1_000 * 1_000_000
      if deadline.tv_nsec >= 1_000_000_000 {
        deadline.tv_sec += 1
        deadline.tv_nsec -= 1_000_000_000
      }
    }
    while items.isEmpty {
      if closed { return nil }
      if timeoutMilliseconds == nil {
        pthread_cond_wait(condition, mutex)
      } else if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
        break
      }
    }
    return items.isEmpty ? nil : items.removeFirst()
  }
}
