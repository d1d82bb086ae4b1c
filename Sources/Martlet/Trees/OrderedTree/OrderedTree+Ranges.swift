// Ranges are half-open, [from, to), and nil means that side is unbounded. A range whose ends are in the wrong order is
// empty.
extension OrderedTree {
  /// Entries in the range. O(log n): the difference of two ranks.
  func count(from: Key? = nil, to: Key? = nil) -> Int {
    let upper = to.map(rank(of:)) ?? count
    let lower = from.map(rank(of:)) ?? 0
    return max(0, upper - lower)
  }

  /// The first entry in the range, in the order of keys. O(log n).
  func first(from: Key? = nil, to: Key? = nil) -> Entry? {
    guard var node = rootView else { return nil }
    // The nearest subtree to the right of the path, in case the leaf has nothing from `from` on.
    var next: View?
    while !node.isLeaf {
      let index = from.map { node.childIndex(for: $0) } ?? 0
      if index + 1 < node.count { next = node.child(index + 1) }
      node = node.child(index)
    }
    var index = from.map { node.lowerBound($0) } ?? 0
    if index == node.count {
      guard let next else { return nil }
      node = next
      while !node.isLeaf { node = node.child(0) }
      index = 0
    }
    if let to, !(node.entries[index].key < to) { return nil }
    return node.entries[index]
  }

  /// The last entry in the range, in the order of keys. O(log n).
  func last(from: Key? = nil, to: Key? = nil) -> Entry? {
    guard var node = rootView else { return nil }
    var previous: View?
    while !node.isLeaf {
      let index = to.map { node.childIndex(for: $0) } ?? node.count - 1
      if index > 0 { previous = node.child(index - 1) }
      node = node.child(index)
    }
    var end = to.map { node.lowerBound($0) } ?? node.count
    if end == 0 {
      guard let previous else { return nil }
      node = previous
      while !node.isLeaf { node = node.child(node.count - 1) }
      end = node.count
    }
    if let from, node.entries[end - 1].key < from { return nil }
    return node.entries[end - 1]
  }

  /// The entry that has `offset` others of the range before it in the given order; nil where there are no more than those.
  /// O(log n).
  func entry(offset: Int, from: Key? = nil, to: Key? = nil, descending: Bool = false) -> Entry? {
    let lower = from.map(rank(of:)) ?? 0
    let upper = to.map(rank(of:)) ?? count
    guard offset >= 0, offset < upper - lower else { return nil }
    return entry(atRank: descending ? upper - 1 - offset : lower + offset)
  }

  /// Calls `body` for each entry of the range in ascending or descending order of keys, until it returns false.
  ///
  /// O(log n) and a few nanoseconds for each entry; no allocation.
  func forEach(
    from: Key? = nil, to: Key? = nil, descending: Bool = false, _ body: (Key, Payload) throws -> Bool
  ) rethrows {
    guard let root = rootView else { return }
    if descending {
      _ = try Self.descend(root, from, to, body)
    } else {
      _ = try Self.ascend(root, from, to, body)
    }
  }

  /// Only the first and the last child of the walk can reach over the bounds, so only they are shown them.
  private static func ascend(
    _ node: View, _ from: Key?, _ to: Key?, _ body: (Key, Payload) throws -> Bool
  ) rethrows -> Bool {
    if node.isLeaf {
      var (index, end) = reach(inLeaf: node, from, to)
      let entries = node.entries
      while index < end {
        guard try body(entries[index].key, entries[index].payload) else { return false }
        index &+= 1
      }
      return true
    }
    let (first, last) = reach(inBranch: node, from, to)
    var index = first
    while index <= last {
      let goesOn = try ascend(node.child(index), index == first ? from : nil, index == last ? to : nil, body)
      guard goesOn else { return false }
      index &+= 1
    }
    return true
  }

  private static func descend(
    _ node: View, _ from: Key?, _ to: Key?, _ body: (Key, Payload) throws -> Bool
  ) rethrows -> Bool {
    if node.isLeaf {
      var (start, index) = reach(inLeaf: node, from, to)
      let entries = node.entries
      while index > start {
        index &-= 1
        guard try body(entries[index].key, entries[index].payload) else { return false }
      }
      return true
    }
    let (first, last) = reach(inBranch: node, from, to)
    var index = last
    while index >= first {
      let goesOn = try descend(node.child(index), index == first ? from : nil, index == last ? to : nil, body)
      guard goesOn else { return false }
      index &-= 1
    }
    return true
  }

  /// The entries of a leaf that are in the range: [0, 1).
  @inline(__always)
  private static func reach(inLeaf leaf: View, _ from: Key?, _ to: Key?) -> (Int, Int) {
    (from.map { leaf.lowerBound($0) } ?? 0, to.map { leaf.lowerBound($0) } ?? leaf.count)
  }

  /// The first and the last child that may hold entries of the range.
  @inline(__always)
  private static func reach(inBranch node: View, _ from: Key?, _ to: Key?) -> (Int, Int) {
    (from.map { node.childIndex(for: $0) } ?? 0, to.map { node.childIndex(for: $0) } ?? node.count - 1)
  }
}

extension OrderedTree where Payload.Summary == ExactSum {
  /// The sum of the summands in the range, 0 if it is empty. O(log n).
  func sum(from: Key? = nil, to: Key? = nil) -> Double {
    guard let root = rootView else { return 0 }
    return Self.sum(below: root, from, to).value
  }

  private static func sum(below node: View, _ from: Key?, _ to: Key?) -> ExactSum {
    if node.isLeaf {
      let (lower, upper) = reach(inLeaf: node, from, to)
      return lower < upper ? node.sumOfEntries(lower..<upper) : ExactSum()
    }
    let (first, last) = reach(inBranch: node, from, to)
    if first > last { return ExactSum() }
    if first == last { return sum(below: node.child(first), from, to) }
    var sum = from == nil ? node.sums[first] : self.sum(below: node.child(first), from, nil)
    if first + 1 < last { sum.add(node.sumOfChildren((first + 1)..<last)) }
    sum.add(to == nil ? node.sums[last] : self.sum(below: node.child(last), nil, to))
    return sum
  }
}
