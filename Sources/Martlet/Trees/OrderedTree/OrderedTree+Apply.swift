/// What becomes of one key: it gets this payload, or, where there is none, its entry is removed.
struct TreeChange<Key: Comparable & Sendable, Payload: TreePayload> {
  let key: Key
  let payload: Payload?
}

extension OrderedTree {
  /// Carries out the changes of a range, which are in strictly ascending order of their keys.
  ///
  /// As `insert` and `remove` one by one, but neighbours share the way down: each node is looked at once, however many
  /// changes lie below it, and its totals are brought up to date once. A change that would split or merge leaves is put
  /// off, and carried out by itself at the end; those are few.
  mutating func apply(_ changes: ContiguousArray<TreeChange<Key, Payload>>, _ range: Range<Int>) {
    var putOff: ContiguousArray<Int> = []
    let isBulk = range.count > 1 && (rootView.map { !$0.isLeaf } ?? false)
    changes.withUnsafeBufferPointer { changes in
      if isBulk, var top = root.take() {
        count &+= Self.apply(changes, range, below: &top, fanout, &putOff).count
        root = top
      } else {
        putOff = ContiguousArray(range)
      }
      for index in putOff {
        if let payload = changes[index].payload {
          insert(payload, for: changes[index].key)
        } else {
          remove(changes[index].key)
        }
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
    var start = range.lowerBound
    while start < range.upperBound {
      let index = node.childIndex(for: changes[start].key)
      var end = start + 1
      if index < node.count - 1 {
        while end < range.upperBound, changes[end].key < node.keys[index] { end += 1 }
      } else {
        end = range.upperBound
      }
      let below = apply(changes, start..<end, below: node.children + index, fanout, &putOff)
      node.counts[index] &+= below.count
      difference.count &+= below.count
      if Payload.Summary.isKept {
        if let part = below.sum, let sum = Payload.Summary.replacing(nil, with: part, in: node.sums[index]) {
          node.sums[index] = sum
          difference.sum = difference.sum.flatMap { Payload.Summary.replacing(nil, with: part, in: $0) }
        } else {
          node.refreshSum(ofChild: index)
          difference.sum = nil
        }
      }
      start = end
    }
    return difference
  }

  private static func apply(
    _ changes: UnsafeBufferPointer<TreeChange<Key, Payload>>, _ range: Range<Int>, toLeaf leaf: View,
    _ fanout: TreeFanout, _ putOff: inout ContiguousArray<Int>
  ) -> Difference {
    let minimum = fanout.minimum(level: 0, isOnRightEdge: false)
    var difference = Difference()
    for position in range {
      let index = leaf.lowerBound(changes[position].key)
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
