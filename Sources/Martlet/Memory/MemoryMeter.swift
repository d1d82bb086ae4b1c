/// Tells how much memory the process uses. Handed in, so that a simulated run meets its limit at the same commit every time (G10).
package protocol MemoryMeter: Sendable {
  /// Bytes, as the limit counts them. Called on a thread beside the engine's, one call at a time.
  func usedBytes(limit: Int) -> Int
}

/// What this process has in memory, as the limit counts it: what could not be used again.
///
/// **The problem.** What the kernel counts and kills for is the resident memory. But memory that is freed mostly stays resident: a million small documents that are deleted leave
/// holes between others, which new documents fill, and pages that are not given back. By the resident memory a server that was full once would be full for ever.
///
/// **The way taken.** As long as the resident memory is below 15/16 of the limit, it is the answer: 10 µs. Near the limit the allocator is asked for what it has given out,
/// which is without the holes, and where much is free, free pages are given back to the system first. Both take its lock, for 13 ms where there are 500,000 holes: so that
/// is done for a twentieth of the time at most, and never on the engine's thread. Holes that nothing fits into count when they come to more than an eighth of
/// the limit: so the resident memory goes beyond the limit by that at most, and by what is allocated until the next look.
package final class ProcessMemoryMeter: MemoryMeter, @unchecked Sendable {
  // Sound: calls come one at a time, each after the one before has ended.
  private var allocated = 0
  private var nextLook: UInt64 = 0
  private let clock = SystemClock()
  private static let rest: UInt64 = 20

  package init() {}

  package func usedBytes(limit: Int) -> Int {
    var resident = ProcessMemory.resident
    guard resident.all > limit - limit / 16 else { return resident.all }
    let start = clock.monotonicNanoseconds()
    if start >= nextLook {
      allocated = ProcessMemory.allocatedBytes
      if resident.all - resident.shared - allocated > limit / 16 {
        ProcessMemory.giveBack()
        resident = ProcessMemory.resident
      }
      let end = clock.monotonicNanoseconds()
      nextLook = end + (end - start) * Self.rest
    }
    return max(min(allocated + resident.shared, resident.all), resident.all - limit / 8)
  }
}
