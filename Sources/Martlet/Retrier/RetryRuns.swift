/// Actions that are tried again until they succeed: one document each, with the state that survives a restart. Kept for 7 days after
/// their end.
///
///     run ──▶ inProgress ──┬─ an attempt succeeds ───────────────────────▶ success
///               │    ▲     ├─ one fails for good, or too many have failed ▶ failed
///               │    └─────┴─ one fails: the next is scheduled
///               └─ cancel ───────────────────────────────────────────────▶ canceled
public struct RetryRuns: Table {
  public static let name = "_retries"

  public let function = Field(.string)
  public let args = Field(.any)
  public let options = Field(RetryOptions.validator)
  let onComplete = Field(.optional(RetryCompletion.validator))
  /// Attempts that failed so far.
  public let failures = Field(.wholeNumber)
  public let state = Field(.enumeration(RetryState.self))
  /// Why the last attempt failed.
  public let error = Field(.optional(.string))
  /// What the action answered.
  public let result = Field(.optional(.any))
  /// The job of the last attempt.
  public let job = Field(.optional(.id(ScheduledFunctions.self)))
  public let completedTime = Field(.optional(.double))

  public let byCompletion = Index("by_completion", \RetryRuns.completedTime)

  public init() {}
}

public enum RetryState: String, CaseIterable, Sendable { case inProgress, success, failed, canceled }

/// How often, and after how long, an action is tried again.
public struct RetryOptions: Sendable, Hashable {
  /// How long the first retry waits, on average.
  public var initialBackoff: Duration = .milliseconds(250)
  /// How many times longer each further one waits.
  public var base = 2.0
  /// How many failures are followed by another attempt; the one after them ends the run.
  public var maxFailures = 4

  public init(initialBackoff: Duration = .milliseconds(250), base: Double = 2, maxFailures: Int = 4) {
    self.initialBackoff = initialBackoff
    self.base = base
    self.maxFailures = maxFailures
  }

  var problem: String? {
    if initialBackoff < .zero { return "initialBackoff is \(initialBackoff); it can't be negative" }
    if !(base.isFinite && base >= 1) { return "base is \(base); it is 1 or more" }
    if maxFailures < 0 { return "maxFailures is \(maxFailures); it can't be negative" }
    return nil
  }

  /// The wait after so many failures, in milliseconds: half to one and a half of what the formula says, so that many that failed together
  /// don't come back together. An hour at most.
  func backoff(afterFailures count: Int, _ random: inout DeterministicRandom) -> Double {
    let exact = initialBackoff.inMilliseconds * pow(base, count - 1)
    return (min(exact, 3_600_000) * Double.random(in: 0.5...1.5, using: &random)).rounded()
  }

  private func pow(_ base: Double, _ exponent: Int) -> Double {
    var power = 1.0
    for _ in 0..<min(exponent, 1_000) { power *= base }
    return power
  }

  static let validator = Validator<RetryOptions>.object(
    Property("base", \RetryOptions.base, .double), Property("initialBackoffMs", \RetryOptions.initialBackoffMilliseconds, .double),
    Property("maxFailures", \RetryOptions.maxFailures, .wholeNumber)
  ) { RetryOptions(initialBackoff: .milliseconds($1), base: $0, maxFailures: $2) }

  private var initialBackoffMilliseconds: Double { initialBackoff.inMilliseconds }
}

/// Which mutation is told of the end, and what its two arguments are called.
struct RetryCompletion: Sendable, Hashable {
  var function: String
  var run: String
  var result: String

  static let validator = Validator<RetryCompletion>.object(
    Property("function", \RetryCompletion.function, .string), Property("result", \RetryCompletion.result, .string),
    Property("run", \RetryCompletion.run, .string)
  ) { RetryCompletion(function: $0, run: $2, result: $1) }
}
