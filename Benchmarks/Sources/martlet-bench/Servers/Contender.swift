/// A server that takes part in a comparison.
protocol Contender: AnyObject {
  var process: ServerProcess { get }
}

extension Contender {
  /// Runs something against this server while every other one stands still.
  func whileOthersPause<T>(_ others: [any Contender], _ body: () throws -> T) throws -> T {
    for other in others where other !== self { other.process.pause() }
    defer { for other in others where other !== self { other.process.resume() } }
    let value = try body()
    try process.check()
    return value
  }
}
