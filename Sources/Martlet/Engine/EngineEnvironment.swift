import Synchronization

/// The clocks that the engine reads: the machine's, or a test's.
package protocol Clock: Sendable {
  /// Milliseconds since 1970, with as much fraction as the machine knows.
  func wallMilliseconds() -> Double
  func monotonicNanoseconds() -> UInt64
  /// The same clock as of its last tick, which may be 10 ms ago: a quarter of the cost of a reading.
  func coarseNanoseconds() -> UInt64
}

/// What the engine takes from outside, handed in so that a run can be replayed from one seed (G10).
package struct EngineEnvironment: Sendable {
  package let clock: any Clock
  package let entropy: Entropy
  package let outside: OutsideWorld
  /// Nil where memory has no limit, and nobody asks.
  package let memory: (any MemoryMeter)?

  package init(clock: any Clock, entropy: Entropy, outside: OutsideWorld = OutsideWorld(), memory: (any MemoryMeter)? = nil) {
    self.clock = clock
    self.memory = memory
    self.entropy = entropy
    self.outside = outside
  }
}

/// Where random bytes come from: the machine, or a test's seed.
package protocol EntropySource: Sendable {
  mutating func fill(_ words: UnsafeMutableBufferPointer<UInt64>)
}

/// Random bytes, drawn from their source a few thousand at a time: one system call serves hundreds of ids.
package final class Entropy: Sendable {
  private struct State {
    var source: any EntropySource
    var words: [UInt64] = []

    mutating func next() -> UInt64 {
      if words.isEmpty {
        words = [UInt64](unsafeUninitializedCapacity: 512) { buffer, count in
          source.fill(buffer)
          count = 512
        }
      }
      return words.removeLast()
    }
  }

  private let state: Mutex<State>

  package init(_ source: any EntropySource) { state = Mutex(State(source: source)) }

  package func next() -> UInt64 { state.withLock { $0.next() } }

  /// An id that was never given out and can't be guessed: 128 random bits.
  func nextID(table: UInt32) -> DocumentID {
    state.withLock { DocumentID(tableNumber: table, high: $0.next(), low: $0.next()) }
  }
}

/// The generator behind `ctx.random`: the same numbers in each run of one request, so that a handler which is run again
/// decides the same. (SplitMix64.)
public struct DeterministicRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
