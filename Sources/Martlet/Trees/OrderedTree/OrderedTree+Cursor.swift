extension OrderedTree {
  /// Walks a range of a snapshot, entry by entry, at the pace of whoever holds it.
  ///
  /// `forEach` cannot pause; a cursor can, for as long as it likes: it holds the tree as it was when it was made, and
  /// later mutations copy what they touch instead of disturbing it. (So a forgotten cursor costs memory.) It keeps no
  /// path: when a leaf is used up, the next is found by its rank, a descent without comparisons, once in a fanout of
  /// entries. Copying a cursor forks it.
  ///
  /// Making one: O(log n). `next()`: O(1), and O(log n) at the end of a leaf.
  struct Cursor: Sequence, IteratorProtocol {
    private let tree: OrderedTree
    private let from: Key?
    private let to: Key?
    private let isDescending: Bool

    /// The current leaf and its rank; nil when the walk is over. `tree` keeps the leaf alive.
    private var place: Place?
    /// The entries of the leaf that are still to come.
    private var start = 0
    private var end = 0
    /// Whether the range ends inside of this leaf.
    private var isLastLeaf = false

    fileprivate init(_ tree: OrderedTree, from: Key?, to: Key?, isDescending: Bool) {
      self.tree = tree
      self.from = from
      self.to = to
      self.isDescending = isDescending
      guard !tree.isEmpty else { return }
      if let edge = isDescending ? to : from {
        enter(tree.locate(edge)!)
      } else {
        enter(tree.leaf(atRank: isDescending ? tree.count - 1 : 0))
      }
    }

    /// The next entry, or nil at the end and ever after.
    mutating func next() -> Entry? {
      // The views point into nodes that only `tree` is sure to hold.
      withExtendedLifetime(tree) {
        while let place {
          if start < end {
            let index = isDescending ? end - 1 : start
            if isDescending { end -= 1 } else { start += 1 }
            return place.leaf.entries[index]
          }
          leave(place)
        }
        return nil
      }
    }

    private mutating func enter(_ place: Place) {
      let leaf = place.leaf
      self.place = place
      start = 0
      end = leaf.count
      isLastLeaf = false
      if let from, leaf.entries[0].key < from {
        start = leaf.lowerBound(from)
        isLastLeaf = isDescending
      }
      if let to, !(leaf.entries[leaf.count - 1].key < to) {
        end = leaf.lowerBound(to)
        if !isDescending { isLastLeaf = true }
      }
    }

    private mutating func leave(_ place: Place) {
      let rank = isDescending ? place.ranksBefore - 1 : place.ranksBefore + place.leaf.count
      if isLastLeaf || rank < 0 || rank >= tree.count {
        self.place = nil
      } else {
        enter(tree.leaf(atRank: rank))
      }
    }
  }

  /// A walk over [from, to), ascending or descending, that may be paused. O(log n).
  func cursor(from: Key? = nil, to: Key? = nil, descending: Bool = false) -> Cursor {
    Cursor(self, from: from, to: to, isDescending: descending)
  }
}

// The pointers lead into nodes that are frozen while the cursor's own snapshot shares them; on any thread the same.
extension OrderedTree.Cursor: @unchecked Sendable {}
