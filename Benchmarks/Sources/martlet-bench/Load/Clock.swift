import Glibc

/// The clock of every latency and throughput here: nanoseconds of `CLOCK_MONOTONIC`, read without a system call (some 25 ns).
enum Clock {
  @inline(__always)
  static func nowNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}

/// Interruption (Ctrl-C, SIGTERM) as a flag that every loop looks at, rather than an exit inside the signal handler: the
/// benchmark leaves by its ordinary way out, which ends the servers that it started and removes their data.
enum Interruption {
  // Sound: one aligned word that the handler only sets and that the only thread only reads; a late read costs one more turn.
  private nonisolated(unsafe) static var flag: sig_atomic_t = 0

  static func install() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { _ in Interruption.flag = 1 }
    }
    signal(SIGPIPE, SIG_IGN)
  }

  static func check() throws {
    if flag != 0 { throw BenchmarkError("interrupted") }
  }
}
