extension JSONWriter {
  /// A float64. Integral values below 2^53 print without a fraction (`1998`), others as the shortest text that reads back as the same double; −0, NaN and the
  /// infinities, which JSON cannot spell, as `{"$float": …}`.
  public mutating func write(double: Double) {
    let magnitude = double.magnitude
    guard magnitude < 0x1p53 else { return writeLarge(double) }
    let truncated = Int64(magnitude)
    if Double(truncated) == magnitude {
      if truncated == 0 && double.sign == .minus { return writeSpecial(double) }
      return write(decimal: double < 0 ? -truncated : truncated)
    }
    // Up to three decimals are tried by arithmetic. Below 2^42 doubles lie closer than a thousandth, so at most one such decimal is nearest to this
    // double; that dividing gives the double back proves that it is, and without trailing zeros it is the shortest there can be.
    if magnitude < 0x1p42 {
      let thousandths = (magnitude * 1000).rounded()
      if thousandths >= 1, thousandths / 1000 == magnitude {
        return write(thousandths: UInt64(thousandths), isNegative: double < 0)
      }
    }
    writeShortest(double)
  }

  /// A plain integer in decimal digits: timestamps and counts of the protocol, which are no values.
  public mutating func write(decimal integer: Int64) {
    var output = buffer.reserve(20)
    if integer < 0 {
      output.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
      output += 1
      buffer.count &+= 1
    }
    buffer.count &+= Decimals.write(integer.magnitude, to: output)
  }

  /// A whole number, as a float64. One beyond ±2^53 is none: it is noted in `unfitNumber`, and its text is that of a float64
  /// beyond ±2^53 too, so that no reader takes it for another whole number.
  @inlinable
  public mutating func write(wholeNumber integer: Int) {
    if integer.magnitude <= 1 << 53 { write(decimal: Int64(integer)) } else { write(unfit: integer) }
  }

  @usableFromInline @inline(never)
  mutating func write(unfit integer: Int) {
    unfitNumber = integer
    let double = Double(integer)
    let magnitude = max(double.magnitude, 0x1p53.nextUp)
    write(double: integer < 0 ? -magnitude : magnitude)
  }

  /// An int64 value: `{"$integer": …}`.
  public mutating func write(int64: Int64) {
    buffer.append("{\"$integer\":\"")
    writeBase64(int64.littleEndian)
    buffer.append("\"}")
  }

  /// Bytes: `{"$bytes": …}`.
  public mutating func write(bytes: [UInt8]) {
    buffer.append("{\"$bytes\":\"")
    bytes.withUnsafeBytes { writeBase64($0) }
    buffer.append("\"}")
  }

  private mutating func writeSpecial(_ double: Double) {
    buffer.append("{\"$float\":\"")
    writeBase64(double.bitPattern.littleEndian)
    buffer.append("\"}")
  }

  private mutating func writeBase64(_ word: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: word) { writeBase64($0) }
  }

  private mutating func writeBase64(_ bytes: UnsafeRawBufferPointer) {
    let count = Base64.encodedCount(bytes.count)
    Base64.encode(bytes, into: buffer.reserve(count))
    buffer.count &+= count
  }

  @inline(never)
  private mutating func writeLarge(_ double: Double) {
    if double.isFinite { writeShortest(double) } else { writeSpecial(double) }
  }

  private mutating func writeShortest(_ double: Double) {
    double.description.withUTF8Bytes { buffer.append($0) }
  }

  private mutating func write(thousandths: UInt64, isNegative: Bool) {
    var output = buffer.reserve(24)
    let start = output
    if isNegative {
      output.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
      output += 1
    }
    let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1000)
    output += Decimals.write(whole, to: output)
    let fraction = UInt32(truncatingIfNeeded: rest)
    let (tenths, hundredths, last) = (fraction / 100, fraction / 10 % 10, fraction % 10)
    output.storeBytes(of: UInt8(ascii: "."), as: UInt8.self)
    output.storeBytes(of: UInt8(truncatingIfNeeded: tenths) + 48, toByteOffset: 1, as: UInt8.self)
    output.storeBytes(of: UInt8(truncatingIfNeeded: hundredths) + 48, toByteOffset: 2, as: UInt8.self)
    output.storeBytes(of: UInt8(truncatingIfNeeded: last) + 48, toByteOffset: 3, as: UInt8.self)
    output += last != 0 ? 4 : hundredths != 0 ? 3 : 2
    buffer.count &+= output - start
  }
}

extension Decimals {
  private static let pairs: StaticString =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

  /// Writes the digits of `integer` (20 at most) and answers how many they are. Two digits at a time, from the last.
  static func write(_ integer: UInt64, to output: UnsafeMutableRawPointer) -> Int {
    if integer < 10 {
      output.storeBytes(of: UInt8(truncatingIfNeeded: integer) &+ 48, as: UInt8.self)
      return 1
    }
    let count = digitCount(integer)
    var rest = integer
    var place = count
    let table = UnsafeRawPointer(pairs.utf8Start)
    while rest >= 100 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      place &-= 2
      output.storeBytes(of: table.loadUnaligned(fromByteOffset: Int(pair) &* 2, as: UInt16.self), toByteOffset: place, as: UInt16.self)
      rest = quotient
    }
    if rest >= 10 {
      output.storeBytes(of: table.loadUnaligned(fromByteOffset: Int(rest) &* 2, as: UInt16.self), as: UInt16.self)
    } else {
      output.storeBytes(of: UInt8(truncatingIfNeeded: rest) &+ 48, as: UInt8.self)
    }
    return count
  }

  private static func digitCount(_ integer: UInt64) -> Int {
    var count = 1
    var rest = integer
    while true {
      if rest < 10 { return count }
      if rest < 100 { return count &+ 1 }
      if rest < 1_000 { return count &+ 2 }
      if rest < 10_000 { return count &+ 3 }
      rest /= 10_000
      count &+= 4
    }
  }
}
