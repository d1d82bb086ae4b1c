/// When the open batch is sealed, once the disk is free for it.
///
/// **Problem.** A batch costs some 100 µs of the processor, however few commits it has: waking the log's thread, SQLite's pages, the system's sync. Clients that
/// one batch has released send their next requests within some tens of microseconds; sealing as soon as the disk is free leaves these to the batch after. 64
/// clients, each with one request in flight, made batches of 31.
///
/// **Way taken.** After a release the open batch is kept open until so many clients wait for it that those who are still missing keep the engine just as busy as
/// the disk will be. With a cycle (from one seal to the next) of `c`, of which the disk takes `d`, these are the part `d/c` of all that take turns: 64 clients on
/// a disk of 0.15 ms make batches of some 50, and the disk still works while the engine does. A disk that is slower than its clients has `d = c`, and nothing
/// waits for it; nor does the batch of a client who is alone, or of two.
///
/// **Bounds.** Nobody can tell whether a client that was released comes back. A batch is kept open only while one more comes to wait for it at each look: every
/// `patienceNanoseconds`, or after what the sockets held, if that takes longer. And only while it is small and young: what a batch costs by itself is little
/// beside 64 KB, or 2 ms. Clients that were only told of a change count as well: then the next commit may wait for 20 µs in vain.
struct BatchPacing {
  /// How long the engine may do nothing in the hope of one more client: a fifth of what a batch costs.
  static let patienceNanoseconds: UInt64 = 20_000
  static let mostNanoseconds: UInt64 = 2_000_000
  static let mostBytes = 64 << 10

  /// A batch for which so many clients wait is sealed. 0: at once.
  private(set) var fullCount = 0
  private var sealedAt: UInt64 = 0
  private var cycle: UInt64 = 0
  private var releasedAt: UInt64 = 0
  private var lastCount = 0
  private var lastArrival: UInt64 = 0

  mutating func noteSealed(at now: UInt64) {
    cycle = now &- sealedAt
    sealedAt = now
    fullCount = 0
  }

  /// The batch that was sealed last is on disk, and its clients know.
  /// - Parameters:
  ///   - diskDone: when it was on disk; the engine may learn of it later.
  ///   - released: how many clients wait for nothing more.
  ///   - waiting: how many wait for the open batch.
  mutating func noteReleased(_ released: Int, waiting: Int, diskDone: UInt64, now: UInt64) {
    let disk = min(diskDone &- sealedAt, cycle)
    fullCount = cycle == 0 ? 0 : Int(Double(released + waiting) * (1 - Double(disk) / Double(cycle)))
    releasedAt = now
    lastCount = waiting
    lastArrival = now
  }

  /// Whether the open batch need not be kept open any longer.
  func isFull(waiting: Int, bytes: Int) -> Bool { fullCount > 0 && (waiting >= fullCount || bytes >= Self.mostBytes) }

  /// Whether the batch is kept open until the next look.
  mutating func keepsOpen(waiting: Int, bytes: Int, now: UInt64) -> Bool {
    guard waiting < fullCount, bytes < Self.mostBytes else { return false }
    if waiting > lastCount, now &- releasedAt < Self.mostNanoseconds {
      lastCount = waiting
      lastArrival = now
    } else if now &- lastArrival >= Self.patienceNanoseconds {
      fullCount = 0
    }
    return fullCount > 0
  }

  /// `patienceNanoseconds` have passed since it was kept open with `before` clients waiting.
  mutating func noteLook(waiting: Int, before: Int) {
    if waiting <= before { fullCount = 0 }
  }
}
