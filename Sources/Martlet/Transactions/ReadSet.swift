/// A part of an index that a transaction read: the positions `[lower, upper)`, nil unbounded. What is absent from it was read, too.
package struct ReadRange: Hashable, Sendable {
  package var table: UInt32
  package var index: IndexSlot
  package var lower: IndexKey?
  package var upper: IndexKey?
  /// Only which positions there are was read, as by a count; not the documents. A document that changes and stays where it is doesn't matter then.
  package var isOfPositions = false

  func contains(_ position: IndexKey) -> Bool {
    if let lower, position < lower { return false }
    if let upper, position >= upper { return false }
    return true
  }
}

/// Everything that a transaction read: documents by id, found or not, and index ranges.
///
/// It decides whether a commit invalidates a live query, and whether a mutation that ran beside others may commit (G4).
package struct ReadSet: Hashable, Sendable {
  package private(set) var points: [DocumentID] = []
  package private(set) var ranges: [ReadRange] = []

  mutating func add(point: DocumentID) { points.append(point) }
  mutating func add(range: ReadRange) { ranges.append(range) }

  /// Takes a range in the place of one that was added before, and gives the place; nil adds it. Places hold until the set is normalized.
  mutating func set(range: ReadRange, at place: Int?) -> Int {
    guard let place else {
      ranges.append(range)
      return ranges.count - 1
    }
    ranges[place] = range
    return place
  }

  /// Orders the set and drops repetitions, so that equal sets compare equal and each table's part is one slice.
  mutating func normalize() {
    if points.count > 1 {
      points.sort()
      var last: DocumentID?
      points.removeAll { point in
        defer { last = point }
        return point == last
      }
    }
    if ranges.count > 1 {
      var seen: Set<ReadRange> = []
      ranges.removeAll { !seen.insert($0).inserted }
      ranges.sort { ($0.table, $0.index.rawValue) < ($1.table, $1.index.rawValue) }
    }
  }

  /// What was read of one table.
  struct TablePart: Sendable {
    let table: UInt32
    let points: ArraySlice<DocumentID>
    let ranges: ArraySlice<ReadRange>
  }

  /// The set table by table, in the order of their numbers. The set is normalized.
  var byTable: [TablePart] {
    var parts: [TablePart] = []
    var point = 0
    var range = 0
    while point < points.count || range < ranges.count {
      let table = min(
        point < points.count ? points[point].tableNumber : .max, range < ranges.count ? ranges[range].table : .max)
      let firstPoint = point
      let firstRange = range
      while point < points.count, points[point].tableNumber == table { point += 1 }
      while range < ranges.count, ranges[range].table == table { range += 1 }
      parts.append(
        TablePart(table: table, points: points[firstPoint..<point], ranges: ranges[firstRange..<range]))
    }
    return parts
  }

  /// Whether the change of a document may have changed what was read.
  func isTouched(by write: DocumentWrite, layout: TableLayout, keys: inout IndexKeyWriter) -> Bool {
    if points.contains(write.id) { return true }
    for range in ranges where range.table == write.id.tableNumber {
      let old = write.old.map { layout.position(of: $0, in: range.index, with: &keys) }
      let new = write.new.map { layout.position(of: $0, in: range.index, with: &keys) }
      if range.isOfPositions, old == new { continue }
      if let old, range.contains(old) { return true }
      if let new, range.contains(new) { return true }
    }
    return false
  }
}
