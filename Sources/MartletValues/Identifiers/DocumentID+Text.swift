// The text of an id is Convex's, so that ids pass through import, export and old links unchanged:
//
//     varint(table number) ‖ 16 bytes ‖ checksum, 2 bytes        in base32 (Crockford, lower case), most significant bits first
//     1…5 bytes                                                  31, 32, 34, 36 or 37 characters
//
// The bytes never stand in memory. They are three words, left-aligned, from which twelve characters at a time are taken by shifting.
extension DocumentID: LosslessStringConvertible {
  static let longestText = 37
  /// How many characters an id may have; not each length is one.
  package static let textLengths = 31...37

  private static let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"

  /// For each ASCII character its digit + 0x40, or `!` where it is none.
  private static let digits: StaticString =
    "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!@ABCDEFGHI!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!JKLMNOPQ!RS!TU!VWXYZ![\\]^_!!!!!"

  public var description: String {
    String(unsafeUninitializedCapacity: DocumentID.longestText) { writeText(to: UnsafeMutableRawPointer($0.baseAddress!)) }
  }

  public init?(_ text: String) {
    guard let id = text.withUTF8Bytes({ DocumentID(utf8: $0) }) else { return nil }
    self = id
  }

  /// Writes the id as a JSON string. Allocates nothing.
  public func write(to writer: inout JSONWriter) { writer.write(id: self) }

  /// Writes the text, of `longestText` characters at most, and answers how many they are. There must be room for `longestText`.
  func writeText(to output: UnsafeMutableRawPointer) -> Int {
    let (varint, varintCount) = DocumentID.varint(tableNumber)
    let checksum = DocumentID.checksum(varint, varintCount, high, low)
    let shift = UInt64(8 * varintCount)
    let first = varint &<< (64 &- shift) | high &>> shift
    let second = high &<< (64 &- shift) | low &>> shift
    let third = low &<< (64 &- shift) | UInt64(checksum.byteSwapped) &<< (48 &- shift)
    put(first &>> 4, output)
    put(first &<< 56 | second &>> 8, output + 12)
    put(second &<< 52 | third &>> 12, output + 24)
    let digits = DocumentID.alphabet.utf8Start
    output.storeBytes(of: digits[Int(third &>> 7 & 31)], toByteOffset: 36, as: UInt8.self)
    return DocumentID.textCount(varintCount)
  }

  /// The lower 60 bits as twelve characters.
  @inline(__always)
  private func put(_ bits: UInt64, _ output: UnsafeMutableRawPointer) {
    let digits = DocumentID.alphabet.utf8Start
    for index in 0..<12 {
      output.storeBytes(of: digits[Int(bits &>> UInt64(55 &- 5 &* index) & 31)], toByteOffset: index, as: UInt8.self)
    }
  }

  private static func textCount(_ varintCount: Int) -> Int { (8 &* (varintCount &+ 18) &+ 4) / 5 }

  /// Unsigned LEB128: the bytes as a big-endian integer, and how many.
  private static func varint(_ number: UInt32) -> (bytes: UInt64, count: Int) {
    var rest = number
    var bytes: UInt64 = 0
    var count = 1
    while rest >= 0x80 {
      bytes = (bytes | UInt64(rest & 0x7F) | 0x80) &<< 8
      rest &>>= 7
      count &+= 1
    }
    return (bytes | UInt64(rest), count)
  }

  /// Fletcher's sums with modulus 256 over all bytes before the checksum: the plain sum, and above it the sum of the partial sums.
  private static func checksum(_ varint: UInt64, _ varintCount: Int, _ high: UInt64, _ low: UInt64) -> UInt16 {
    var plain: UInt64 = 0
    var partial: UInt64 = 0
    var place = UInt64(8 &* varintCount)
    while place > 0 {
      place &-= 8
      plain &+= varint &>> place & 0xFF
      partial &+= plain
    }
    add(high, &plain, &partial)
    add(low, &plain, &partial)
    return UInt16(truncatingIfNeeded: partial & 0xFF) &<< 8 | UInt16(truncatingIfNeeded: plain & 0xFF)
  }

