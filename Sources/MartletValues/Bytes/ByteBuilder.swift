import Glibc

/// The growing bytes under `JSONWriter` and `IndexKeyWriter`.
///
/// An `[UInt8]` checks uniqueness and bounds at each append, and grows through a call that the optimiser cannot see through; writers append
/// a few bytes at a time, so those checks would cost more than the bytes. This buffer has one owner (it cannot be copied), so it needs no
/// uniqueness check: an append is one comparison with the capacity and one store. It doubles when full, and `removeAll` keeps what it has.
@usableFromInline
struct ByteBuilder: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  @usableFromInline var count: Int

  @inlinable
  init(capacity: Int) {
    self.capacity = max(capacity, 64)
    base = .allocate(byteCount: self.capacity, alignment: 16)
    count = 0
  }

  @inlinable
  deinit { base.deallocate() }

  /// Makes room for `extra` more bytes and answers where they go; the caller adds what it wrote to `count`.
  @inlinable @inline(__always)
  mutating func reserve(_ extra: Int) -> UnsafeMutableRawPointer {
    if capacity &- count < extra { grow(extra) }
    return base + count
  }

  @usableFromInline @inline(never)
  mutating func grow(_ extra: Int) {
    let needed = max(capacity * 2, count + extra)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: needed, alignment: 16)
    memcpy(larger, base, count)
    base.deallocate()
    base = larger
    capacity = needed
  }

  @inlinable @inline(__always)
  mutating func append(_ byte: UInt8) {
    reserve(1).storeBytes(of: byte, as: UInt8.self)
    count &+= 1
  }

  @inlinable @inline(__always)
  mutating func append(bigEndian value: UInt64) {
    reserve(8).storeBytes(of: value.bigEndian, as: UInt64.self)
    count &+= 8
  }

  @inlinable
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    memcpy(reserve(bytes.count), source, bytes.count)
    count &+= bytes.count
  }

  @inlinable
  mutating func append(_ text: StaticString) {
    memcpy(reserve(text.utf8CodeUnitCount), text.utf8Start, text.utf8CodeUnitCount)
    count &+= text.utf8CodeUnitCount
  }

  @inlinable
  var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
