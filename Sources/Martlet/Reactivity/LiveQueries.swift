/// The live queries of an engine: found by what they run, and by the name that the tables' interest holds.
struct LiveQueries {
  private var byKey: [LiveQueryKey: LiveQuery] = [:]
  private var byID: [LiveQueryID: LiveQuery] = [:]
  private var lastID = 0
  /// Those to run at the next publication.
  private(set) var stale: ContiguousArray<LiveQuery> = []
  private(set) var subscriptionCount = 0

  var count: Int { byKey.count }
  var all: some Collection<LiveQuery> { byKey.values }

  subscript(id: LiveQueryID) -> LiveQuery? { byID[id] }

  /// The live query of this key: the one that there is, or a new one, stale.
  mutating func query(_ key: LiveQueryKey, _ function: FunctionDefinition) -> LiveQuery {
    if let query = byKey[key] { return query }
    lastID += 1
    let query = LiveQuery(id: LiveQueryID(rawValue: lastID), key: key, function: function)
    byKey[key] = query
    byID[query.id] = query
    stale.append(query)
    return query
  }

  mutating func attach(_ subscription: Subscription) {
    subscription.query.subscriptions[ObjectIdentifier(subscription)] = subscription
    subscriptionCount += 1
  }

  /// Takes a subscription off its query. Gives the query if that was the last one: nobody wants it any more.
  mutating func detach(_ subscription: Subscription) -> LiveQuery? {
    let query = subscription.query
    query.subscriptions[ObjectIdentifier(subscription)] = nil
    subscriptionCount -= 1
    guard query.subscriptions.isEmpty else { return nil }
    byKey[query.key] = nil
    byID[query.id] = nil
    return query
  }

  /// What a query read may have changed. One that is running beside learns of it when it comes back.
  mutating func markStale(_ id: LiveQueryID) {
    guard let query = byID[id], query.state == .current else { return }
    query.state = .stale
    stale.append(query)
  }

  mutating func markStale(_ query: LiveQuery) {
    query.state = .stale
    stale.append(query)
  }

  mutating func takeStale() -> ContiguousArray<LiveQuery> {
    defer { stale.removeAll(keepingCapacity: true) }
    return stale
  }
}
