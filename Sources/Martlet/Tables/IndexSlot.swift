/// Which of a table's indexes: the two that every table has, then its own in the order of their declaration.
package struct IndexSlot: Hashable, Sendable {
  package let rawValue: Int

  package static let byID = IndexSlot(rawValue: 0)
  package static let byCreationTime = IndexSlot(rawValue: 1)

  package static func declared(_ position: Int) -> IndexSlot { IndexSlot(rawValue: position + 2) }

  /// The position among the declared indexes; negative for `by_id` and `by_creation_time`.
  package var declaredPosition: Int { rawValue - 2 }
}

/// A document's id within its table: the 16 bytes after the table's number.
package struct InternalID: Hashable, Comparable, BitwiseCopyable, Sendable {
  package let high: UInt64
  package let low: UInt64

  @inline(__always) package init(_ id: DocumentID) {
    high = id.high
    low = id.low
  }

  @inline(__always) package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  @inline(__always) package static func < (lhs: InternalID, rhs: InternalID) -> Bool {
    lhs.high != rhs.high ? lhs.high < rhs.high : lhs.low < rhs.low
  }
}

/// Every position in an index is an `IndexKey`, so that ranges, interest and cursors need one type: in `by_id` the
/// id's 16 bytes, in `by_creation_time` no bytes and the time as the tie-break, in a declared index the fields' bytes and
/// the time.
extension IndexKey {
  package init(id: InternalID) { self.init(high: id.high, low: id.low) }
  package init(creationTime: Double) { self.init([], tie: IndexKey.orderedBits(creationTime)) }
  package var internalID: InternalID { InternalID(high: heads.high, low: heads.low) }

  /// The same where a range of `by_id` begins or ends: a position after an id's own is the next id's.
  package var boundingID: InternalID {
    let id = internalID
    guard tie > 0 else { return id }
    if id.low < .max { return InternalID(high: id.high, low: id.low + 1) }
    // After the greatest id there is none; random ids don't come near it.
    return id.high < .max ? InternalID(high: id.high + 1, low: 0) : id
  }

  /// The least position after this one.
  package var successor: IndexKey {
    tie < .max ? with(tie: tie + 1) : count > 0 ? prefixSuccessor() : self
  }
}
