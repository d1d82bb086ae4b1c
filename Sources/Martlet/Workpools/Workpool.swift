/// A queue of work of which a bounded number runs at a time: for thousands of actions on a service that takes four at once, or for mutations that
/// would be in each other's way.
///
/// ```swift
/// static let mail = Workpool("mail", maxParallelism: 4, retry: RetryOptions(maxFailures: 6))
///
/// let work = try ctx.workpools.enqueue(mail, Mailer.send(to: user), onComplete: Mailer.sent)
/// ```
///
/// An app lists its pools: `MartletApp(…, workpools: [Mailer.mail])`. They are known by their names, and what they are declared with holds from the
/// start of the server on. Work of a pool that is declared no more rests until it is declared again.
///
/// A pool of actions (`Action(…, pool:)`) bounds how many of some functions run on the server, whoever calls them; a workpool bounds how much of
/// its own queue does, whatever functions that calls. Its actions need a place in their pool of actions as well.
public struct Workpool: Sendable {
  public let name: String
  /// How much of its work may run at a time.
  public let maxParallelism: Int
  /// How its actions are tried again, where what is enqueued doesn't say so itself; nil: they aren't.
  public let retry: RetryOptions?

  public init(_ name: String, maxParallelism: Int, retry: RetryOptions? = nil) {
    self.name = name
    self.maxParallelism = maxParallelism
    self.retry = retry
  }

  /// Throws where pools can't be as they are declared.
  static func check(_ pools: [Workpool]) throws(SchemaError) {
    var names: Set<String> = []
    for pool in pools {
      guard !pool.name.isEmpty else { throw SchemaError("a workpool has an empty name; give it one") }
      guard names.insert(pool.name).inserted else { throw SchemaError("two workpools are called \"\(pool.name)\"; rename one") }
      guard pool.maxParallelism >= 1 else {
        throw SchemaError("the workpool \"\(pool.name)\" runs \(pool.maxParallelism) at a time; make it 1 or more, and pause a pool to stop it")
      }
      if let problem = pool.retry?.problem { throw SchemaError("the workpool \"\(pool.name)\": \(problem)") }
    }
  }
}

/// When work may start, if there is a place.
public enum WorkStart: Sendable, Hashable {
  case now
  case after(Duration)
  /// Milliseconds since 1970, as `ctx.now`.
  case at(Double)

  func time(now: Double) -> Double {
    switch self {
    case .now: now
    case .after(let delay): now + delay.inMilliseconds
    case .at(let time): time
    }
  }
}

/// How work ended, as its `onComplete` mutation is told: `Arg("result", .workResult)`. The same as a retried action's.
public typealias WorkResult = RetryResult

extension Validator where T == WorkResult {
  public static var workResult: Validator { .retryResult }
}
