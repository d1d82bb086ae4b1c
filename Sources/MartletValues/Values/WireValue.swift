/// A type that crosses the wire: it reads itself from JSON and writes itself as JSON, canonically.
public protocol WireValue: Sendable {
  /// Reads exactly one value. Throws `JSONError`, or `ValidationError` with the path to what is wrong.
  static func decode(from reader: inout JSONReader) throws -> Self
  func encode(to writer: inout JSONWriter)
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
}
