package import MartletValues

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension UnsafeRawBufferPointer {
  /// Whether these bytes are the given literal's.
  package func isEqual(to literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount, let baseAddress else { return literal.utf8CodeUnitCount == 0 && isEmpty }
    return memcmp(baseAddress, literal.utf8Start, count) == 0
  }

  /// The bytes of a range, without copying. Unlike `self[range]` it is not a slice with its base's indices.
  package func bytes(in range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[range])
  }

  /// The bytes of a range as a string. Up to 15 bytes, which ids seldom exceed, it allocates nothing.
  package func string(in range: Range<Int>) -> String {
    String(decoding: self[range], as: UTF8.self)
  }

  /// The offset of the first LF at or after `start`.
  func firstLineFeed(from start: Int) -> Int? {
    guard start < count, let baseAddress else { return nil }
    guard let found = memchr(baseAddress + start, 0x0A, count - start) else { return nil }
    return UnsafeRawPointer(found) - baseAddress
  }

  var isValidUTF8: Bool {
    withMemoryRebound(to: UInt8.self) { (try? UTF8Span(validating: $0.span)) != nil }
  }
}

extension JSONWriter {
  /// Bytes of a string, as they are, neither quoted nor escaped.
  package mutating func write(verbatim text: String) {
    var text = text
    text.withUTF8 { write(raw: UnsafeRawBufferPointer($0)) }
  }

  mutating func writeMember(_ name: String, _ comma: inout Bool) {
    if comma { write(byte: UInt8(ascii: ",")) }
    comma = true
    write(key: name)
  }
}
