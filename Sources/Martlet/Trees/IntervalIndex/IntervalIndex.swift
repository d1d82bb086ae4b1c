/// A set of half-open intervals [lower, upper), each with an owner, that tells which of them contain a point.
///
/// Each live query has read some intervals of some indexes; each commit changes some points and must find the queries
/// that read them. Asking all queries costs O(queries) for each commit. Hashing finds equal points only, not ranges.
///
/// Here the intervals are the entries of an `OrderedTree`, in the order of their lower bounds, and the summary of a
/// subtree is its greatest upper bound. A stab walks only into subtrees that begin at or before the point and of which
/// some interval ends after it: each of these has a hit. So a stab of h hits costs O((1 + h) log n) at worst, and close
/// to O(log n + h) in practice, as hits tend to be neighbours: ten thousand equal intervals lie side by side in full
/// leaves, and cost one step each.
///
/// A binary tree of nodes in an array would be the textbook's choice. With 100,000 intervals it is 17 nodes deep, most of
/// them cache misses; this is four.
///
/// Nil as lower bound means from the beginning, nil as upper bound up to the end. An empty interval may be inserted and
/// is never hit. Not for concurrent use of one variable; a copy is an O(1) snapshot.
struct IntervalIndex<Bound: Comparable & Sendable, Owner: Sendable>: Sendable {
  typealias Tree = OrderedTree<IntervalStart<Bound>, Interval>

  /// Names an interval of this index until it is removed. Keep it: removal needs it.
  struct Token: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  /// The end of an interval and whom it belongs to; the beginning is the key in the tree.
  struct Interval: TreePayload {
    let end: IntervalEnd<Bound>
    let owner: Owner

    var summand: IntervalEnd<Bound> { end }
  }

  private(set) var tree: Tree
  private var lastNumber: UInt64 = 0

  /// An empty index. O(1).
  init(fanout: TreeFanout = .wide) {
    tree = Tree(fanout: fanout)
  }

  /// Intervals. O(1).
  var count: Int { tree.count }

  var isEmpty: Bool { tree.isEmpty }

  /// Adds an interval, even if an equal one is there. O(log n). Returns the token that removes it.
  mutating func insert(lower: Bound?, upper: Bound?, owner: Owner) -> Token {
    lastNumber += 1
    let start = IntervalStart(lower: lower, number: lastNumber)
    tree.insert(Interval(end: IntervalEnd(upper: upper), owner: owner), for: start)
    return Token(number: lastNumber)
  }

  /// Removes the interval that `insert(lower:upper:owner:)` returned `token` for, given the same `lower`, and returns
  /// its owner; nil if there is none. O(log n).
  @discardableResult
  mutating func remove(lower: Bound?, _ token: Token) -> Owner? {
    tree.remove(IntervalStart(lower: lower, number: token.number))?.owner
  }

  /// Calls `body` with the owner of each interval that contains `point`, in the order of lower bounds, then of insertion.
  /// An owner of several intervals that do is called as often. Costs as in the type's comment; no allocation.
  func forEach(containing point: Bound, _ body: (Owner) -> Void) {
    guard let root = tree.rootView else { return }
    withExtendedLifetime(tree) { Self.stab(root, point, isInside: false, body) }
  }
}

/// The place of an interval in an `IntervalIndex`: its lower bound (nil is before all others), then a number that makes
/// equal bounds distinct.
struct IntervalStart<Bound: Comparable & Sendable>: Comparable, Sendable {
  let lower: Bound?
  let number: UInt64

  @inline(__always)
  static func < (left: IntervalStart, right: IntervalStart) -> Bool {
    guard let rightLower = right.lower else { return left.lower == nil && left.number < right.number }
    guard let leftLower = left.lower else { return true }
    if leftLower < rightLower { return true }
    return left.number < right.number && !(rightLower < leftLower)
  }

  static func == (left: IntervalStart, right: IntervalStart) -> Bool {
    left.number == right.number && left.lower == right.lower
  }

  /// Whether the interval begins at `point` or before.
  @inline(__always)
  func isAtMost(_ point: Bound) -> Bool {
    guard let lower else { return true }
    return !(point < lower)
  }
}

/// The exclusive upper bound of an interval, or of all in a subtree. Nil is after all others.
struct IntervalEnd<Bound: Comparable & Sendable>: TreeSummary {
  let upper: Bound?

  @inline(__always)
  func isAfter(_ point: Bound) -> Bool {
    guard let upper else { return true }
    return point < upper
  }

  static var isKept: Bool { true }

  /// The greatest.
  static func total(of range: Range<Int>, _ part: (Int) -> IntervalEnd) -> IntervalEnd {
    var greatest = part(range.lowerBound)
    for index in range.dropFirst() {
      guard let bound = greatest.upper else { break }
      let next = part(index)
      if next.isAfter(bound) { greatest = next }
    }
    return greatest
  }
}
