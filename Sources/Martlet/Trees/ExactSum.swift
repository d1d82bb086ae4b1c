/// A sum of doubles that doesn't depend on the order in which they were added, and can be kept up to date by adding and
/// subtracting.
///
/// A running double can't: each addition rounds, so subtracting what leaves doesn't undo adding it, and the error grows with
/// every change. Recomputing a node's total from its entries does not drift, but reads the whole node for each write. So
/// the sum is an integer: a multiple of 2^-60, in 128 bits. Every double of a magnitude below 2^40 whose last bit is worth
/// 2^-60 or more *fits* exactly (all whole numbers there, and all amounts of money), and 134 million of them can't
/// overflow. Integers are added and subtracted exactly; the sum is rounded once, when it is read.
///
/// The doubles that don't fit (huge, tiny, infinite, NaN) are added up as doubles beside it; only where one of those
/// changes are a node's totals recomputed.
struct ExactSum: TreeSummary {
  /// The integer in two words: a 128-bit number would ask for an alignment that tree nodes don't have.
  private var low: UInt64 = 0
  private var high: Int64 = 0
  private var others = 0.0
  private var otherCount = 0

  private static let scaleExponent = 60
  private static let limit = 0x1p40

  init() {}

  @inline(__always)
  private var fixed: Int128 {
    get { Int128(high) << 64 | Int128(low) }
    set {
      low = UInt64(truncatingIfNeeded: newValue)
      high = Int64(truncatingIfNeeded: newValue >> 64)
    }
  }

  init(_ value: Double) {
    if let fixed = Self.fixed(value) {
      self.fixed = fixed
    } else {
      others = value
      otherCount = 1
    }
  }

  /// The sum, rounded once.
  var value: Double {
    let sum = Double(fixed) * 0x1p-60
    return otherCount == 0 ? sum : sum + others
  }

  @inline(__always)
  private static func fixed(_ value: Double) -> Int128? {
    guard value.magnitude < limit else { return nil }
    let whole = Int64(value)
    if Double(whole) == value { return Int128(whole) << Int128(scaleExponent) }
    return fractional(value)
  }

  private static func fractional(_ value: Double) -> Int128? {
    // value = significand · 2^(exponent − 52), the significand being an integer of 53 bits.
    let shift = Int(value.exponent) - 52 + scaleExponent
    let significand = Int128(Int64(value.significandBitPattern | 1 << 52))
    let magnitude: Int128
    if shift >= 0 {
      magnitude = significand << Int128(shift)
    } else {
      guard shift > -53, significand.trailingZeroBitCount >= -shift else { return nil }
      magnitude = significand >> Int128(-shift)
    }
    return value < 0 ? -magnitude : magnitude
  }

  static var isKept: Bool { true }
  static var none: ExactSum? { ExactSum() }

  @inline(__always)
  static func total(of range: Range<Int>, _ part: (Int) -> ExactSum) -> ExactSum {
    var total = ExactSum()
    for index in range { total.add(part(index)) }
    return total
  }

  @inline(__always)
  mutating func add(_ other: ExactSum) {
    fixed &+= other.fixed
    guard other.otherCount > 0 else { return }
    others += other.others
    otherCount += other.otherCount
  }

  @inline(__always)
  static func replacing(_ old: ExactSum?, with new: ExactSum?, in total: ExactSum) -> ExactSum? {
    if let old, old.otherCount > 0 { return nil }
    if let new, new.otherCount > 0 { return nil }
    var total = total
    total.fixed = total.fixed &- (old?.fixed ?? 0) &+ (new?.fixed ?? 0)
    return total
  }
}
