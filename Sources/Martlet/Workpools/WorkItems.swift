/// What was enqueued in workpools: one document each, which functions read like any other. Kept for 7 days after its end.
///
///     enqueue ──▶ pending ──▶ running ──┬─ it succeeds ──────────────────────────▶ success
///                  │  ▲         │       ├─ it fails for good, or too often ──────▶ failed
///                  │  └─────────┼───────┴─ it fails: pending again, at a later time
///                  └─ cancel ───┴───────────────────────────────────────────────▶ canceled
///
/// What is pending takes its turn by `time`, then in the order in which it was enqueued. What is running has a job, and what becomes of that job,
/// across restarts, becomes of it.
public struct WorkItems: Table {
  public static let name = "_workpool_items"

  public let pool = Field(.string)
  public let function = Field(.string)
  public let args = Field(.any)
  public let kind = Field(.enumeration(JobKind.self))
  /// How it is tried again; nil: it isn't.
  public let retry = Field(.optional(RetryOptions.validator))
  let onComplete = Field(.optional(RetryCompletion.validator))
  public let state = Field(.enumeration(WorkState.self))
  /// From when on it may start: milliseconds since 1970. Of what waits after a failure, when it is to be tried again.
  public let time = Field(.double)
  /// Attempts that failed so far.
  public let failures = Field(.wholeNumber)
  /// Why the last attempt failed.
  public let error = Field(.optional(.string))
  /// What the function answered.
  public let result = Field(.optional(.any))
  /// The job of the attempt that runs, or ran last.
  public let job = Field(.optional(.id(ScheduledFunctions.self)))
  public let completedTime = Field(.optional(.double))

  public let byCompletion = Index("by_completion", \WorkItems.completedTime)
  public let byTurn = Index("by_turn", \WorkItems.pool, \WorkItems.state, \WorkItems.time)
  public let byState = Index("by_state", \WorkItems.pool, \WorkItems.state)

  public init() {}
}

public enum WorkState: String, CaseIterable, Sendable { case pending, running, success, failed, canceled }

/// What is known of a workpool beside its declaration and its work: a document for each that was paused or emptied once.
public struct WorkpoolStates: Table {
  public static let name = "_workpools"

  public let pool = Field("name", .string)
  public let isPaused = Field(.boolean)
  /// What was created until then is being cancelled, a part in each transaction; nothing starts until that is done.
  let canceledUpTo = Field(.optional(.double))

  public let byName = Index("by_name", \WorkpoolStates.pool, unique: true)

  public init() {}
}
