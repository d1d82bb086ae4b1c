import Martlet
import NIOCore

/// A connection's end of the pipeline: hands the engine what the socket read, and the socket what the engine answers.
///
/// It runs on the engine's event loop, so the engine is entered by `assumeIsolated`: no hop, no task, no lock. All lines of
/// one read are handled before anything is flushed, and all answers of one turn leave with one system call.
///
/// Its mutable state is used on the event loop alone; `@unchecked Sendable` is needed only because the engine keeps the
/// transport, and is sound because every method of the transport asserts the loop.
final class ConnectionHandler: ChannelInboundHandler, SessionTransport, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How long a socket may take nothing at all before its connection is closed.
  static let stallLimitSeconds: Int64 = 30

  private let engine: Engine
  private let connections: ConnectionRegistry
  private var session: SessionID?
  private var context: ChannelHandlerContext?
  private var isReading = false
  private var needsFlush = false
  private var isFlushing = false
  /// What NIO read off a connection that it found broken while it wrote.
  private var lateInput: [ByteBuffer] = []
  private var isClosing = false
  private var stall: Scheduled<Void>?

  init(engine: Engine, connections: ConnectionRegistry) {
    self.engine = engine
    self.connections = connections
  }

  // MARK: From the socket

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    session = engine.assumeIsolated { $0.open(self) }
    connections.add(self)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let session else { return }
    let buffer = unwrapInboundIn(data)
    // Where a write fails, NIO reads what is left before it returns. The engine, which mostly is what writes, must not be entered inside itself.
    guard !isFlushing else { return lateInput.append(buffer) }
    receive(buffer, from: session)
  }

  private func receive(_ buffer: ByteBuffer, from session: SessionID) {
    isReading = true
    // The engine's closure must be sendable, and a borrowed pointer isn't: it does not leave this call.
    buffer.withUnsafeReadableBytes { bytes in
      let bytes = UncheckedBytes(bytes: bytes)
      engine.assumeIsolated { $0.receive(bytes.bytes, from: session) }
    }
    isReading = false
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    flushIfNeeded()
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      if !isClosing {
        stall?.cancel()
        stall = nil
      }
      // Not at once: this is mostly told while the engine sends, and what it does then must not run inside itself.
      let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
      context.eventLoop.execute { handler.value.becameWritable() }
    } else if !isClosing {
      watchStall(lastPending: nil)
    }
    context.fireChannelWritabilityChanged()
  }

  private func becameWritable() {
    guard let session, isWritable else { return }
    engine.assumeIsolated { $0.becameWritable(session) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed, let session {
      engine.assumeIsolated { $0.disconnected(session, canStillSend: true) }
      flushIfNeeded()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    stall?.cancel()
    self.context = nil
    // Not at once, for the same reason.
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.eventLoop.execute { handler.value.ended() }
    context.fireChannelInactive()
  }

  private func ended() {
    connections.remove(self)
    guard let session else { return }
    for buffer in lateInput { receive(buffer, from: session) }
    lateInput = []
    self.session = nil
    engine.assumeIsolated { $0.disconnected(session, canStillSend: false) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A connection that broke: nothing can be told to the client, and the session ends with `channelInactive`.
    context.close(promise: nil)
  }

  // MARK: From the engine

  func send(_ bytes: UnsafeRawBufferPointer) {
    guard let context else { return }
    context.eventLoop.assertInEventLoop()
    context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    needsFlush = true
    if !isReading { flushIfNeeded() }
  }

  var isWritable: Bool { context?.channel.isWritable ?? false }

  func setReading(_ enabled: Bool) {
    guard let context else { return }
    // Can fail only where the channel is closed already.
    _ = context.channel.setOption(.autoRead, value: enabled)
    if enabled { context.read() }
  }

  /// What was sent before leaves before: NIO drops what is not written yet when a channel is closed. A client that doesn't
  /// read is not waited for longer than at any other time.
  func close() {
    guard let context, !isClosing else { return }
    isClosing = true
    needsFlush = false
    stall?.cancel()
    watchStall(lastPending: nil)
    let isWritten = context.write(wrapOutboundOut(context.channel.allocator.buffer(capacity: 0)))
    flush(context)
    isWritten.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
  }

  /// Closes the connection at once, whatever was to be sent.
  func cut() { context?.close(promise: nil) }

  private func flushIfNeeded() {
    guard needsFlush, let context else { return }
    needsFlush = false
    flush(context)
  }

  private func flush(_ context: ChannelHandlerContext) {
    isFlushing = true
    context.flush()
    isFlushing = false
  }

  // MARK: A client that doesn't read

  private func watchStall(lastPending: Int?) {
    guard let context, isClosing || !context.channel.isWritable else { return }
    let pending = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    if let lastPending, let pending, pending >= lastPending {
      // Not a byte was taken for the whole time.
      if let session { engine.assumeIsolated { $0.closeSlowConsumer(session) } }
      context.close(mode: .all, promise: nil)
      return
    }
    let box = NIOLoopBound(self, eventLoop: context.eventLoop)
    stall = context.eventLoop.scheduleTask(in: .seconds(Self.stallLimitSeconds)) {
      box.value.watchStall(lastPending: pending)
    }
  }

  /// Tells the client that the server ends, and closes when what is in flight is answered.
  func shutDown() {
    guard let session else { return }
    engine.assumeIsolated { $0.shutDown(session) }
    flushIfNeeded()
  }
}

/// Bytes lent for the length of one call on one thread, which is why passing them on is sound.
private struct UncheckedBytes: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
}
