import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server of this process that answers with whatever bytes a test wants, which a proper HTTP server wouldn't. With a `TestCertificate` it speaks TLS.
package final class LoopbackServer: Sendable {
  package struct Received: Sendable {
    /// `GET /path HTTP/1.1`
    package var line: String
    package var headers: [(name: String, value: String)]
    package var body: String

    package var path: String { String(line.split(separator: " ")[1]) }

    package func header(_ name: String) -> String? { headers.first { $0.name == name.lowercased() }?.value }
  }

  package indirect enum Reply: Sendable {
    /// These bytes, and the connection stays.
    case bytes(String)
    case bytesThenClose(String)
    /// These bytes, and then others without an end.
    case endless(String)
    /// These bytes, and then nothing.
    case hang(String = "")
    /// Another reply, when so much time has passed.
    case after(milliseconds: Int, Reply)

    package static func ok(_ body: String, headers: [String] = []) -> Reply { status("200 OK", body, headers) }

    package static func status(_ status: String, _ body: String = "", _ headers: [String] = []) -> Reply {
      .bytes((["HTTP/1.1 \(status)", "content-length: \(body.utf8.count)"] + headers).map { $0 + "\r\n" }.joined() + "\r\n" + body)
    }
  }

  private let requests = Mutex<[Received]>([])
  private let channel: any Channel
  /// Connections that were closed by the other side.
  private let closed: AsyncStream<Void>
  package let group: MultiThreadedEventLoopGroup

  package var received: [Received] { requests.withLock { $0 } }
  package var port: Int { channel.localAddress!.port! }
  private let scheme: String
  package var url: String { "\(scheme)://127.0.0.1:\(port)" }

  /// Runs `body` with a server, and with the loop for a client's side.
  package static func with(
    certificate: TestCertificate? = nil, _ answer: @escaping @Sendable (Received) -> Reply, _ body: (LoopbackServer) async throws -> Void
  ) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      let server = try await LoopbackServer(group, try certificate?.serverContext, answer)
      do { try await body(server) } catch {
        try? await server.channel.close()
        throw error
      }
      try await server.channel.close()
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
    try await group.shutdownGracefully()
  }

  private init(
    _ group: MultiThreadedEventLoopGroup, _ tls: NIOSSLContext?, _ answer: @escaping @Sendable (Received) -> Reply
  ) async throws {
    self.group = group
    scheme = tls == nil ? "http" : "https"
    let (closed, signal) = AsyncStream.makeStream(of: Void.self)
    self.closed = closed
    let note = Note()
    channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          try channel.pipeline.syncOperations.addHandler(Handler(note: note, answer: answer, signal: signal))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    note.server.withLock { $0 = Weak(self) }
  }

  private struct Weak: Sendable {
    weak let server: LoopbackServer?
    init(_ server: LoopbackServer) { self.server = server }
  }

  private final class Note: Sendable {
    let server = Mutex<Weak?>(nil)
  }

  /// Until a client has closed a connection.
  package func waitForClosedConnection() async { for await _ in closed { return } }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let note: Note
    private let answer: @Sendable (Received) -> Reply
    private let signal: AsyncStream<Void>.Continuation
    private var text = ""

    init(note: Note, answer: @escaping @Sendable (Received) -> Reply, signal: AsyncStream<Void>.Continuation) {
      self.note = note
      self.answer = answer
      self.signal = signal
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      text += String(buffer: unwrapInboundIn(data))
      guard let request = take() else { return }
      note.server.withLock { $0?.server }?.requests.withLock { $0.append(request) }
      reply(answer(request), context)
    }

    private func reply(_ reply: Reply, _ context: ChannelHandlerContext) {
      switch reply {
      case .bytes(let bytes), .hang(let bytes): write(bytes, context)
      case .bytesThenClose(let bytes):
        write(bytes, context)
        context.close(promise: nil)
      case .endless(let bytes):
        write(bytes, context)
        pour(context)
      case .after(let milliseconds, let reply):
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { bound.value.0.reply(reply, bound.value.1) }
      }
    }

    func channelInactive(context: ChannelHandlerContext) { signal.yield() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func write(_ bytes: String, _ context: ChannelHandlerContext) {
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: bytes)), promise: nil)
    }

    /// One piece after another, each when the one before has left.
    private func pour(_ context: ChannelHandlerContext) {
      let next = context.eventLoop.makePromise(of: Void.self)
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      next.futureResult.whenSuccess { bound.value.0.pour(bound.value.1) }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: String(repeating: "x", count: 65_536))), promise: next)
    }

    private func take() -> Received? {
      guard let end = text.range(of: "\r\n\r\n") else { return nil }
      var lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
      let line = lines.removeFirst()
      let headers = lines.map { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        return (name: parts[0].lowercased(), value: parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
      }
      let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
      let body = text[end.upperBound...]
      guard body.utf8.count >= length else { return nil }
      text = ""
      return Received(line: line, headers: headers, body: String(body))
    }
  }
}

extension String {
  fileprivate func range(of word: String) -> Range<Index>? {
    let bytes = Array(utf8)
    let wanted = Array(word.utf8)
    guard bytes.count >= wanted.count else { return nil }
    for start in 0...(bytes.count - wanted.count) where bytes[start..<(start + wanted.count)].elementsEqual(wanted) {
      let lower = utf8.index(startIndex, offsetBy: start)
      return lower..<utf8.index(lower, offsetBy: wanted.count)
    }
    return nil
  }
}