  /// Adds the eight bytes of a word to both sums. The byte that stands k-th from the end is in k of the partial sums, as is the plain sum so far in all eight.
  @inline(__always)
  private static func add(_ word: UInt64, _ plain: inout UInt64, _ partial: inout UInt64) {
    let odd = word & 0x00FF_00FF_00FF_00FF  // in 8, 6, 4, 2 … less one: 7, 5, 3, 1 partial sums, the first byte's neighbour first
    let lanes = (word &>> 8 & 0x00FF_00FF_00FF_00FF) &+ odd  // neighbours together, in twice 4, 3, 2, 1
    // Multiplying gathers Σ weight × lane in the top lane; no lane can exceed 16 bits (510 × 10).
    let weighted = (lanes &* 0x0001_0002_0003_0004) &>> 48
    partial &+= 8 &* plain &+ 2 &* weighted &- (odd &* 0x0001_0001_0001_0001) &>> 48
    plain &+= (lanes &* 0x0001_0001_0001_0001) &>> 48
  }

  /// Reads an id's text, strictly: the one spelling that `description` has, and nothing else.
  public init?(utf8 text: UnsafeRawBufferPointer) {
    let varintCount: Int
    switch text.count {
    case 32: varintCount = 2
    case 31: varintCount = 1
    case 34: varintCount = 3
    case 36: varintCount = 4
    case 37: varintCount = 5
    default: return nil
    }
    guard let words = varintCount == 2 ? DocumentID.words(of32: text.baseAddress!) : DocumentID.words(of: text) else { return nil }

    let shift = UInt64(8 * varintCount)
    let varint = words.0 &>> (64 &- shift)
    high = words.0 &<< shift | words.1 &>> (64 &- shift)
    low = words.1 &<< shift | words.2 &>> (64 &- shift)
    let footer = words.2 &<< shift
    // After the checksum only zero bits may follow.
    guard footer & 0x0000_FFFF_FFFF_FFFF == 0 else { return nil }

    var number: UInt64 = 0
    for index in 0..<varintCount {
      let byte = varint &>> UInt64(8 &* (varintCount &- 1 &- index)) & 0xFF
      guard (byte >= 0x80) == (index < varintCount &- 1) else { return nil }
      number |= (byte & 0x7F) &<< UInt64(7 &* index)
    }
    guard number <= UInt32.max, varint & 0xFF != 0 else { return nil }
    tableNumber = UInt32(truncatingIfNeeded: number)
    let expected = DocumentID.checksum(varint, varintCount, high, low)
    guard UInt16(truncatingIfNeeded: footer &>> 48) == expected.byteSwapped else { return nil }
  }

  /// How long the text of an id is whose table has a number from 128 up to 16,383, as those of apps have.
  static let usualTextCount = 32

  /// The bits that the characters stand for, left-aligned; nil where one is no digit. Of an id of any length.
  private static func words(of text: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64)? {
    let base = text.baseAddress!
    var every: UInt8 = 0x40
    var any: UInt8 = 0
    let table = DocumentID.digits.utf8Start
    @inline(__always) func take(_ from: Int, _ count: Int) -> UInt64 {
      var bits: UInt64 = 0
      for index in from..<from &+ count {
        let character = base.load(fromByteOffset: index, as: UInt8.self)
        let digit = table[Int(character & 0x7F)]
        every &= digit
        any |= character
        bits = bits &<< 5 | UInt64(digit & 31)
      }
      return bits
    }
    let first = take(0, 12)
    let second = take(12, 12)
    let rest = text.count &- 24
    let third = take(24, min(rest, 12)) &<< UInt64(5 &* (12 &- min(rest, 12)))
    let fourth = rest > 12 ? take(36, 1) : 0
    guard every == 0x40, any < 0x80 else { return nil }
    return (first &<< 4 | second &>> 56, second &<< 8 | third &>> 52, third &<< 12 | fourth &<< 7)
  }

