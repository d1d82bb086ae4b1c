extension OrderedTree {
  /// A tree of entries that come in strictly ascending order of keys, in full nodes: for recovery and for building an
  /// index. O(n), about one comparison for each entry. Traps if the order is wrong.
  init(sorted entries: some Sequence<(Key, Payload)>, fanout: TreeFanout = .wide) {
    self.init(fanout: fanout)
    var level = Self.leaves(of: entries, fanout: fanout)
    while level.count > 1 {
      level = Self.parents(of: level, fanout: fanout)
    }
    if let top = level.first {
      root = top.node
      count = top.count
    }
  }

  /// A finished node and what its parent needs to know of it.
  private struct Branch {
    let leastKey: Key
    let node: Node
    let count: Int
    let sum: Payload.Summary?
  }

  private static func leaves(of entries: some Sequence<(Key, Payload)>, fanout: TreeFanout) -> [Branch] {
    var leaves: [Branch] = []
    var node: Node?
    func finish(_ node: Node) {
      let view = View(node)
      leaves.append(
        Branch(
          leastKey: view.entries[0].key, node: node, count: view.count, sum: Payload.Summary.isKept ? view.subtreeSum : nil))
    }
    for (key, payload) in entries {
      if let current = node {
        let view = View(current)
        precondition(view.entries[view.count - 1].key < key, "keys of a bulk load must ascend strictly")
        if !view.isFull {
          view.insertEntry(key, payload, at: view.count)
          continue
        }
        finish(current)
      }
      let fresh = Node.make(level: 0, capacity: fanout.leaf)
      View(fresh).insertEntry(key, payload, at: 0)
      node = fresh
    }
    if let node { finish(node) }
    return leaves
  }

  private static func parents(of children: [Branch], fanout: TreeFanout) -> [Branch] {
    var parents: [Branch] = []
    var start = 0
    while start < children.count {
      var end = min(start + fanout.branch, children.count)
      // A lone child has no sibling to merge with: leave it company.
      if children.count - end == 1 { end -= 1 }
      let node = Node.make(level: View(children[start].node).level + 1, capacity: fanout.branch)
      let view = View(node)
      for (index, child) in children[start..<end].enumerated() {
        if index > 0 { (view.keys + (index - 1)).initialize(to: child.leastKey) }
        (view.children + index).initialize(to: child.node)
        (view.counts + index).initialize(to: child.count)
        if let sum = child.sum { (view.sums + index).initialize(to: sum) }
      }
      view.setCount(end - start)
      parents.append(
        Branch(
          leastKey: children[start].leastKey, node: node, count: view.subtreeCount,
          sum: Payload.Summary.isKept ? view.subtreeSum : nil))
      start = end
    }
    return parents
  }
}
