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

  package func coarseNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}

/// The machine's generator, fit for ids that nobody may guess. Asked for many bytes at a time: a call costs more than they do.
package struct SystemEntropySource: EntropySource {
  package init() {}

  package func fill(_ words: UnsafeMutableBufferPointer<UInt64>) {
    let bytes = UnsafeMutableRawBufferPointer(words)
    // 256 bytes are what one call gives at most.
    for start in stride(from: 0, to: bytes.count, by: 256) {
      let status = getentropy(bytes.baseAddress! + start, min(256, bytes.count - start))
      precondition(status == 0, "the system gives no random bytes (error \(errno))")
    }
  }
}
