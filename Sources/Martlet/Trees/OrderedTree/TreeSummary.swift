/// Something that adds up over the entries of a subtree: a sum of numbers, a greatest bound.
///
/// The operation must be associative, save for rounding. Totals are always computed from all parts anew, so it needs no
/// inverse.
protocol TreeSummary: Sendable, Equatable {
  /// Whether nodes keep totals at all. A constant, so that the code for the other case is compiled away.
  static var isKept: Bool { get }

  /// The total of the parts of a range that is not empty, in an order that depends on its length alone.
  static func total(of range: Range<Int>, _ part: (Int) -> Self) -> Self
}

/// The summary of payloads that are not added up.
struct NoSummary: TreeSummary {
  static var isKept: Bool { false }

  static func total(of range: Range<Int>, _ part: (Int) -> NoSummary) -> NoSummary { NoSummary() }
}

extension Double: TreeSummary {
  static var isKept: Bool { true }

  /// Four running sums: as the compiler may not reorder additions of doubles by itself, a single one would make each
  /// addition wait for the one before.
  @inline(__always)
  static func total(of range: Range<Int>, _ part: (Int) -> Double) -> Double {
    var lanes = SIMD4<Double>(repeating: 0)
    var index = range.lowerBound
    while index &+ 4 <= range.upperBound {
      lanes += SIMD4(part(index), part(index &+ 1), part(index &+ 2), part(index &+ 3))
      index &+= 4
    }
    var rest = 0.0
    while index < range.upperBound {
      rest += part(index)
      index &+= 1
    }
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + rest
  }
}
