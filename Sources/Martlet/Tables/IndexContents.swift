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
/// Changes are gathered, and carried out when the index is next read, or when there are many: in the order of their keys,
/// of which those that lie close together share the way down the tree, and the last one of each key alone. So writes pay
/// for the indexes that somebody reads, as often as somebody reads them, and little for the others.
///
/// A plain index has its entries in `counted`, one that was declared with `summing:` in `summed`; the other tree stays
/// empty. (Two trees and not an enum of two, since a tree is changed in place.)
struct IndexContents: Sendable {
  let isSummed: Bool
  private(set) var counted: OrderedTree<IndexKey, IndexEntry>
  private(set) var summed: OrderedTree<IndexKey, SummedIndexEntry>
  private var pending: ContiguousArray<IndexChange> = []

  /// Carrying so many out takes one or two milliseconds.
  private static let mostPending = 8_192

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

  mutating func change(_ change: IndexChange) {
    pending.append(change)
    if pending.count == Self.mostPending { settle() }
  }

  /// Whether what is read is all that was written.
  var isSettled: Bool { pending.isEmpty }

  mutating func settle() {
    guard !pending.isEmpty else { return }
    if isSummed {
      summed.apply(pending.inOrder { SummedIndexEntry(id: $0.id, amount: $0.summand) })
    } else {
      counted.apply(pending.inOrder { IndexEntry(id: $0.id) })
    }
    pending.removeAll(keepingCapacity: true)
  }

  // What is read is what was settled: `TableContents.settle()` comes before.

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
