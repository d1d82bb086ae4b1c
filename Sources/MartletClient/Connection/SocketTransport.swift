import NIOCore
import NIOPosix

/// TCP connections, on one event loop.
struct SocketTransport: ClientTransport {
  let eventLoop: any EventLoop
  let host: String
  let port: Int

  func execute(_ work: @escaping @Sendable () -> Void) { eventLoop.execute(work) }

  func schedule(afterSeconds seconds: Double, _ work: @escaping @Sendable () -> Void) {
    eventLoop.scheduleTask(in: .nanoseconds(Int64(seconds * 1e9)), work)
  }

  func assertIsCurrent() { eventLoop.assertInEventLoop() }

  func random() -> UInt64 { .random(in: 0 ... .max) }

  func connect(timeoutSeconds: Double, _ end: ClientConnectionEnd) {
    ClientBootstrap(group: eventLoop)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(.nanoseconds(Int64(timeoutSeconds * 1e9)))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ClientChannelHandler(end))
        }
      }
      .connect(host: host, port: port)
      .whenFailure { end.ended(ConnectionReason.text($0)) }
  }
}

/// A channel, and what is to be written to it with one system call.
private final class SocketConnection: ClientConnection {
  private let channel: any Channel
  private var output: ByteBuffer

  init(_ channel: any Channel) {
    self.channel = channel
    output = channel.allocator.buffer(capacity: 1024)
  }

  func write(_ bytes: [UInt8]) { output.writeBytes(bytes) }

  func flush() {
    guard output.readableBytes > 0 else { return }
    channel.writeAndFlush(output, promise: nil)
    output = channel.allocator.buffer(capacity: 1024)
  }

  func close() { channel.close(promise: nil) }
}

/// One connection's end of the pipeline.
private final class ClientChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let end: ClientConnectionEnd
  private var reason = "the server closed it"

  init(_ end: ClientConnectionEnd) { self.end = end }

  func channelActive(context: ChannelHandlerContext) { end.opened(SocketConnection(context.channel)) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    unwrapInboundIn(data).withUnsafeReadableBytes { end.received($0) }
  }

  func channelReadComplete(context: ChannelHandlerContext) { end.receivedAll() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    reason = ConnectionReason.text(error)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { end.ended(reason) }
}
