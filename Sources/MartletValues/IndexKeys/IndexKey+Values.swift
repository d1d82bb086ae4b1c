extension IndexKey {
  /// The bytes of the first `count` values, and nil where the key has fewer. Each value's encoding says itself where it
  /// ends: see `IndexKeyWriter`.
  package func prefix(values count: Int) -> [UInt8]? {
    let bytes = bytes
    var end = 0
    for _ in 0..<count {
      guard let next = Self.end(ofValueAt: end, in: bytes) else { return nil }
      end = next
    }
    return Array(bytes[..<end])
  }

  /// A key that is greater than `prefix` with a missing value behind it, and not greater than it with any other.
  package static func afterMissing(_ prefix: [UInt8]) -> IndexKey { IndexKey(prefix + [0x02]) }

  private static func end(ofValueAt start: Int, in bytes: [UInt8]) -> Int? {
    guard start < bytes.count else { return nil }
    let end: Int? =
      switch bytes[start] {
      case 0x01, 0x03, 0x08, 0x0E, 0x0F: start + 1
      case 0x07, 0x09: start + 2
      case 0x06, 0x0A: start + 3
      case 0x05, 0x0B: start + 5
      case 0x04, 0x0C, 0x0D: start + 9
      case 0x10, 0x11: self.end(ofTextAt: start + 1, in: bytes)
      case 0x12: self.end(ofListAt: start + 1, in: bytes, isObject: false)
      case 0x15: self.end(ofListAt: start + 1, in: bytes, isObject: true)
      default: nil
      }
    guard let end, end <= bytes.count else { return nil }
    return end
  }

  /// After the zero that ends a text; a zero inside has 0xFF behind it, with which no value begins.
  private static func end(ofTextAt start: Int, in bytes: [UInt8]) -> Int? {
    var index = start
    while index < bytes.count {
      if bytes[index] != 0 {
        index += 1
      } else if index + 1 < bytes.count, bytes[index + 1] == 0xFF {
        index += 2
      } else {
        return index + 1
      }
    }
    return nil
  }

  private static func end(ofListAt start: Int, in bytes: [UInt8], isObject: Bool) -> Int? {
    var index = start
    while index < bytes.count {
      if isObject, index + 1 < bytes.count, bytes[index] == 0, bytes[index + 1] == 0xFF {
        // An empty name, marked so that it isn't the end.
        index += 2
      } else if bytes[index] == 0 {
        return index + 1
      } else if isObject {
        guard let name = end(ofTextAt: index, in: bytes) else { return nil }
        index = name
      }
      guard let value = end(ofValueAt: index, in: bytes) else { return nil }
      index = value
    }
    return nil
  }
}
