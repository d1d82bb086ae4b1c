import Glibc

/// Builds index keys: the encodings of values one after another, such that the order of the bytes is the order of the values.
///
/// Each encoding begins with a byte for the type, ends where its own bytes say so, and is no prefix of another, so encodings can be strung together and compared as one
/// text. They are Convex's:
///
///     missing 01   null 03   int64 04…0C (sign and size in the tag) + 0, 1, 2, 4 or 8 bytes   float64 0D + 8 bytes   false 0E   true 0F
///     string 10 … 00   bytes 11 … 00   (a zero inside is 00 FF)   array 12 elements 00   object 15 (name 00 value)* 00
public struct IndexKeyWriter: ~Copyable, @unchecked Sendable {
  // Sound to send, for the same reason as `JSONWriter`: one owner.
  @usableFromInline var buffer: ByteBuilder

  @inlinable
  public init() { buffer = ByteBuilder(capacity: 128) }

  @inlinable
  public mutating func removeAll() { buffer.count = 0 }

  /// Takes back what was appended after the first `count` bytes.
  @inlinable
  public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= buffer.count, "a writer can only be truncated to what was written")
    buffer.count = count
  }

  @inlinable
  public var count: Int { buffer.count }

  @inlinable
  public borrowing func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(buffer.contents)
  }

  /// The key of all that was appended since the writer was made or emptied.
  @inlinable
  public func key(tie: UInt64 = 0) -> IndexKey { IndexKey(bytes: buffer.contents, tie: tie) }

  /// A field that the document lacks. It comes before null.
  @inlinable
  public mutating func appendMissing() { buffer.append(0x01) }

  @inlinable
  public mutating func appendNull() { buffer.append(0x03) }

  @inlinable
  public mutating func append(boolean: Bool) { buffer.append(boolean ? 0x0F : 0x0E) }

  @inlinable
  public mutating func append(double: Double) {
    let output = buffer.reserve(9)
    output.storeBytes(of: 0x0D, as: UInt8.self)
    output.storeBytes(of: IndexKey.orderedBits(double).bigEndian, toByteOffset: 1, as: UInt64.self)
    buffer.count &+= 9
  }

  public mutating func append(int64 integer: Int64) {
    if integer == 0 { return buffer.append(0x08) }
    let size: Int
    let rank: UInt8
    switch integer {
    case -0x80...0x7F: (size, rank) = (1, 1)
    case -0x8000...0x7FFF: (size, rank) = (2, 2)
    case -0x8000_0000...0x7FFF_FFFF: (size, rank) = (4, 3)
    default: (size, rank) = (8, 4)
    }
    buffer.append(integer > 0 ? 0x08 + rank : 0x08 - rank)
    // The lowest `size` bytes, moved to the front of a big-endian word.
    let bits = UInt64(bitPattern: integer) &<< UInt64(64 - 8 * size)
    buffer.reserve(8).storeBytes(of: bits.bigEndian, as: UInt64.self)
    buffer.count &+= size
  }

  public mutating func append(string: String) { string.withUTF8Bytes { append(utf8: $0) } }

  /// A string, from its UTF-8.
  @inlinable
  public mutating func append(utf8 bytes: UnsafeRawBufferPointer) { append(tag: 0x10, escaping: bytes) }

  public mutating func append(bytes: [UInt8]) { bytes.withUnsafeBytes { append(tag: 0x11, escaping: $0) } }

  /// A document's id, as the string that it is in documents.
  public mutating func append(id: DocumentID) {
    buffer.append(0x10)
    buffer.count &+= id.writeText(to: buffer.reserve(DocumentID.longestText))
    buffer.append(0x00)
  }

  @usableFromInline
  mutating func append(tag: UInt8, escaping bytes: UnsafeRawBufferPointer) {
    buffer.append(tag)
    appendEscaped(bytes)
  }

  private mutating func appendEscaped(_ bytes: UnsafeRawBufferPointer) {
    if let base = bytes.baseAddress, bytes.count > 0 {
      if memchr(base, 0, bytes.count) == nil {
        buffer.append(bytes)
      } else {
        for next in bytes {
          buffer.append(next)
          if next == 0 { buffer.append(0xFF) }
        }
      }
    }
    buffer.append(0x00)
  }

  public mutating func append(value: Value) {
    switch value {
    case .null: appendNull()
    case .int64(let integer): append(int64: integer)
    case .float64(let double): append(double: double)
    case .boolean(let boolean): append(boolean: boolean)
    case .string(let string): append(string: string)
    case .bytes(let bytes): append(bytes: bytes)
    case .array(let elements):
      buffer.append(0x12)
      for element in elements { append(value: element) }
      buffer.append(0x00)
    case .object(let object):
      buffer.append(0x15)
      for (key, value) in object {
        key.withUTF8Bytes { appendEscaped($0) }
        // An empty name would be just the byte that ends the object.
        if key.utf8.isEmpty { buffer.append(0xFF) }
        append(value: value)
      }
      buffer.append(0x00)
    }
  }

  /// Appends the next value of a JSON text without building it: scalars and arrays of them cost no allocation. An object is read as a tree, because its fields must be sorted.
  public mutating func append(json reader: inout JSONReader) throws {
    switch try reader.peek() {
    case .null:
      try reader.readNull()
      appendNull()
    case .boolean: append(boolean: try reader.readBoolean())
    case .number: append(double: try reader.readDouble())
    case .string:
      if let body = try reader.readUnescapedString() { append(utf8: body) } else { append(string: try reader.readString()) }
    case .array:
      buffer.append(0x12)
      if try reader.enterArray() {
        repeat { try append(json: &reader) } while try reader.hasNextElement()
      }
      buffer.append(0x00)
    case .object: append(value: try reader.readValue())
    }
  }
}
