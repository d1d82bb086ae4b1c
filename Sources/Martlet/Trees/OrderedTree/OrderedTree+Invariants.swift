extension OrderedTree {
  /// Walks the whole tree, O(n), and throws the first thing that is wrong:
  ///
  /// 1. Keys ascend strictly, over all leaves.
  /// 2. Each separator is greater than all keys to its left and at most the least to its right.
  /// 3. All leaves are at level 0, each child one level below its parent.
  /// 4. No node is over its capacity or under its minimum; a root that is a branch node has two children.
  /// 5. The totals kept of a child are those computed from the child, with no tolerance.
  /// 6. `count` is the number of entries; an empty tree has no root.
  func checkInvariants() throws(BrokenInvariant) {
    guard let root = rootView else {
      if count != 0 { throw BrokenInvariant("no root, but count is \(count)") }
      return
    }
    if root.count < (root.isLeaf ? 1 : 2) { throw BrokenInvariant("root of \(root.count) at level \(root.level)") }
    var previous: Key?
    let entries = try check(root, from: nil, to: nil, isOnRightEdge: true, isRoot: true, &previous)
    if entries != count { throw BrokenInvariant("count is \(count), entries are \(entries)") }
  }

  private func check(
    _ node: View, from: Key?, to: Key?, isOnRightEdge: Bool, isRoot: Bool, _ previous: inout Key?
  ) throws(BrokenInvariant) -> Int {
    let minimum = isRoot ? 1 : fanout.minimum(level: node.level, isOnRightEdge: isOnRightEdge)
    if node.capacity != fanout.capacity(level: node.level) || node.count > node.capacity || node.count < minimum {
      throw BrokenInvariant("\(node.count) of \(node.capacity) at level \(node.level), minimum \(minimum)")
    }
    for index in 0..<(node.isLeaf ? node.count : node.count - 1) {
      let key = node.isLeaf ? node.entries[index].key : node.keys[index]
      if let from, key < from { throw BrokenInvariant("\(key) is below its separator \(from)") }
      if let to, !(key < to) { throw BrokenInvariant("\(key) is not below its separator \(to)") }
      if !node.isLeaf, index > 0, !(node.keys[index - 1] < key) { throw BrokenInvariant("\(key) is out of order") }
      if node.isLeaf {
        if let previous, !(previous < key) { throw BrokenInvariant("\(key) follows \(previous)") }
        previous = key
      }
    }
    if node.isLeaf { return node.count }
    var total = 0
    for index in 0..<node.count {
      let child = node.child(index)
      let isLast = index == node.count - 1
      if child.level != node.level - 1 { throw BrokenInvariant("level \(child.level) below \(node.level)") }
      let entries = try check(
        child, from: index > 0 ? node.keys[index - 1] : from, to: isLast ? to : node.keys[index],
        isOnRightEdge: isOnRightEdge && isLast, isRoot: false, &previous)
      if node.counts[index] != entries {
        throw BrokenInvariant("count \(node.counts[index]) of a subtree with \(entries) entries")
      }
      // A sum that is not a number is not equal to itself.
      if Payload.Summary.isKept, node.sums[index] != child.subtreeSum, node.sums[index] == node.sums[index] {
        throw BrokenInvariant("sum \(node.sums[index]) of a subtree with sum \(child.subtreeSum)")
      }
      total += entries
    }
    return total
  }

  /// Levels of nodes: 0 for the empty tree, 1 for a lone leaf.
  var height: Int { rootView.map { $0.level + 1 } ?? 0 }

  /// Leaves and how many entries they hold on average, for tests of how full they are. O(n / fanout).
  func occupancy() -> (leaves: Int, entriesPerLeaf: Double) {
    func leaves(_ node: View) -> Int {
      node.isLeaf ? 1 : (0..<node.count).reduce(0) { $0 + leaves(node.child($1)) }
    }
    guard let root = rootView else { return (0, 0) }
    let number = leaves(root)
    return (number, Double(count) / Double(number))
  }
}
