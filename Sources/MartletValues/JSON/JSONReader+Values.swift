/// The three values that JSON cannot spell, and that stand as an object with one field: `{"$integer":"BQAAAAAAAAA="}`.
enum SpecialForm {
  case integer, float, bytes

  init?(_ key: UnsafeRawBufferPointer) {
    if key.equals("$integer") { self = .integer } else if key.equals("$float") { self = .float } else if key.equals("$bytes") { self = .bytes } else { return nil }
  }
}

extension JSONReader {
  /// Reads a value as a tree. Beyond what `skipValue` checks, names of fields must be 1 to 1,024 characters of printable ASCII, not begin with `$` and stand once, and
  /// an object whose first name begins with `$` must be one of the special forms, written canonically.
  public mutating func readValue() throws -> Value {
    switch try peek() {
    case .null:
      try readNull()
      return .null
    case .boolean: return .boolean(try readBoolean())
    case .number: return .float64(try readNumber())
    case .string: return .string(try readString())
    case .array:
      var elements: [Value] = []
      try readArray { reader throws in elements.append(try reader.readValue()) }
      return .array(elements)
    case .object:
      if isSpecialForm, try !allowsOperators || nextKindName() != "object" { return try readSpecialForm() }
      return .object(try readObjectValue())
    }
  }

  private mutating func readObjectValue() throws -> ObjectValue {
    let start = cursor
    var fields: [ObjectValue.Element] = []
    try readObject { reader, key throws in
      try reader.checkFieldName(key)
      let name = String(utf8Bytes: key)
      fields.append((name, try reader.readValue()))
    }
    guard let object = ObjectValue(distinct: fields) else { throw failure(start, "a field stands twice in the object") }
    return object
  }

  /// What a field may be called, on the wire and in a document.
  package func checkFieldName(_ key: UnsafeRawBufferPointer) throws(JSONError) {
    guard key.count > 0 else { throw failure(cursor, "empty field name") }
    guard key.count <= 1024 else { throw failure(cursor, "field name of more than 1024 characters") }
    guard key[0] != UInt8(ascii: "$") || allowsOperators else { throw failure(cursor, "field name that begins with $") }
    for character in key where character < 0x20 || character > 0x7E {
      throw failure(cursor, "field name with a character that is not printable ASCII")
    }
  }

  /// Whether the next value, which begins with `{`, is an object whose first name begins with `$`.
  package var isSpecialForm: Bool {
    // Near the end of a malformed text skipSpace throws; the reading that follows reports it.
    guard let name = try? skipSpace(cursor &+ 1), byte(name) == UInt8(ascii: "\""), name + 1 < end else { return false }
    return byte(name + 1) == UInt8(ascii: "$")
  }

  private mutating func readSpecialForm() throws(JSONError) -> Value {
    let start = cursor
    cursor &+= 1
    guard let key = try readUnescapedString(), let form = SpecialForm(key) else { throw failure(start, "unknown form of value, a name that begins with $") }
    try readColon()
    let value: Value
    if let text = try readUnescapedString() {
      value = try specialValue(form, text, start)
    } else {
      // Some encoders write the slash of base64 as `\/`.
      let text = try readString()
      let decoded = text.withUTF8Bytes { bytes in Swift.Result { () throws(JSONError) in try specialValue(form, bytes, start) } }
      value = try decoded.get()
    }
    guard try nextByte() == UInt8(ascii: "}") else { throw unexpected(cursor, "}") }
    cursor &+= 1
    return value
  }

  private func specialValue(_ form: SpecialForm, _ text: UnsafeRawBufferPointer, _ start: Int) throws(JSONError) -> Value {
    switch form {
    case .integer:
      guard let word = Base64.decodeWord(text) else { throw failure(start, "$integer that is not 8 bytes in base64") }
      return .int64(Int64(bitPattern: word))
    case .float:
      guard let word = Base64.decodeWord(text) else { throw failure(start, "$float that is not 8 bytes in base64") }
      let number = Double(bitPattern: word)
      guard !number.isFinite || (number == 0 && number.sign == .minus) else { throw failure(start, "$float of a number that JSON can spell") }
      return .float64(number)
    case .bytes:
      guard let bytes = Base64.decode(text) else { throw failure(start, "$bytes that is not base64") }
      return .bytes(bytes)
    }
  }

  @usableFromInline
  mutating func readSpecialDouble() throws(JSONError) -> Double {
    let start = cursor
    guard isSpecialForm else { throw unexpected(start, "a number") }
    guard case .float64(let number) = try readSpecialForm() else { throw failure(start, "not a number") }
    return number
  }

  /// Reads an int64: `{"$integer": …}`. A bare number is a float64, and is refused.
  public mutating func readInt64() throws(JSONError) -> Int64 {
    guard try nextByte() == UInt8(ascii: "{"), isSpecialForm else { throw unexpected(cursor, "an int64 as {\"$integer\":…}") }
    let start = cursor
    guard case .int64(let integer) = try readSpecialForm() else { throw failure(start, "not an int64") }
    return integer
  }

  /// Reads bytes: `{"$bytes": …}`.
  public mutating func readBytes() throws(JSONError) -> [UInt8] {
    guard try nextByte() == UInt8(ascii: "{"), isSpecialForm else { throw unexpected(cursor, "bytes as {\"$bytes\":…}") }
    let start = cursor
    guard case .bytes(let bytes) = try readSpecialForm() else { throw failure(start, "not bytes") }
    return bytes
  }

  /// The name of the next value's type, as errors use it. Tells the special forms apart; does not look at more than the first characters.
  package mutating func nextKindName() throws(JSONError) -> String {
    switch try peek() {
    case .null: return "null"
    case .boolean: return "boolean"
    case .number: return "number"
    case .string: return "string"
    case .array: return "array"
    case .object:
      guard isSpecialForm else { return "object" }
      var bookmark = self
      bookmark.cursor &+= 1
      guard let key = try? bookmark.readUnescapedString(), let form = SpecialForm(key) else { return "object" }
      switch form {
      case .integer: return "int64"
      case .float: return "number"
      case .bytes: return "bytes"
      }
    }
  }
}
