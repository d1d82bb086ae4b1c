import Glibc

/// One place in an index: bytes that compare as the indexed values do, then a tie-break.
///
/// Comparing documents value by value costs a walk through enums at each step down a tree. Instead each document's indexed fields are encoded once, by
/// `IndexKeyWriter`, so that plain byte order is their order.
///
///     head.0   head.1   tail ──▶ bytes from the 17th on   length   tie
///     └ first 16 bytes, big-endian, zero padded
///
/// The first 16 bytes tell most keys apart, and as two integers they are compared in two instructions without touching other memory. Padding with zeros cannot confuse
/// keys: where both heads are equal and one key ends within them, it is a prefix of the other, and the length decides.
///
/// **Order**: bytes lexicographically, a prefix first, then `tie`. **Costs**: 40 bytes; a class instance more for keys beyond 16 bytes. Comparing takes a few ns.
public struct IndexKey: @unchecked Sendable {
  // Unchecked for the tail alone. Sharing it between threads is sound: its bytes are written once, before anyone else has the reference.
  @usableFromInline let head0: UInt64
  @usableFromInline let head1: UInt64
  @usableFromInline let tail: IndexKeyTail?
  /// Orders keys of equal bytes: `orderedBits` of the creation time, in an index of documents.
  public let tie: UInt64
  @usableFromInline let length: UInt32

  public init(bytes: UnsafeRawBufferPointer, tie: UInt64) {
    precondition(bytes.count <= Int(UInt32.max), "an index key is shorter than 4 GiB")
    var heads: (UInt64, UInt64) = (0, 0)
    if bytes.count >= 16 {
      heads = bytes.loadUnaligned(as: (UInt64, UInt64).self)
    } else if let base = bytes.baseAddress {
      withUnsafeMutableBytes(of: &heads) { _ = memcpy($0.baseAddress!, base, bytes.count) }
    }
    head0 = heads.0.bigEndian
    head1 = heads.1.bigEndian
    tail = bytes.count > 16 ? IndexKeyTail.holding(UnsafeRawBufferPointer(rebasing: bytes[16...])) : nil
    self.tie = tie
    length = UInt32(truncatingIfNeeded: bytes.count)
  }

  public init(_ bytes: [UInt8], tie: UInt64 = 0) {
    self = bytes.withUnsafeBytes { IndexKey(bytes: $0, tie: tie) }
  }

  /// A key of exactly 16 bytes: `high`, then `low`, each big-endian.
  @inlinable
  public init(high: UInt64, low: UInt64) {
    head0 = high
    head1 = low
    tail = nil
    tie = 0
    length = 16
  }

  /// A key of `length` bytes, at most 16, from its `heads`, which are padded with zeros.
  package init(high: UInt64, low: UInt64, length: UInt32, tie: UInt64) {
    precondition(length <= 16)
    head0 = high
    head1 = low
    tail = nil
    self.tie = tie
    self.length = length
  }

  /// The key of one number, as `IndexKeyWriter` would write it.
  package init(double: Double, tie: UInt64) {
    let bits = IndexKey.orderedBits(double)
    self.init(high: 0x0D << 56 | bits >> 8, low: bits << 56, length: 9, tie: tie)
  }

  /// The first 16 bytes as two big-endian integers, padded with zeros.
  @inlinable
  public var heads: (high: UInt64, low: UInt64) { (head0, head1) }

  private init(_ key: IndexKey, tie: UInt64) {
    head0 = key.head0
    head1 = key.head1
    tail = key.tail
    self.tie = tie
    length = key.length
  }

  /// The same bytes with another tie-break. Shares the tail.
  public func with(tie: UInt64) -> IndexKey { IndexKey(self, tie: tie) }

  /// How many bytes the key has, without its tie.
  public var count: Int { Int(length) }

