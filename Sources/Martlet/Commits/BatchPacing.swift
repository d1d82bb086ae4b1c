/// When the open batch is sealed, once the disk is free for it.
///
/// **Problem.** A batch costs some 100 µs of the processor, however few commits it has: waking the log's thread, SQLite's pages, the system's sync. Where
/// many clients wait for each other's batches, those that one has released send their next requests within some tens of microseconds. Sealing as soon as the
/// disk is free leaves half of them to the next batch: 64 clients made batches of 31.
///
/// **Way taken.** The batch stays open until so many clients wait for it that those who are still missing have just as much to do as keeps the engine busy
/// while the disk works: with a cycle (from one seal to the next) of `c`, of which the disk takes `d`, that is the part `1 − d/c` of all who take turns. 64
/// clients on a disk of 0.14 ms make batches of 55. A disk that is slower than its clients has `d = c`, and a batch for it is sealed at once; so is that of a
/// client who is alone, or one of two.
///
/// **Bound.** Nobody can tell whether a client that was released comes back. A batch is kept open only as long as one more client has come to wait for it
/// within `patienceNanoseconds`, or since the event loop looked at its sockets last, if that is longer.
struct BatchPacing {
  /// How long the engine may do nothing in the hope of one more client. It is what the next step from an idle loop to a busy one costs, too.
  static let patienceNanoseconds: UInt64 = 20_000

  /// A batch for which so many wait is sealed.
  private(set) var fullCount = 0
  private var sealedAt: UInt64 = 0
  private var cycle: UInt64 = 0
  private var lastCount = 0
  private var lastArrival: UInt64 = 0

  mutating func noteSealed(at now: UInt64) {
    cycle = now &- sealedAt
    sealedAt = now
    fullCount = 0
  }

  /// - Parameters:
  ///   - diskDone: when the batch was on disk, which the engine may have learned later.
  ///   - clients: how many take turns: those that were released and wait for nothing more, and those that wait for the open batch.
  ///   - waiting: how many the latter are.
  mutating func noteReleased(diskDone: UInt64, clients: Int, waiting: Int, now: UInt64) {
    let disk = min(diskDone &- sealedAt, cycle)
    fullCount = cycle == 0 ? 0 : Int(Double(clients) * (1 - Double(disk) / Double(cycle)))
    lastCount = waiting
    lastArrival = now
  }

  /// Whether the open batch is worth keeping open. What it says holds until one more waits for it, or for `patienceNanoseconds`.
  mutating func isWorthWaiting(count: Int, now: UInt64) -> Bool {
    guard count < fullCount else { return false }
    if count > lastCount {
      lastCount = count
      lastArrival = now
    } else if now &- lastArrival >= Self.patienceNanoseconds {
      fullCount = 0
      return false
    }
    return true
  }
}
