package import MartletValues

/// What a CSV cell means, and how a value is written as one: the two are each other's inverse, for one and the same schema.
///
/// | the schema's type | the cell |
/// |---|---|
/// | string, an id, literals that are strings | the text as it stands: `00501` stays one |
/// | number | a JSON number, `NaN`, `Infinity`, `-Infinity` |
/// | int64 | decimal digits |
/// | boolean | `true` or `false`, in any case |
/// | bytes | base64 |
/// | array, object, record | JSON |
/// | several of these, any value, a field that isn't declared | inferred: see `inferred` |
///
/// Nothing between two commas is no value: the field is left out where it may be, else it is null where that is allowed, or an empty string where
/// only a string is. `null` without quotes is null, where null is allowed.
package enum CSVCells {
  package struct Unfit: Error {
    package let message: String
  }

  /// Nil for a field that the document lacks.
  package static func value(_ text: String, isQuoted: Bool, _ hint: TypeHint) throws(Unfit) -> Value? {
    let kinds = hint.kinds.subtracting(.null)
    if text.isEmpty, !isQuoted {
      if hint.isOptional || hint.kinds == .all { return nil }
      if kinds == .string, !hint.kinds.contains(.null) { return .string("") }
      if hint.kinds.contains(.null) { return .some(.null) }
      throw Unfit(message: "expected \(hint.kinds.inWords), found an empty cell")
    }
    if text == "null", !isQuoted, hint.kinds.contains(.null) { return .some(.null) }
    switch kinds {
    case .string: return .string(text)
    case .float64:
      if let number = number(text) ?? SpecialNumbers.number(text) { return .float64(number) }
      if case .float64(let number)? = json(text, hint) { return .float64(number) }
    case .int64: if let integer = Int64(text) { return .int64(integer) }
    case .boolean:
      switch text.lowercased() {
      case "true": return .boolean(true)
      case "false": return .boolean(false)
      default: break
      }
    case .bytes: if let value = try? Value(json: #"{"$bytes":\#(Value.string(text).json)}"#) { return value }
    case .array, .object: if let value = json(text, hint) { return value }
    default:
      if let value = inferred(text, isQuoted: isQuoted, hint) { return value }
    }
    throw Unfit(message: "expected \(hint.kinds.inWords), found text that is none")
  }

  /// Where several kinds would do. Without quotes `true`, `false` and JSON numbers are what they say; but whole numbers beyond ±2^53, which a float64
  /// would change, and numbers with leading zeros stay text. JSON arrays and objects are what they say, with quotes or without. Another cell is a string.
  private static func inferred(_ text: String, isQuoted: Bool, _ hint: TypeHint) -> Value? {
    let kinds = hint.kinds
    if let first = text.utf8.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == UInt8(ascii: "\"") {
      if let value = json(text, hint) {
        guard case .string(let inner) = value else { return value }
        // Only what would have been taken for JSON is written as a JSON string: other text in quotes is meant with them.
        if looksLikeJSON(inner) { return value }
      }
    }
    if isQuoted, kinds.contains(.string) { return .string(text) }
    if kinds.contains(.boolean), text == "true" || text == "false" { return .boolean(text == "true") }
    if kinds.contains(.float64), let number = number(text), !isInexact(text, number) { return .float64(number) }
    if kinds.contains(.int64), !kinds.contains(.float64), let integer = Int64(text) { return .int64(integer) }
    return kinds.contains(.string) ? .string(text) : nil
  }

  /// Whether the text is JSON of its own: an array, an object, or such a text as a string.
  private static func looksLikeJSON(_ text: String) -> Bool {
    guard let first = text.utf8.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == UInt8(ascii: "\""),
      let value = json(text, .any)
    else { return false }
    if case .string(let inner) = value { return looksLikeJSON(inner) }
    return true
  }

  private static func isInexact(_ text: String, _ number: Double) -> Bool {
    // 2^53 + 1 is read as 2^53: the digits decide.
    number.magnitude >= 0x1p53 && text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }
      && Int64(text)?.magnitude != 1 << 53
  }

  private static func json(_ text: String, _ hint: TypeHint) -> Value? {
    text.withUTF8Bytes { bytes in
      var reader = JSONReader(bytes)
      guard let value = try? DocumentText.read(&reader, hint, .martlet), (try? reader.finish()) != nil else { return nil }
      return value
    }
  }

  private static func number(_ text: String) -> Double? {
    guard let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else { return nil }
    return text.withUTF8Bytes { bytes in
      var reader = JSONReader(bytes)
      guard let number = try? reader.readDouble(), reader.position == bytes.count else { return nil }
      return number
    }
  }

  // MARK: Writing

  /// - Parameter value: nil for a field that the document lacks.
  package static func write(_ value: Value?, _ hint: TypeHint, to writer: inout JSONWriter) {
    guard let value else { return }
    let isSingle = hint.kinds.subtracting(.null).rawValue.nonzeroBitCount == 1
    switch value {
    case .null: writer.write(raw: "null")
    case .boolean(let boolean): writer.write(boolean: boolean)
    case .string(let text):
      if isSingle {
        put(text, isQuoted: text.isEmpty || text == "null", to: &writer)
      } else {
        let isProtected = looksLikeJSON(text)
        put(isProtected ? value.json : text, isQuoted: isProtected || needsQuotes(text), to: &writer)
      }
    case .float64(let number):
      if number == 0, number.sign == .minus { return writer.write(raw: "-0") }
      if number.isFinite { return writer.write(double: number) }
      if isSingle, let word = SpecialNumbers.word(number) { return put(word, isQuoted: false, to: &writer) }
      put(value.json, isQuoted: true, to: &writer)
    case .int64(let integer):
      if hint.kinds.contains(.int64), !hint.kinds.contains(.float64) { return writer.write(decimal: integer) }
      put(value.json, isQuoted: true, to: &writer)
    case .bytes(let bytes):
      guard isSingle else { return put(value.json, isQuoted: true, to: &writer) }
      // The text between the quotes of {"$bytes":"…"}.
      put(String(value.json.dropFirst(11).dropLast(2)), isQuoted: bytes.isEmpty, to: &writer)
    case .array, .object: put(value.json, isQuoted: true, to: &writer)
    }
  }

  /// Whether text that is a string would be taken for something else without quotes, or for nothing.
  private static func needsQuotes(_ text: String) -> Bool {
    guard let first = text.utf8.first else { return true }
    return first == UInt8(ascii: "-") || (0x30...0x39).contains(first) || text == "true" || text == "false" || text == "null"
  }

  package static func put(_ text: String, isQuoted: Bool, to writer: inout JSONWriter) {
    text.withUTF8Bytes { bytes in
      let mustQuote =
        isQuoted
        || bytes.contains {
          $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
        }
      guard mustQuote else { return writer.write(raw: bytes) }
      writer.write(byte: UInt8(ascii: "\""))
      for byte in bytes {
        if byte == UInt8(ascii: "\"") { writer.write(byte: byte) }
        writer.write(byte: byte)
      }
      writer.write(byte: UInt8(ascii: "\""))
    }
  }
}
