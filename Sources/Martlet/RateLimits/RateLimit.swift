/// How often something may be done.
///
/// ```swift
/// static let logins = RateLimit("logins", .fixedWindow(5, per: .seconds(60)))
/// static let mails = RateLimit("mails", .tokenBucket(10, per: .seconds(60), capacity: 30))
/// ```
public struct RateLimit: Sendable {
  public enum Rule: Sendable, Hashable {
    /// So many in each window; windows follow each other without a gap, and begin at whole multiples of their length since 1970.
    case fixedWindow(Double, per: Duration)
    /// So many as time passes, evenly; `capacity` may be saved up for a burst.
    case tokenBucket(Double, per: Duration, capacity: Double)
  }

  public let name: String
  public let rule: Rule
  /// Among how many documents each key's count is spread, so that many long mutations that use it at a time don't wait for each other. Each has
  /// its part of the rate, so a key may be refused a little early.
  public let shards: Int

  /// Traps where a number makes no sense: that is a mistake in the app's text.
  public init(_ name: String, _ rule: Rule, shards: Int = 1) {
    self.name = name
    self.rule = rule
    self.shards = shards
    precondition(shards >= 1 && rate > 0 && rate.isFinite && capacity >= 1 && capacity.isFinite && period >= 1, "rate limit \(name): \(rule), \(shards) shards")
    precondition(capacity / Double(shards) >= 1, "rate limit \(name): \(shards) shards of a capacity of \(capacity) have less than one each")
  }

  var rate: Double {
    switch rule {
    case .fixedWindow(let rate, _), .tokenBucket(let rate, _, _): rate
    }
  }

  /// In milliseconds.
  var period: Double {
    switch rule {
    case .fixedWindow(_, let period), .tokenBucket(_, let period, _): period.inMilliseconds
    }
  }

  var capacity: Double {
    switch rule {
    case .fixedWindow(let rate, _): rate
    case .tokenBucket(_, _, let capacity): capacity
    }
  }
}

/// Whether something may be done now.
public enum RateDecision: Sendable, Hashable {
  case allowed
  /// Not before so long; it was not counted.
  case refused(retryAfter: Duration)
}

/// What is left of each limit, for each key.
public struct RateLimits: Table {
  public static let name = "_rate_limits"

  public let limit = Field("name", .string)
  public let key = Field(.string)
  public let shard = Field(.wholeNumber)
  /// How much was left at `time`.
  public let left = Field(.double)
  /// Milliseconds since 1970.
  public let time = Field(.double)

  public let byKey = Index("by_key", \RateLimits.limit, \RateLimits.key, \RateLimits.shard, unique: true)

  public init() {}
}
