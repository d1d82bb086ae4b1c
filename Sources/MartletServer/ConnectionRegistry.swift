import NIOCore

/// The open connections of an event loop. Used on that loop alone, which every method asserts; `@unchecked Sendable` is
/// sound for that reason.
final class ConnectionRegistry: @unchecked Sendable {
  private let eventLoop: any EventLoop
  private var handlers: [ObjectIdentifier: ConnectionHandler] = [:]
  private var whenEmpty: EventLoopPromise<Void>?
  private var lingering = 0

  init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func add(_ handler: ConnectionHandler) {
    eventLoop.assertInEventLoop()
    handlers[ObjectIdentifier(handler)] = handler
  }

  private static let mostLingering = 64

  /// Whether one more refused connection may stay for a moment, so that its client reads why. Each takes a socket that the limit doesn't count.
  func beginLingering() -> Bool {
    eventLoop.assertInEventLoop()
    guard lingering < Self.mostLingering else { return false }
    lingering += 1
    return true
  }

  func endLingering() {
    eventLoop.assertInEventLoop()
    lingering -= 1
  }

  func remove(_ handler: ConnectionHandler) {
    eventLoop.assertInEventLoop()
    handlers[ObjectIdentifier(handler)] = nil
    if handlers.isEmpty { whenEmpty?.succeed() }
  }

  /// Ends every connection. The future succeeds when the last one is closed.
  func shutDown() -> EventLoopFuture<Void> {
    eventLoop.assertInEventLoop()
    let promise = eventLoop.makePromise(of: Void.self)
    whenEmpty = promise
    for handler in Array(handlers.values) { handler.shutDown() }
    if handlers.isEmpty { promise.succeed() }
    return promise.futureResult
  }

  /// Cuts what is still open.
  func cut() {
    eventLoop.assertInEventLoop()
    for handler in Array(handlers.values) { handler.cut() }
  }
}
