import CHints

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
struct GatheringTree<Payload: TreePayload & BitwiseCopyable>: Sendable {
  private(set) var tree: OrderedTree<IndexKey, Payload>
  private var gathered = GatheredChanges<Payload>()
  /// What was gathered before, and where in it the changes are in the order of their keys, each key once; those before `next` are carried out.
  private var ordered = GatheredChanges<Payload>()
  private var positions: ContiguousArray<UInt16> = []
  private var next = 0

  /// Putting so many in order takes less than a millisecond.
  private static var mostGathered: Int { 32_768 }
  /// Twice as many are carried out as are gathered meanwhile, so that the one is over before the other.
  private static var changesPerSlice: Int { 32 }
  private static var slice: Int { 64 }

  init(_ tree: OrderedTree<IndexKey, Payload> = OrderedTree()) { self.tree = tree }

  mutating func insert(_ payload: Payload, for key: IndexKey) { gather(payload, for: key) }

  mutating func remove(_ key: IndexKey) { gather(nil, for: key) }

  private mutating func gather(_ payload: Payload?, for key: IndexKey) {
    gathered.append(payload, for: key)
    if gathered.count % Self.changesPerSlice == 0, !positions.isEmpty { carryOutSlice() }
    if gathered.count >= Self.mostGathered {
      carryOutAll()
      order()
    }
  }

  var isSettled: Bool { gathered.isEmpty && positions.isEmpty }

  mutating func settle() {
    carryOutAll()
    guard !gathered.isEmpty else { return }
    order()
    carryOutAll()
  }

  private mutating func carryOutAll() {
    while !positions.isEmpty { carryOutSlice() }
  }

  private mutating func carryOutSlice() {
    let end = min(next + Self.slice, positions.count)
    withUnsafeTemporaryAllocation(of: TreeChange<IndexKey, Payload>.self, capacity: end - next) { slice in
      for index in next..<end {
        let change = ordered.changes[Int(positions[index])]
        slice.initializeElement(at: index - next, to: TreeChange(key: ordered.key(of: change), payload: change.payload))
      }
      tree.apply(UnsafeBufferPointer(slice))
      // The others hold no reference.
      if !ordered.longKeys.isEmpty { slice.deinitialize() }
    }
    next = end
    if next == positions.count { forgetOrdered() } else { prefetchSlice() }
  }

  /// Fetches what the next slice will read: it lies here and there in what was gathered.
  private func prefetchSlice() {
    ordered.changes.withUnsafeBufferPointer { changes in
      for index in next..<min(next + Self.slice, positions.count) {
        let change = UnsafeRawPointer(changes.baseAddress! + Int(positions[index]))
        martlet_prefetch(change)
        martlet_prefetch(change + MemoryLayout<GatheredChange<Payload>>.size - 1)
      }
    }
  }

  private mutating func forgetOrdered() {
    let keepsCapacity = ordered.count > 64
    ordered.removeAll(keepingCapacity: keepsCapacity)
    positions.removeAll(keepingCapacity: keepsCapacity)
    next = 0
  }

  /// Moves what was gathered to `ordered`, which is empty.
  private mutating func order() {
    swap(&gathered, &ordered)
    positions = ordered.positionsInOrder()
    prefetchSlice()
  }
}
