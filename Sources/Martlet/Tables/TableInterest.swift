/// Which live queries a change to this table concerns: the parts of its indexes that each one read.
///
/// A point (`get` by id) is found in a hash table, a range in its index's interval tree: O(log n + hits), whatever the
/// number of live queries on other keys (G6). Absences count like documents: a range that was empty is still a range.
struct TableInterest {
  private var points: [InternalID: ContiguousArray<LiveQueryID>] = [:]
  private var ranges: [IntervalIndex<IndexKey, RangeReader>?] = []
  private var rangeCount = 0

  var isEmpty: Bool { points.isEmpty && rangeCount == 0 }

  mutating func add(_ query: LiveQueryID, point id: InternalID) { points[id, default: []].append(query) }

  mutating func remove(_ query: LiveQueryID, point id: InternalID) {
    guard var queries = points.removeValue(forKey: id) else { return }
    queries.removeAll { $0 == query }
    if !queries.isEmpty { points[id] = queries }
  }

  fileprivate struct RangeReader {
    let query: LiveQueryID
    let isOfPositions: Bool
  }

  struct RangeToken {
    fileprivate let token: IntervalIndex<IndexKey, RangeReader>.Token
  }

  /// A position where an entry came, or went, or (`isKept`) stayed while its document changed.
  typealias ChangedPosition = (slot: IndexSlot, position: IndexKey, isKept: Bool)

  /// Gives the token that takes the range out again.
  mutating func add(_ query: LiveQueryID, range: ReadRange) -> RangeToken {
    let slot = range.index.rawValue
    while ranges.count <= slot { ranges.append(nil) }
    if ranges[slot] == nil { ranges[slot] = IntervalIndex() }
    rangeCount += 1
    let reader = RangeReader(query: query, isOfPositions: range.isOfPositions)
    return RangeToken(token: ranges[slot]!.insert(lower: range.lower, upper: range.upper, owner: reader))
  }

  mutating func remove(range: ReadRange, _ token: RangeToken) {
    if ranges[range.index.rawValue]!.remove(lower: range.lower, token.token) != nil { rangeCount -= 1 }
  }

  /// The live queries that read one of the positions, each once for each of its ranges that holds one.
  func queries(at positions: ContiguousArray<ChangedPosition>) -> ContiguousArray<LiveQueryID> {
    var hits: ContiguousArray<LiveQueryID> = []
    for (slot, position, isKept) in positions {
      if slot == .byID, !points.isEmpty, let queries = points[position.internalID] { hits += queries }
      guard slot.rawValue < ranges.count else { continue }
      ranges[slot.rawValue]?.forEach(containing: position) { reader in
        if !isKept || !reader.isOfPositions { hits.append(reader.query) }
      }
    }
    return hits
  }
}
