extension JSONReader {
  /// Reads a float64: a number, or one of the special values as `{"$float": …}`.
  @inlinable
  public mutating func readDouble() throws(JSONError) -> Double {
    let first = try nextByte()
    if first == UInt8(ascii: "{") { return try readSpecialDouble() }
    return try readNumber()
  }

  /// Whether a number in digits comes next.
  @inline(__always)
  mutating func isAtPlainNumber() throws(JSONError) -> Bool {
    let next = try nextByte()
    return next &- UInt8(ascii: "0") <= 9 || next == UInt8(ascii: "-")
  }

  /// Reads a JSON number, as the double that is nearest to it (halves to even).
  ///
  /// Up to 19 digits are gathered in an integer `m`, so the number is `m × 10^e`. Where `m` ≤ 2^53 and |e| ≤ 22, both are exact doubles, and one multiplication
  /// or division rounds once. Where |e| ≤ 19, 128-bit integer arithmetic gives 63 bits of the quotient or product and whether anything was left over, which
  /// is enough to round once; times in milliseconds with a fraction are of this kind. What remains (long digit strings, large exponents) is rare, and goes to
  /// the standard library.
  @usableFromInline
  mutating func readNumber() throws(JSONError) -> Double {
    let start = cursor
    var index = start
    var isNegative = false
    if index < end, byte(index) == UInt8(ascii: "-") {
      isNegative = true
      index &+= 1
    }
    var mantissa: UInt64 = 0
    let digits = index
    while index < end {
      let digit = byte(index) &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      mantissa = mantissa &* 10 &+ UInt64(digit)
      index &+= 1
    }
    var digitCount = index &- digits
    guard digitCount > 0 else { throw unexpected(index, isNegative ? "a digit" : "a number") }
    guard digitCount == 1 || byte(digits) != UInt8(ascii: "0") else { throw failure(digits, "leading zero") }
    var exponent = 0
    if index < end, byte(index) == UInt8(ascii: ".") {
      index &+= 1
      let fraction = index
      while index < end {
        let digit = byte(index) &- UInt8(ascii: "0")
        guard digit <= 9 else { break }
        mantissa = mantissa &* 10 &+ UInt64(digit)
        index &+= 1
      }
      let fractionCount = index &- fraction
      guard fractionCount > 0 else { throw unexpected(index, "a digit") }
      digitCount &+= fractionCount
      exponent = -fractionCount
    }
    if index < end, byte(index) | 0x20 == UInt8(ascii: "e") {
      exponent &+= try scanExponent(&index)
    }
    cursor = index
    guard digitCount <= 19 else { return try slowNumber(start..<index) }
    if exponent == 0 && mantissa <= 1 << 53 {
      let magnitude = Double(Int64(bitPattern: mantissa))
      return isNegative ? -magnitude : magnitude
    }
    guard let magnitude = Decimals.nearest(mantissa, exponent) else { return try slowNumber(start..<index) }
    return isNegative ? -magnitude : magnitude
  }

  /// Checks a number's grammar from its first byte, and that it is in range; answers the position after it.
  func scanNumber(_ start: Int) throws(JSONError) -> Int {
    var index = start
    if byte(index) == UInt8(ascii: "-") { index &+= 1 }
    let digits = index
    while index < end, byte(index) &- UInt8(ascii: "0") <= 9 { index &+= 1 }
    let digitCount = index &- digits
    guard digitCount > 0 else { throw unexpected(index, "a digit") }
    guard digitCount == 1 || byte(digits) != UInt8(ascii: "0") else { throw failure(digits, "leading zero") }
    if index < end, byte(index) == UInt8(ascii: ".") {
      index &+= 1
      let fraction = index
      while index < end, byte(index) &- UInt8(ascii: "0") <= 9 { index &+= 1 }
      guard index > fraction else { throw unexpected(index, "a digit") }
    }
    var exponent = 0
    if index < end, byte(index) | 0x20 == UInt8(ascii: "e") { exponent = try scanExponent(&index) }
    // Below 10^300 whatever the digits are; above, only the value tells.
    if digitCount &+ exponent > 300 { _ = try slowNumber(start..<index) }
    return index
  }

  /// `index` is at the `e`. The result is clipped, far beyond what any double reaches and far below what overflows.
  private func scanExponent(_ index: inout Int) throws(JSONError) -> Int {
    index &+= 1
    var isNegative = false
    if index < end, byte(index) == UInt8(ascii: "-") || byte(index) == UInt8(ascii: "+") {
      isNegative = byte(index) == UInt8(ascii: "-")
      index &+= 1
    }
    let digits = index
    var exponent = 0
    while index < end {
      let digit = byte(index) &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      if exponent < 1 << 40 { exponent = exponent * 10 + Int(digit) }
      index &+= 1
    }
    guard index > digits else { throw unexpected(index, "a digit") }
    return isNegative ? -exponent : exponent
  }

  @inline(never)
  private func slowNumber(_ range: Range<Int>) throws(JSONError) -> Double {
    let text = String(utf8Bytes: bytes(in: range))
    guard let number = Double(text), number.isFinite else { throw failure(range.lowerBound, "number out of range") }
    return number
  }
}

/// Decimal to binary for the numbers that databases hold.
enum Decimals {
  /// The double nearest to `mantissa × 10^exponent`, or nil where neither of the exact ways reaches.
  static func nearest(_ mantissa: UInt64, _ exponent: Int) -> Double? {
    if mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
      let integer = Double(Int64(bitPattern: mantissa))
      return exponent < 0 ? integer / exactDoubles[-exponent] : integer * exactDoubles[exponent]
    }
    guard mantissa > 0 else { return 0 }
    guard exponent >= -19, exponent <= 19 else { return nil }
    return exponent < 0 ? quotient(mantissa, integers[-exponent]) : product(mantissa, integers[exponent])
  }

  /// Both operands are shifted until their top bits are set, so the quotient of 127 by 64 bits has 63 or 64 bits; the lowest is made sticky with the remainder.
  private static func quotient(_ dividend: UInt64, _ divisor: UInt64) -> Double {
    let dividendShift = dividend.leadingZeroBitCount
    let divisorShift = divisor.leadingZeroBitCount
    let shifted = dividend &<< UInt64(dividendShift)
    let (quotient, remainder) = (divisor &<< UInt64(divisorShift)).dividingFullWidth((shifted &>> 1, shifted &<< 63))
    let sticky = remainder == 0 ? quotient : quotient | 1
    return scaled(Double(sticky), by: divisorShift - dividendShift - 63)
  }

  private static func product(_ left: UInt64, _ right: UInt64) -> Double {
    let (high, low) = left.multipliedFullWidth(by: right)
    if high == 0 { return Double(low) }
    let shift = high.leadingZeroBitCount
    let top = shift == 0 ? high : high &<< UInt64(shift) | low &>> UInt64(64 - shift)
    let rest = low &<< UInt64(shift)
    return scaled(Double(rest == 0 ? top : top | 1), by: 64 - shift)
  }

  /// Exact, because every exponent that arises here lies well within the normal range.
  private static func scaled(_ value: Double, by exponent: Int) -> Double {
    value * Double(sign: .plus, exponent: exponent, significand: 1)
  }

  static let exactDoubles: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  static let integers: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
    1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
    100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
  ]
}
