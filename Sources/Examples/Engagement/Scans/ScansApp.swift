import Martlet

/// The same numbers as `EngagementApp` keeps, got the way that costs more the more there is: crons that read whole tables, and a cron that looks every
/// five minutes whether another is due. **Don't copy it.** It is here for the comparison, which the tests make.
///
/// Clients' functions are the same. What they count is right only when the next cron has run.
public enum ScansApp {
  public static var tables: [any Table.Type] { EngagementApp.tables + [CronSettings.self] }

  public static var modules: [any FunctionModule.Type] {
    [ArtistFunctions.self, ShowFunctions.self, SetlistFunctions.self, VoteFunctions.self, EngagementDemo.self, Scans.self, Orchestrator.self]
  }

  public static var crons: [Cron] { [Cron("orchestrator", .interval(.seconds(300)), Orchestrator.orchestrate())] }

  /// A scan that the standard limits end is what one raises them for, until it isn't enough.
  public static var limits: Limits {
    var limits = Limits()
    limits.documentsRead = 5_000_000
    limits.documentsWritten = 200_000
    limits.bytesWritten = 64 << 20
    limits.handlerMilliseconds = 60_000
    return limits
  }
}

/// When each of the orchestrator's jobs ran last.
public struct CronSettings: Table {
  public static let name = "cronSettings"

  public let job = Field(.string)
  public let lastRunAt = Field(.double)
  public let checkedAt = Field(.double)

  public let byJob = Index("by_job", \CronSettings.job)

  public init() {}
}
