/// The text of a random UUID (RFC 9562, version 4): 122 random bits, as `f81d4fae-7dec-41d0-a765-00a0c91e6bf6`.
enum UUIDText {
  static func make(_ high: UInt64, _ low: UInt64) -> String {
    let high = high & ~0xF000 | 0x4000
    let low = low & ~(3 << 62) | 2 << 62
    let digits: StaticString = "0123456789abcdef"
    return String(unsafeUninitializedCapacity: 36) { text in
      var place = 0
      for digit in 0..<32 {
        if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
          text[place] = UInt8(ascii: "-")
          place += 1
        }
        let word = digit < 16 ? high : low
        text[place] = digits.utf8Start[Int(word >> UInt64(60 - 4 * (digit & 15)) & 15)]
        place += 1
      }
      return place
    }
  }
}
