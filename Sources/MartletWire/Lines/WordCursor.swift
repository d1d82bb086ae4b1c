/// Walks over the words of one line, in place. Words are separated by any number of spaces and tabs.
struct WordCursor {
  let line: UnsafeRawBufferPointer
  private(set) var position = 0
  private let end: Int

  /// Drops one CR at the end, and blanks at both ends.
  init(_ line: UnsafeRawBufferPointer) {
    var end = line.count
    if end > 0, line[end - 1] == 0x0D { end -= 1 }
    while end > 0, Self.isBlank(line[end - 1]) { end -= 1 }
    self.line = line
    self.end = end
    skipBlanks()
  }

  var isAtEnd: Bool { position == end }

  /// The first byte of what is left, or nil at the end.
  var nextByte: UInt8? { position < end ? line[position] : nil }

  /// All that is left.
  var rest: Range<Int> { position..<end }

  /// The next word, empty at the end of the line.
  mutating func word() -> Range<Int> {
    let start = position
    while position < end, !Self.isBlank(line[position]) { position += 1 }
    let word = start..<position
    skipBlanks()
    return word
  }

  /// The next word if it can be an id: 1 to 64 of `A-Z a-z 0-9 _ . -`.
  mutating func id() -> Range<Int>? {
    let word = word()
    guard (1...WireProtocol.maxIDBytes).contains(word.count) else { return nil }
    return line[word].allSatisfy(Self.isIDByte) ? word : nil
  }

  /// The next word as a decimal timestamp.
  mutating func timestamp() -> UInt64? {
    let word = word()
    // UInt64.max has 20 digits; multiplying in steps tells when it is exceeded.
    guard (1...20).contains(word.count) else { return nil }
    var value: UInt64 = 0
    for byte in line[word] {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = shifted.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    return value
  }

  private mutating func skipBlanks() {
    while position < end, Self.isBlank(line[position]) { position += 1 }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  private static func isIDByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
