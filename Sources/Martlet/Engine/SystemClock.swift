import Glibc

/// The machine's clocks.
package struct SystemClock: Clock {
  package init() {}

  package func wallMilliseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    // In whole microseconds: more digits would only make every document longer.
    return Double(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000) / 1_000
  }

  package func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}

/// The machine's generator, fit for ids that nobody may guess.
package struct SystemEntropySource: RandomNumberGenerator, Sendable {
  private var system = SystemRandomNumberGenerator()
  package init() {}
  package mutating func next() -> UInt64 { system.next() }
}
