import MartletWire
import NIOCore

/// One connection's end of the pipeline: cuts what arrives into lines, and hands them to the core in place.
final class ClientChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let core: ClientCore
  private let attempt: Int
  private var lines: LineSplitter
  private var reason = "the server closed it"

  init(core: ClientCore, attempt: Int, maximumLineBytes: Int) {
    self.core = core
    self.attempt = attempt
    self.lines = LineSplitter(maxLineBytes: maximumLineBytes)
  }

  func channelActive(context: ChannelHandlerContext) {
    core.connected(context.channel, attempt)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let outcome = unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
      lines.feed(bytes) { core.received($0, attempt) }
    }
    if outcome == .lineTooLong { core.receivedTooLongLine(attempt) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    core.receivedAll()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    reason = ConnectionReason.text(error)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    core.ended(attempt, reason)
  }
}
