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
}

/// The newest lines that functions logged.
struct RecentLogLines {
  static let maximumCount = 1_000
  private var lines: [LogLine] = []

  mutating func append(_ new: [LogLine]) {
    lines.append(contentsOf: new)
    if lines.count > 2 * Self.maximumCount { lines.removeFirst(lines.count - Self.maximumCount) }
  }

  /// The newest first.
  func newest(_ limit: Int) -> some Sequence<LogLine> { lines.suffix(min(limit, Self.maximumCount)).reversed() }
}
