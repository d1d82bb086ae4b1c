import Martlet
import NIOCore

/// Gathers what the sockets of an event loop have read, until all that were ready are read: then the engine handles it together.
///
/// Used on that loop alone, which every method asserts; `@unchecked Sendable` is sound for that reason.
final class SocketInput: @unchecked Sendable {
  private let engine: Engine
  private let eventLoop: any EventLoop
  private var batch = InputBatch()
  private var isScheduled = false

  init(engine: Engine, eventLoop: any EventLoop) {
    self.engine = engine
    self.eventLoop = eventLoop
  }

  func add(_ buffer: ByteBuffer, from session: SessionID) {
    eventLoop.assertInEventLoop()
    buffer.withUnsafeReadableBytes { batch.append($0, from: session) }
    guard !isScheduled else { return }
    isScheduled = true
    // The loop runs its tasks after it has handled every socket that was ready.
    eventLoop.execute { [self] in
      isScheduled = false
      handle()
    }
  }

  var isFull: Bool { batch.isFull }

  /// Has the engine handle what is there. Must not be called by what the engine calls.
  func handle() {
    eventLoop.assertInEventLoop()
    guard !batch.isEmpty else { return }
    // Taken out meanwhile: where a write fails, NIO reads what is left of that connection, and adds it here.
    var handled = InputBatch()
    swap(&handled, &batch)
    do {
      // The batch doesn't leave this call, which stays on this thread. In a scope of its own, so that its memory has one owner afterwards.
      nonisolated(unsafe) let input = handled
      engine.assumeIsolated { $0.receive(input) }
    }
    handled.removeAll()
    if batch.isEmpty { swap(&handled, &batch) }
  }
}
