/// An argument of a function: its name on the wire and what it may be.
public struct Arg<Value: Sendable>: Sendable {
  public let name: String
  public let validator: Validator<Value>

  @inlinable
  public init(_ name: String, _ validator: Validator<Value>) {
    self.name = name
    self.validator = validator
  }
}
