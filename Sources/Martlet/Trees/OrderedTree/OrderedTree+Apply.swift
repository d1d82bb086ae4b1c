/// What becomes of one key: it gets this payload, or, where there is none, its entry is removed.
struct TreeChange<Key: Comparable & Sendable, Payload: TreePayload> {
  let key: Key
  let payload: Payload?
}

extension OrderedTree {
  /// Carries out changes, which are in strictly ascending order of their keys.
  ///
  /// As `insert` and `remove` one by one, but neighbours share the way down: each node is looked at once, however many
  /// changes lie below it, and its totals are brought up to date once. While the changes below one node are carried out, the next
  /// node is fetched. A change that would split or merge leaves is put off, and carried out by itself at the end; those are few.
  mutating func apply(_ changes: UnsafeBufferPointer<TreeChange<Key, Payload>>) {
    var putOff: ContiguousArray<Int> = []
    let isBulk = changes.count > 1 && (rootView.map { !$0.isLeaf } ?? false)
    if isBulk, var top = root.take() {
      count &+= Self.apply(changes, changes.indices, below: &top, fanout, &putOff).count
      root = top
    } else {
      putOff = ContiguousArray(changes.indices)
    }
    for index in putOff {
      if let payload = changes[index].payload {
        insert(payload, for: changes[index].key)
      } else {
        remove(changes[index].key)
      }
    }
  }

  /// What changes below a node add to its parent's totals.
  private struct Difference {
    var count = 0
    /// nil: only the node itself can tell.
    var sum = Payload.Summary.none
  }

  private static func apply(
    _ changes: UnsafeBufferPointer<TreeChange<Key, Payload>>, _ range: Range<Int>, below slot: UnsafeMutablePointer<Node>,
    _ fanout: TreeFanout, _ putOff: inout ContiguousArray<Int>
  ) -> Difference {
    let node = uniqueView(of: slot)
    if node.isLeaf { return apply(changes, range, toLeaf: node, fanout, &putOff) }
    var difference = Difference()
    var group = group(changes, range, below: node, from: node.childIndex(for: changes[range.lowerBound].key))
    while true {
      var next: Group?
      if group.range.upperBound < range.upperBound {
        next = self.group(changes, group.range.upperBound..<range.upperBound, below: node, from: group.child + 1)
      }
      let child = group.child
      let below = apply(changes, group.range, below: node.children + child, fanout, &putOff)
      node.counts[child] &+= below.count
      difference.count &+= below.count
      if Payload.Summary.isKept {
        if let part = below.sum, let sum = Payload.Summary.replacing(nil, with: part, in: node.sums[child]) {
          node.sums[child] = sum
          difference.sum = difference.sum.flatMap { Payload.Summary.replacing(nil, with: part, in: $0) }
        } else {
          node.refreshSum(ofChild: child)
          difference.sum = nil
        }
      }
      guard let next else { return difference }
      group = next
    }
  }

  /// Changes that belong below one child.
  private struct Group {
    let child: Int
    let range: Range<Int>
  }

  /// The first group of changes of a range, below the child `first` or one after it; and has that child fetched.
  @inline(__always)
  private static func group(
    _ changes: UnsafeBufferPointer<TreeChange<Key, Payload>>, _ range: Range<Int>, below node: View, from first: Int
  ) -> Group {
    let last = node.count - 1
    let keys = node.keys
    var child = first
    while child < last, !(changes[range.lowerBound].key < keys[child]) { child &+= 1 }
    var end = range.upperBound
    if child < last {
      end = range.lowerBound &+ 1
      while end < range.upperBound, changes[end].key < keys[child] { end &+= 1 }
    }
    node.prefetchChild(child)
    return Group(child: child, range: range.lowerBound..<end)
  }

  private static func apply(
    _ changes: UnsafeBufferPointer<TreeChange<Key, Payload>>, _ range: Range<Int>, toLeaf leaf: View,
    _ fanout: TreeFanout, _ putOff: inout ContiguousArray<Int>
  ) -> Difference {
    let minimum = fanout.minimum(level: 0, isOnRightEdge: false)
    var difference = Difference()
    var index = leaf.lowerBound(changes[range.lowerBound].key)
    for position in range {
      // A few steps from the change before.
      while index < leaf.count, leaf.entries[index].key < changes[position].key { index &+= 1 }
      let isThere = index < leaf.count && !(changes[position].key < leaf.entries[index].key)
      var old: Payload.Summary?
      if let payload = changes[position].payload {
        if isThere {
          old = leaf.entries[index].payload.summand
          leaf.entries[index].payload = payload
        } else if leaf.isFull {
          putOff.append(position)
          continue
        } else {
          leaf.insertEntry(changes[position].key, payload, at: index)
          difference.count &+= 1
        }
      } else {
        guard isThere else { continue }
        guard leaf.count > minimum else {
          putOff.append(position)
          continue
        }
        old = leaf.removeEntry(at: index).summand
        difference.count &-= 1
      }
      if Payload.Summary.isKept, let sum = difference.sum {
        difference.sum = Payload.Summary.replacing(old, with: changes[position].payload?.summand, in: sum)
      }
    }
    return difference
  }
}
