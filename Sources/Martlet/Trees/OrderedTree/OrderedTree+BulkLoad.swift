extension OrderedTree {
  /// A tree of entries that come in strictly ascending order of keys, in full nodes: for recovery and for building an
  /// index. O(n), about one comparison for each entry. Traps if the order is wrong.
  init(sorted entries: some Sequence<(Key, Payload)>, fanout: TreeFanout = .wide) {
    var loader = BulkLoader(fanout: fanout)
    for (key, payload) in entries {
      let isAscending = loader.append(key, payload)
      precondition(isAscending, "keys of a bulk load must ascend strictly")
    }
    self = loader.finish()
  }

  /// Takes entries as they come, and makes the tree at the end.
  struct BulkLoader {
    private let fanout: TreeFanout
    private var leaves: [Branch] = []
    private var node: Node?

    init(fanout: TreeFanout = .wide) { self.fanout = fanout }

    /// False where the key isn't greater than the one before: then the entry is not taken.
    mutating func append(_ key: Key, _ payload: Payload) -> Bool {
      if let current = node {
        let view = View(current)
        guard view.entries[view.count - 1].key < key else { return false }
        if !view.isFull {
          view.insertEntry(key, payload, at: view.count)
          return true
        }
        finishLeaf(current)
      }
      let fresh = Node.make(level: 0, capacity: fanout.leaf)
      View(fresh).insertEntry(key, payload, at: 0)
      node = fresh
      return true
    }

    private mutating func finishLeaf(_ node: Node) {
      let view = View(node)
      leaves.append(
        Branch(
          leastKey: view.entries[0].key, node: node, count: view.count, sum: Payload.Summary.isKept ? view.subtreeSum : nil))
    }

    /// Nothing may be appended afterwards.
    mutating func finish() -> OrderedTree {
      if let node { finishLeaf(node) }
      var level = leaves
      leaves = []
      node = nil
      while level.count > 1 { level = OrderedTree.parents(of: level, fanout: fanout) }
      var tree = OrderedTree(fanout: fanout)
      if let top = level.first {
        tree.root = top.node
        tree.count = top.count
      }
      return tree
    }
  }

  /// A finished node and what its parent needs to know of it.
  fileprivate struct Branch {
    let leastKey: Key
    let node: Node
    let count: Int
    let sum: Payload.Summary?
  }

  fileprivate static func parents(of children: [Branch], fanout: TreeFanout) -> [Branch] {
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
