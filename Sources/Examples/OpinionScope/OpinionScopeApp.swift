import Martlet

/// A watch on prediction markets: what they cost, who bets large sums on them (whales), and who may see that how soon.
///
/// What it shows is an app that lives from another service: crons that fetch, attempts that are repeated, answers that are checked before anything
/// is stored, and a log of each sync that is complete whatever happens.
///
/// ```
/// cron ──▶ start (mutation) ──▶ fetch (action, retried) ──▶ store (mutation)      all of an answer, or nothing
///            begins a sync log           │ fails                adds to the log's count
///                                        ▼
///                               ended (onComplete, mutation)    ends the log, exactly once
/// ```
public enum OpinionScopeApp {
  public static var tables: [any Table.Type] { [Markets.self, Whales.self, WhaleActivity.self, SyncLogs.self] }

  public static var modules: [any FunctionModule.Type] {
    [
      MarketFunctions.self, MarketSync.self, WhaleFunctions.self, WhaleSync.self, WhaleStats.self, ActivityFunctions.self, Cleanup.self,
      SyncFunctions.self,
    ]
  }

  public static var crons: [Cron] {
    [
      Cron("sync-markets", .interval(.seconds(300)), MarketSync.start()),
      Cron("sync-whale-trades", .interval(.seconds(60)), WhaleSync.start()),
      Cron("compute-whale-stats", .hourly(minute: 0), WhaleStats.start()),
      Cron("cleanup-old-activity", .daily(hour: 3), Cleanup.start()),
    ]
  }

  /// Without the key no sync could succeed, so the server doesn't start without it.
  public static let requiredEnvironment = [Exchange.keyVariable]
}
