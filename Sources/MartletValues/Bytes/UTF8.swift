import Glibc

extension String {
  /// Lends the string's UTF-8 bytes. Native strings lend their own storage; only a string bridged from elsewhere is copied first.
  @inlinable @inline(__always)
  package func withUTF8Bytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    if let result = try utf8.withContiguousStorageIfAvailable({ try body(UnsafeRawBufferPointer($0)) }) { return result }
    return try Array(utf8).withUnsafeBytes(body)
  }

  /// Copies bytes that are known to be UTF-8.
  @inlinable @inline(__always)
  package init(utf8Bytes bytes: UnsafeRawBufferPointer) {
    self = String(decoding: bytes, as: UTF8.self)
  }
}

extension UnsafeRawBufferPointer {
  /// Lexicographic order of unsigned bytes; the shorter of two that agree comes first. Negative, zero or positive.
  @inlinable
  package func order(_ other: UnsafeRawBufferPointer) -> Int {
    let shared = Swift.min(count, other.count)
    if shared > 0 {
      let difference = memcmp(baseAddress!, other.baseAddress!, shared)
      if difference != 0 { return Int(difference) }
    }
    return count - other.count
  }

  /// Whether these bytes are the UTF-8 of `text`. (`==` of strings is by canonical equivalence, which is not what a field name means.)
  @inlinable @inline(__always)
  package func equals(_ text: String) -> Bool {
    guard count == text.utf8.count else { return false }
    if count == 0 { return true }
    return text.withUTF8Bytes { memcmp($0.baseAddress!, baseAddress!, count) == 0 }
  }
}

/// The length of the well-formed UTF-8 sequence at `offset` (its first byte is ≥ 0x80), or 0: overlong forms, surrogates, code points beyond
/// U+10FFFF and truncated sequences are all refused (Unicode table 3-7).
func multibyteLength(_ base: UnsafeRawPointer, _ offset: Int, _ end: Int) -> Int {
  func byte(_ index: Int) -> UInt8 { base.load(fromByteOffset: index, as: UInt8.self) }
  func continues(_ index: Int) -> Bool { byte(index) & 0xC0 == 0x80 }
  let left = end - offset
  let first = byte(offset)
  switch first {
  case 0xC2...0xDF:
    return left >= 2 && continues(offset + 1) ? 2 : 0
  case 0xE0...0xEF:
    guard left >= 3, continues(offset + 1), continues(offset + 2) else { return 0 }
    let second = byte(offset + 1)
    if first == 0xE0 && second < 0xA0 { return 0 }
    if first == 0xED && second > 0x9F { return 0 }
    return 3
  case 0xF0...0xF4:
    guard left >= 4, continues(offset + 1), continues(offset + 2), continues(offset + 3) else { return 0 }
    let second = byte(offset + 1)
    if first == 0xF0 && second < 0x90 { return 0 }
    if first == 0xF4 && second > 0x8F { return 0 }
    return 4
  default:
    return 0
  }
}
