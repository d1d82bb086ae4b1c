import Glibc

extension JSONReader {
  @inlinable
  mutating func open(_ bracket: UInt8, _ expected: String) throws(JSONError) {
    guard try nextByte() == bracket else { throw unexpected(cursor, expected) }
    guard depth < maximumDepth else { throw tooDeep(cursor) }
    depth &+= 1
    cursor &+= 1
  }

  /// Reads an array, calling `element` with the reader in front of each element; it must read exactly that element.
  @inlinable
  public mutating func readArray(_ element: (inout JSONReader) throws -> Void) throws {
    guard try enterArray() else { return }
    repeat { try element(&self) } while try hasNextElement()
  }

  /// Enters an array. Answers whether there is an element; if not, the array has been read whole.
  @inlinable
  public mutating func enterArray() throws(JSONError) -> Bool {
    try open(UInt8(ascii: "["), "[")
    guard try nextByte() == UInt8(ascii: "]") else { return true }
    cursor &+= 1
    depth &-= 1
    return false
  }

  /// After an element of an entered array: passes the comma and answers true, or passes the closing bracket and answers false.
  @inlinable
  public mutating func hasNextElement() throws(JSONError) -> Bool {
    let next = try nextByte()
    cursor &+= 1
    if next == UInt8(ascii: ",") { return true }
    guard next == UInt8(ascii: "]") else { throw unexpected(cursor &- 1, ", or ]") }
    depth &-= 1
    return false
  }

  /// Reads an object, calling `member` with the reader in front of each member's value; it must read exactly that value. `key` is the member's name without
  /// escapes, and is valid only during the call. Names are neither checked for duplicates nor for what a database's field may be called.
  @inlinable
  public mutating func readObject(_ member: (inout JSONReader, _ key: UnsafeRawBufferPointer) throws -> Void) throws {
    try open(UInt8(ascii: "{"), "{")
    if try nextByte() == UInt8(ascii: "}") {
      cursor &+= 1
      depth &-= 1
      return
    }
    while true {
      guard try nextByte() == UInt8(ascii: "\"") else { throw unexpected(cursor, "a field name in quotes") }
      let start = cursor &+ 1
      let scanned = try scanString(start)
      if scanned >= 0 {
        cursor = scanned &+ 1
        try readColon()
        try member(&self, UnsafeRawBufferPointer(start: base + start, count: scanned &- start))
      } else {
        let close = ~scanned
        let name = unescaped(start..<close)
        cursor = close &+ 1
        try readColon()
        try name.withUnsafeBytes { try member(&self, $0) }
      }
      let next = try nextByte()
      cursor &+= 1
      if next == UInt8(ascii: ",") { continue }
      guard next == UInt8(ascii: "}") else { throw unexpected(cursor &- 1, ", or }") }
      depth &-= 1
      return
    }
  }

  /// Enters an object whose members are passed one by one. Answers whether there is a member; if not, the object has been read whole.
  package mutating func enterObject() throws(JSONError) -> Bool {
    try open(UInt8(ascii: "{"), "{")
    guard try nextByte() == UInt8(ascii: "}") else { return true }
    cursor &+= 1
    depth &-= 1
    return false
  }

  /// Passes the next member's name and its colon, where the name is written as `name` is, which must need no escapes; else nothing is consumed.
  package mutating func passName(_ name: UnsafeRawBufferPointer) throws(JSONError) -> Bool {
    guard try nextByte() == UInt8(ascii: "\""), end &- cursor > name.count &+ 1, byte(cursor &+ 1 &+ name.count) == UInt8(ascii: "\"")
    else { return false }
    if let nameBase = name.baseAddress, memcmp(base + cursor + 1, nameBase, name.count) != 0 { return false }
    cursor &+= name.count &+ 2
    try readColon()
    return true
  }

  /// After a member of an entered object: passes the comma and answers true, or passes the closing brace and answers false.
  package mutating func hasNextMember() throws(JSONError) -> Bool {
    let next = try nextByte()
    cursor &+= 1
    if next == UInt8(ascii: ",") { return true }
    guard next == UInt8(ascii: "}") else { throw unexpected(cursor &- 1, ", or }") }
    depth &-= 1
    return false
  }

  @inlinable @inline(__always)
  mutating func readColon() throws(JSONError) {
    guard try nextByte() == UInt8(ascii: ":") else { throw unexpected(cursor, ":") }
    cursor &+= 1
  }

  /// Passes over one value of any kind, checks that it is well formed to the last byte, and answers where it stands (without white space around it).
  public mutating func skipValue() throws(JSONError) -> Range<Int> {
    let start = try skipSpace(cursor)
    cursor = try scanValue(start, depth)
    return start..<cursor
  }

  /// `start` is the value's first byte; answers the position after its last.
  private func scanValue(_ start: Int, _ depth: Int) throws(JSONError) -> Int {
    switch byte(start) {
    case UInt8(ascii: "\""):
      let close = try scanString(start &+ 1)
      return (close >= 0 ? close : ~close) &+ 1
    case UInt8(ascii: "{"): return try scanObject(start, depth)
    case UInt8(ascii: "["): return try scanArray(start, depth)
    case UInt8(ascii: "t"): return try scanWord("true", start)
    case UInt8(ascii: "f"): return try scanWord("false", start)
    case UInt8(ascii: "n"): return try scanWord("null", start)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): return try scanNumber(start)
    default: throw unexpected(start, "a value")
    }
  }

  private func scanArray(_ start: Int, _ depth: Int) throws(JSONError) -> Int {
    guard depth < maximumDepth else { throw tooDeep(start) }
    var index = try skipSpace(start &+ 1)
    if byte(index) == UInt8(ascii: "]") { return index &+ 1 }
    while true {
      index = try skipSpace(scanValue(index, depth &+ 1))
      let next = byte(index)
      if next == UInt8(ascii: ",") {
        index = try skipSpace(index &+ 1)
        continue
      }
      guard next == UInt8(ascii: "]") else { throw unexpected(index, ", or ]") }
      return index &+ 1
    }
  }

  private func scanObject(_ start: Int, _ depth: Int) throws(JSONError) -> Int {
    guard depth < maximumDepth else { throw tooDeep(start) }
    var index = try skipSpace(start &+ 1)
    if byte(index) == UInt8(ascii: "}") { return index &+ 1 }
    while true {
      guard byte(index) == UInt8(ascii: "\"") else { throw unexpected(index, "a field name in quotes") }
      let close = try scanString(index &+ 1)
      index = try skipSpace((close >= 0 ? close : ~close) &+ 1)
      guard byte(index) == UInt8(ascii: ":") else { throw unexpected(index, ":") }
      index = try skipSpace(index &+ 1)
      index = try skipSpace(scanValue(index, depth &+ 1))
      let next = byte(index)
      if next == UInt8(ascii: ",") {
        index = try skipSpace(index &+ 1)
        continue
      }
      guard next == UInt8(ascii: "}") else { throw unexpected(index, ", or }") }
      return index &+ 1
    }
  }
}
