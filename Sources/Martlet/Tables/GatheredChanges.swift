/// One change of an index's entry: plain bytes, so that thousands are kept, put in order and forgotten without counting a reference.
struct GatheredChange<Payload: TreePayload & BitwiseCopyable>: BitwiseCopyable {
  /// The first 16 bytes of the key, as two integers.
  let high: UInt64
  let low: UInt64
  let tie: UInt64
  /// Of the key, but at most 17: that it is longer.
  let length: UInt32
  /// Where a key of more than 16 bytes stands among `GatheredChanges.longKeys`.
  let longKey: UInt32
  /// nil: the entry goes.
  let payload: Payload?

  static var longer: UInt32 { 17 }
  var isLong: Bool { length == Self.longer }
}

/// Changes of an index's entries, in the order in which they were made.
///
/// A key of up to 16 bytes, which most are, is part of its change; a longer one holds a reference to the rest of its bytes, and is kept beside.
/// So a change takes 64 bytes or less.
struct GatheredChanges<Payload: TreePayload & BitwiseCopyable>: Sendable {
  typealias Change = GatheredChange<Payload>

  private(set) var changes: ContiguousArray<Change> = []
  private(set) var longKeys: ContiguousArray<IndexKey> = []

  var count: Int { changes.count }
  var isEmpty: Bool { changes.isEmpty }

  mutating func append(_ payload: Payload?, for key: IndexKey) {
    let (high, low) = key.heads
    let isLong = key.count > 16
    changes.append(
      Change(
        high: high, low: low, tie: key.tie, length: isLong ? Change.longer : UInt32(truncatingIfNeeded: key.count),
        longKey: isLong ? UInt32(longKeys.count) : 0, payload: payload))
    if isLong { longKeys.append(key) }
  }

  func key(of change: Change) -> IndexKey {
    change.isLong
      ? longKeys[Int(change.longKey)] : IndexKey(high: change.high, low: change.low, length: change.length, tie: change.tie)
  }

  mutating func removeAll(keepingCapacity: Bool) {
    changes.removeAll(keepingCapacity: keepingCapacity)
    longKeys.removeAll(keepingCapacity: keepingCapacity && !longKeys.isEmpty)
  }
}
