/// A part of one of a table's indexes, `[lower, upper)` with nil for unbounded, and the way in which it is gone through.
struct TableRange {
  let table: StoredTable
  var slot = IndexSlot.byCreationTime
  var lower: IndexKey?
  var upper: IndexKey?
  var isDescending = false
  /// What a filter as data compares of each document, so that an error can name an index; nil without one.
  var filtered: FilteredFields?

  var layout: TableLayout { table.layout }

  /// The range as a transaction notes it.
  var asRead: ReadRange { asRead(ofPositions: false) }

  func asRead(ofPositions: Bool) -> ReadRange {
    ReadRange(table: layout.number, index: slot, lower: lower, upper: upper, isOfPositions: ofPositions)
  }

  var isEmpty: Bool {
    guard let lower, let upper else { return false }
    return lower >= upper
  }

  /// What lies behind a position, in the range's order. Never more than the range.
  mutating func begin(after position: IndexKey) {
    if isDescending { lowerUpper(to: position) } else { raiseLower(to: position.successor) }
  }

  /// What lies before a position or at it. Never more than the range.
  mutating func end(at position: IndexKey) {
    if isDescending { raiseLower(to: position) } else { lowerUpper(to: position.successor) }
  }

  /// What lies before a position, without it.
  mutating func end(before position: IndexKey) {
    if isDescending { raiseLower(to: position.successor) } else { lowerUpper(to: position) }
  }

  mutating func raiseLower(to position: IndexKey) { lower = lower.map { max($0, position) } ?? position }

  mutating func lowerUpper(to position: IndexKey) { upper = upper.map { min($0, position) } ?? position }

  func contains(_ position: IndexKey) -> Bool { asRead.contains(position) }
}
