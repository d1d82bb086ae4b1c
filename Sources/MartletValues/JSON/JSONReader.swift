/// A cursor over borrowed UTF-8 bytes that reads one JSON text, strictly as RFC 8259 has it.
///
/// A tree of values is the obvious result of parsing, and the wrong one here: most text that arrives is looked at once (arguments), or stored and
/// sent on as it is (documents). So the reader builds nothing by itself. The caller says what it expects next, and gets it, or an error
/// that names the byte; strings are lent as ranges of the input where they have no escapes.
///
/// **Costs.** One pass, no allocation but for what is returned. `skipValue` checks well-formedness at several hundred MB/s.
///
/// **Robustness.** No input can make it read outside the buffer, overflow or recurse beyond `maximumDepth` (which is capped at
/// `JSONReader.deepestDepth`). It refuses: anything but one value where one is expected, control characters in strings, ill-formed UTF-8, lone surrogates in
/// escapes, leading zeros, numbers that no finite double is near.
///
/// **Lifetime.** The bytes must outlive the reader, and every buffer that it lends. A copy of a reader is a bookmark: it goes on
/// from where it was made. After an error the reader's place is not defined; use a copy made before to try something else.
public struct JSONReader {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let end: Int
  @usableFromInline var cursor: Int
  @usableFromInline var depth: Int
  @usableFromInline let maximumDepth: Int
  /// For whom is read, where a type that reads itself needs to know: a server's typed ids look up their tables here. Not kept
  /// alive by the reader.
  @usableFromInline package var context: Unmanaged<AnyObject>?
  /// Whether `readValue` also takes objects whose names begin with `$`: expressions such as `{"$gt":[…]}`, which are sent, and
  /// never stored.
  @usableFromInline package var allowsOperators: Bool

  /// Reading recurses once for each level, on threads whose stack may be 512 KB, so a larger `maximumDepth` is taken as this.
  public static var deepestDepth: Int { 256 }

  @inlinable
  public init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int = 64) {
    // An empty buffer may have no address; with `end` 0 this one is never read.
    base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
    end = bytes.count
    cursor = 0
    depth = 0
    context = nil
    allowsOperators = false
    self.maximumDepth = min(maximumDepth, JSONReader.deepestDepth)
  }

  /// Bytes from the beginning to what is read next. Set it only to a position at which a value of the same text began.
  @inlinable
  public var position: Int {
    get { cursor }
    set {
      precondition(newValue >= 0 && newValue <= end, "a reader's position must lie in its text")
      cursor = newValue
    }
  }

  /// Lends the bytes of a range, as `skipValue` answers it.
  @inlinable
  public func bytes(in range: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(range.lowerBound >= 0 && range.upperBound <= end)
    return UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
  }

  /// Whether the bytes are a part of the text, and not of a copy without escapes.
  @inlinable
  package func isLent(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let address = bytes.baseAddress else { return false }
    return address >= base && address <= base + end
  }

  @inlinable @inline(__always)
  func byte(_ index: Int) -> UInt8 { base.load(fromByteOffset: index, as: UInt8.self) }

  /// The first byte at or after `index` that is not white space.
  @inlinable @inline(__always)
  func skipSpace(_ index: Int) throws(JSONError) -> Int {
    var index = index
    while index < end {
      let next = byte(index)
      if next > 0x20 { return index }
      guard next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 else { return index }
      index &+= 1
    }
    throw unexpected(index, "a value")
  }

  /// Skips white space and answers the byte that follows, without consuming it.
  @inlinable @inline(__always)
  mutating func nextByte() throws(JSONError) -> UInt8 {
    cursor = try skipSpace(cursor)
    return byte(cursor)
  }

  /// The kind of the next value. Skips white space before it, and nothing else.
  @inlinable
  public mutating func peek() throws(JSONError) -> JSONKind {
    switch try nextByte() {
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): return .number
    default: throw unexpected(cursor, "a value")
    }
  }

  public mutating func readNull() throws(JSONError) {
    guard try nextByte() == UInt8(ascii: "n") else { throw unexpected(cursor, "null") }
    cursor = try scanWord("null", cursor)
  }

  public mutating func readBoolean() throws(JSONError) -> Bool {
    switch try nextByte() {
    case UInt8(ascii: "t"):
      cursor = try scanWord("true", cursor)
      return true
    case UInt8(ascii: "f"):
      cursor = try scanWord("false", cursor)
      return false
    default:
      throw unexpected(cursor, "true or false")
    }
  }

  /// Checks that only white space is left.
  public mutating func finish() throws(JSONError) {
    while cursor < end {
      let next = byte(cursor)
      guard next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 else { throw unexpected(cursor, "the end") }
      cursor += 1
    }
  }

  func scanWord(_ word: StaticString, _ start: Int) throws(JSONError) -> Int {
    var index = start
    for offset in 0..<word.utf8CodeUnitCount {
      guard index < end, byte(index) == word.utf8Start[offset] else { throw unexpected(index, "\(word)") }
      index += 1
    }
    return index
  }
}
