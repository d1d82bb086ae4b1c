/// One position of an index that gets an entry, or loses it.
struct IndexChange: Sendable {
  let key: IndexKey
  let id: InternalID
  let summand: Double
  let isRemoval: Bool
}

extension ContiguousArray<IndexChange> {
  /// The last change of each key, in the order of the keys.
  func inOrder<Payload: TreePayload>(_ payload: (IndexChange) -> Payload) -> ContiguousArray<TreeChange<IndexKey, Payload>> {
    var places: ContiguousArray<Place> = []
    places.reserveCapacity(count)
    for position in indices {
      let heads = self[position].key.heads
      places.append(Place(high: heads.high, low: heads.low, position: position))
    }
    var ordered: ContiguousArray<TreeChange<IndexKey, Payload>> = []
    ordered.reserveCapacity(count)
    withUnsafeBufferPointer { changes in
      places.sort { left, right in
        if left.high != right.high { return left.high < right.high }
        if left.low != right.low { return left.low < right.low }
        if changes[left.position].key == changes[right.position].key { return left.position < right.position }
        return changes[left.position].key < changes[right.position].key
      }
      for index in places.indices {
        let change = changes[places[index].position]
        if index + 1 < places.count, changes[places[index + 1].position].key == change.key { continue }
        ordered.append(TreeChange(key: change.key, payload: change.isRemoval ? nil : payload(change)))
      }
    }
    return ordered
  }
}

/// Where a change stands, with the beginning of its key: moving these sorts much faster than moving the changes.
private struct Place {
  let high: UInt64
  let low: UInt64
  let position: Int
}
