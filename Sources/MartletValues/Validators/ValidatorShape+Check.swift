extension ValidatorShape {
  /// Reads one value, and throws a `ValidationError` unless it has this shape, or a `JSONError` if it is malformed. Scalars, arrays and objects are checked where they stand in the
  /// text; only what `any`, a record or a literal covers may be built, to look at it.
  ///
  /// An id must be a well-formed one. Where `tableNumber` is given, it must also be of the table with that name; a table that has no number has no ids.
  public func check(_ reader: inout JSONReader, tableNumber: ((String) -> UInt32?)? = nil) throws {
    try check(&reader, tableNumber: tableNumber, nullIsAbsent: false)
  }

  /// `nullIsAbsent`: whether a null may stand for a member that may be absent, as it may in what a client sends, and may not in a document.
  package func check(_ reader: inout JSONReader, tableNumber: ((String) -> UInt32?)?, nullIsAbsent: Bool) throws {
    switch self {
    case .any: try ValidatorShape.checkAny(&reader)
    case .null:
      try reader.expect("null")
      try reader.readNull()
    case .boolean:
      try reader.expect("boolean")
      _ = try reader.readBoolean()
    case .int64:
      try reader.expect("int64")
      _ = try reader.readInt64()
    case .float64:
      try reader.expect("number")
      _ = try reader.readDouble()
    case .wholeNumber: _ = try reader.readWholeNumber()
    case .string:
      try reader.expect("string")
      _ = try reader.skipValue()
    case .bytes:
      try reader.expect("bytes")
      _ = try reader.readBytes()
    case .id(let table): try ValidatorShape.checkID(&reader, table, tableNumber)
    case .literal(let value):
      var bookmark = reader
      let found = try reader.readValue()
      guard found == value else {
        if found.kindName == value.kindName { throw ValidationError(expected: value.json, found: "another \(found.kindName)") }
        throw bookmark.mismatch(expected: value.json)
      }
    case .enumeration(let names): _ = try reader.readName(of: names)
    case .array(let element):
      try reader.expect("array")
      var index = 0
      try reader.readArray { reader throws in
        do { try element.check(&reader, tableNumber: tableNumber, nullIsAbsent: nullIsAbsent) } catch { throw ValidationError.prefixing(error, .index(index)) }
        index += 1
      }
    case .object(let members): try ValidatorShape.checkObject(&reader, members, tableNumber, nullIsAbsent)
    case .record(let value): try ValidatorShape.checkRecord(&reader, value, tableNumber, nullIsAbsent)
    case .union(let shapes): try ValidatorShape.checkUnion(&reader, shapes, tableNumber, nullIsAbsent)
    case .optional(let shape):
      if try reader.peek() == .null { try reader.readNull() } else { try shape.check(&reader, tableNumber: tableNumber, nullIsAbsent: nullIsAbsent) }
    }
  }

  private static func checkAny(_ reader: inout JSONReader) throws {
    switch try reader.peek() {
    case .array: try reader.readArray { reader throws in try checkAny(&reader) }
    case .object: _ = try reader.readValue()  // names must be legal, and stand once
    default: _ = try reader.skipValue()
    }
  }

  private static func checkID(_ reader: inout JSONReader, _ table: String, _ tableNumber: ((String) -> UInt32?)?) throws {
    do {
      let id = try DocumentID.decode(from: &reader)
      guard let tableNumber, tableNumber(table) != id.tableNumber else { return }
      throw ValidationError(expected: "id of \(table)", found: "id of another table")
    } catch var error as ValidationError {
      error.expected = "id of \(table)"
      throw error
    }
  }

  private static func checkObject(
    _ reader: inout JSONReader, _ members: [Member], _ tableNumber: ((String) -> UInt32?)?, _ nullIsAbsent: Bool
  ) throws {
    try reader.expect("object")
    var seen = MemberSet(count: members.count)
    var next = 0
    try reader.readObject { reader, key throws in
      // Members mostly come in the declared order or the sorted one; the search begins after the last one found.
      guard let index = find(key, members, from: next) else { throw unknownField(key, &reader) }
      next = index + 1
      let member = members[index]
      do {
        guard seen.insert(index) else { throw ValidationError(expected: "each field once", found: "a second one") }
        if nullIsAbsent, member.optional, try reader.peek() == .null { return try reader.readNull() }
        try member.shape.check(&reader, tableNumber: tableNumber, nullIsAbsent: nullIsAbsent)
      } catch { throw ValidationError.prefixing(error, .field(member.name)) }
    }
    guard !seen.isFull else { return }
    for (index, member) in members.enumerated() where !member.optional && !seen.contains(index) {
      throw ValidationError(path: [.field(member.name)], expected: member.shape.description, found: "nothing")
    }
  }

  private static func find(_ key: UnsafeRawBufferPointer, _ members: [Member], from start: Int) -> Int? {
    var index = start
    for _ in 0..<members.count {
      if index >= members.count { index = 0 }
      if key.equals(members[index].name) { return index }
      index += 1
    }
    return nil
  }

  static let noSuchField = "no such field"

  /// The error for a member that was not declared. `reader` stands before its value.
  static func unknownField(_ key: UnsafeRawBufferPointer, _ reader: inout JSONReader) -> any Error {
    ValidationError.prefixing(reader.mismatch(expected: noSuchField), .field(String(utf8Bytes: key)))
  }

  private static func checkRecord(
    _ reader: inout JSONReader, _ value: ValidatorShape, _ tableNumber: ((String) -> UInt32?)?, _ nullIsAbsent: Bool
  ) throws {
    try reader.expect("object")
    var names: Set<String> = []
    try reader.readObject { reader, key throws in
      try reader.checkFieldName(key)
      let name = String(utf8Bytes: key)
      do {
        guard names.insert(name).inserted else { throw ValidationError(expected: "each field once", found: "a second one") }
        try value.check(&reader, tableNumber: tableNumber, nullIsAbsent: nullIsAbsent)
      } catch { throw ValidationError.prefixing(error, .field(name)) }
    }
  }
}

