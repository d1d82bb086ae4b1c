import MartletWire

/// Where a client lives, and its way to a server: an event loop and its sockets, or a simulation's memory and clock.
///
/// All work of one transport runs one piece after another, on what is called its thread.
package protocol ClientTransport: Sendable {
  /// Runs `work` on the transport's thread, after what was given to it before. From any thread.
  func execute(_ work: @escaping @Sendable () -> Void)

  /// Runs `work` on the transport's thread after a time.
  func schedule(afterSeconds seconds: Double, _ work: @escaping @Sendable () -> Void)

  /// Makes a connection, whose course is told to `end`: never within this call.
  func connect(timeoutSeconds: Double, _ end: ClientConnectionEnd)

  /// Stops the program unless it is called on the transport's thread; in builds for debugging only.
  func assertIsCurrent()

  /// For session names and pauses.
  func random() -> UInt64
}

/// A connection that is open. Used on the transport's thread.
package protocol ClientConnection: AnyObject {
  /// Takes bytes of whole lines, to be sent by the next `flush`.
  func write(_ bytes: [UInt8])
  func flush()
  /// Ends the connection; `ClientConnectionEnd.ended` may or may not be told.
  func close()
}

/// A client's end of one attempt to connect, and of the connection that comes of it: cuts what arrives into lines, and hands them to the core in
/// place. What is told of an attempt that the client has abandoned goes unheard.
///
/// `@unchecked Sendable` is sound: it is used on the transport's thread.
package final class ClientConnectionEnd: @unchecked Sendable {
  private let core: ClientCore
  private let attempt: Int
  private var lines: LineSplitter

  init(core: ClientCore, attempt: Int, maximumLineBytes: Int) {
    self.core = core
    self.attempt = attempt
    lines = LineSplitter(maxLineBytes: maximumLineBytes)
  }

  package func opened(_ connection: any ClientConnection) { core.connected(connection, attempt) }

  package func received(_ bytes: UnsafeRawBufferPointer) {
    let outcome = lines.feed(bytes) { core.received($0, attempt) }
    if outcome == .lineTooLong { core.receivedTooLongLine(attempt) }
  }

  /// No more will arrive in this turn: what the client has to say is sent.
  package func receivedAll() { core.receivedAll() }

  /// The connection is gone, or couldn't be made.
  package func ended(_ reason: String) { core.ended(attempt, reason) }
}
