extension JSONReader {
  /// Reads a string, escapes resolved.
  public mutating func readString() throws(JSONError) -> String {
    guard try nextByte() == UInt8(ascii: "\"") else { throw unexpected(cursor, "a string") }
    let start = cursor &+ 1
    let scanned = try scanString(start)
    if scanned >= 0 {
      cursor = scanned &+ 1
      return String(utf8Bytes: UnsafeRawBufferPointer(start: base + start, count: scanned &- start))
    }
    let close = ~scanned
    cursor = close &+ 1
    return String(unsafeUninitializedCapacity: close - start) { unescape(start..<close, into: UnsafeMutableRawPointer($0.baseAddress!)) }
  }

  /// Lends the body of a string that has no escapes: valid UTF-8, no copy. Nil, and nothing is consumed, where it has some: `readString` then.
  @inlinable
  public mutating func readUnescapedString() throws(JSONError) -> UnsafeRawBufferPointer? {
    guard try nextByte() == UInt8(ascii: "\"") else { throw unexpected(cursor, "a string") }
    let start = cursor &+ 1
    let scanned = try scanString(start)
    guard scanned >= 0 else { return nil }
    cursor = scanned &+ 1
    return UnsafeRawBufferPointer(start: base + start, count: scanned &- start)
  }

  /// Checks a string from the byte after its opening quote, and answers the position of the closing one, complemented (`~`) if there are escapes before it.
  ///
  /// Eight bytes are looked at together. In each of the three subtractions a byte can be marked wrongly only above one that is marked rightly
  /// (the borrow travels upwards), so the lowest mark of their union is always true, and nothing above it is used.
  @usableFromInline
  func scanString(_ start: Int) throws(JSONError) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    var index = start
    var hasEscapes = false
    while true {
      while index &+ 8 <= end {
        let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let quotes = word ^ (ones &* 0x22)
        let slashes = word ^ (ones &* 0x5C)
        let special =
          (((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word) | word) & highs
        if special != 0 {
          index &+= special.trailingZeroBitCount &>> 3
          break
        }
        index &+= 8
      }
      guard index < end else { throw unexpected(end, "the string's closing quote") }
      let next = byte(index)
      if next == UInt8(ascii: "\"") { return hasEscapes ? ~index : index }
      if next == UInt8(ascii: "\\") {
        hasEscapes = true
        index = try scanEscape(index)
      } else if next >= 0x80 {
        let length = multibyteLength(base, index, end)
        guard length > 0 else { throw failure(index, "ill-formed UTF-8") }
        index &+= length
      } else if next < 0x20 {
        throw failure(index, "control character in a string")
      } else {
        index &+= 1
      }
    }
  }

  private func scanEscape(_ slash: Int) throws(JSONError) -> Int {
    guard slash + 1 < end else { throw unexpected(end, "an escape") }
    switch byte(slash + 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return slash + 2
    case UInt8(ascii: "u"):
      let unit = try hexUnit(slash + 2)
      if unit & 0xFC00 == 0xDC00 { throw failure(slash, "lone surrogate") }
      guard unit & 0xFC00 == 0xD800 else { return slash + 6 }
      guard slash + 7 < end, byte(slash + 6) == UInt8(ascii: "\\"), byte(slash + 7) == UInt8(ascii: "u"),
        try hexUnit(slash + 8) & 0xFC00 == 0xDC00
      else { throw failure(slash, "lone surrogate") }
      return slash + 12
    default:
      throw unexpected(slash + 1, "an escape")
    }
  }

  private func hexUnit(_ start: Int) throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for index in start..<start + 4 {
      guard index < end else { throw unexpected(end, "4 hexadecimal digits") }
      guard let digit = hexDigit(byte(index)) else { throw unexpected(index, "4 hexadecimal digits") }
      unit = unit << 4 | digit
    }
    return unit
  }

  private func hexDigit(_ character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character) - 48
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(character) - 87
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(character) - 55
    default: nil
    }
  }

  @usableFromInline
  func unescaped(_ body: Range<Int>) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: body.count) { buffer, count in
      count = unescape(body, into: UnsafeMutableRawPointer(buffer.baseAddress!))
    }
  }

  /// Writes a checked body without its escapes; the result is never longer than the body. Answers its length.
  private func unescape(_ body: Range<Int>, into output: UnsafeMutableRawPointer) -> Int {
    var index = body.lowerBound
    var count = 0
    func put(_ value: UInt8) {
      output.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
      count &+= 1
    }
    func unit(_ start: Int) -> UInt32 {
      (start..<start + 4).reduce(0) { $0 << 4 | (hexDigit(byte($1)) ?? 0) }
    }
    while index < body.upperBound {
      let next = byte(index)
      guard next == UInt8(ascii: "\\") else {
        put(next)
        index += 1
        continue
      }
      let letter = byte(index + 1)
      index += 2
      switch letter {
      case UInt8(ascii: "b"): put(0x08)
      case UInt8(ascii: "f"): put(0x0C)
      case UInt8(ascii: "n"): put(0x0A)
      case UInt8(ascii: "r"): put(0x0D)
      case UInt8(ascii: "t"): put(0x09)
      case UInt8(ascii: "u"):
        var scalar = unit(index)
        index += 4
        if scalar & 0xFC00 == 0xD800 {
          scalar = 0x10000 + (scalar & 0x3FF) << 10 + (unit(index + 2) & 0x3FF)
          index += 6
        }
        // scanString has refused lone surrogates, so every unit or pair is a scalar.
        for value in UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}").unsafelyUnwrapped { put(value) }
      default: put(letter)
      }
    }
    return count
  }
}
