package import MartletValues

/// Reads a document's JSON, in one of the dialects that files have.
///
/// JSON has one kind of number, and the database has two. What a number is, is told in this order: by the schema, where only one of the two fits
/// there; else by the dialect.
package enum JSONDialect: Sendable {
  /// As everywhere in Martlet: a bare number is a float64, `{"$integer":…}` an int64.
  case martlet
  /// As Convex's export has it (`"uniform"` in `generated_schema.jsonl`): a number without `.` and exponent is an int64, another is a float64.
  case uniform
  /// As exports from before that have it: an int64 is a string of digits, bytes a string of base64, NaN a string. The schema alone tells.
  case schemaDriven
}

package enum DocumentText {
  /// Reads one object, and nothing after it.
  /// - Throws: `JSONError`, with the place in these bytes.
  package static func readDocument(_ bytes: UnsafeRawBufferPointer, _ hint: TypeHint, _ dialect: JSONDialect) throws -> ObjectValue {
    var reader = JSONReader(bytes)
    guard try reader.peek() == .object, !reader.isSpecialForm else {
      if try reader.peek() == .object, try reader.nextKindName() == "object" {
        throw JSONError(offset: reader.position, message: "a field's name can't begin with $")
      }
      throw JSONError(offset: reader.position, message: "a document is a JSON object, and this is \(try name(&reader))")
    }
    let document = try readObject(&reader, hint, dialect)
    try reader.finish()
    return document
  }

  private static func name(_ reader: inout JSONReader) throws -> String {
    let kind = try reader.nextKindName()
    return kind == "null" || kind == "bytes" ? kind : ("aeiou".contains(kind.first!) ? "an " : "a ") + kind
  }

  package static func read(_ reader: inout JSONReader, _ hint: TypeHint, _ dialect: JSONDialect) throws -> Value {
    switch try reader.peek() {
    case .number: return try number(&reader, hint, dialect)
    case .string:
      let start = reader.position
      let text = try reader.readString()
      guard dialect == .schemaDriven else { return .string(text) }
      return try value(ofString: text, hint, at: start)
    case .array:
      var elements: [Value] = []
      try reader.readArray { reader throws in elements.append(try read(&reader, hint.elements, dialect)) }
      return .array(elements)
    case .object where !reader.isSpecialForm: return .object(try readObject(&reader, hint, dialect))
    default: return try reader.readValue()
    }
  }

  private static func readObject(_ reader: inout JSONReader, _ hint: TypeHint, _ dialect: JSONDialect) throws -> ObjectValue {
    let start = reader.position
    var members: [ObjectValue.Element] = []
    try reader.readObject { reader, key throws in
      try reader.checkFieldName(key)
      let name = String(utf8Bytes: key)
      members.append((name, try read(&reader, hint[name], dialect)))
    }
    guard let object = ObjectValue(distinct: members) else { throw JSONError(offset: start, message: "a field stands twice in the object") }
    return object
  }

  private static func number(_ reader: inout JSONReader, _ hint: TypeHint, _ dialect: JSONDialect) throws -> Value {
    let wantsInteger =
      switch (hint.kinds.contains(.int64), hint.kinds.contains(.float64)) {
      case (true, false): true
      case (false, true): false
      default: dialect == .uniform
      }
    guard wantsInteger else { return .float64(try reader.readDouble()) }
    let token = String(utf8Bytes: reader.bytes(in: try reader.skipValue()))
    if token != "-0", let integer = Int64(token) { return .int64(integer) }
    return try token.withUTF8Bytes {
      var reader = JSONReader($0)
      return .float64(try reader.readDouble())
    }
  }

  private static func value(ofString text: String, _ hint: TypeHint, at offset: Int) throws -> Value {
    let kinds = hint.kinds.subtracting(.null)
    if kinds == .int64 {
      guard let integer = Int64(text) else { throw JSONError(offset: offset, message: "an int64 is written as a string of digits") }
      return .int64(integer)
    }
    if kinds == .bytes {
      guard let value = try? Value(json: #"{"$bytes":"\#(text)"}"#) else { throw JSONError(offset: offset, message: "bytes are written as base64") }
      return value
    }
    if kinds == .float64, let number = SpecialNumbers.number(text) { return .float64(number) }
    return .string(text)
  }
}

/// The numbers that JSON can't spell, as words.
enum SpecialNumbers {
  static func number(_ word: String) -> Double? {
    switch word {
    case "NaN": .nan
    case "Infinity": .infinity
    case "-Infinity": -.infinity
    default: nil
    }
  }

  /// Nil for numbers that JSON can spell, and for a NaN that the word wouldn't give back.
  static func word(_ number: Double) -> String? {
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    return number.isNaN && number.bitPattern == Double.nan.bitPattern ? "NaN" : nil
  }
}
