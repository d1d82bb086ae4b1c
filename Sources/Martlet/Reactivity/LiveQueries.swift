/// The live queries of an engine: found by what they run, and by the name that the tables' interest holds.
///
/// One that nobody subscribes to any more is kept warm for a moment, for those who come back: a page that is loaded anew, a connection that
/// broke. Until then it is current, or gone: the first commit that touches it ends it, so that nothing is run for nobody.
struct LiveQueries {
  private var byKey: [LiveQueryKey: LiveQuery] = [:]
  private var byID: [LiveQueryID: LiveQuery] = [:]
  private var lastID = 0
  /// Those to run at the next publication.
  private(set) var stale: ContiguousArray<LiveQuery> = []
  private(set) var subscriptionCount = 0
  /// Those that are kept warm, the longest first, with when they end. Some of them have subscribers again, or have ended.
  private var warm: ContiguousArray<(query: LiveQuery, end: Double)> = []
  private var warmCount = 0

  static let warmMilliseconds = 5_000.0
  private static let mostWarm = 1_000
  private static let mostWarmBytes = 64 << 10

  /// Without those that nobody subscribes to.
  var count: Int { byKey.count - warmCount }
  var all: some Collection<LiveQuery> { byKey.values }

  subscript(id: LiveQueryID) -> LiveQuery? { byID[id] }

  /// The live query of this key: the one that there is, or a new one, stale.
  mutating func query(_ key: LiveQueryKey, _ function: FunctionDefinition) -> LiveQuery {
    if let query = byKey[key] {
      if query.isWarm { cool(query) }
      return query
    }
    lastID += 1
    let query = LiveQuery(id: LiveQueryID(rawValue: lastID), key: key, function: function)
    byKey[key] = query
    byID[query.id] = query
    stale.append(query)
    return query
  }

  mutating func attach(_ subscription: Subscription) {
    subscription.query.attach(subscription)
    subscriptionCount += 1
  }

  /// Takes a subscription off its query. Gives the queries that end with it, to be unwatched.
  mutating func detach(_ subscription: Subscription, now: Double) -> [LiveQuery] {
    let query = subscription.query
    query.detach(subscription)
    subscriptionCount -= 1
    guard query.subscriptions.isEmpty else { return [] }
    guard query.isWorthKeeping(upToBytes: Self.mostWarmBytes) else {
      end(query)
      return [query]
    }
    let end = now + Self.warmMilliseconds
    query.warmEnd = end
    warmCount += 1
    if warm.count > 4 * Self.mostWarm { warm.removeAll { $0.query.warmEnd != $0.end } }
    warm.append((query, end))
    return warmCount > Self.mostWarm ? endWarm(atLeast: 1, upTo: now) : []
  }

  /// Ends those whose time has come, and at least so many. Gives them, to be unwatched.
  mutating func endWarm(atLeast count: Int = 0, upTo now: Double) -> [LiveQuery] {
    var ended: [LiveQuery] = []
    var seen = 0
    for (query, end) in warm {
      guard ended.count < count || end <= now else { break }
      seen += 1
      // It may have been taken up and left again since.
      guard query.isWarm, query.warmEnd == end else { continue }
      cool(query)
      self.end(query)
      ended.append(query)
    }
    warm.removeFirst(seen)
    return ended
  }

  /// When the first of those that are kept warm may end; nil if there is none.
  var nextWarmEnd: Double? { warm.first?.end }

  /// Ends a query that a commit touched, if nobody subscribes to it.
  mutating func endIfUnused(_ query: LiveQuery) -> Bool {
    guard query.subscriptions.isEmpty else { return false }
    if query.isWarm { cool(query) }
    end(query)
    return true
  }

  private mutating func cool(_ query: LiveQuery) {
    query.warmEnd = nil
    warmCount -= 1
  }

  private mutating func end(_ query: LiveQuery) {
    // It may have ended before, and another have come in its place.
    guard byID.removeValue(forKey: query.id) != nil else { return }
    byKey[query.key] = nil
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
