import MartletWire

/// A client's subscriptions: what the server has told of each query, and what is shown of it. Pure.
///
/// A *view* is what somebody reads: one query, or a group of them that is always shown as of one snapshot. Each query of a view, a *member*, is a
/// subscription of its own at the server. A view's id is its first member's; those of its members follow each other.
///
///     update, patch, failed ─▶ staged ─synced─▶ the server's value ─optimistic updates─▶ shown
///
/// Invariants:
/// 1. What is staged becomes the server's value at the `synced` that follows it, all of it together; what a broken connection left
///    without its `synced` never does.
/// 2. A member's value is of the newest snapshot, since the server would have told another one; unless it was left behind: its connection is
///    gone, or it is being made anew. Then it is of the snapshot that it was left at.
/// 3. A view shows something when all of its members have a value, and all of one snapshot. Until then it keeps what it shows.
/// 4. While an optimistic update is in doubt, nothing that the server tells is shown.
struct SubscriptionTable<Sink: Sendable>: ~Copyable {
  private struct Member {
    var query: SubscribedQuery
    var view: Range<UInt64>
    var sink: Sink
    /// What came since the last `synced`: the newest only.
    var staged: Result<[UInt8], MartletError>?
    /// The last value that came, where the next one may be a patch to it.
    var base: [UInt8]?
    /// It has been made anew, and waits for its value. Patches that were on their way are of no use to it.
    var awaitsValue = false
    /// The server's value.
    var value: Result<[UInt8], MartletError>?
    /// Where the value isn't of the newest snapshot: of which one it is.
    var leftAt: Snapshot?
    /// What is shown in place of the server's value.
    var optimistic: [UInt8]?
  }

  private var members: [UInt64: Member] = [:]
  /// Members that have something staged, so that `synced` costs only what has changed.
  private var staged: [UInt64] = []
  /// A `synced` that had to wait, and with it all that is staged. None if something was staged since.
  private var heldTimestamp: UInt64?
  private var newest = Snapshot(connection: 0, timestamp: 0)
  private var optimism = OptimisticUpdates()

  /// The ids of all members, in order.
  var ids: [UInt64] { members.keys.sorted() }

  func contains(_ id: UInt64) -> Bool { members[id] != nil }
  func line(_ id: UInt64) -> [UInt8]? { members[id]?.query.line }

  /// - Parameter id: the first member's; those that follow are taken for the others.
  mutating func add(_ id: UInt64, _ queries: [SubscribedQuery], _ sink: Sink) {
    let view = id..<id + UInt64(queries.count)
    for (member, query) in zip(view, queries) { members[member] = Member(query: query, view: view, sink: sink) }
  }

  /// Takes out the view that this member belongs to.
  mutating func remove(_ id: UInt64) -> (members: Range<UInt64>, sink: Sink)? {
    guard let member = members[id] else { return nil }
    for id in member.view { members[id] = nil }
    if !optimism.isEmpty { optimism.prune(oldest: oldest) }
    return (member.view, member.sink)
  }

  mutating func removeAll() -> [Sink] {
    let sinks = ids.compactMap { id in members[id].flatMap { $0.view.lowerBound == id ? $0.sink : nil } }
    members.removeAll()
    staged.removeAll()
    return sinks
  }
}

// MARK: - What the server tells

extension SubscriptionTable {
  mutating func connectionOpened() {
    newest = Snapshot(connection: newest.connection + 1, timestamp: 0)
  }

  mutating func connectionEnded() {
    var index = members.startIndex
    while index != members.endIndex {
      members.values[index].staged = nil
      members.values[index].base = nil
      members.values[index].awaitsValue = false
      leaveBehind(index)
      members.formIndex(after: &index)
    }
    staged.removeAll()
    heldTimestamp = nil
  }

  private mutating func leaveBehind(_ index: Dictionary<UInt64, Member>.Index) {
    guard members.values[index].value != nil, members.values[index].leftAt == nil else { return }
    members.values[index].leftAt = newest
  }

  /// - Parameter keepsBase: patches to it may come.
  mutating func stage(_ id: UInt64, _ result: Result<[UInt8], MartletError>, keepsBase: Bool) {
    guard let index = members.index(forKey: id) else { return }
    heldTimestamp = nil
    if members.values[index].staged == nil { staged.append(id) }
    members.values[index].staged = result
    members.values[index].base = keepsBase ? try? result.get() : nil
    members.values[index].awaitsValue = false
  }

  /// False if the patch doesn't fit: then the member has to be made anew, and shows its older value until it is.
  mutating func stage(_ id: UInt64, patch: [UInt8]) -> Bool {
    guard let index = members.index(forKey: id), !members.values[index].awaitsValue else { return true }
    let value = members.values[index].base.flatMap { base in
      base.withUnsafeBytes { base in patch.withUnsafeBytes { try? ValuePatch.apply($0, to: base) } }
    }
    if let value {
      stage(id, .success(value), keepsBase: true)
      return true
    }
    members.values[index].staged = nil
    members.values[index].base = nil
    members.values[index].awaitsValue = true
    leaveBehind(index)
    return false
  }

