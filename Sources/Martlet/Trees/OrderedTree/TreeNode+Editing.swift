// Edits of one node that the caller holds alone. They keep the columns packed and the node's own count right; the
// totals that its parent keeps are the caller's to refresh (`refreshTotals(ofChild:)`).

extension UnsafeMutablePointer {
  /// Opens a gap of one at `index` among `count` elements and fills it. The memory for one more must be there.
  @inline(__always)
  fileprivate func insert(_ element: Pointee, at index: Int, count: Int) {
    (self + index + 1).moveInitialize(from: self + index, count: count - index)
    (self + index).initialize(to: element)
  }

  /// Moves the element at `index` out and closes the gap.
  @inline(__always)
  fileprivate func remove(at index: Int, count: Int) -> Pointee {
    let element = (self + index).move()
    (self + index).moveInitialize(from: self + index + 1, count: count - index - 1)
    return element
  }
}

extension TreeNodeView {
  @inline(__always)
  func insertEntry(_ key: Key, _ payload: Payload, at index: Int) {
    entries.insert((key, payload), at: index, count: count)
    setCount(count &+ 1)
  }

  @inline(__always)
  func removeEntry(at index: Int) -> Payload {
    let entry = entries.remove(at: index, count: count)
    setCount(count &- 1)
    return entry.payload
  }

  /// Makes `child` the only one of this new node.
  func setFirstChild(_ child: Node) {
    let view = TreeNodeView(child)
    children.initialize(to: child)
    counts.initialize(to: view.subtreeCount)
    if Summary.isKept { sums.initialize(to: view.subtreeSum) }
    setCount(1)
  }

  /// Adds `child` as number `index` > 0, with the separator to its left.
  func insertChild(_ child: Node, separator: Key, at index: Int) {
    let count = count
    keys.insert(separator, at: index - 1, count: count - 1)
    children.insert(child, at: index, count: count)
    let view = TreeNodeView(child)
    counts.insert(view.subtreeCount, at: index, count: count)
    if Summary.isKept { sums.insert(view.subtreeSum, at: index, count: count) }
    setCount(count + 1)
  }

  /// Removes child number `index` > 0 and the separator to its left.
  private func removeChild(at index: Int) {
    let count = count
    _ = keys.remove(at: index - 1, count: count - 1)
    _ = children.remove(at: index, count: count)
    _ = counts.remove(at: index, count: count)
    if Summary.isKept { _ = sums.remove(at: index, count: count) }
    setCount(count - 1)
  }

  /// Recomputes what this node keeps of its child: one pass over that child's own entries or totals.
  @inline(__always)
  func refreshTotals(ofChild index: Int) {
    counts[index] = child(index).subtreeCount
    refreshSum(ofChild: index)
  }

  /// The same after one entry was replaced, added or removed somewhere below that child.
  @inline(__always)
  func updateSum(ofChild index: Int, replacing old: Summary?, with new: Summary?) {
    if Summary.isKept {
      if let sum = Summary.replacing(old, with: new, in: sums[index]) {
        sums[index] = sum
      } else {
        refreshSum(ofChild: index)
      }
    }
  }

  @inline(__always)
  func refreshSum(ofChild index: Int) {
    if Summary.isKept { sums[index] = child(index).subtreeSum }
  }
}

// MARK: Between neighbours

extension TreeNodeView {
  /// Moves all from `index` on to a new right neighbour and returns that with the key that separates the two.
  func split(at index: Int) -> (separator: Key, right: Node) {
    let node = Node.make(level: level, capacity: capacity)
    let right = TreeNodeView(node)
    let moved = count - index
    let separator: Key
    if isLeaf {
      right.entries.moveInitialize(from: entries + index, count: moved)
      separator = right.entries[0].key
    } else {
      separator = (keys + (index - 1)).move()
      right.keys.moveInitialize(from: keys + index, count: moved - 1)
      right.children.moveInitialize(from: children + index, count: moved)
      right.counts.moveInitialize(from: counts + index, count: moved)
      if Summary.isKept { right.sums.moveInitialize(from: sums + index, count: moved) }
    }
    setCount(index)
    right.setCount(moved)
    return (separator, node)
  }

