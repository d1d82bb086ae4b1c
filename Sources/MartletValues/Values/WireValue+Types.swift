extension Value: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> Value { try reader.readValue() }
  public func encode(to writer: inout JSONWriter) { writer.write(value: self) }
}

extension Bool: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> Bool {
    try reader.expect("boolean")
    return try reader.readBoolean()
  }

  public func encode(to writer: inout JSONWriter) { writer.write(boolean: self) }
  public static var shape: ValidatorShape { .boolean }
}

extension Double: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> Double {
    if try reader.isAtPlainNumber() { return try reader.readNumber() }
    try reader.expect("number")
    return try reader.readDouble()
  }

  public func encode(to writer: inout JSONWriter) { writer.write(double: self) }
  public static var shape: ValidatorShape { .float64 }
}

/// A float64 that is integral and within ±2^53, as `.wholeNumber` has it.
extension Int: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> Int { try reader.readWholeNumber() }
  public func encode(to writer: inout JSONWriter) { writer.write(wholeNumber: self) }
  public static var shape: ValidatorShape { .wholeNumber }
}

extension Int64: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> Int64 {
    try reader.expect("int64")
    return try reader.readInt64()
  }

  public func encode(to writer: inout JSONWriter) { writer.write(int64: self) }
  public static var shape: ValidatorShape { .int64 }
}

extension String: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> String {
    try reader.expect("string")
    return try reader.readString()
  }

  public func encode(to writer: inout JSONWriter) { writer.write(string: self) }
  public static var shape: ValidatorShape { .string }
}

extension DocumentID: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> DocumentID {
    if let id = reader.readUsualID() { return id }
    try reader.expect("string")
    let id: DocumentID?
    if let text = try reader.readUnescapedString() { id = DocumentID(utf8: text) } else { id = DocumentID(try reader.readString()) }
    guard let id else { throw ValidationError(expected: "document id", found: "string that is none") }
    return id
  }

  public func encode(to writer: inout JSONWriter) { writer.write(id: self) }
  public static var shape: ValidatorShape { .string }
}

extension Array: WireValue where Element: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> [Element] {
    try reader.expect("array")
    var elements: [Element] = []
    try reader.readArray { reader throws in
      do { elements.append(try Element.decode(from: &reader)) } catch { throw ValidationError.prefixing(error, .index(elements.count)) }
    }
    return elements
  }

  public func encode(to writer: inout JSONWriter) {
    writer.write(byte: UInt8(ascii: "["))
    for index in indices {
      if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
      self[index].encode(to: &writer)
    }
    writer.write(byte: UInt8(ascii: "]"))
  }

  public static var shape: ValidatorShape { .array(Element.shape) }
}

extension Optional: WireValue where Wrapped: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> Wrapped? {
    guard try reader.peek() == .null else { return try Wrapped.decode(from: &reader) }
    try reader.readNull()
    return nil
  }

  public func encode(to writer: inout JSONWriter) {
    if let self { self.encode(to: &writer) } else { writer.writeNull() }
  }

  public static var shape: ValidatorShape { Wrapped.shape.orNull }
}

extension Dictionary: WireValue where Key == String, Value: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> [String: Value] {
    try reader.expect("object")
    var dictionary: [String: Value] = [:]
    try reader.readObject { reader, key throws in
      try reader.checkFieldName(key)
      let name = String(utf8Bytes: key)
      do {
        guard dictionary.updateValue(try Value.decode(from: &reader), forKey: name) == nil else { throw ValidationError(expected: "each field once", found: "a second one") }
      } catch { throw ValidationError.prefixing(error, .field(name)) }
    }
    return dictionary
  }

  public func encode(to writer: inout JSONWriter) {
    writer.write(byte: UInt8(ascii: "{"))
    var isFirst = true
    for (key, value) in sorted(by: { MartletValues.Value.order(utf8: $0.key, $1.key) < 0 }) {
      if !isFirst { writer.write(byte: UInt8(ascii: ",")) }
      isFirst = false
      writer.write(key: key)
      value.encode(to: &writer)
    }
    writer.write(byte: UInt8(ascii: "}"))
  }

  public static var shape: ValidatorShape { .record(Value.shape) }
}
