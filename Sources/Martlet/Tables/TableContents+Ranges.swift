/// Reading an index's range `[lower, upper)`; nil is unbounded.
extension TableContents {
  /// Goes through the range's documents in the index's order until `body` answers false. O(log n), and for each document
  /// one step, and in an index other than `by_id` one look-up by id.
  func forEach(
    in slot: IndexSlot, from lower: IndexKey?, to upper: IndexKey?, descending: Bool,
    _ body: (IndexKey, DocumentStorage) throws -> Bool
  ) rethrows {
    switch slot {
    case .byID:
      try documents.forEach(from: lower?.boundingID, to: upper?.boundingID, descending: descending) {
        try body(IndexKey(id: $0), $1.document)
      }
    case .byCreationTime:
      try byCreationTime.forEach(from: lower?.tie, to: upper?.tie, descending: descending) {
        try body(IndexKey([], tie: $0), resolve($1, created: $0))
      }
    default:
      try indexes[slot.declaredPosition].forEach(from: lower, to: upper, descending: descending) {
        try body($0, resolve($1))
      }
    }
  }

  /// How many documents the range holds. O(log n).
  func count(in slot: IndexSlot, from lower: IndexKey?, to upper: IndexKey?) -> Int {
    switch slot {
    case .byID: documents.count(from: lower?.boundingID, to: upper?.boundingID)
    case .byCreationTime: byCreationTime.count(from: lower?.tie, to: upper?.tie)
    default: indexes[slot.declaredPosition].count(from: lower, to: upper)
    }
  }

  /// The range's sum of the field that the index was declared to sum. O(log n).
  func sum(in slot: IndexSlot, from lower: IndexKey?, to upper: IndexKey?) -> Double {
    indexes[slot.declaredPosition].sum(from: lower, to: upper)
  }

  /// The position that has `offset` others of the range before it, in the range's order; nil where there are no more than
  /// those. O(log n).
  func position(in range: TableRange, offset: Int) -> IndexKey? {
    let (lower, upper, isDescending) = (range.lower, range.upper, range.isDescending)
    switch range.slot {
    case .byID:
      return documents.entry(offset: offset, from: lower?.boundingID, to: upper?.boundingID, descending: isDescending)
        .map { IndexKey(id: $0.key) }
    case .byCreationTime:
      return byCreationTime.entry(offset: offset, from: lower?.tie, to: upper?.tie, descending: isDescending)
        .map { IndexKey([], tie: $0.key) }
    default:
      return indexes[range.slot.declaredPosition].key(offset: offset, from: lower, to: upper, descending: isDescending)
    }
  }

  /// Gives the range's documents one by one, as this version of the table has them. O(log n), then as `forEach`.
  func steps(through range: TableRange) -> () -> (position: IndexKey, document: DocumentStorage)? {
    let (lower, upper, isDescending) = (range.lower, range.upper, range.isDescending)
    switch range.slot {
    case .byID:
      var cursor = documents.cursor(from: lower?.boundingID, to: upper?.boundingID, descending: isDescending)
      return { cursor.next().map { (IndexKey(id: $0.key), $0.payload.document) } }
    case .byCreationTime:
      var cursor = byCreationTime.cursor(from: lower?.tie, to: upper?.tie, descending: isDescending)
      return { cursor.next().map { (IndexKey([], tie: $0.key), resolve($0.payload, created: $0.key)) } }
    default:
      let next = indexes[range.slot.declaredPosition].steps(from: lower, to: upper, descending: isDescending)
      return { next().map { ($0.key, resolve($0.id)) } }
    }
  }

  /// - Parameter time: the entry's key.
  private func resolve(_ entry: CreationEntry, created time: UInt64) -> DocumentStorage {
    var next = InternalID(high: entry.idHigh, low: 0)
    while let (id, payload) = documents.first(from: next), id.high == entry.idHigh {
      if IndexKey.orderedBits(payload.document.creationTime) == time { return payload.document }
      guard id.low < .max else { break }
      next = InternalID(high: id.high, low: id.low + 1)
    }
    preconditionFailure("an entry of by_creation_time leads to a document of its table")
  }

  /// The greatest creation time of a document; 0 where there is none. O(log n).
  var lastCreationTime: Double {
    guard byCreationTime.count > 0 else { return 0 }
    let last = byCreationTime.entry(atRank: byCreationTime.count - 1)
    return resolve(last.payload, created: last.key).creationTime
  }

  private func resolve(_ id: InternalID) -> DocumentStorage {
    guard let document = document(id) else { preconditionFailure("an index entry leads to a document of its table") }
    return document
  }
}
