import Martlet
import MartletValues
import Synchronization

/// A log whose disk takes its time, or fails, as the test says.
///
/// A batch goes through three steps: written (a loss of power may lose it), synced, and reported to the engine. By hand, each
/// waits for `complete()`; with `.delayed` each comes after a delay that the seed chooses, so that a crash can fall between
/// any two of them.
///
/// `@unchecked Sendable` is sound: it is used on the simulation's one thread.
package final class SimulatedLogWriter: LogWriter, @unchecked Sendable {
  package enum Pace {
    /// Batches wait for `complete()`.
    case byHand
    /// As soon as the host runs what is ready.
    case immediate
    /// Each step takes 0 to 4 ms of simulated time.
    case delayed
  }

  private struct Job {
    var batch: LogBatch
    var completion: @Sendable ((any Error)?) -> Void
    var isWritten = false
    var isSynced = false
  }

  private let storage: any Storage
  private let durability: Durability
  private let host: SimulatedHost
  private var random: DeterministicRandom
  private var job: Job?
  private var failure: (any Error)?
  package var pace: Pace
  package private(set) var batchCount = 0

  package init(storage: any Storage, durability: Durability, host: SimulatedHost, pace: Pace, seed: UInt64) {
    self.storage = storage
    self.durability = durability
    self.host = host
    self.pace = pace
    random = DeterministicRandom(seed: seed)
  }

  /// The batch that is not reported yet.
  package var writing: LogBatch? { job?.batch }

  package func write(_ batch: LogBatch, completion: @escaping @Sendable ((any Error)?) -> Void) {
    precondition(job == nil, "a batch comes only when the one before has completed")
    batchCount += 1
    job = Job(batch: batch, completion: completion)
    switch pace {
    case .byHand: break
    case .immediate: host.enqueue { self.complete() }
    case .delayed: delayStep()
    }
  }

  private func delayStep() {
    host.schedule(afterMilliseconds: Int(random.next() % 5)) {
      self.step()
      if self.job != nil { self.delayStep() }
    }
  }

  /// The next of the three steps.
  package func step() {
    guard var current = job else { return }
    do {
      if let failure { throw failure }
      if !current.isWritten {
        try storage.append(current.batch, sync: false)
        current.isWritten = true
        job = current
        return
      }
      if durability == .full, !current.isSynced {
        try storage.sync()
        current.isSynced = true
        job = current
        return
      }
      report(nil)
    } catch {
      failure = error
      report(error)
    }
  }

  private func report(_ error: (any Error)?) {
    let completion = job?.completion
    job = nil
    completion?(error)
  }

  /// Carries out what is left of the batch that is being written, and reports it. False if there is none.
  @discardableResult
  package func complete() -> Bool {
    guard job != nil else { return false }
    while job != nil { step() }
    return true
  }

  package func read(_ work: @escaping @Sendable (any Storage) -> Void) { host.enqueue { work(self.storage) } }

  package func close() throws {
    if failure == nil { try storage.sync() }
    try storage.close()
  }
}
