import Glibc
import Synchronization

/// Work that is done before the server serves, on all cores.
enum Parallel {
  /// Runs each job once, on as many threads as there are cores; returns when all are over. Which begins first is their order.
  static func run(_ jobs: [@Sendable () -> Void], threads: Int = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))) {
    let next = Next()
    let helpers = min(threads, jobs.count) - 1
    guard helpers > 0 else {
      for job in jobs { job() }
      return
    }
    let finished = Mailbox<Void>()
    for _ in 0..<helpers {
      OwnThread.start {
        next.run(jobs)
        finished.put(())
      }
    }
    next.run(jobs)
    for _ in 0..<helpers { _ = finished.take(timeoutMilliseconds: nil) }
  }

  private final class Next: Sendable {
    private let position = Atomic(0)

    func run(_ jobs: [@Sendable () -> Void]) {
      while true {
        let index = position.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < jobs.count else { return }
        jobs[index]()
      }
    }
  }
}
