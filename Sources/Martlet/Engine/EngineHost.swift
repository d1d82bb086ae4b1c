/// Where the engine runs: one thread of its own, and others for what takes longer. A server's is the event loop that
/// reads the sockets, a simulation's is a queue that the test turns by hand.
package protocol EngineHost: Sendable {
  /// The executor of the engine and its tables. Its jobs run one at a time, on one thread.
  var executor: any SerialExecutor { get }

  /// Runs `work` on the engine's thread, after what is running there and what is ready to run now.
  func enqueue(_ work: @escaping @Sendable () -> Void)

  /// Runs `work` on the engine's thread some microseconds from now, after what is ready to run by then.
  func enqueueSoon(afterNanoseconds: UInt64, _ work: @escaping @Sendable () -> Void)

  /// Runs `work` on the engine's thread after a time.
  func schedule(afterMilliseconds: Int, _ work: @escaping @Sendable () -> Void)

  /// Runs `work` on another thread.
  func offload(_ work: @escaping @Sendable () -> Void)

  /// The same for what takes seconds of a processor and a disk, and can wait for all others.
  func offloadInBackground(_ work: @escaping @Sendable () -> Void)

  /// Runs `work`, which frees much memory and does nothing else, on another thread where there is one.
  func free(_ work: @escaping @Sendable () -> Void)

  /// Where the handlers of actions run; nil for Swift's own pool of threads.
  var actionExecutor: (any TaskExecutor)? { get }
}

extension EngineHost {
  package var actionExecutor: (any TaskExecutor)? { nil }

  package func offloadInBackground(_ work: @escaping @Sendable () -> Void) { offload(work) }
  package func free(_ work: @escaping @Sendable () -> Void) { work() }
}
