import Martlet
import NIOCore
import NIOPosix

/// The engine's home in a server: the event loop that reads the sockets, and a few threads for what takes longer.
struct EventLoopHost: EngineHost {
  let eventLoop: any EventLoop
  let threads: NIOThreadPool

  var executor: any SerialExecutor { eventLoop.executor }

  /// The loop runs its tasks after it has handled every socket that was ready: so what is enqueued while lines are read
  /// sees all of them.
  func enqueue(_ work: @escaping @Sendable () -> Void) { eventLoop.execute(work) }

  func schedule(afterMilliseconds milliseconds: Int, _ work: @escaping @Sendable () -> Void) {
    eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds)), work)
  }

  func offload(_ work: @escaping @Sendable () -> Void) { threads.submit { _ in work() } }
}