  /// Makes children `index` and `index + 1`, one of them too small, one node if that holds both, else evens them out.
  /// Both must be held alone.
  func mergeOrBalance(childrenAt index: Int) {
    let left = child(index)
    let right = child(index + 1)
    let total = left.count + right.count
    if total <= left.capacity {
      left.moveIn(right.count, fromStartOf: right, over: keys + index)
      removeChild(at: index + 1)
    } else if left.count < total / 2 {
      left.moveIn(total / 2 - left.count, fromStartOf: right, over: keys + index)
      refreshTotals(ofChild: index + 1)
    } else {
      left.moveOut(left.count - total / 2, toStartOf: right, over: keys + index)
      refreshTotals(ofChild: index + 1)
    }
    refreshTotals(ofChild: index)
  }

  /// Appends the first `moved` of `right`. Between branch nodes the keys rotate over the parent's separator: it comes
  /// down behind this node's keys, and the key behind the last moved child goes up. When `right` is emptied, the
  /// separator left above is a spare copy that goes away with the branch of `right`.
  private func moveIn(_ moved: Int, fromStartOf right: TreeNodeView, over separator: UnsafeMutablePointer<Key>) {
    let rest = right.count - moved
    if isLeaf {
      Self.shiftOut(entries + count, right.entries, moved, rest)
      if rest > 0 { separator.pointee = right.entries[0].key }
    } else {
      (keys + (count - 1)).initialize(to: separator.pointee)
      (keys + count).moveInitialize(from: right.keys, count: moved - 1)
      if rest > 0 {
        separator.pointee = (right.keys + (moved - 1)).move()
        right.keys.moveInitialize(from: right.keys + moved, count: rest - 1)
      }
      Self.shiftOut(children + count, right.children, moved, rest)
      Self.shiftOut(counts + count, right.counts, moved, rest)
      if Summary.isKept { Self.shiftOut(sums + count, right.sums, moved, rest) }
    }
    setCount(count + moved)
    right.setCount(rest)
  }

  /// Puts the last `moved` of this node before the first of `right`: the mirror image of `moveIn`. Neither is emptied.
  private func moveOut(_ moved: Int, toStartOf right: TreeNodeView, over separator: UnsafeMutablePointer<Key>) {
    let rest = count - moved
    if isLeaf {
      Self.shiftIn(right.entries, right.count, entries + rest, moved)
      separator.pointee = right.entries[0].key
    } else {
      (right.keys + moved).moveInitialize(from: right.keys, count: right.count - 1)
      (right.keys + (moved - 1)).initialize(to: separator.pointee)
      right.keys.moveInitialize(from: keys + rest, count: moved - 1)
      separator.pointee = (keys + (rest - 1)).move()
      Self.shiftIn(right.children, right.count, children + rest, moved)
      Self.shiftIn(right.counts, right.count, counts + rest, moved)
      if Summary.isKept { Self.shiftIn(right.sums, right.count, sums + rest, moved) }
    }
    setCount(rest)
    right.setCount(right.count + moved)
  }

  /// Moves the first `moved` of `source` to `target` and the `rest` to the front.
  private static func shiftOut<T>(
    _ target: UnsafeMutablePointer<T>, _ source: UnsafeMutablePointer<T>, _ moved: Int, _ rest: Int
  ) {
    target.moveInitialize(from: source, count: moved)
    source.moveInitialize(from: source + moved, count: rest)
  }

  /// Makes room for `moved` before the `count` of `target` and moves them in from `source`.
  private static func shiftIn<T>(
    _ target: UnsafeMutablePointer<T>, _ count: Int, _ source: UnsafeMutablePointer<T>, _ moved: Int
  ) {
    (target + moved).moveInitialize(from: target, count: count)
    target.moveInitialize(from: source, count: moved)
  }
}
