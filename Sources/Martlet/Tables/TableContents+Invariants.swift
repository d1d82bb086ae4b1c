/// Checking a table as a whole, for tests and for who suspects it.
extension TableContents {
  /// Throws the first thing that is wrong. O(n log n): the indexes are built again, to compare.
  ///
  /// 1. Each tree keeps its own invariants.
  /// 2. `by_creation_time` and each declared index have the entries that they would have if they were built from the documents,
  ///    and no others.
  /// 3. A document stands under the id that it carries.
  func checkInvariants(layout: TableLayout) throws(BrokenInvariant) {
    try documents.checkInvariants()
    try byCreationTime.checkInvariants()
    var settled = self
    settled.settle()
    var rebuilt = settled
    rebuilt.buildIndexes(layout: layout)
    try Self.compare("by_creation_time", byCreationTime.entries.map { "\($0.key) \($0.payload.idHigh)" },
      rebuilt.byCreationTime.entries.map { "\($0.key) \($0.payload.idHigh)" })
    for (position, index) in layout.indexes.enumerated() {
      try settled.indexes[position].checkInvariants()
      try Self.compare(index.name, settled.indexes[position].descriptions, rebuilt.indexes[position].descriptions)
    }
    for entry in documents.entries where InternalID(entry.payload.document.id) != entry.key {
      throw BrokenInvariant("document \(entry.payload.document.id) stands under another id")
    }
  }

  private static func compare(_ index: String, _ found: [String], _ expected: [String]) throws(BrokenInvariant) {
    guard found != expected else { return }
    let place = zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, expected.count)
    throw BrokenInvariant("index \(index) has \(found.count) entries and should have \(expected.count); the first that differs is number \(place)")
  }
}

extension OrderedTree {
  fileprivate var entries: [Entry] {
    var entries: [Entry] = []
    forEach {
      entries.append(($0, $1))
      return true
    }
    return entries
  }
}

extension IndexContents {
  func checkInvariants() throws(BrokenInvariant) {
    if isSummed { try summedTree.checkInvariants() } else { try countedTree.checkInvariants() }
  }

  /// Each entry, with what it adds to the sum.
  fileprivate var descriptions: [String] {
    isSummed
      ? summedTree.entries.map { "\($0.key) \($0.payload.id) \($0.payload.amount.bitPattern)" }
      : countedTree.entries.map { "\($0.key) \($0.payload.id)" }
  }
}
