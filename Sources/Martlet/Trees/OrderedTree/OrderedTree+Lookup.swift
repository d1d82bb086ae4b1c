extension OrderedTree {
  /// The payload of `key`. O(log n), no allocation.
  func find(_ key: Key) -> Payload? {
    entry(of: key)?.pointee.payload
  }

  /// O(log n).
  func contains(_ key: Key) -> Bool {
    entry(of: key) != nil
  }

  /// Entries whose key is less than `key`, whether or not `key` is present. O(log n).
  func rank(of key: Key) -> Int {
    guard let place = locate(key) else { return 0 }
    return place.ranksBefore + place.leaf.lowerBound(key)
  }

  /// The entry that has `rank` entries before it. O(log n). Traps outside of 0..<count.
  func entry(atRank rank: Int) -> Entry {
    let place = leaf(atRank: rank)
    let index = rank - place.ranksBefore
    return place.leaf.entries[index]
  }

  /// The entry of `key`; `self` must outlive its use.
  @inline(__always)
  func entry(of key: Key) -> UnsafeMutablePointer<Entry>? {
    guard let (leaf, count) = leaf(for: key) else { return nil }
    let index = leaf.lowerBound(key, among: count)
    return index < count && !(key < leaf.entries[index].key) ? leaf.entries + index : nil
  }

  /// The leaf where `key` is or belongs, and how many entries it has, without a look at the leaf itself.
  ///
  /// Leaves are most of the memory and seldom in a cache. The last branch node knows how many entries the leaf has, so
  /// the probes for the key need not wait for the header of the leaf.
  @inline(__always)
  func leaf(for key: Key) -> (leaf: View, count: Int)? {
    guard var node = rootView else { return nil }
    var count = count
    var level = node.level
    while level > 0 {
      let index = node.childIndex(for: key)
      count = node.counts[index]
      node = node.child(index)
      level &-= 1
    }
    return (node, count)
  }

  /// A leaf and the number of entries in the leaves before it.
  struct Place {
    var leaf: View
    var ranksBefore: Int
  }

  /// The leaf where `key` is or belongs, and its rank.
  func locate(_ key: Key) -> Place? {
    guard var node = rootView else { return nil }
    var ranksBefore = 0
    while !node.isLeaf {
      let index = node.childIndex(for: key)
      ranksBefore &+= node.countOfChildren(0..<index)
      node = node.child(index)
    }
    return Place(leaf: node, ranksBefore: ranksBefore)
  }

  /// The leaf that holds the entry of that rank: a descent without a single comparison of keys.
  func leaf(atRank rank: Int) -> Place {
    precondition(rank >= 0 && rank < count, "rank out of range")
    var node = rootView!
    var remaining = rank
    while !node.isLeaf {
      let counts = node.counts
      var index = 0
      while remaining >= counts[index] {
        remaining &-= counts[index]
        index &+= 1
      }
      node = node.child(index)
    }
    return Place(leaf: node, ranksBefore: rank - remaining)
  }
}
