import Glibc

extension JSONWriter {
  /// A string in quotes. Escaped is only what JSON demands: `"`, `\` and control characters.
  public mutating func write(string: String) {
    string.withUTF8Bytes { write(utf8: $0) }
  }

  /// A string in quotes, from bytes that are valid UTF-8.
  public mutating func write(utf8 bytes: UnsafeRawBufferPointer) {
    var output = buffer.reserve(bytes.count &+ 2)
    output.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
    let clean = JSONWriter.cleanPrefix(bytes)
    if clean > 0 { memcpy(output + 1, bytes.baseAddress!, clean) }
    buffer.count &+= 1 &+ clean
    if clean < bytes.count { writeEscaped(UnsafeRawBufferPointer(rebasing: bytes[clean...])) }
    output = buffer.reserve(1)
    output.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
    buffer.count &+= 1
  }

  /// A field's name in quotes, and the colon.
  public mutating func write(key: String) {
    write(string: key)
    buffer.append(UInt8(ascii: ":"))
  }

  /// How many bytes from the beginning need no escape, eight at a time (see `JSONReader.scanString` for why the marks can be trusted: here any mark stops, and the
  /// tail is looked at singly).
  private static func cleanPrefix(_ bytes: UnsafeRawBufferPointer) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    guard let base = bytes.baseAddress else { return 0 }
    var index = 0
    while index &+ 8 <= bytes.count {
      let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let quotes = word ^ (ones &* 0x22)
      let slashes = word ^ (ones &* 0x5C)
      if (((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word)) & highs != 0 { break }
      index &+= 8
    }
    while index < bytes.count {
      let next = base.load(fromByteOffset: index, as: UInt8.self)
      if next < 0x20 || next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") { break }
      index &+= 1
    }
    return index
  }

  @inline(never)
  private mutating func writeEscaped(_ bytes: UnsafeRawBufferPointer) {
    for next in bytes {
      switch next {
      case UInt8(ascii: "\""): buffer.append("\\\"")
      case UInt8(ascii: "\\"): buffer.append("\\\\")
      case 0x08: buffer.append("\\b")
      case 0x0C: buffer.append("\\f")
      case 0x0A: buffer.append("\\n")
      case 0x0D: buffer.append("\\r")
      case 0x09: buffer.append("\\t")
      case 0..<0x20:
        let digits: StaticString = "0123456789abcdef"
        buffer.append("\\u00")
        buffer.append(digits.utf8Start[Int(next >> 4)])
        buffer.append(digits.utf8Start[Int(next & 15)])
      default: buffer.append(next)
      }
    }
  }
}
