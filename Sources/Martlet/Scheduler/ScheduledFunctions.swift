/// The jobs of the scheduler: functions that are to run, run, or have run. One document each; finished ones are kept for 7 days.
///
/// Functions read it like any table, live if they like (`ctx.db.query(ScheduledFunctions.self)`); only the server writes it.
///
///     run(after:) ──▶ pending ──────────────▶ success      a mutation: its effects and its `success` are one commit
///                        │ └─▶ inProgress ─┬▶ success      an action: at most once
///                        │                 └▶ failed       it threw, or the server stopped meanwhile
///                        └─ cancel ────────▶ canceled
public struct ScheduledFunctions: Table {
  public static let name = "_scheduled_functions"

  /// `module:name`
  public let function = Field("name", .string)
  /// The call's arguments, one object.
  public let args = Field(.any)
  public let kind = Field(.enumeration(JobKind.self))
  /// When it is to run: milliseconds since 1970. As asked for, so perhaps a time that was past.
  public let scheduledTime = Field(.double)
  public let completedTime = Field(.optional(.double))
  public let state = Field(JobState.validator)
  /// The cron that scheduled it; nil for all else.
  public let cron = Field(.optional(.string))
  /// The run of the retrier that it is an attempt of; nil for all else.
  public let retry = Field(.optional(.id(RetryRuns.self)))
  /// The work of a workpool that it is an attempt of; nil for all else.
  public let work = Field(.optional(.id(WorkItems.self)))

  public let byState = Index("by_state", \ScheduledFunctions.state.kind, \ScheduledFunctions.kind, \ScheduledFunctions.scheduledTime)
  public let byCompletion = Index("by_completion", \ScheduledFunctions.completedTime)

  public init() {}
}

public enum JobKind: String, CaseIterable, Sendable { case mutation, action }

public struct JobState: Sendable, Hashable {
  public enum Kind: String, CaseIterable, Sendable { case pending, inProgress, success, failed, canceled }

  public var kind: Kind
  /// Why it failed.
  public var error: String?

  public init(_ kind: Kind, error: String? = nil) {
    self.kind = kind
    self.error = error
  }

  static let validator = Validator<JobState>.object(
    Property("error", \JobState.error, .optional(.string)), Property("kind", \JobState.kind, .enumeration(Kind.self))
  ) { JobState($1, error: $0) }
}
