/// Reading index ranges, without the documents' types.
extension Transaction {
  /// Goes through a range, counts what it passes, and notes as read no more than that: up to the last document that
  /// `body` was shown, where it ended the scan.
  ///
  /// - Parameter skipping: how many documents to leave out first, in O(log n). They are not charged; that they are there
  ///   counts as read.
  func scan(_ scanned: TableRange, skipping: Int = 0, _ body: (IndexKey, DocumentStorage) throws -> Bool) throws {
    try charge()
    var read = scanned.asRead
    // Noted on every way out: a handler may catch what `body` throws.
    defer { note(range: read) }
    if scanned.isEmpty { return }
    let contents = view(of: scanned.table).contents
    var rest = scanned
    if skipping > 0 {
      guard let first = contents.position(in: scanned, offset: skipping) else { return }
      if rest.isDescending { rest.upper = first.successor } else { rest.lower = first }
    }
    let isDescending = rest.isDescending
    try contents.forEach(in: rest.slot, from: rest.lower, to: rest.upper, descending: isDescending) { position, document in
      do { try charge(reads: 1) } catch { throw adviseIndex(for: scanned, error) }
      let goesOn = try body(position, document)
      if !goesOn {
        if isDescending { read.lower = position } else { read.upper = position.successor }
      }
      return goesOn
    }
  }

  /// How many documents a range holds. O(log n).
  func count(_ range: TableRange) throws -> Int {
    try charge()
    note(range: range.asRead(ofPositions: true))
    return view(of: range.table).contents.count(in: range.slot, from: range.lower, to: range.upper)
  }

  /// The range's sum of the field that its index was declared to sum. O(log n).
  func sum(_ range: TableRange) throws -> Double {
    try charge()
    note(range: range.asRead)
    return view(of: range.table).contents.sum(in: range.slot, from: range.lower, to: range.upper)
  }

  /// The first document of a range in its order, for what its position tells of it. Read are the positions up to there.
  /// O(log n).
  func firstPosition(_ range: TableRange) throws -> DocumentStorage? {
    try charge(reads: 1)
    var read = range
    defer { note(range: read.asRead(ofPositions: true)) }
    if range.isEmpty { return nil }
    var found: DocumentStorage?
    view(of: range.table).contents.forEach(in: range.slot, from: range.lower, to: range.upper, descending: range.isDescending) {
      read.end(at: $0)
      found = $1
      return false
    }
    return found
  }
}
