import Martlet
import MartletValues
import MartletWire

/// A client without a socket: it speaks the line protocol with an engine in this process.
///
/// Like a socket it can stop taking bytes (`isWritable`), and keeps what it was given to send while the engine doesn't read.
///
/// `@unchecked Sendable` is sound: it is used on the simulation's one thread.
package final class InProcessClient: SessionTransport, @unchecked Sendable {
  /// A line of the server, taken apart.
  package struct Line: Equatable, Sendable, CustomStringConvertible {
    package var kind: ServerLine.Kind
    package var id: String
    package var timestamp: UInt64
    /// The JSON, or the text of `pong`.
    package var rest: String
    package var description: String

    /// The code of an error, else an empty string.
    package var code: String {
      guard kind == .error || kind == .failed || kind == .closing else { return "" }
      var rest = rest
      return rest.withUTF8 { (try? WireError(json: UnsafeRawBufferPointer($0)))?.code.rawValue } ?? ""
    }

    package var message: String {
      var rest = rest
      return rest.withUTF8 { (try? WireError(json: UnsafeRawBufferPointer($0)))?.message } ?? ""
    }
  }

  private let host: SimulatedHost
  private let engine: Engine
  private var session: SessionID?
  private var backlog: [UInt8] = []
  /// What came in since `take()`.
  package private(set) var lines: [Line] = []
  /// Every byte that came in.
  package private(set) var bytes: [UInt8] = []
  package private(set) var isReading = true
  package private(set) var isClosed = false
  package var onSend: ((UnsafeRawBufferPointer) -> Void)?
  private var unfinished: [UInt8] = []

  package init(engine: Engine, host: SimulatedHost) {
    self.engine = engine
    self.host = host
    session = host.enter { engine.assumeIsolated { $0.open(self) } }
  }

  // MARK: To the server

  /// Sends lines as one piece, as a socket would deliver them.
  package func send(_ lines: String...) {
    backlog += Array(lines.map { $0 + "\n" }.joined().utf8)
    deliver()
  }

  /// Sends what several clients of one server say, in pieces that arrive together.
  package static func sendTogether(_ pieces: [(client: InProcessClient, text: String)]) {
    guard let first = pieces.first?.client else { return }
    var batch = InputBatch()
    for (client, text) in pieces {
      guard let session = client.session else { continue }
      Array(text.utf8).withUnsafeBytes { batch.append($0, from: session) }
    }
    // The batch doesn't leave this call.
    nonisolated(unsafe) let input = batch
    first.host.enter { first.engine.assumeIsolated { $0.receive(input) } }
  }

  private func deliver() {
    guard let session, isReading, !backlog.isEmpty, !isClosed else { return }
    let bytes = backlog
    backlog = []
    host.enter {
      engine.assumeIsolated { engine in bytes.withUnsafeBytes { engine.receive($0, from: session) } }
    }
  }

  package var hasUnsentLines: Bool { !backlog.isEmpty }

  /// The connection breaks, or (`canStillRead`) the client closes its sending side.
  package func disconnect(canStillRead: Bool = false) {
    guard let session else { return }
    host.enter { engine.assumeIsolated { $0.disconnected(session, canStillSend: canStillRead) } }
    if !canStillRead { self.session = nil }
  }

  // MARK: From the server

  /// What was sent since it stopped taking bytes.
  package private(set) var unsentBytes = 0

  package var isWritable = true {
    didSet {
      if isWritable { unsentBytes = 0 }
      guard isWritable, !oldValue, let session else { return }
      host.enter { engine.assumeIsolated { $0.becameWritable(session) } }
    }
  }

  package func send(_ sent: UnsafeRawBufferPointer) {
    precondition(!isClosed, "nothing is sent on a closed connection")
    onSend?(sent)
    bytes += sent
    if !isWritable { unsentBytes += sent.count }
    for byte in sent {
      if byte != UInt8(ascii: "\n") {
        unfinished.append(byte)
        continue
      }
      if let line = Self.parse(unfinished) { lines.append(line) }
      unfinished.removeAll()
    }
  }

  package func setReading(_ enabled: Bool) {
    isReading = enabled
    // As a socket does: what waits there comes in another turn.
    if enabled { host.enqueue { self.deliver() } }
  }

  package func close() { isClosed = true }

  /// The lines that came since the last call.
  package func take() -> [Line] {
    defer { lines.removeAll() }
    return lines
  }

  private static func parse(_ bytes: [UInt8]) -> Line? {
    bytes.withUnsafeBytes { line in
      let text = { (range: Range<Int>) in String(decoding: line[range], as: UTF8.self) }
      switch ServerLine.parse(line) {
      case .ignored: return nil
      case .malformed: preconditionFailure("the server wrote a line that is none: \(text(0..<line.count))")
      case .line(let parsed):
        return Line(
          kind: parsed.kind, id: text(parsed.id), timestamp: parsed.timestamp, rest: text(parsed.rest),
          description: text(0..<line.count))
      }
    }
  }
}
