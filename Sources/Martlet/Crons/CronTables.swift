/// The crons that there are: those that the app declares, and those that were registered at run time.
public struct Crons: Table {
  public static let name = "_crons"

  /// What the cron is called; there is one of a name.
  public let cron = Field("name", .string)
  /// The schedule as text: see `Schedule.text`.
  public let schedule = Field(.string)
  public let function = Field(.string)
  public let args = Field(.any)
  /// When it runs next: milliseconds since 1970; absent where it never does again.
  public let nextTime = Field(.optional(.double))
  /// Where the intervals of an interval begin.
  public let anchor = Field(.double)
  /// Whether the app declares it; else it was registered at run time.
  public let isDeclared = Field(.boolean)
  /// The job of its last run.
  public let job = Field(.optional(.id(ScheduledFunctions.self)))

  public let byName = Index("by_name", \Crons.cron, unique: true)
  public let byNextTime = Index("by_next_time", \Crons.nextTime)

  public init() {}
}

/// The last runs of each cron, and those that were skipped.
public struct CronRuns: Table {
  public static let name = "_cron_runs"

  public let cron = Field("name", .string)
  /// When it was due: milliseconds since 1970.
  public let scheduledTime = Field(.double)
  public let startTime = Field(.optional(.double))
  public let endTime = Field(.optional(.double))
  public let status = Field(.enumeration(CronRunStatus.self))
  /// Why it failed, or was skipped.
  public let error = Field(.optional(.string))
  /// What the function answered, as JSON, cut to 1,000 characters.
  public let result = Field(.optional(.string))
  /// What a mutation logged, at most 20 lines.
  public let logLines = Field(.array(.string))
  public let job = Field(.optional(.id(ScheduledFunctions.self)))

  public let byCron = Index("by_cron", \CronRuns.cron, \CronRuns.scheduledTime)
  public let byJob = Index("by_job", \CronRuns.job)

  public init() {}

  /// How many are kept of a cron.
  static let kept = 20
}

public enum CronRunStatus: String, CaseIterable, Sendable { case pending, inProgress, success, failed, canceled, skipped }