  /// The same of 32 characters, as nearly all ids have. Eight characters at a time; an id is read for each
  /// argument that is one, and this takes a third of the time.
  private static func words(of32 base: UnsafeRawPointer) -> (UInt64, UInt64, UInt64)? {
    var wrong: UInt64 = 0
    let first = fortyBits(base.loadUnaligned(as: UInt64.self), &wrong)
    let second = fortyBits(base.loadUnaligned(fromByteOffset: 8, as: UInt64.self), &wrong)
    let third = fortyBits(base.loadUnaligned(fromByteOffset: 16, as: UInt64.self), &wrong)
    let fourth = fortyBits(base.loadUnaligned(fromByteOffset: 24, as: UInt64.self), &wrong)
    guard wrong == 0 else { return nil }
    return (first &<< 24 | second &>> 16, second &<< 48 | third &<< 8 | fourth &>> 32, fourth &<< 32)
  }

  /// The 40 bits of eight characters; a bit of `wrong` is set for each that is no digit.
  @inline(__always)
  private static func fortyBits(_ littleEndian: UInt64, _ wrong: inout UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let characters = UInt64(littleEndian: littleEndian)
    // The top bit of each byte that is `least` or more. All are below 0x80 (others are refused), so no byte borrows from the next.
    @inline(__always) func reaches(_ least: UInt8) -> UInt64 { ((characters | tops) &- UInt64(least) &* ones) & tops }
    let letters = reaches(UInt8(ascii: "a"))
    let (fromI, afterI) = (reaches(UInt8(ascii: "i")), reaches(UInt8(ascii: "j")))
    let (fromL, afterL) = (reaches(UInt8(ascii: "l")), reaches(UInt8(ascii: "m")))
    let (fromO, afterO) = (reaches(UInt8(ascii: "o")), reaches(UInt8(ascii: "p")))
    let (fromU, afterU) = (reaches(UInt8(ascii: "u")), reaches(UInt8(ascii: "v")))
    let isDigit = reaches(UInt8(ascii: "0")) & ~reaches(UInt8(ascii: "9") &+ 1)
    let isLetter = letters & ~reaches(UInt8(ascii: "z") &+ 1)
    // The alphabet leaves out i, l, o and u.
    let isLeftOut = (fromI ^ afterI) | (fromL ^ afterL) | (fromO ^ afterO) | (fromU ^ afterU)
    wrong |= (characters & tops) | (((isDigit | isLetter) & ~isLeftOut) ^ tops)
    let gap = UInt64(UInt8(ascii: "a") &- UInt8(ascii: "0") &- 10)
    var values = characters &- UInt64(UInt8(ascii: "0")) &* ones
    values = values &- (letters &>> 7) &* gap
    values = values &- (afterI &>> 7) &- (afterL &>> 7) &- (afterO &>> 7) &- (afterU &>> 7)
    // Eight times 5 bits move together, two neighbours at a time.
    var bits = values.byteSwapped
    bits = (bits &>> 3 & 0x03E0_03E0_03E0_03E0) | (bits & 0x001F_001F_001F_001F)
    bits = (bits &>> 6 & 0x000F_FC00_000F_FC00) | (bits & 0x0000_03FF_0000_03FF)
    return (bits &>> 12 & 0x0000_00FF_FFF0_0000) | (bits & 0x0000_0000_000F_FFFF)
  }
}

extension JSONReader {
  /// Reads an id of the usual length, and looks at no byte twice: its characters need no escapes. Nil, and nothing is consumed, where none comes next.
  mutating func readUsualID() -> DocumentID? {
    guard (try? nextByte()) == UInt8(ascii: "\"") else { return nil }
    let start = cursor &+ 1
    let close = start &+ DocumentID.usualTextCount
    guard close < end, byte(close) == UInt8(ascii: "\""),
      let id = DocumentID(utf8: UnsafeRawBufferPointer(start: base + start, count: DocumentID.usualTextCount))
    else { return nil }
    cursor = close &+ 1
    return id
  }
}