  mutating func synced(_ timestamp: UInt64, _ deliver: (Sink, Delivery) -> Void) {
    guard !optimism.isInDoubt else { return heldTimestamp = timestamp }
    newest.timestamp = timestamp
    heldTimestamp = nil
    var views = Views()
    for id in staged {
      // One that has ended since is no longer there.
      guard let index = members.index(forKey: id), let result = members.values[index].staged.take() else { continue }
      members.values[index].value = result
      members.values[index].leftAt = nil
      views.insert(members.values[index].view.lowerBound)
    }
    staged.removeAll(keepingCapacity: true)
    if !optimism.isEmpty {
      optimism.prune(oldest: oldest)
      applyUpdates(&views)
    }
    show(views, deliver)
  }
}

// MARK: - Optimistic updates

extension SubscriptionTable {
  /// Applies an update at once.
  mutating func expect(_ id: UInt64, _ update: @escaping OptimisticUpdate, _ deliver: (Sink, Delivery) -> Void) {
    optimism.add(id, update)
    var views = Views()
    applyUpdates(&views)
    show(views, deliver)
  }

  /// The mutations whose updates wait for an answer.
  var unanswered: [UInt64] { optimism.unanswered }

  /// The connection broke while the mutation was under way.
  mutating func doubt(_ id: UInt64) { optimism.doubt(id) }

  /// The mutation was committed.
  mutating func confirm(_ id: UInt64, _ timestamp: UInt64, _ deliver: (Sink, Delivery) -> Void) {
    guard !optimism.isEmpty, optimism.confirm(id, Snapshot(connection: newest.connection, timestamp: timestamp)) else { return }
    settle(deliver)
  }

  /// These requests failed: what they are of mutations was not committed, or nobody will know.
  mutating func giveUp(_ ids: some Sequence<UInt64>, _ deliver: (Sink, Delivery) -> Void) {
    guard !optimism.isEmpty else { return }
    var hadUpdate = false
    for id in ids where optimism.remove(id) { hadUpdate = true }
    if hadUpdate { settle(deliver) }
  }

  /// What follows from an answer.
  private mutating func settle(_ deliver: (Sink, Delivery) -> Void) {
    if let timestamp = heldTimestamp, !optimism.isInDoubt { return synced(timestamp, deliver) }
    optimism.prune(oldest: oldest)
    var views = Views()
    applyUpdates(&views)
    show(views, deliver)
  }

  private func snapshot(of member: Member) -> Snapshot { member.leftAt ?? newest }

  /// The oldest snapshot that a value is of, or may be of when it comes; nil where there are no members.
  private var oldest: Snapshot? {
    guard !members.isEmpty else { return nil }
    var oldest = newest
    for member in members.values {
      // Its first value may be on its way, of a snapshot that was the newest when it set out.
      guard member.value != nil else { return Snapshot(connection: 0, timestamp: 0) }
      oldest = min(oldest, snapshot(of: member))
    }
    return oldest
  }

  /// Makes what is shown of each value anew. Values of one snapshot are seen by the updates together.
  private mutating func applyUpdates(_ views: inout Views) {
    var server: [Snapshot: [QueryKey: Result<[UInt8], MartletError>]] = [:]
    for member in members.values {
      guard let value = member.value else { continue }
      server[snapshot(of: member), default: [:]][member.query.key] = value
    }
    var changes: [Snapshot: [QueryKey: [UInt8]]] = [:]
    for (snapshot, values) in server { changes[snapshot] = optimism.applied(to: values, at: snapshot) }
    for id in ids {
      guard let index = members.index(forKey: id), members.values[index].value != nil else { continue }
      let change = changes[snapshot(of: members.values[index])]?[members.values[index].query.key]
      guard change != members.values[index].optimistic else { continue }
      members.values[index].optimistic = change
      views.insert(members.values[index].view.lowerBound)
    }
  }
}

// MARK: - What is shown

extension SubscriptionTable {
  /// The views that show something else, each once, in the order in which that came.
  private struct Views {
    private(set) var ids: [UInt64] = []
    private var known: Set<UInt64> = []

    mutating func insert(_ id: UInt64) {
      if known.insert(id).inserted { ids.append(id) }
    }
  }

  private func show(_ views: Views, _ deliver: (Sink, Delivery) -> Void) {
    for id in views.ids {
      guard let first = members[id] else { continue }
      let snapshot = snapshot(of: first)
      var delivery = Delivery(results: [], timestamp: snapshot.timestamp)
      delivery.results.reserveCapacity(first.view.count)
      for id in first.view {
        guard let member = members[id], let value = member.value, self.snapshot(of: member) == snapshot else { break }
        delivery.results.append(member.optimistic.map { .success($0) } ?? value)
        if member.optimistic != nil { delivery.isOptimistic = true }
      }
      if delivery.results.count == first.view.count { deliver(first.sink, delivery) }
    }
  }
}
