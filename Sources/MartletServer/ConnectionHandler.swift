import Glibc
import Martlet
import NIOCore

/// A connection's end of the pipeline: hands the engine what the socket read, and the socket what the engine answers.
///
/// It runs on the engine's event loop, so the engine is entered by `assumeIsolated`: no hop, no task, no lock. All sockets that are
/// ready are read before anything is handled (`SocketInput`), and all answers of one turn leave with one system call.
///
/// What the engine sends goes to the socket at once, past the channel's pipeline, which nothing else is in: a buffer, a promise and the way
/// through the pipeline cost as much as everything else that is done for one subscriber of a live query. Only what the socket doesn't take is
/// left to the channel, and all that follows until that has gone.
///
/// Its mutable state is used on the event loop alone; `@unchecked Sendable` is needed only because the engine keeps the
/// transport, and is sound because every method of the transport asserts the loop.
final class ConnectionHandler: ChannelInboundHandler, SessionTransport, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let engine: Engine
  private let connections: ConnectionRegistry
  private let input: SocketInput
  private var session: SessionID?
  private var context: ChannelHandlerContext?
  /// The channel's socket; nil where it has none of the system's.
  private var socket: NIOBSDSocket.Handle?
  /// Buffers that the channel has and the socket hasn't taken.
  private var pendingWrites = 0
  private var isFlushing = false
  private var isClosing = false
  private var isLingering = false
  /// Bytes that the channel was given. Those that have not left it yet are its `bufferedWritableBytes`.
  private var sentBytes = 0
  private var stall: Scheduled<Void>?

  init(engine: Engine, connections: ConnectionRegistry, input: SocketInput) {
    self.engine = engine
    self.connections = connections
    self.input = input
  }

  // MARK: From the socket

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    socket = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
    connections.add(self)
    session = engine.assumeIsolated { $0.open(self) }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let session else { return }
    input.add(unwrapInboundIn(data), from: session)
    // Where a write fails, NIO reads what is left before it returns. The engine, which mostly is what writes, must not be entered inside itself.
    if input.isFull, !isFlushing { input.handle() }
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
      watchStall()
    }
    context.fireChannelWritabilityChanged()
  }

  private func becameWritable() {
    guard let session, isWritable else { return }
    engine.assumeIsolated { $0.becameWritable(session) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed {
      if isFlushing {
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { handler.value.inputClosed() }
      } else {
        inputClosed()
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  private func inputClosed() {
    if let session {
      input.handle()
      engine.assumeIsolated { $0.disconnected(session, canStillSend: true) }
    } else if isLingering {
      context?.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    stall?.cancel()
    self.context = nil
    // The channel has just given its descriptor back, and another connection may have it soon.
    socket = nil
    if isLingering { connections.endLingering() }
    // The engine not at once: it may be what writes.
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.eventLoop.execute { handler.value.ended() }
    context.fireChannelInactive()
  }

  private func ended() {
    connections.remove(self)
    guard let session else { return }
    input.handle()
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
    let taken = pendingWrites == 0 ? write(bytes) : 0
    guard taken < bytes.count else { return }
    pendingWrites += 1
    sentBytes += bytes.count - taken
    let rest = context.channel.allocator.buffer(bytes: UnsafeRawBufferPointer(rebasing: bytes[taken...]))
    flush(rest, context).whenComplete { _ in self.pendingWrites -= 1 }
  }

  /// How many bytes the socket takes now. An error is the channel's to find, with what is left to it.
  private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let socket else { return 0 }
    while true {
      let count = Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      if count >= 0 { return count }
      if errno != EINTR { return 0 }
    }
  }

  var isWritable: Bool {
    guard let context else { return false }
    return pendingWrites == 0 || context.channel.isWritable
  }

  var unsentBytes: Int {
    guard let options = context?.channel.syncOptions else { return 0 }
    return (try? options.getOption(.bufferedWritableBytes)) ?? 0
  }

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
    watchStall()
    flush(context.channel.allocator.buffer(capacity: 0), context)
      .whenComplete { _ in if self.session == nil { self.linger(context) } else { context.close(promise: nil) } }
  }

  /// A connection that is refused is closed before a byte of it was read. Most clients have said something by then, and closing a socket with unread bytes
  /// resets it: so that its client reads why, only the sending side is closed at first, and what comes in is dropped until the client closes, too.
  private func linger(_ context: ChannelHandlerContext) {
    guard context.channel.isActive, connections.beginLingering() else { return context.close(promise: nil) }
    isLingering = true
    context.close(mode: .output, promise: nil)
    let box = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: .seconds(1)) { box.value.close(promise: nil) }
  }

  /// Closes the connection at once, whatever was to be sent.
  func cut() { context?.close(promise: nil) }

  private func flush(_ buffer: ByteBuffer, _ context: ChannelHandlerContext) -> EventLoopFuture<Void>.Isolated {
    isFlushing = true
    defer { isFlushing = false }
    return context.writeAndFlush(wrapOutboundOut(buffer)).assumeIsolated()
  }

  // MARK: A client that doesn't read

  /// How often within the limit it is looked at: a stall is noticed a quarter of the limit late at most.
  private static let looksPerLimit = 4

  private func watchStall() {
    stall?.cancel()
    lookAgain(lastTaken: sentBytes - unsentBytes, idleLooks: 0)
  }

  private func lookAgain(lastTaken: Int, idleLooks: Int) {
    guard let context else { return }
    let box = NIOLoopBound(self, eventLoop: context.eventLoop)
    let wait = TimeAmount.milliseconds(Int64(max(1, engine.configuration.stallMilliseconds / Self.looksPerLimit)))
    stall = context.eventLoop.scheduleTask(in: wait) { box.value.look(lastTaken, idleLooks) }
  }

  /// What counts is whether the socket took anything, not whether less is waiting: answers may come in meanwhile.
  private func look(_ lastTaken: Int, _ idleLooks: Int) {
    guard let context, isClosing || !context.channel.isWritable else { return }
    let taken = sentBytes - unsentBytes
    let idleLooks = taken > lastTaken ? 0 : idleLooks + 1
    guard idleLooks >= Self.looksPerLimit else { return lookAgain(lastTaken: taken, idleLooks: idleLooks) }
    if let session { engine.assumeIsolated { $0.closeSlowConsumer(session) } }
    context.close(mode: .all, promise: nil)
  }

  /// Tells the client that the server ends, and closes when what is in flight is answered.
  func shutDown() {
    guard let session else { return cut() }
    input.handle()
    engine.assumeIsolated { $0.shutDown(session) }
  }
}
