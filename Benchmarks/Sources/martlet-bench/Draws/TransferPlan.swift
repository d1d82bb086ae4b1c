/// The transfers of a run, drawn before it: drawing them during it would cost the generator more than sending them, and this way both
/// servers are asked for the very same ones.
///
/// When a run outlasts the plan it goes over it again the other way round, every `to` now a `from`, so that no account drifts
/// towards zero just because the plan repeats.
struct TransferPlan {
  private let pairs: [UInt64]
  private var position = 0
  private var isReversed = false

  /// - Precondition: `accounts` is at least 2; a transfer never goes from an account to itself.
  init(accounts: Int, distribution: Distribution, seed: UInt64, count: Int = 1 << 20) {
    precondition(accounts >= 2)
    // The hot accounts stay the same ones from run to run; only the order of transfers changes with the seed.
    var shuffle = SeededGenerator(seed: 0x6D61_7274_6C65_74)
    let table = AliasTable(count: accounts, distribution: distribution, shuffledBy: &shuffle)
    var generator = SeededGenerator(seed: seed)
    pairs = (0..<count).map { _ in
      // Both are drawn again, not just the receiver: else the hottest account would give more often than it receives, and run dry.
      var from: Int
      var to: Int
      repeat {
        from = table.draw(using: &generator)
        to = table.draw(using: &generator)
      } while from == to
      return UInt64(from) << 32 | UInt64(to)
    }
  }

  /// Always the same transfer.
  init(from: Int, to: Int) {
    pairs = [UInt64(from) << 32 | UInt64(to)]
    repeatsForwards = true
  }

  private var repeatsForwards = false

  @inline(__always)
  mutating func next() -> (from: Int, to: Int) {
    let pair = pairs[position]
    let isReversed = isReversed
    position += 1
    if position == pairs.count {
      position = 0
      if !repeatsForwards { self.isReversed.toggle() }
    }
    let first = Int(pair >> 32)
    let second = Int(pair & 0xFFFF_FFFF)
    return isReversed ? (second, first) : (first, second)
  }
}
