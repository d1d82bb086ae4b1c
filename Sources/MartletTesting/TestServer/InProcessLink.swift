import Martlet
import MartletClient

/// A connection by memory: what one side says is work for the other side's host, as bytes that arrive there are.
///
/// `@unchecked Sendable` is sound: both hosts are turned by one thread at a time.
final class InProcessLink: @unchecked Sendable {
  private let end: ClientConnectionEnd
  private let clients: SimulatedHost
  private let server: SimulatedHost
  private let engine: Engine
  private var session: SessionID?
  /// Set when either side has closed the connection: nothing arrives any more.
  private var isOver = false
  private var isReading = true
  /// What the server doesn't read yet.
  private var unread: [UInt8] = []
  var onEnd: ((InProcessLink) -> Void)?

  init(_ end: ClientConnectionEnd, clients: SimulatedHost, server: SimulatedHost, engine: Engine) {
    self.end = end
    self.clients = clients
    self.server = server
    self.engine = engine
  }

  func open() {
    server.enqueue { [self] in
      guard !isOver else { return }
      session = engine.assumeIsolated { $0.open(ServerSide(self)) }
      clients.enqueue { [self] in if !isOver { end.opened(ClientSide(self)) } }
    }
  }

  /// The network fails: both sides are told.
  func cut(_ reason: String) {
    guard !isOver else { return }
    isOver = true
    disconnectServer()
    clients.enqueue { self.end.ended(reason) }
  }

  private func over() {
    isOver = true
    onEnd?(self)
    onEnd = nil
  }

  private func disconnectServer() {
    server.enqueue { [self] in
      guard let session else { return }
      self.session = nil
      engine.assumeIsolated { $0.disconnected(session, canStillSend: false) }
    }
  }

  private func receive(_ bytes: [UInt8]) {
    server.enqueue { [self] in
      unread += bytes
      read()
    }
  }

  private func read() {
    guard let session, isReading, !isOver, !unread.isEmpty else { return }
    let bytes = unread
    unread = []
    engine.assumeIsolated { engine in bytes.withUnsafeBytes { engine.receive($0, from: session) } }
  }
}

extension InProcessLink {
  private final class ClientSide: ClientConnection {
    private let link: InProcessLink
    private var output: [UInt8] = []

    init(_ link: InProcessLink) { self.link = link }

    func write(_ bytes: [UInt8]) { output += bytes }

    func flush() {
      guard !output.isEmpty else { return }
      link.receive(output)
      output = []
    }

    func close() {
      guard !link.isOver else { return }
      link.over()
      link.disconnectServer()
    }
  }

  private final class ServerSide: SessionTransport, @unchecked Sendable {
    // As the link's.
    private let link: InProcessLink

    init(_ link: InProcessLink) { self.link = link }

    func send(_ bytes: UnsafeRawBufferPointer) {
      let bytes = Array(bytes)
      link.clients.enqueue { [link] in
        guard !link.isOver else { return }
        bytes.withUnsafeBytes { link.end.received($0) }
        link.end.receivedAll()
      }
    }

    var isWritable: Bool { true }
    var unsentBytes: Int { 0 }

    func setReading(_ enabled: Bool) {
      link.isReading = enabled
      // As a socket does: what waits there comes in another turn.
      if enabled { link.server.enqueue { [link] in link.read() } }
    }

    /// The client still gets what was sent.
    func close() {
      link.session = nil
      link.clients.enqueue { [link] in
        guard !link.isOver else { return }
        link.over()
        link.end.ended("the server closed it")
      }
    }
  }
}
