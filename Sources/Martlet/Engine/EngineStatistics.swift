/// Counters since the start, as `_system:stats` shows them.
struct EngineStatistics {
  var startNanoseconds: UInt64 = 0
  var commits: UInt64 = 0
  /// Batches that became durable: `commits` divided by it is what a sync was shared by.
  var batches: UInt64 = 0
  var mutations: UInt64 = 0
  /// Mutations that ran beside the engine's thread and had to run again.
  var conflicts: UInt64 = 0
  var queries: UInt64 = 0
  /// Handler executions for live queries.
  var queryRuns: UInt64 = 0
  var actions: UInt64 = 0
  /// Bytes of the log's batches.
  var logBytes: UInt64 = 0
  var connectionsOpened: UInt64 = 0
  /// Connections that were closed since they took nothing for too long.
  var slowConsumers: UInt64 = 0
  /// Values of live queries that sessions were told.
  var updates: UInt64 = 0
  /// Of crons: runs that began, and those that were skipped since the one before was still going.
  var cronRuns: UInt64 = 0
  var cronsSkipped: UInt64 = 0
  /// Attempts of the retrier after the first of each run.
  var retries: UInt64 = 0
  var rateLimitRefusals: UInt64 = 0
  /// How often something was refused at each limit, by its name: a function's, or a connection's.
  var limitsHit: [String: UInt64] = [:]
}
