/// What an index's entry leads to. It holds the id and not the document, so that a write which leaves an index's fields
/// alone need not touch that index.
struct IndexEntry: TreePayload {
  let id: InternalID
}

struct SummedIndexEntry: SummedPayload {
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
  private(set) var counted: OrderedTree<IndexKey, IndexEntry>
  private(set) var summed: OrderedTree<IndexKey, SummedIndexEntry>

  init(isSummed: Bool) {
    self.isSummed = isSummed
    counted = OrderedTree()
    summed = OrderedTree()
  }

  init(isSummed: Bool, sorted entries: [(key: IndexKey, id: InternalID, summand: Double)]) {
    self.init(isSummed: isSummed)
    if isSummed {
      summed = OrderedTree(sorted: entries.map { ($0.key, SummedIndexEntry(id: $0.id, amount: $0.summand)) })
    } else {
      counted = OrderedTree(sorted: entries.map { ($0.key, IndexEntry(id: $0.id)) })
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

  func count(from lower: IndexKey?, to upper: IndexKey?) -> Int {
    isSummed ? summed.count(from: lower, to: upper) : counted.count(from: lower, to: upper)
  }

  func sum(from lower: IndexKey?, to upper: IndexKey?) -> Double {
    precondition(isSummed)
    return summed.sum(from: lower, to: upper)
  }

  func forEach(
    from lower: IndexKey?, to upper: IndexKey?, descending: Bool, _ body: (IndexKey, InternalID) throws -> Bool
  ) rethrows {
    if isSummed {
      try summed.forEach(from: lower, to: upper, descending: descending) { try body($0, $1.id) }
    } else {
      try counted.forEach(from: lower, to: upper, descending: descending) { try body($0, $1.id) }
    }
  }
}
