/// Where a simulated server's actions run: pieces of their tasks are offloaded work of the host.
final class SimulatedTaskExecutor: TaskExecutor {
  private let host: SimulatedHost

  init(host: SimulatedHost) { self.host = host }

  func enqueue(_ job: UnownedJob) {
    host.offload { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
