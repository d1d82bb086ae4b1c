import MartletWire

/// `ctx.rateLimiter` of a mutation. What it counts is a part of the transaction: a mutation that throws has used up nothing.
///
/// ```swift
/// try ctx.rateLimiter.require(logins, key: user)
/// ```
public struct RateLimiter {
  let transaction: Transaction

  /// Uses up `count` of a limit, if that much is left.
  /// - Parameter key: whose limit: a user's name, an address; one for all where it is left out.
  public func use(_ limit: RateLimit, key: String = "", count: Double = 1) throws -> RateDecision {
    guard count > 0, count <= limit.capacity / Double(limit.shards) else {
      throw WireError(
        .invalidArguments,
        "rate limit \(limit.name): \(count) can't be used at once; more than 0 can, and \(limit.capacity / Double(limit.shards)) at most")
    }
    var shortest = Double.infinity
    // A second shard is tried where the first has too little left.
    for shard in shards(of: limit) {
      let state = try state(of: limit, key, shard)
      guard state.left < count else {
        try store(limit, key, shard, left: state.left - count, at: state.time, state.id)
        return .allowed
      }
      shortest = min(shortest, wait(for: count - state.left, limit, since: state.time))
    }
    transaction.events.rateLimitRefusals += 1
    return .refused(retryAfter: .milliseconds(Int64(shortest.rounded(.up))))
  }

  /// The same for who goes no further without: throws an `ApplicationError` whose data are
  /// `{"code":"rate_limited","limit":…,"retryAfterMs":…}`.
  public func require(_ limit: RateLimit, key: String = "", count: Double = 1) throws {
    guard case .refused(let wait) = try use(limit, key: key, count: count) else { return }
    throw ApplicationError(
      "too many \(limit.name); try again in \(max(1, Int((wait.inMilliseconds / 1_000).rounded(.up)))) s",
      data: ["code": "rate_limited", "limit": .string(limit.name), "retryAfterMs": .float64(wait.inMilliseconds)])
  }

  /// How much is left, without using any.
  public func left(of limit: RateLimit, key: String = "") throws -> Double {
    try (0..<limit.shards).reduce(0) { try $0 + state(of: limit, key, $1).left }
  }

  /// Gives a key all of its limit back.
  public func reset(_ limit: RateLimit, key: String = "") throws {
    try transaction.asServer { db in
      for document in try db.query(RateLimits.self).withIndex(\.byKey, { $0.eq(\.limit, limit.name).eq(\.key, key) }).collect() {
        try db.delete(document.id)
      }
    }
  }

  // MARK: One shard

  private struct State {
    var id: ID<RateLimits>?
    var left: Double
    /// What `left` is of.
    var time: Double
  }

  private func state(of limit: RateLimit, _ key: String, _ shard: Int) throws -> State {
    let now = transaction.now
    let capacity = limit.capacity / Double(limit.shards)
    let window = (now / limit.period).rounded(.down) * limit.period
    let stored = try DatabaseReader(transaction: transaction).query(RateLimits.self)
      .withIndex(\.byKey) { $0.eq(\.limit, limit.name).eq(\.key, key).eq(\.shard, shard) }.unique()
    switch limit.rule {
    case .fixedWindow:
      guard let stored, stored.time == window else { return State(id: stored?.id, left: capacity, time: window) }
      // A limit that is lower by now has less left.
      return State(id: stored.id, left: min(stored.left, capacity), time: window)
    case .tokenBucket:
      guard let stored else { return State(left: capacity, time: now) }
      // A clock that went back gives nothing.
      let gained = max(0, now - stored.time) / limit.period * limit.rate / Double(limit.shards)
      return State(id: stored.id, left: min(capacity, stored.left + gained), time: max(now, stored.time))
    }
  }

  private func store(_ limit: RateLimit, _ key: String, _ shard: Int, left: Double, at time: Double, _ id: ID<RateLimits>?) throws {
    try transaction.asServer { db in
      if let id {
        try db.patch(id) {
          $0.left = left
          $0.time = time
        }
      } else {
        try db.insert(RateLimits.self) {
          $0.limit = limit.name
          $0.key = key
          $0.shard = shard
          $0.left = left
          $0.time = time
        }
      }
    }
  }

  /// How long until so much more is there, in milliseconds.
  private func wait(for missing: Double, _ limit: RateLimit, since time: Double) -> Double {
    switch limit.rule {
    case .fixedWindow: time + limit.period - transaction.now
    case .tokenBucket: missing * limit.period / (limit.rate / Double(limit.shards))
    }
  }

  private func shards(of limit: RateLimit) -> [Int] {
    guard limit.shards > 1 else { return [0] }
    let first = Int.random(in: 0..<limit.shards, using: &transaction.random)
    let second = Int.random(in: 0..<limit.shards - 1, using: &transaction.random)
    return [first, second < first ? second : second + 1]
  }
}
