/// Standard base64 with padding (RFC 4648 §4), the form in which bytes and 64-bit integers travel inside JSON.
enum Base64 {
  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  static func encode(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) {
    let digits = alphabet.utf8Start
    var input = 0
    var at = output
    func put(_ group: UInt32, _ characters: Int) {
      for index in 0..<4 {
        let character = index < characters ? digits[Int(group >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "=")
        at.storeBytes(of: character, toByteOffset: index, as: UInt8.self)
      }
      at += 4
    }
    while bytes.count - input >= 3 {
      put(UInt32(bytes[input]) << 16 | UInt32(bytes[input + 1]) << 8 | UInt32(bytes[input + 2]), 4)
      input += 3
    }
    switch bytes.count - input {
    case 1: put(UInt32(bytes[input]) << 16, 2)
    case 2: put(UInt32(bytes[input]) << 16 | UInt32(bytes[input + 1]) << 8, 3)
    default: break
    }
  }

  /// Nil for anything but canonical text: other characters, a length that is no multiple of 4, stray padding, bits set beyond the last byte.
  static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    guard text.count > 0 else { return [] }
    var padding = 0
    if text[text.count - 1] == UInt8(ascii: "=") { padding = text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1 }
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 4 * 3)
    var index = 0
    while index < text.count {
      let isLast = index + 4 == text.count
      let characters = isLast ? 4 - padding : 4
      var group: UInt32 = 0
      for offset in 0..<4 {
        group <<= 6
        guard offset < characters else { continue }
        guard let digit = digit(text[index + offset]) else { return nil }
        group |= digit
      }
      result.append(UInt8(truncatingIfNeeded: group >> 16))
      if characters > 2 { result.append(UInt8(truncatingIfNeeded: group >> 8)) } else if group & 0xFFFF != 0 { return nil }
      if characters > 3 { result.append(UInt8(truncatingIfNeeded: group)) } else if group & 0xFF != 0 { return nil }
      index += 4
    }
    return result
  }

  /// The little-endian 64-bit word that 12 characters of base64 stand for, without an array in between.
  static func decodeWord(_ text: UnsafeRawBufferPointer) -> UInt64? {
    guard text.count == 12, text[11] == UInt8(ascii: "=") else { return nil }
    var high: UInt64 = 0  // the 66 bits of 11 digits: 64 of the word, then 2 that must be zero
    for index in 0..<10 {
      guard let digit = digit(text[index]) else { return nil }
      high = high << 6 | UInt64(digit)
    }
    guard let last = digit(text[10]), last & 3 == 0 else { return nil }
    return (high << 4 | UInt64(last >> 2)).byteSwapped
  }

  private static func digit(_ character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character) - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character) - 71
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character) + 4
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
