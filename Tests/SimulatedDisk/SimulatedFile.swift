import TestSupport

/// A file as a disk has it: what a reader sees, and what would be left of it if the power went now.
///
/// Writes and truncations are kept in order until a sync; a crash keeps any of them, and of a write any sectors.
struct SimulatedFile {
  /// What a disk writes whole or not at all.
  static let sectorBytes = 512

  enum Change {
    case write(at: Int, [UInt8])
    case truncate(to: Int)
  }

  /// What a read sees: the system's page cache.
  private(set) var contents: [UInt8] = []
  private var durable: [UInt8] = []
  private(set) var unsynced: [Change] = []
  /// Whether its directory is sure to have it after a crash.
  var hasDurableName = false

  init() {}

  init(contents: [UInt8]) {
    self.contents = contents
    durable = contents
    hasDurableName = true
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    Self.write(bytes, at: offset, into: &contents)
    unsynced.append(.write(at: offset, [UInt8](bytes)))
  }

  mutating func truncate(to size: Int) {
    guard size < contents.count else { return }
    contents.removeSubrange(size...)
    unsynced.append(.truncate(to: size))
  }

  mutating func sync() {
    for change in unsynced { Self.apply(change, to: &durable) }
    unsynced = []
  }

  /// A sync that fails as Linux's does: the pages are taken for written, and the next sync has nothing to do.
  mutating func failToSync() { unsynced = [] }

  mutating func flip(bit: Int) {
    contents[bit / 8] ^= 1 << UInt8(bit % 8)
    durable = contents
    unsynced = []
  }

  /// What is there after a loss of power.
  mutating func crash(_ survival: SimulatedDisk.Survival, _ random: inout TestRandom) {
    switch survival {
    case .everything: sync()
    case .nothing: break
    case .torn:
      // Now nearly all, now nearly nothing: with an even chance for each sector a long write never came through whole.
      let kept = random.number(0..<11)
      for change in unsynced {
        switch change {
        case .truncate: if random.number(0..<10) < kept { Self.apply(change, to: &durable) }
        case .write(let offset, let bytes):
          var start = 0
          while start < bytes.count {
            let end = min(bytes.count, (offset + start) / Self.sectorBytes * Self.sectorBytes + Self.sectorBytes - offset)
            if random.number(0..<10) < kept {
              bytes[start..<end].withUnsafeBytes { Self.write($0, at: offset + start, into: &durable) }
            }
            start = end
          }
        }
      }
    }
    contents = durable
    unsynced = []
    hasDurableName = true
  }

  private static func apply(_ change: Change, to contents: inout [UInt8]) {
    switch change {
    case .write(let offset, let bytes): bytes.withUnsafeBytes { write($0, at: offset, into: &contents) }
    case .truncate(let size): if size < contents.count { contents.removeSubrange(size...) }
    }
  }

  /// What is skipped reads as zeros.
  private static func write(_ bytes: UnsafeRawBufferPointer, at offset: Int, into contents: inout [UInt8]) {
    let end = offset + bytes.count
    if contents.count < end { contents += [UInt8](repeating: 0, count: end - contents.count) }
    contents.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset..<end]).copyMemory(from: bytes) }
  }
}
