import CHints
import Foundation
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

  func enqueueSoon(afterNanoseconds nanoseconds: UInt64, _ work: @escaping @Sendable () -> Void) {
    eventLoop.scheduleTask(in: .nanoseconds(Int64(nanoseconds)), work)
  }

  func schedule(afterMilliseconds milliseconds: Int, _ work: @escaping @Sendable () -> Void) {
    eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds)), work)
  }

  func offload(_ work: @escaping @Sendable () -> Void) { threads.submit { _ in work() } }

  func free(_ work: @escaping @Sendable () -> Void) { offload(work) }

  /// On a thread of its own, whose use of the disk has a low priority. One of the pool waits for it: so the pool's end does too.
  func offloadInBackground(_ work: @escaping @Sendable () -> Void) {
    threads.submit { _ in
      let isDone = DispatchSemaphore(value: 0)
      let thread = Thread {
        _ = martlet_use_disk_in_background()
        work()
        isDone.signal()
      }
      thread.start()
      isDone.wait()
    }
  }
}
