/// A type that crosses the wire: it reads itself from JSON and writes itself as JSON, canonically.
public protocol WireValue: Sendable {
  /// Reads exactly one value. Throws `JSONError`, or `ValidationError` with the path to what is wrong.
  static func decode(from reader: inout JSONReader) throws -> Self
  func encode(to writer: inout JSONWriter)
  /// What all values of the type are on the wire, for who asks what a function answers; `any` unless the type says more. It is not asked for while
  /// values are read and written.
  static var shape: ValidatorShape { get }
}

extension WireValue {
  public static var shape: ValidatorShape { .any }
}

/// A type that crosses the wire as its validator has it: what an app's own struct conforms to, so that it can be an answer.
///
/// ```swift
/// struct Total: ValidatedValue {
///   var amount: Double
///   static let validator = Validator<Total>.object(Property("amount", \Total.amount, .double)) { Total(amount: $0) }
/// }
/// ```
public protocol ValidatedValue: WireValue {
  static var validator: Validator<Self> { get }
}

extension ValidatedValue {
  public static func decode(from reader: inout JSONReader) throws -> Self { try validator.decode(&reader) }
  public func encode(to writer: inout JSONWriter) { Self.validator.encode(self, &writer) }
  public static var shape: ValidatorShape { validator.shape }
}

/// The answer of a function that returns nothing.
public struct Null: WireValue, Hashable {
  public init() {}

  public static func decode(from reader: inout JSONReader) throws -> Null {
    try reader.expect("null")
    try reader.readNull()
    return Null()
  }

  public func encode(to writer: inout JSONWriter) { writer.writeNull() }
  public static var shape: ValidatorShape { .null }
}

/// Bytes as a value of the wire. (`[UInt8]` would be an array of numbers.)
public struct Bytes: WireValue, Hashable, ExpressibleByArrayLiteral {
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public init(arrayLiteral elements: UInt8...) { bytes = elements }

  public static func decode(from reader: inout JSONReader) throws -> Bytes {
    try reader.expect("bytes")
    return Bytes(try reader.readBytes())
  }

  public func encode(to writer: inout JSONWriter) { writer.write(bytes: bytes) }
  public static var shape: ValidatorShape { .bytes }
}
