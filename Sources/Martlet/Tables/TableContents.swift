/// One version of a table: its documents by id, and its indexes. A copy is an O(1) snapshot.
///
/// The trees share their nodes between versions. While nobody holds a snapshot a write changes them in place; while
/// somebody does, it copies the path from the root to the leaf that it changes, once.
///
/// Declared indexes lag behind the documents until `settle()`; whoever reads a range asks for it first.
package struct TableContents: Sendable {
  private(set) var documents = OrderedTree<InternalID, DocumentEntry>()
  private(set) var byCreationTime = OrderedTree<UInt64, CreationEntry>()
  private(set) var indexes: [IndexContents]

  init(layout: TableLayout) {
    indexes = layout.indexes.map { IndexContents(isSummed: $0.summedField != nil) }
  }

  package var count: Int { documents.count }

  /// O(log n).
  func document(_ id: InternalID) -> DocumentStorage? { documents.find(id)?.document }

  func prefetch(_ ids: UnsafeBufferPointer<DocumentID>) { documents.prefetch(ids) }

  /// Carries out one write. `old` is the document that stands under the id now (nil for an insert), `new` the one that is
  /// to (nil for a delete).
  mutating func apply(_ write: DocumentWrite, layout: TableLayout, keys: inout IndexKeyWriter) {
    if let old = write.old, let new = write.new { return replace(old, by: new, layout, &keys) }
    apply(write, layout: layout, keys: &keys) { _, _, _ in }
  }

  /// The most frequent write. Not a part of the caller's code, so that neither document's references are counted here.
  @inline(never)
  private mutating func replace(_ old: DocumentStorage, by new: DocumentStorage, _ layout: TableLayout, _ keys: inout IndexKeyWriter) {
    documents.replace(InternalID(new.id), with: DocumentEntry(document: new))
    for position in indexes.indices where !layout.indexes[position].hasSameEntry(for: old, and: new) {
      applyToIndex(position, old, new, layout, &keys) { _, _, _ in }
    }
  }

  /// The same, and tells `changed` each position that an entry left, entered, or (`isKept`) kept while its document changed.
  mutating func apply(
    _ write: DocumentWrite, layout: TableLayout, keys: inout IndexKeyWriter, changed: (IndexSlot, IndexKey, _ isKept: Bool) -> Void
  ) {
    let id = write.internalID
    if let new = write.new {
      if write.old == nil {
        documents.insert(DocumentEntry(document: new), for: id)
        byCreationTime.insert(CreationEntry(idHigh: id.high), for: IndexKey.orderedBits(new.creationTime))
      } else {
        documents.replace(id, with: DocumentEntry(document: new))
      }
    } else if let old = write.old {
      documents.remove(id)
      byCreationTime.remove(IndexKey.orderedBits(old.creationTime))
    }
    if let document = write.new ?? write.old {
      let isKept = write.old != nil && write.new != nil
      changed(.byID, IndexKey(id: id), isKept)
      changed(.byCreationTime, IndexKey(creationTime: document.creationTime), isKept)
    }
    for position in indexes.indices { applyToIndex(position, write.old, write.new, layout, &keys, changed) }
  }

  @inline(__always)
  private mutating func applyToIndex(
    _ position: Int, _ old: DocumentStorage?, _ new: DocumentStorage?, _ layout: TableLayout, _ keys: inout IndexKeyWriter,
    _ changed: (IndexSlot, IndexKey, _ isKept: Bool) -> Void
  ) {
    let index = layout.indexes[position]
    let oldKey = old.map { index.key(of: $0, with: &keys) }
    let newKey = new.map { index.key(of: $0, with: &keys) }
    let summand = new.map { index.summand(of: $0) } ?? 0
    let isKept = oldKey == newKey
    if let oldKey { changed(.declared(position), oldKey, isKept) }
    if let newKey, !isKept { changed(.declared(position), newKey, false) }
    if isKept {
      guard let old, let new, let newKey, indexes[position].isSummed, summand != index.summand(of: old) else { return }
      indexes[position].insert(newKey, id: InternalID(new.id), summand: summand)
      return
    }
    if let oldKey { indexes[position].remove(oldKey) }
    if let new, let newKey { indexes[position].insert(newKey, id: InternalID(new.id), summand: summand) }
  }

  /// Whether the declared indexes show all that was written, so that they may be read.
  var isSettled: Bool { indexes.allSatisfy(\.isSettled) }

  mutating func settle() {
    for position in indexes.indices where !indexes[position].isSettled { indexes[position].settle() }
  }

  // MARK: Recovery

  /// The documents of the last checkpoint and of the log's tail, as recovery collects them. `buildIndexes` follows.
  init(documents: OrderedTree<InternalID, DocumentEntry>, layout: TableLayout) {
    self.init(layout: layout)
    self.documents = documents
  }

  /// Builds every index from the documents: O(n log n).
  mutating func buildIndexes(layout: TableLayout) {
    byCreationTime = makeByCreationTime()
    for position in layout.indexes.indices { indexes[position] = makeIndex(at: position, layout: layout) }
  }

  mutating func adopt(byCreationTime tree: OrderedTree<UInt64, CreationEntry>) { byCreationTime = tree }
  mutating func adopt(_ index: IndexContents, at position: Int) { indexes[position] = index }

  func makeByCreationTime() -> OrderedTree<UInt64, CreationEntry> {
    var times = CreationTimes()
    times.reserveCapacity(count)
    forEachDocument { times.append($0.creationTime, InternalID($0.id)) }
    return times.makeTree()
  }

  func makeIndex(at position: Int, layout: TableLayout) -> IndexContents {
    let index = layout.indexes[position]
    var keys = IndexKeyWriter()
    var entries: [(key: IndexKey, id: InternalID, summand: Double)] = []
    entries.reserveCapacity(count)
    forEachDocument { entries.append((index.key(of: $0, with: &keys), InternalID($0.id), index.summand(of: $0))) }
    // Moving the beginnings of the keys sorts much faster than moving the entries.
    var places: ContiguousArray<Place> = []
    places.reserveCapacity(entries.count)
    for position in entries.indices {
      let heads = entries[position].key.heads
      places.append(Place(high: heads.high, low: heads.low, position: position))
    }
    return entries.withUnsafeBufferPointer { entries in
      places.sort { left, right in
        if left.high != right.high { return left.high < right.high }
        if left.low != right.low { return left.low < right.low }
        return entries[left.position].key < entries[right.position].key
      }
      return IndexContents(isSummed: index.summedField != nil, sorted: places.lazy.map { entries[$0.position] })
    }
  }

  /// The documents of one of equal parts of all ids there can be: about as many in each.
  func forEachDocument(inPart part: UInt64, of parts: UInt64, _ body: (DocumentStorage) throws -> Void) rethrows {
    let width = UInt64.max / parts
    try documents.forEach(
      from: part == 0 ? nil : InternalID(high: width * part, low: 0),
      to: part == parts - 1 ? nil : InternalID(high: width * (part + 1), low: 0), descending: false
    ) { _, entry in
      try body(entry.document)
      return true
    }
  }

  package func forEachDocument(_ body: (DocumentStorage) throws -> Void) rethrows {
    try documents.forEach(from: nil, to: nil, descending: false) { _, entry in
      try body(entry.document)
      return true
    }
  }
}

/// Where an entry of a new index stands, with the beginning of its key.
private struct Place {
  let high: UInt64
  let low: UInt64
  let position: Int
}

/// One document's change in a commit: from `old` (nil: there was none) to `new` (nil: it is deleted).
package struct DocumentWrite: Sendable {
  package var id: DocumentID
  package var old: DocumentStorage?
  package var new: DocumentStorage?

  /// False for a document that was inserted and deleted in one transaction.
  var changesAnything: Bool {
    guard let old, let new else { return old != nil || new != nil }
    return !old.isIdentical(to: new)
  }

  var internalID: InternalID { InternalID(id) }
}
