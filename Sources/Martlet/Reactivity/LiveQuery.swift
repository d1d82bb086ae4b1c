import MartletWire

/// Names a live query within its engine.
package struct LiveQueryID: Hashable, Sendable {
  let rawValue: Int
}

/// What makes two subscriptions one live query: the same function with the same arguments for the same caller.
struct LiveQueryKey: Hashable {
  var function: String
  /// Canonical JSON, so that the order of members and white space don't matter.
  var arguments: [UInt8]
  var identity: Identity
}

/// What a query gave: a value's JSON, encoded once and shared by all who subscribe, or an error.
enum LiveResult: Hashable {
  case value([UInt8])
  case failure(WireError)
}

/// A query that is kept up to date, run once for all who subscribe to it.
///
///              a commit touches what it read                it is over the engine thread's budget
///     current ───────────────────────────────▶ stale ──run──▶ running beside
///        ▲                                       │  ▲               │
///        └───────────────run─────────────────────┘  └─touched since─┴──not touched──▶ current
///
/// While `current`, `result` equals the query evaluated at the head: any commit that could change it makes it stale. Pages
/// within it are evaluated up to where they ended before: see `PageJournal`.
final class LiveQuery {
  enum State: Equatable {
    case stale
    case current
    /// On another thread, on the snapshot of this timestamp.
    case running(UInt64)
  }

  let id: LiveQueryID
  let key: LiveQueryKey
  let function: FunctionDefinition
  var state = State.stale
  var result: LiveResult?
  /// Grows whenever `result` changes.
  var version: UInt64 = 0
  /// What the last run read: the interest that the tables hold for this query.
  var reads = ReadSet()
  /// What takes the ranges of `reads` out of the tables' interest, table by table.
  var rangeTokens: [[TableInterest.RangeToken]] = []
  /// In no order: a subscription knows its place, so that one of thousands leaves at once.
  private(set) var subscriptions: ContiguousArray<Subscription> = []
  /// Until when it is kept although nobody subscribes to it; nil while somebody does.
  var warmEnd: Double?
  var isWarm: Bool { warmEnd != nil }
  /// Where the pages of its last answer ended.
  private(set) var pageEnds: PageJournal.Ends = [:]
  /// What leads to the result of `version` from the one before, found for the first subscription that asks and shared by all
  /// that were sent that one; nil bytes where the result is better sent whole.
  private(set) var patch: (version: UInt64, bytes: [UInt8]?)?

  init(id: LiveQueryID, key: LiveQueryKey, function: FunctionDefinition) {
    self.id = id
    self.key = key
    self.function = function
  }

  /// Whether it has a value that is not too large, and need not be run to be up to date.
  func isWorthKeeping(upToBytes most: Int) -> Bool {
    guard state == .current, case .value(let json)? = result, json.count <= most else { return false }
    if case .system = function.body { return false }
    return true
  }

  func attach(_ subscription: Subscription) {
    subscription.place = subscriptions.count
    subscriptions.append(subscription)
  }

  func detach(_ subscription: Subscription) {
    guard let last = subscriptions.popLast(), last !== subscription else { return }
    subscriptions[subscription.place] = last
    last.place = subscription.place
  }

  /// To be called for a run that gave an answer: what a client has seen last is what must stay together.
  func keepPageEnds(of transaction: Transaction) { pageEnds = transaction.pageJournal?.ends ?? [:] }

  /// The patch from the result before `version` to the result of it.
  func patch(from old: [UInt8], to new: [UInt8], version: UInt64) -> [UInt8]? {
    if let patch, patch.version == version { return patch.bytes }
    let bytes = old.withUnsafeBytes { old in new.withUnsafeBytes { ValuePatch.difference(from: old, to: $0) } }
    patch = (version, bytes)
    return bytes
  }

  /// To be called where this query takes another's place under a subscription.
  func keepPageEnds(of other: LiveQuery) {
    if result == nil, pageEnds.isEmpty { pageEnds = other.pageEnds }
  }
}

/// One connection's subscription to a live query, under the id that the client chose.
final class Subscription {
  let id: String
  /// Grows with each subscription of the session: the order in which it is told.
  let number: UInt64
  unowned let session: Session
  private(set) var query: LiveQuery
  fileprivate(set) var place = 0
  /// The client ended it, or the session has ended.
  var hasEnded = false
  /// Whether the session is to look at it at its next publication.
  var isCandidate = false
  /// What the client was last sent: its query and the version, to tell quickly that nothing is new, and the result, to
  /// tell that a new version is what the client has already.
  private(set) var sent: (query: LiveQueryID, version: UInt64, result: LiveResult)?

  init(id: String, number: UInt64, session: Session, query: LiveQuery) {
    self.id = id
    self.number = number
    self.session = session
    self.query = query
  }

  func follow(_ query: LiveQuery) { self.query = query }

  /// Whether the client lacks its query's result.
  var hasNews: Bool {
    guard let result = query.result else { return false }
    guard let sent else { return true }
    if sent.query == query.id {
      if sent.version == query.version { return false }
      // One version differs from the next; only a later one may be what was sent.
      if sent.version + 1 == query.version { return true }
    }
    return sent.result != result
  }

  /// The result that the client lacks, if it does.
  var news: Session.Told? {
    guard hasNews, let result = query.result else { return nil }
    return Session.Told(subscription: self, query: query, result: result, version: query.version)
  }

  func noteSent(_ result: LiveResult, version: UInt64) { sent = (query.id, version, result) }

  /// What leads to this result from what the client was sent, if that was the result before. A client that missed one, that was told of a
  /// failure, or whose subscription was another identity's, is sent the value whole: so there is one patch for each result.
  func patch(to json: [UInt8], version: UInt64) -> [UInt8]? {
    guard let sent, sent.query == query.id, sent.version + 1 == version, case .value(let base) = sent.result else { return nil }
    return query.patch(from: base, to: json, version: version)
  }

  /// What was sent never reached the client.
  func forgetSent() { sent = nil }
}
