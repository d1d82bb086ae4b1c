/// An index's tree that gathers its changes, and carries them out in bulk.
///
/// One change of an entry costs a walk from the root to a leaf that is in no cache. Thousands of them in the order of their keys
/// share the way, meet each leaf once, and where a key changed again and again only the last time counts. So writes pay for an index
/// as often as somebody reads it, and little for one that nobody reads.
///
///     change ──▶ gathered ──(many)──▶ ordered ──a few with each change──▶ tree
///                    └──────────────────┴──────────settle()─────────────▶ tree
///
/// Carrying out so many at once would hold up everybody, for milliseconds; so that is done a slice at a time while the next ones are
/// gathered. A reader asks for `settle()` first: then the tree is all that was written.
struct GatheringTree<Payload: TreePayload>: Sendable {
  typealias Change = TreeChange<IndexKey, Payload>

  private(set) var tree: OrderedTree<IndexKey, Payload>
  private var gathered: ContiguousArray<Change> = []
  /// In the order of their keys, each key once; those before `position` are carried out.
  private var ordered: ContiguousArray<Change> = []
  private var position = 0

  /// Putting so many in order takes about two milliseconds.
  private static var mostGathered: Int { 32_768 }
  /// Twice as many are carried out as are gathered meanwhile, so that the one is over before the other.
  private static var changesPerSlice: Int { 32 }
  private static var slice: Int { 64 }

  init(_ tree: OrderedTree<IndexKey, Payload> = OrderedTree()) { self.tree = tree }

  mutating func insert(_ payload: Payload, for key: IndexKey) { gather(Change(key: key, payload: payload)) }

  mutating func remove(_ key: IndexKey) { gather(Change(key: key, payload: nil)) }

  private mutating func gather(_ change: Change) {
    gathered.append(change)
    if gathered.count % Self.changesPerSlice == 0, !ordered.isEmpty { carryOut(Self.slice) }
    if gathered.count >= Self.mostGathered {
      carryOut(.max)
      order()
    }
  }

  var isSettled: Bool { gathered.isEmpty && ordered.isEmpty }

  mutating func settle() {
    carryOut(.max)
    guard !gathered.isEmpty else { return }
    order()
    carryOut(.max)
  }

  private mutating func carryOut(_ count: Int) {
    guard !ordered.isEmpty else { return }
    let end = count < ordered.count - position ? position + count : ordered.count
    tree.apply(ordered, position..<end)
    position = end
    guard position == ordered.count else { return }
    ordered.removeAll(keepingCapacity: ordered.count > 64)
    position = 0
  }

  /// Moves what was gathered to `ordered`, which is empty.
  private mutating func order() {
    var places: ContiguousArray<Place> = []
    places.reserveCapacity(gathered.count)
    for position in gathered.indices {
      let heads = gathered[position].key.heads
      places.append(Place(high: heads.high, low: heads.low, position: position))
    }
    gathered.withUnsafeBufferPointer { gathered in
      places.sort { left, right in
        if left.high != right.high { return left.high < right.high }
        if left.low != right.low { return left.low < right.low }
        if gathered[left.position].key == gathered[right.position].key { return left.position < right.position }
        return gathered[left.position].key < gathered[right.position].key
      }
      for index in places.indices {
        let position = places[index].position
        if index + 1 < places.count, gathered[places[index + 1].position].key == gathered[position].key { continue }
        ordered.append(gathered[position])
      }
    }
    gathered.removeAll(keepingCapacity: gathered.count > 64)
  }
}

/// Where a change stands, with the beginning of its key: moving these sorts much faster than moving the changes.
struct Place {
  let high: UInt64
  let low: UInt64
  let position: Int
}