/// Which members of an object were seen. Objects of up to 64 members need no memory for it.
struct MemberSet {
  private var word: UInt64 = 0
  private var more: [Bool]
  private var missing: Int

  init(count: Int) {
    missing = count
    more = count > 64 ? Array(repeating: false, count: count - 64) : []
  }

  var isFull: Bool { missing == 0 }

  func contains(_ index: Int) -> Bool { index < 64 ? word >> UInt64(index) & 1 == 1 : more[index - 64] }

  /// False where it was in already.
  mutating func insert(_ index: Int) -> Bool {
    guard !contains(index) else { return false }
    if index < 64 { word |= 1 << UInt64(index) } else { more[index - 64] = true }
    missing -= 1
    return true
  }
}

extension JSONReader {
  package mutating func readWholeNumber() throws -> Int {
    try expect("number")
    let number = try readDouble()
    guard number.magnitude <= 0x1p53, number.rounded() == number else { throw Self.notWhole(number) }
    return Int(number)
  }

  @inline(never)
  private static func notWhole(_ number: Double) -> ValidationError {
    if number.rounded() == number { return ValidationError(expected: "whole number within ±2^53", found: "\(number)") }
    return ValidationError(expected: "whole number", found: "\(number)")
  }

  /// Reads a string that is one of `names`, and answers which.
  mutating func readName(of names: [String]) throws -> Int {
    guard try peek() == .string else { throw mismatch(expected: ValidatorShape.enumeration(names).description) }
    let index: Int?
    if let text = try readUnescapedString() {
      index = names.firstIndex { text.equals($0) }
    } else {
      let text = try readString()
      index = names.firstIndex { Value.order(utf8: $0, text) == 0 }
    }
    guard let index else { throw ValidationError(expected: ValidatorShape.enumeration(names).description, found: "another string") }
    return index
  }
}
