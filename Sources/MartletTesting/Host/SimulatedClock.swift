import Martlet
import Synchronization

/// A clock that stands still until a test moves it.
///
/// `nanosecondsPerReading` makes time pass with each look at it: that is how a test has a handler run for long without
/// waiting, since the engine looks at the clock in every few calls of the database.
package final class SimulatedClock: Martlet.Clock {
  private struct State {
    var nanoseconds: UInt64 = 0
    var nanosecondsPerReading: UInt64 = 0
  }

  /// 2026-11-18, 12:26:40 UTC: where a clock begins that isn't told another time.
  package static let epochMilliseconds = 1_795_004_800_000.0

  private let startMilliseconds: Double
  private let state = Mutex(State())

  /// - Parameter startMilliseconds: since 1970.
  package init(startingAt startMilliseconds: Double = epochMilliseconds) { self.startMilliseconds = startMilliseconds }

  package func wallMilliseconds() -> Double {
    startMilliseconds + (Double(monotonicNanoseconds()) / 1_000).rounded(.down) / 1_000
  }

  package func monotonicNanoseconds() -> UInt64 {
    state.withLock { state in
      state.nanoseconds += state.nanosecondsPerReading
      return state.nanoseconds
    }
  }

  /// To look at it takes no time.
  package func coarseNanoseconds() -> UInt64 { state.withLock(\.nanoseconds) }

  package func advance(nanoseconds: UInt64) { state.withLock { $0.nanoseconds += nanoseconds } }

  package var nanosecondsPerReading: UInt64 {
    get { state.withLock { $0.nanosecondsPerReading } }
    set { state.withLock { $0.nanosecondsPerReading = newValue } }
  }
}

/// Random bytes of a seed: the same ids in each run.
package struct SeededEntropy: EntropySource {
  private var random: DeterministicRandom

  package init(seed: UInt64) { random = DeterministicRandom(seed: seed) }

  package mutating func fill(_ words: UnsafeMutableBufferPointer<UInt64>) {
    for index in words.indices { words[index] = random.next() }
  }
}
