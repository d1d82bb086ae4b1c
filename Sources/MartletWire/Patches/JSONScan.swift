/// Finds where the values of a JSON text end, without looking at what they are.
///
/// `JSONReader` checks what it passes over, each number and each sequence of UTF-8. Here the texts come from a server's own
/// writer, and only their structure is asked for, so a value is passed over at the speed of finding quotes and brackets. On a
/// text that is no JSON the answer is nil or wrong, but within the text.
///
/// Texts are taken as the server writes them, without white space between tokens; where there is some, a place where a value should begin has none.
struct JSONScan {
  let base: UnsafeRawPointer
  let count: Int

  /// The bytes must outlive the scan.
  init(_ bytes: UnsafeRawBufferPointer) {
    // An empty buffer may have no address; with a count of 0 this one is never read.
    base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
    count = bytes.count
  }

  /// The byte at a place; 0, which stands nowhere in JSON, beyond the end.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 { index < count ? base.load(fromByteOffset: index, as: UInt8.self) : 0 }

  @inline(__always)
  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count) }

  /// The place after the value that begins at `start`.
  /// - Parameter limit: how far to look; nil is answered for a value that goes on there.
  func valueEnd(_ start: Int, limit: Int) -> Int? {
    let limit = min(limit, count)
    guard start < limit else { return nil }
    switch byte(start) {
    case UInt8(ascii: "\""): return stringEnd(start, limit)
    case UInt8(ascii: "{"), UInt8(ascii: "["): return containerEnd(start, limit)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
      var index = start + 1
      while index < limit {
        switch byte(index) {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"): return index
        default: index += 1
        }
      }
      return limit == count ? count : nil
    default: return nil
    }
  }

  func valueEnd(_ start: Int) -> Int? { valueEnd(start, limit: count) }

  private func containerEnd(_ start: Int, _ limit: Int) -> Int? {
    var depth = 0
    var index = start
    while index < limit {
      switch base.load(fromByteOffset: index, as: UInt8.self) {
      case UInt8(ascii: "\""):
        guard let end = stringEnd(index, limit) else { return nil }
        index = end
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth &-= 1
        if depth == 0 { return index &+ 1 }
      default: break
      }
      index &+= 1
    }
    return nil
  }

  /// Eight bytes at a time: the lowest mark is a quote or a backslash, whatever the marks above it say.
  private func stringEnd(_ start: Int, _ limit: Int) -> Int? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    var index = start &+ 1
    while index < limit {
      if index &+ 8 <= limit {
        let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let quotes = word ^ (ones &* 0x22)
        let slashes = word ^ (ones &* 0x5C)
        let marks = (((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)) & highs
        guard marks != 0 else {
          index &+= 8
          continue
        }
        index &+= marks.trailingZeroBitCount &>> 3
      }
      switch base.load(fromByteOffset: index, as: UInt8.self) {
      case UInt8(ascii: "\""): return index &+ 1
      case UInt8(ascii: "\\"): index &+= 2
      default: index &+= 1
      }
    }
    return nil
  }

  // MARK: Members

  struct Member {
    /// With its quotes.
    var name: Range<Int>
    var value: Int
  }

  /// The member that begins at `start`; nil where none does.
  @inline(__always)
  func member(_ start: Int) -> Member? {
    guard byte(start) == UInt8(ascii: "\""), let end = stringEnd(start, count), byte(end) == UInt8(ascii: ":") else { return nil }
    return Member(name: start..<end, value: end + 1)
  }

  /// A name's bytes without its quotes.
  @inline(__always)
  func text(_ name: Range<Int>) -> UnsafeRawBufferPointer { bytes((name.lowerBound + 1)..<(name.upperBound - 1)) }
}

extension UnsafeRawBufferPointer {
  /// How many bytes two buffers have in common, from their beginnings.
  func sharedPrefix(_ other: UnsafeRawBufferPointer) -> Int {
    let shared = Swift.min(count, other.count)
    guard shared > 0, let mine = baseAddress, let theirs = other.baseAddress else { return 0 }
    var index = 0
    while index &+ 8 <= shared {
      let difference = UInt64(littleEndian: mine.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        ^ UInt64(littleEndian: theirs.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      if difference != 0 { return index &+ difference.trailingZeroBitCount &>> 3 }
      index &+= 8
    }
    while index < shared, self[index] == other[index] { index &+= 1 }
    return index
  }

  /// The same from their ends.
  func sharedSuffix(_ other: UnsafeRawBufferPointer) -> Int {
    let shared = Swift.min(count, other.count)
    guard shared > 0, let mine = baseAddress, let theirs = other.baseAddress else { return 0 }
    var length = 0
    while length &+ 8 <= shared {
      let difference = UInt64(littleEndian: mine.loadUnaligned(fromByteOffset: count &- length &- 8, as: UInt64.self))
        ^ UInt64(littleEndian: theirs.loadUnaligned(fromByteOffset: other.count &- length &- 8, as: UInt64.self))
      if difference != 0 { return length &+ difference.leadingZeroBitCount &>> 3 }
      length &+= 8
    }
    while length < shared, self[count &- length &- 1] == other[other.count &- length &- 1] { length &+= 1 }
    return length
  }
}
