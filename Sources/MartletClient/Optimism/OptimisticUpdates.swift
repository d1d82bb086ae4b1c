/// The optimistic updates whose mutations the server's values don't show yet. Pure.
///
/// What is shown is always the server's value with the updates applied that it doesn't contain, in the order in which they were made. So
/// there is nothing to undo: an update that is dropped has simply never been. Each update's life:
///
///     made ──▶ waits for its answer ──ok at T──▶ waits until all values are of T or later ──▶ dropped
///                       └──error───────────────────────────────────────────────────────────▶ dropped
///
/// Whether a value contains a mutation that was answered follows from the two timestamps. Before the answer it doesn't: the answer comes before
/// any value that shows the mutation. There is one exception. When a connection broke with a mutation under way, the next one's values may
/// contain it, and its answer, which is asked for again, tell so later. Such an update is in doubt, and as long as one is, the new
/// connection's values have to wait.
struct OptimisticUpdates {
  private struct Pending {
    var id: UInt64
    var update: OptimisticUpdate
    /// The answer's, where it has come.
    var commit: Snapshot?
    var isInDoubt = false
  }

  private var pending: [Pending] = []

  var isEmpty: Bool { pending.isEmpty }
  var isInDoubt: Bool { pending.contains { $0.isInDoubt } }
  /// The requests that aren't answered.
  var unanswered: [UInt64] { pending.filter { $0.commit == nil }.map(\.id) }

  mutating func add(_ id: UInt64, _ update: @escaping OptimisticUpdate) {
    pending.append(Pending(id: id, update: update))
  }

  /// The connection broke, and it isn't known whether the mutation ran.
  mutating func doubt(_ id: UInt64) {
    for index in pending.indices where pending[index].id == id { pending[index].isInDoubt = true }
  }

  /// False where there is no such update.
  mutating func confirm(_ id: UInt64, _ commit: Snapshot) -> Bool {
    guard let index = pending.firstIndex(where: { $0.id == id }) else { return false }
    pending[index].commit = commit
    pending[index].isInDoubt = false
    return true
  }

  /// False where there is no such update.
  mutating func remove(_ id: UInt64) -> Bool {
    guard let index = pending.firstIndex(where: { $0.id == id }) else { return false }
    pending.remove(at: index)
    return true
  }

  /// Drops what all values contain.
  /// - Parameter oldest: the oldest snapshot that a value is of; nil where there are none, and won't be.
  mutating func prune(oldest: Snapshot?) {
    pending.removeAll { pending in
      guard let commit = pending.commit else { return false }
      guard let oldest else { return true }
      return commit <= oldest
    }
  }

  /// What is shown in place of the server's values of one snapshot: those that an update has changed.
  func applied(to server: [QueryKey: Result<[UInt8], MartletError>], at snapshot: Snapshot) -> [QueryKey: [UInt8]] {
    var changes: [QueryKey: [UInt8]] = [:]
    for pending in pending {
      if let commit = pending.commit, commit <= snapshot { continue }
      var local = LocalQueries(server: server, changes: changes)
      do {
        try pending.update(&local)
        changes = local.changes
      } catch {
        // Its mutation's answer tells what became of it.
        continue
      }
    }
    return changes
  }
}
