extension OrderedTree {
  /// Sets the payload of `key` and returns the one that it replaces, or nil if the key is new.
  ///
  /// O(log n) and in place where no snapshot shares the touched nodes; each that is shared is copied first, O(fanout).
  /// An entry that is there already keeps its key as it was first inserted.
  @discardableResult
  mutating func insert(_ payload: Payload, for key: Key) -> Payload? {
    guard var top = root.take() else {
      let leaf = Node.make(level: 0, capacity: fanout.leaf)
      View(leaf).insertEntry(key, payload, at: 0)
      root = leaf
      count = 1
      return nil
    }
    var replaced: Payload?
    if let split = Self.insert(key, payload, below: &top, isOnRightEdge: true, &replaced) {
      top = Self.root(over: top, split, fanout)
    }
    root = top
    if replaced == nil { count &+= 1 }
    return replaced
  }

  /// Sets the payload of a key that is there; traps if it isn't. As `insert`, in half of the time: no node splits, no total changes.
  mutating func replace(_ key: Key, with payload: Payload) where Payload.Summary == NoSummary {
    guard var top = root.take() else { preconditionFailure("no entry to replace: the tree is empty") }
    var node = Self.uniqueView(of: &top)
    while !node.isLeaf { node = Self.uniqueView(of: node.children + node.childIndex(for: key)) }
    guard let index = node.entryIndex(of: key) else { preconditionFailure("no entry to replace: the key is not there") }
    node.entries[index].payload = payload
    root = top
  }

  /// Removes `key` and returns its payload, or nil if it is absent, which changes and copies nothing.
  ///
  /// O(log n), with copies as for `insert`.
  @discardableResult
  mutating func remove(_ key: Key) -> Payload? {
    // In place, a descent in vain does no harm; through shared nodes it would copy them for nothing.
    if !isKnownUniquelyReferenced(&root), !contains(key) { return nil }
    guard var top = root.take() else { return nil }
    let removed = Self.remove(key, below: &top, isOnRightEdge: true, fanout)
    let view = View(top)
    if view.count == 0 {
      root = nil
    } else if !view.isLeaf, view.count == 1 {
      root = view.children[0]
    } else {
      root = top
    }
    if removed != nil { count &-= 1 }
    return removed
  }

  /// The node in `slot`, copied first unless the slot's reference is the only one: then nobody else can see it, and
  /// it may be written. Holds for a child only if its parent went through here before.
  @inline(__always)
  static func uniqueView(of slot: UnsafeMutablePointer<Node>) -> View {
    if !isKnownUniquelyReferenced(&slot.pointee) {
      slot.pointee = View(slot: slot).copy()
    }
    return View(slot: slot)
  }
}

// MARK: Insertion

extension OrderedTree {
  /// The upper part of a node that was full, on its way to the parent.
  private typealias Split = (separator: Key, right: Node)

  private static func insert(
    _ key: Key, _ payload: Payload, below slot: UnsafeMutablePointer<Node>, isOnRightEdge: Bool,
    _ replaced: inout Payload?
  ) -> Split? {
    let node = uniqueView(of: slot)
    if node.isLeaf { return insert(key, payload, intoLeaf: node, isOnRightEdge, &replaced) }
    let index = node.childIndex(for: key)
    let isLast = index == node.count - 1
    let split = insert(
      key, payload, below: node.children + index, isOnRightEdge: isOnRightEdge && isLast, &replaced)
    if let split { return insert(split, behindChild: index, of: node, isOnRightEdge) }
    if replaced == nil { node.counts[index] &+= 1 }
    node.updateSum(ofChild: index, replacing: replaced?.summand, with: payload.summand)
    return nil
  }

  private static func insert(
    _ key: Key, _ payload: Payload, intoLeaf leaf: View, _ isOnRightEdge: Bool, _ replaced: inout Payload?
  ) -> Split? {
    let index = leaf.lowerBound(key)
    if index < leaf.count, !(key < leaf.entries[index].key) {
      replaced = leaf.entries[index].payload
      leaf.entries[index].payload = payload
      return nil
    }
    if !leaf.isFull {
      leaf.insertEntry(key, payload, at: index)
      return nil
    }
    if isOnRightEdge && index == leaf.count {
      // Keys in ascending order: nothing will come between, so the full leaf stays full.
      let right = Node.make(level: 0, capacity: leaf.capacity)
      View(right).insertEntry(key, payload, at: 0)
      return (key, right)
    }
    let middle = leaf.count / 2
    let split = leaf.split(at: middle)
    if index <= middle {
      leaf.insertEntry(key, payload, at: index)
    } else {
      View(split.right).insertEntry(key, payload, at: index - middle)
    }
    return split
  }

  /// Adds the branch that child `index` of `node` split off, and splits `node` itself if it is full.
  private static func insert(
    _ branch: Split, behindChild index: Int, of node: View, _ isOnRightEdge: Bool
  ) -> Split? {
    var target = node
    var index = index
    var split: Split?
    if node.isFull {
      // On the right edge all but the last child stay behind; that one keeps the new child company.
      let isAppended = isOnRightEdge && index == node.count - 1
      let middle = isAppended ? node.count - 1 : node.count / 2
      let upper = node.split(at: middle)
      if index >= middle {
        target = View(upper.right)
        index -= middle
      }
      split = upper
    }
    target.insertChild(branch.right, separator: branch.separator, at: index + 1)
    target.refreshTotals(ofChild: index)
    return split
  }

  /// One level more.
  private static func root(over left: Node, _ split: Split, _ fanout: TreeFanout) -> Node {
    let node = Node.make(level: View(left).level + 1, capacity: fanout.branch)
    let view = View(node)
    view.setFirstChild(left)
    view.insertChild(split.right, separator: split.separator, at: 1)
    return node
  }
}

// MARK: Removal

extension OrderedTree {
  private static func remove(
    _ key: Key, below slot: UnsafeMutablePointer<Node>, isOnRightEdge: Bool, _ fanout: TreeFanout
  ) -> Payload? {
    let node = uniqueView(of: slot)
    if node.isLeaf {
      guard let index = node.entryIndex(of: key) else { return nil }
      return node.removeEntry(at: index)
    }
    let index = node.childIndex(for: key)
    let isChildOnRightEdge = isOnRightEdge && index == node.count - 1
    guard
      let removed = remove(key, below: node.children + index, isOnRightEdge: isChildOnRightEdge, fanout)
    else { return nil }
    let child = node.child(index)
    if child.count < fanout.minimum(level: child.level, isOnRightEdge: isChildOnRightEdge) {
      // Every branch node has two children or more, so there is a neighbour.
      let left = max(index - 1, 0)
      _ = uniqueView(of: node.children + left)
      _ = uniqueView(of: node.children + left + 1)
      node.mergeOrBalance(childrenAt: left)
    } else {
      node.counts[index] &-= 1
      node.updateSum(ofChild: index, replacing: removed.summand, with: nil)
    }
    return removed
  }
}
