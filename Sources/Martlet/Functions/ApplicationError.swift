/// An error that a function means for its caller: it arrives there as `application`, with this message and these data.
///
/// Anything else that a function throws arrives as `function_failed`, and its details stay in the server's log.
public struct ApplicationError: Error, Sendable, CustomStringConvertible {
  public var message: String
  public var data: Value?

  public init(_ message: String, data: Value? = nil) {
    self.message = message
    self.data = data
  }

  public var description: String { message }
}
