import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A bad network: connections through it are cut after some bytes, in either direction and anywhere in a line; what passes comes in pieces and late.
///
/// It leads to a server that may be gone for a while, or come back on another port: connections that find none are closed. A side that doesn't read is
/// not read for: the other side feels it. What is done to each connection is drawn from the seed and the connection's number.
package final class FaultyProxy: Sendable {
  package struct Faults: Sendable {
    /// After how many bytes of a direction a connection is cut, on average; half of the time with all that is on its way (a reset).
    package var bytesUntilCut: Int
    /// One in so many pieces is kept back for up to `mostMilliseconds`.
    package var oneLateIn: Int
    package var mostMilliseconds: Int

    package init(bytesUntilCut: Int, oneLateIn: Int = 20, mostMilliseconds: Int = 5) {
      self.bytesUntilCut = bytesUntilCut
      self.oneLateIn = oneLateIn
      self.mostMilliseconds = mostMilliseconds
    }
  }

  private struct State {
    var target: Int?
    var faults: Faults?
    var connections: UInt64 = 0
    var cuts = 0
  }

  private final class Shared: Sendable {
    let state = Mutex(State())
  }

  private let shared = Shared()
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  package let port: Int

  package init(seed: UInt64) throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let shared = shared
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try Self.accept(channel, shared, seed) }
      }
    do { channel = try bootstrap.bind(host: "127.0.0.1", port: 0).wait() } catch {
      try? group.syncShutdownGracefully()
      throw error
    }
    self.group = group
    port = channel.localAddress!.port!
  }

  /// Ends all connections.
  package func stop() throws { try group.syncShutdownGracefully() }

  /// - Parameter port: nil while there is no server.
  package func lead(to port: Int?) { shared.state.withLock { $0.target = port } }

  /// From now on, for the connections that there are too. nil: it passes all on.
  package func set(_ faults: Faults?) { shared.state.withLock { $0.faults = faults } }

  /// How many connections it has cut.
  package var cuts: Int { shared.state.withLock { $0.cuts } }

  // MARK: Connections

  private static func accept(_ client: any Channel, _ shared: Shared, _ seed: UInt64) throws {
    let (number, target) = shared.state.withLock { state in
      state.connections += 1
      return (state.connections, state.target)
    }
    let pump = Pump(shared, seed: seed &* 1_000_003 &+ number &* 2)
    try client.pipeline.syncOperations.addHandler(pump)
    guard let target else { return client.close(promise: nil) }
    let bound = NIOLoopBound(pump, eventLoop: client.eventLoop)
    ClientBootstrap(group: client.eventLoop)
      .channelOption(.autoRead, value: false)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.socketOption(.so_rcvbuf), value: 1 << 16)
      .channelInitializer { server in
        server.eventLoop.makeCompletedFuture {
          try server.pipeline.syncOperations.addHandler(Pump(shared, seed: seed &* 1_000_003 &+ number &* 2 &+ 1, partner: bound.value))
        }
      }
      .connect(host: "127.0.0.1", port: target)
      .whenFailure { _ in client.close(promise: nil) }
  }

  /// What one side sends, on its way to the other.
  private final class Pump: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let shared: Shared
    private var random: TestRandom
    private var context: ChannelHandlerContext?
    /// Where it goes. Both know each other once the server is reached.
    private var partner: Pump?
    private var waiting = ByteBuffer()
    private var isPumping = false
    private var hasEnded = false
    /// Of the way to the cut, how much is left: a multiple of the mean.
    private var way: Double

    init(_ shared: Shared, seed: UInt64, partner: Pump? = nil) {
      self.shared = shared
      self.partner = partner
      random = TestRandom(seed: seed)
      way = Double.random(in: 0..<2, using: &random)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
      guard let partner else { return }
      // Of the two, the server's side is made last.
      partner.partner = self
      guard partner.context?.channel.isActive == true else { return close() }
      context.read()
      partner.context?.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var bytes = unwrapInboundIn(data)
      waiting.writeBuffer(&bytes)
      if !isPumping { pump() }
    }

    func channelInactive(context: ChannelHandlerContext) {
      hasEnded = true
      if !isPumping { end() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Passes the next piece on, and asks for more when nothing is left.
    private func pump() {
      guard let target = partner?.context, let loop = context?.eventLoop ?? partner?.context?.eventLoop else { return end() }
      guard waiting.readableBytes > 0 else {
        isPumping = false
        waiting.clear()
        return hasEnded ? end() : context?.read() ?? ()
      }
      isPumping = true
      let faults = shared.state.withLock { $0.faults }
      var isLast = false
      var length = waiting.readableBytes
      if let faults {
        if Int.random(in: 0..<4, using: &random) == 0 { length = Int.random(in: 1...min(length, 300), using: &random) }
        let left = Int(way * Double(faults.bytesUntilCut))
        isLast = left <= length
        length = min(length, left)
        way -= Double(length) / Double(faults.bytesUntilCut)
      }
      let piece = waiting.readSlice(length: length)!
      let bound = NIOLoopBound(self, eventLoop: loop)
      let written = loop.makePromise(of: Void.self)
      written.futureResult.whenComplete { [isLast] _ in
        if isLast { bound.value.cut() } else { bound.value.pump() }
      }
      if let faults, Int.random(in: 0..<faults.oneLateIn, using: &random) == 0 {
        let late = TimeAmount.microseconds(Int64.random(in: 0...Int64(faults.mostMilliseconds) * 1_000, using: &random))
        let target = NIOLoopBound(target, eventLoop: loop)
        loop.scheduleTask(in: late) { bound.value.write(piece, to: target.value, written) }
      } else {
        write(piece, to: target, written)
      }
    }

    private func write(_ piece: ByteBuffer, to target: ChannelHandlerContext, _ written: EventLoopPromise<Void>) {
      guard target.channel.isActive else { return written.fail(ChannelError.ioOnClosedChannel) }
      target.writeAndFlush(wrapOutboundOut(piece), promise: written)
    }

    private func cut() {
      shared.state.withLock { $0.cuts += 1 }
      if Bool.random(using: &random) {
        for side in [context, partner?.context] {
          _ = (side?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
      }
      close()
    }

    /// This side has sent all that it had.
    private func end() {
      isPumping = false
      partner?.context?.close(promise: nil)
      partner = nil
    }

    private func close() {
      context?.close(promise: nil)
      end()
    }
  }
}
