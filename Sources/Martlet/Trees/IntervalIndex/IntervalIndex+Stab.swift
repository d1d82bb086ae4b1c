extension IntervalIndex {
  /// `isInside`: all intervals of this subtree are known to begin at or before the point.
  static func stab(_ node: Tree.View, _ point: Bound, isInside: Bool, _ body: (Owner) -> Void) {
    if node.isLeaf {
      let entries = node.entries
      let end = isInside ? node.count : beginnings(inLeaf: node, point)
      for index in 0..<end where entries[index].payload.end.isAfter(point) {
        body(entries[index].payload.owner)
      }
      return
    }
    // Only the last child that begins early enough may also hold intervals that do not.
    let sums = node.sums
    let last = isInside ? node.count - 1 : lastChild(of: node, point)
    for index in 0...last where sums[index].isAfter(point) {
      stab(node.child(index), point, isInside: isInside || index < last, body)
    }
  }

  /// Intervals of a leaf that begin at or before the point.
  private static func beginnings(inLeaf leaf: Tree.View, _ point: Bound) -> Int {
    let entries = leaf.entries
    return Tree.View.partitionPoint(leaf.count) { entries[$0].key.isAtMost(point) }
  }

  private static func lastChild(of node: Tree.View, _ point: Bound) -> Int {
    let keys = node.keys
    return Tree.View.partitionPoint(node.count - 1) { keys[$0].isAtMost(point) }
  }

  /// As for the tree; the greatest upper bounds are among the totals that it checks. O(n).
  func checkInvariants() throws(BrokenInvariant) {
    try tree.checkInvariants()
  }
}
