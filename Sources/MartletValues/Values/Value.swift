/// Anything that a document's field, an argument or an answer can hold.
///
/// There is one order over all values, the same for indexes, filters and `<` (see `Value+Order.swift`). Equality is by that order: −0 is not 0, a NaN equals
/// itself, strings are equal when their UTF-8 is (Swift's `String` also equates canonically equivalent texts), and no int64 equals a float64.
public enum Value: Sendable {
  case null
  case int64(Int64)
  /// What a bare number in JSON is, `3` as well.
  case float64(Double)
  case boolean(Bool)
  case string(String)
  case bytes([UInt8])
  case array([Value])
  case object(ObjectValue)
}

extension Value {
  /// The type's name, as errors use it: `found string`.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .int64: "int64"
    case .float64: "number"
    case .boolean: "boolean"
    case .string: "string"
    case .bytes: "bytes"
    case .array: "array"
    case .object: "object"
    }
  }

  /// The field of an object; nil for a field that it lacks, and for anything that is no object.
  public subscript(field: String) -> Value? {
    guard case .object(let object) = self else { return nil }
    return object[field]
  }

  /// The element of an array; nil beyond its ends, and for anything that is no array.
  public subscript(index: Int) -> Value? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// Reads one JSON text. Throws a `JSONError` for text that is malformed, or is no value.
  public init(json: String) throws {
    self = try json.withUTF8Bytes { bytes in
      var reader = JSONReader(bytes)
      let value = try reader.readValue()
      try reader.finish()
      return value
    }
  }

  /// The same for what is sent as an argument, which may hold expressions.
  package init(argument json: String) throws {
    self = try json.withUTF8Bytes { bytes in
      var reader = JSONReader(bytes)
      reader.allowsOperators = true
      let value = try reader.readValue()
      try reader.finish()
      return value
    }
  }

  /// The canonical text: fields in the order of their names' bytes, no white space, one spelling for each number and string. Equal values have equal texts.
  public var json: String {
    var writer = JSONWriter()
    writer.write(value: self)
    return writer.withUnsafeBytes { String(utf8Bytes: $0) }
  }
}

extension Value: CustomStringConvertible {
  public var description: String { json }
}
