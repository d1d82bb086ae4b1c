import MartletWire
import NIOCore
import NIOPosix
import Synchronization

/// A server on the loopback interface that answers as a test says: `answer` gets each line with the connection's number
/// (the first is 0), and returns the lines to send back. nil closes the connection.
///
/// `hello` is answered by itself, so that scripts are about what matters to them.
struct FakeServer {
  typealias Script = @Sendable (_ connection: Int, _ line: String) -> [String]?

  let port: Int
  private let channel: any Channel

  static let welcome = #"welcome {"protocol":1,"server":"martlet/fake","session":"s","maxLineBytes":1048576}"#

  static func start(
    greets: Bool = true, onEnd: @escaping @Sendable () -> Void = {}, _ script: @escaping Script
  ) async throws -> FakeServer {
    let connections = ConnectionCounter()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = Handler(connection: connections.next(), greets: greets, onEnd: onEnd, script: script)
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return FakeServer(port: channel.localAddress!.port!, channel: channel)
  }

  func stop() async {
    try? await channel.close()
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: Int
    private let greets: Bool
    private let onEnd: @Sendable () -> Void
    private let script: Script
    private var splitter = LineSplitter(maxLineBytes: 1 << 20)

    init(connection: Int, greets: Bool, onEnd: @escaping @Sendable () -> Void, script: @escaping Script) {
      self.onEnd = onEnd
      self.connection = connection
      self.greets = greets
      self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var lines: [String] = []
      unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
        _ = splitter.feed(bytes) { lines.append(String(decoding: $0, as: UTF8.self)) }
      }
      for line in lines {
        if greets, line.hasPrefix("hello ") {
          write([FakeServer.welcome], context)
        } else if line == "bye" {
          context.close(promise: nil)
        } else if let answers = script(connection, line) {
          write(answers, context)
        } else {
          context.close(promise: nil)
        }
      }
    }

    func channelInactive(context: ChannelHandlerContext) {
      onEnd()
    }

    private func write(_ lines: [String], _ context: ChannelHandlerContext) {
      let text = lines.map { $0 + "\n" }.joined()
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
  }
}

private final class ConnectionCounter: Sendable {
  private let count = Atomic<Int>(0)

  func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
}
