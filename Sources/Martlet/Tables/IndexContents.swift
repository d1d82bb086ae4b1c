/// What an index's entry leads to. It holds the id and not the document, so that a write which leaves an index's fields
/// alone need not touch that index.
struct IndexEntry: TreePayload, BitwiseCopyable {
  let id: InternalID
}

/// What an entry of `by_creation_time` leads to: half of an id, which takes 8 bytes less for each document. Two documents of a table may have it in
/// common, but not their creation time, which is the entry's key.
struct CreationEntry: TreePayload {
  let idHigh: UInt64
}

struct SummedIndexEntry: SummedPayload, BitwiseCopyable {
  let id: InternalID
  let amount: Double
}

struct DocumentEntry: TreePayload {
  let document: DocumentStorage
}

/// The entries of one declared index, in order.
///
/// A plain index has its entries in `counted`, one that was declared with `summing:` in `summed`; the other tree stays
/// empty. (Two trees and not an enum of two, since a tree is changed in place.)
struct IndexContents: Sendable {
  let isSummed: Bool
  private var counted: GatheringTree<IndexEntry>
  private var summed: GatheringTree<SummedIndexEntry>

  init(isSummed: Bool) {
    self.isSummed = isSummed
    counted = GatheringTree()
    summed = GatheringTree()
  }

  init(isSummed: Bool, sorted entries: some Sequence<(key: IndexKey, id: InternalID, summand: Double)>) {
    self.init(isSummed: isSummed)
    if isSummed {
      summed = GatheringTree(OrderedTree(sorted: entries.lazy.map { ($0.key, SummedIndexEntry(id: $0.id, amount: $0.summand)) }))
    } else {
      counted = GatheringTree(OrderedTree(sorted: entries.lazy.map { ($0.key, IndexEntry(id: $0.id)) }))
    }
  }

  mutating func insert(_ key: IndexKey, id: InternalID, summand: Double) {
    if isSummed {
      summed.insert(SummedIndexEntry(id: id, amount: summand), for: key)
    } else {
      counted.insert(IndexEntry(id: id), for: key)
    }
  }

  mutating func remove(_ key: IndexKey) {
    if isSummed { summed.remove(key) } else { counted.remove(key) }
  }

  var countedTree: OrderedTree<IndexKey, IndexEntry> { counted.tree }
  var summedTree: OrderedTree<IndexKey, SummedIndexEntry> { summed.tree }

  /// Whether what is read is all that was written.
  var isSettled: Bool { isSummed ? summed.isSettled : counted.isSettled }

  mutating func settle() {
    if isSummed { summed.settle() } else { counted.settle() }
  }

  func count(from lower: IndexKey?, to upper: IndexKey?) -> Int {
    assert(isSettled)
    return isSummed ? summed.tree.count(from: lower, to: upper) : counted.tree.count(from: lower, to: upper)
  }

  func sum(from lower: IndexKey?, to upper: IndexKey?) -> Double {
    precondition(isSummed && isSettled)
    return summed.tree.sum(from: lower, to: upper)
  }

  func forEach(
    from lower: IndexKey?, to upper: IndexKey?, descending: Bool, _ body: (IndexKey, InternalID) throws -> Bool
  ) rethrows {
    assert(isSettled)
    if isSummed {
      try summed.tree.forEach(from: lower, to: upper, descending: descending) { try body($0, $1.id) }
    } else {
      try counted.tree.forEach(from: lower, to: upper, descending: descending) { try body($0, $1.id) }
    }
  }

  /// The key that has `offset` others of the range before it. O(log n).
  func key(offset: Int, from lower: IndexKey?, to upper: IndexKey?, descending: Bool) -> IndexKey? {
    assert(isSettled)
    return isSummed
      ? summed.tree.entry(offset: offset, from: lower, to: upper, descending: descending)?.key
      : counted.tree.entry(offset: offset, from: lower, to: upper, descending: descending)?.key
  }

  func steps(from lower: IndexKey?, to upper: IndexKey?, descending: Bool) -> () -> (key: IndexKey, id: InternalID)? {
    assert(isSettled)
    if isSummed {
      var cursor = summed.tree.cursor(from: lower, to: upper, descending: descending)
      return { cursor.next().map { ($0.key, $0.payload.id) } }
    }
    var cursor = counted.tree.cursor(from: lower, to: upper, descending: descending)
    return { cursor.next().map { ($0.key, $0.payload.id) } }
  }
}
