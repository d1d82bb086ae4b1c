/// A growing buffer of bytes, and how the pieces of JSON are written to it.
///
/// The writer keeps no state but its bytes: commas and brackets are the caller's, written with `write(byte:)`, so that text which is stored already can be spliced in.
/// What it answers for is the spelling of scalars, which is canonical: one text for each value. It cannot be copied, and frees its
/// memory when it goes; `removeAll` keeps the memory, so a writer is best kept and used again.
///
/// **Costs.** Appending is amortised O(bytes); nothing else is allocated.
public struct JSONWriter: ~Copyable, @unchecked Sendable {
  // Sending a writer to another thread is sound: it is the only owner of its memory, and a value that cannot be copied is in one place at a time.
  @usableFromInline var buffer: ByteBuilder
  /// A whole number beyond ±2^53 that was written since the last `removeAll`; 0 for none. Encoding can't throw, so whoever
  /// answers for the text looks here.
  @usableFromInline package var unfitNumber = 0
  /// Why a value couldn't be encoded, where `unfitNumber` is `unencodable`; a null was written in its place.
  package private(set) var unfitReason = ""
  package static var unencodable: Int { .min }

  @inlinable
  public init(capacity: Int = 256) { buffer = ByteBuilder(capacity: capacity) }

  /// Bytes written so far.
  @inlinable
  public var count: Int { buffer.count }

  @inlinable
  public mutating func removeAll() {
    buffer.count = 0
    unfitNumber = 0
  }

  /// Writes null for a value that can't be encoded, and keeps why.
  package mutating func write(unencodable reason: String) {
    unfitNumber = Self.unencodable
    unfitReason = reason
    writeNull()
  }

  /// Takes back what was written after the first `count` bytes.
  @inlinable
  public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= buffer.count, "a writer can only be truncated to what was written")
    buffer.count = count
  }

  /// Lends what was written, until `body` returns.
  @inlinable
  public borrowing func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(buffer.contents)
  }

  /// A copy of what was written.
  @inlinable
  public var bytes: [UInt8] { [UInt8](buffer.contents) }

  @inlinable @inline(__always)
  public mutating func write(byte: UInt8) { buffer.append(byte) }

  @inlinable
  public mutating func write(raw bytes: UnsafeRawBufferPointer) { buffer.append(bytes) }

  @inlinable
  public mutating func write(raw bytes: [UInt8]) { bytes.withUnsafeBytes { buffer.append($0) } }

  @inlinable
  public mutating func write(raw text: StaticString) { buffer.append(text) }

  @inlinable
  public mutating func writeNull() { buffer.append("null") }

  @inlinable
  public mutating func write(boolean: Bool) { buffer.append(boolean ? "true" : "false") }

  /// Makes room for `extra` bytes at once, where the caller knows how much will come.
  @inlinable
  public mutating func reserveCapacity(_ extra: Int) { _ = buffer.reserve(extra) }
}
