/// One position of an index that gets an entry, or loses it.
struct IndexChange: Sendable {
  let key: IndexKey
  let id: InternalID
  let summand: Double
  let isRemoval: Bool
}

extension ContiguousArray<IndexChange> {
  /// Hands over the last change of each key, in the order of the keys.
  func forEachInOrder(_ body: (IndexChange) -> Void) {
    if count == 1 { return body(self[0]) }
    var places: ContiguousArray<Place> = []
    places.reserveCapacity(count)
    for position in indices {
      let heads = self[position].key.heads
      places.append(Place(high: heads.high, low: heads.low, position: position))
    }
    withUnsafeBufferPointer { changes in
      places.sort { left, right in
        if left.high != right.high { return left.high < right.high }
        if left.low != right.low { return left.low < right.low }
        if changes[left.position].key == changes[right.position].key { return left.position < right.position }
        return changes[left.position].key < changes[right.position].key
      }
      for index in places.indices {
        let position = places[index].position
        if index + 1 < places.count, changes[places[index + 1].position].key == changes[position].key { continue }
        body(changes[position])
      }
    }
  }
}

/// Where a change stands, with the beginning of its key: moving these sorts much faster than moving the changes.
private struct Place {
  let high: UInt64
  let low: UInt64
  let position: Int
}
