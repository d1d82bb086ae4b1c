/// Keeping to the limit of memory.
///
///     commit ── grows by n bytes ──▶ room −= n        at once: a guess, a delete makes room with its commit
///     end of turn, 100 ms after the last look ──▶ meter, on another thread ──▶ room = limit − used − what was committed meanwhile
///
/// So the meter's cost is none of the engine's thread, and between two looks no more is written than there was room for. What is beside the room: transactions that
/// are running (each has looked at the room with what it has written itself), batches on their way to the disk (`openBatchBytes`), and what clients are owed,
/// all of which have bounds of their own.
extension Engine {
  static let memoryIntervalMilliseconds = 100

  /// To be called when the server has started: what a start needs is never refused.
  func beginMetering() {
    guard memory.isLimited, environment.memory != nil else { return }
    measureMemory()
  }

  /// A part of each turn's end.
  @inline(__always)
  func meterMemory() {
    if memory.isLimited, wallMilliseconds >= memoryNextLook || wallMilliseconds < memoryNextLook - 1_000 { measureMemory() }
  }

  func measureMemory() {
    guard let meter = environment.memory, !memoryIsMeasured else { return }
    memoryIsMeasured = true
    memoryGrowth = 0
    host.offload { [host, limit = memory.limit] in
      let used = meter.usedBytes(limit: limit)
      host.enqueue { self.assumeIsolated { $0.noteMemory(used) } }
    }
  }

  private func noteMemory(_ used: Int) {
    memoryIsMeasured = false
    memoryNextLook = environment.clock.wallMilliseconds() + Double(Self.memoryIntervalMilliseconds)
    memory.set(memory.limit - used - max(0, memoryGrowth))
    // Where it is scarce nobody may commit any more, and so nobody would look; yet connections may have gone, or pages been given back.
    guard memory.left < memory.limit / 16, !memoryTimerIsSet else { return }
    memoryTimerIsSet = true
    host.schedule(afterMilliseconds: Self.memoryIntervalMilliseconds) {
      self.assumeIsolated { engine in
        engine.memoryTimerIsSet = false
        engine.measureMemory()
      }
    }
  }

  /// A part of each commit, where there is a limit.
  func noteGrowth(of writes: ContiguousArray<DocumentWrite>, in table: StoredTable) {
    let each = MemoryRoom.documentBytes + MemoryRoom.entryBytes * table.layout.indexes.count
    var growth = 0
    for write in writes {
      if let new = write.new { growth += new.jsonCount + each }
      if let old = write.old { growth -= old.jsonCount + each }
    }
    memoryGrowth += growth
    if memory.left < .max { memory.set(memory.left - growth) }
  }

  /// For documents that an import holds, and for what it holds no more (below 0): they are the tables' then, or were let go.
  func noteStaged(_ bytes: Int) {
    guard memory.isLimited else { return }
    memoryGrowth += bytes
    if memory.left < .max { memory.set(memory.left - bytes) }
  }

  /// As `_system:stats` shows it.
  var memoryUsed: Int {
    if memory.isLimited, memory.left < .max { return memory.limit - memory.left }
    return environment.memory?.usedBytes(limit: .max) ?? 0
  }
}
