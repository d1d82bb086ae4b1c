/// The tables that every server has, with numbers of their own below those of the app's. Only the server writes them.
enum SystemTables {
  static let jobsNumber: UInt32 = 2
  static let cronsNumber: UInt32 = 3
  static let cronRunsNumber: UInt32 = 4
  static let retriesNumber: UInt32 = 5
  static let rateLimitsNumber: UInt32 = 6
  static let workItemsNumber: UInt32 = 7
  static let workpoolsNumber: UInt32 = 8
  /// Commits to tables below this one may be the scheduler's affair.
  static let firstWithoutJobs: UInt32 = 10
  static let sessionAnswersNumber: UInt32 = 10

  static let all: [(number: UInt32, type: any Table.Type)] = [
    (jobsNumber, ScheduledFunctions.self), (cronsNumber, Crons.self), (cronRunsNumber, CronRuns.self), (retriesNumber, RetryRuns.self),
    (rateLimitsNumber, RateLimits.self), (workItemsNumber, WorkItems.self), (workpoolsNumber, WorkpoolStates.self),
    (sessionAnswersNumber, SessionAnswers.self),
  ]
}