  /// A copy of the bytes.
  public var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      withUnsafeBytes(of: (head0.bigEndian, head1.bigEndian)) { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: .init(rebasing: $0[..<min(count, 16)])) }
      if let tail {
        tail.withBytes { UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[16...]).copyMemory(from: $0) }
      }
      initialized = count
    }
  }

  /// A key that is greater than every key which begins with these values, and not greater than any other that follows them: an upper bound, exclusive, for "equal on
  /// the leading fields". Its tie is 0.
  ///
  /// No value begins with 0xFF; but where the last one here is a text, that is how a longer text goes on behind a zero: "a" is `10 61 00`, "a\0" is `10 61 00 FF 00`. So
  /// the bytes alone, counted up by one, would take the longer text in.
  public func prefixSuccessor() -> IndexKey { IndexKey(bytes + [0xFF]) }

  /// Bits that compare, as unsigned integers, as the doubles do in IEEE total order: −NaN < −∞ < … < −0 < 0 < … < ∞ < NaN.
  @inlinable
  public static func orderedBits(_ double: Double) -> UInt64 {
    let bits = double.bitPattern
    return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
  }
}

/// The bytes of a key beyond the 16th, in one allocation.
@usableFromInline
final class IndexKeyTail: ManagedBuffer<Int, UInt8> {
  static func holding(_ bytes: UnsafeRawBufferPointer) -> IndexKeyTail {
    let tail = create(minimumCapacity: bytes.count) { _ in bytes.count }
    tail.withUnsafeMutablePointerToElements { _ = memcpy($0, bytes.baseAddress!, bytes.count) }
    return unsafeDowncast(tail, to: IndexKeyTail.self)
  }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeMutablePointers { try body(UnsafeRawBufferPointer(start: $1, count: $0.pointee)) }
  }
}

extension IndexKey: Comparable, Hashable {
  @inlinable @inline(__always)
  public static func < (left: IndexKey, right: IndexKey) -> Bool {
    if left.head0 != right.head0 { return left.head0 < right.head0 }
    if left.head1 != right.head1 { return left.head1 < right.head1 }
    if left.length <= 16 && right.length <= 16 {
      return left.length != right.length ? left.length < right.length : left.tie < right.tie
    }
    let order = orderBeyondHeads(left, right)
    return order != 0 ? order < 0 : left.tie < right.tie
  }

  @inlinable @inline(__always)
  public static func == (left: IndexKey, right: IndexKey) -> Bool {
    guard left.head0 == right.head0, left.head1 == right.head1, left.tie == right.tie, left.length == right.length else { return false }
    return left.length <= 16 || orderBeyondHeads(left, right) == 0
  }

  /// Whether the bytes are the same, whatever the ties are.
  @inlinable
  public func hasSameBytes(as other: IndexKey) -> Bool {
    guard head0 == other.head0, head1 == other.head1, length == other.length else { return false }
    return length <= 16 || IndexKey.orderBeyondHeads(self, other) == 0
  }

  /// The tails are passed unretained, because counting references would cost ten times what comparing does. Sound: both keys are borrowed by the caller until this
  /// returns, and hold them.
  @inlinable @inline(__always)
  static func orderBeyondHeads(_ left: borrowing IndexKey, _ right: borrowing IndexKey) -> Int {
    guard left.length > 16 && right.length > 16 else { return Int(left.length) - Int(right.length) }
    return orderTails(Unmanaged.passUnretained(left.tail.unsafelyUnwrapped), Unmanaged.passUnretained(right.tail.unsafelyUnwrapped))
  }

  @usableFromInline @inline(never)
  static func orderTails(_ left: Unmanaged<IndexKeyTail>, _ right: Unmanaged<IndexKeyTail>) -> Int {
    left._withUnsafeGuaranteedRef { left in
      right._withUnsafeGuaranteedRef { right in
        left === right ? 0 : left.withBytes { left in right.withBytes { left.order($0) } }
      }
    }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(head0)
    hasher.combine(head1)
    hasher.combine(tie)
    hasher.combine(length)
    tail?.withBytes { hasher.combine(bytes: $0) }
  }
}

extension IndexKey: CustomStringConvertible {
  public var description: String {
    let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    return "\(digits) / \(tie)"
  }
}
