/// Something that adds up over the entries of a subtree: a sum of numbers, a greatest bound.
///
/// The operation must be associative, save for rounding. One that has an exact inverse says so by `replacing`, and then a
/// write changes totals in O(1) a level; for the others they are computed from all parts anew.
protocol TreeSummary: Sendable, Equatable {
  /// Whether nodes keep totals at all. A constant, so that the code for the other case is compiled away.
  static var isKept: Bool { get }

  /// The total of the parts of a range that is not empty, in an order that depends on its length alone.
  static func total(of range: Range<Int>, _ part: (Int) -> Self) -> Self

  /// The total of no parts; nil where there is no such thing.
  static var none: Self? { get }

  /// The total when one part is replaced (nil: is added, or taken away); nil where it can only be computed anew.
  static func replacing(_ old: Self?, with new: Self?, in total: Self) -> Self?
}

extension TreeSummary {
  static var none: Self? { nil }

  @inline(__always)
  static func replacing(_ old: Self?, with new: Self?, in total: Self) -> Self? { nil }
}

/// The summary of payloads that are not added up.
struct NoSummary: TreeSummary {
  static var isKept: Bool { false }

  static func total(of range: Range<Int>, _ part: (Int) -> NoSummary) -> NoSummary { NoSummary() }
}
