/// Transactions that run on other threads, each on its snapshot, while the engine goes on.
///
/// A query that ran there is simply done. A mutation is validated when it comes back: if a commit since its snapshot
/// touched anything that it read, it runs again, and after `optimisticTries` it runs *alone*: other mutations wait for that
/// one run, so that contention never surfaces as an error (G4).
struct BesideTransactions: ~Copyable {
  static let optimisticTries = 3

  private var snapshotTimestamps: [UInt64: Int] = [:]
  private var commits: ContiguousArray<(timestamp: UInt64, writes: ContiguousArray<TableWrites>)> = []
  private var keys = IndexKeyWriter()

  /// The mutation that runs alone, and those that wait for it.
  private(set) var isExclusive = false
  private(set) var waiting: ContiguousArray<@Sendable (isolated Engine) -> Void> = []

  /// Whether somebody's snapshot is older than the next commit, so that it must be remembered for validation.
  var mustRemember: Bool { !snapshotTimestamps.isEmpty }

  mutating func begin(at timestamp: UInt64) { snapshotTimestamps[timestamp, default: 0] += 1 }

  mutating func end(at timestamp: UInt64) {
    guard let count = snapshotTimestamps[timestamp] else { return }
    snapshotTimestamps[timestamp] = count > 1 ? count - 1 : nil
    let oldest = snapshotTimestamps.keys.min() ?? .max
    if let keep = commits.firstIndex(where: { $0.timestamp > oldest }) {
      commits.removeFirst(keep)
    } else {
      commits.removeAll()
    }
  }

  mutating func remember(_ writes: ContiguousArray<TableWrites>, at timestamp: UInt64) {
    commits.append((timestamp, writes))
  }

  /// Whether a commit after `timestamp` touched what `reads` holds. O(commits since × what was read).
  mutating func isTouched(_ reads: ReadSet, since timestamp: UInt64) -> Bool {
    for commit in commits where commit.timestamp > timestamp {
      for part in commit.writes {
        for write in part.writes where reads.isTouched(by: write, layout: part.table.layout, keys: &keys) { return true }
      }
    }
    return false
  }

  // MARK: Running alone

  mutating func beginExclusive() { isExclusive = true }

  mutating func waitForExclusive(_ work: @escaping @Sendable (isolated Engine) -> Void) { waiting.append(work) }

  /// Those who waited, to be run in their order.
  mutating func endExclusive() -> ContiguousArray<@Sendable (isolated Engine) -> Void> {
    isExclusive = false
    defer { waiting.removeAll() }
    return waiting
  }

  /// The commits after `timestamp` were taken back.
  mutating func abandon(after timestamp: UInt64) { commits.removeAll { $0.timestamp > timestamp } }
}
