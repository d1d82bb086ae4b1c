/// What a server measures: each measurement's name, and how it is told apart by dimensions. docs/metrics.md has the same list, in words.
///
/// Names begin with `martlet_`; those of counters end with `_total`, and a unit other than a number is the word before. Every dimension is bounded: by
/// the app's functions, its pools, the names of limits, or a handful of outcomes. None holds what a client sends.
package enum EngineMetric: String, CaseIterable, Sendable {
  package enum Kind: String, Sendable { case counter, gauge, timer }

  case commits = "martlet_commits_total"
  case batches = "martlet_batches_total"
  case commitTime = "martlet_commit_seconds"
  case logBytes = "martlet_log_bytes_total"
  case logWriteTime = "martlet_log_write_seconds"
  case checkpointTime = "martlet_checkpoint_seconds"
  case unfoldedLogBytes = "martlet_unfolded_log_bytes"
  case snapshotTime = "martlet_snapshot_seconds"
  case documents = "martlet_documents"
  case memory = "martlet_memory_bytes"
  case memoryUsed = "martlet_memory_used_bytes"
  case memoryLimit = "martlet_memory_limit_bytes"

  case functionRuns = "martlet_function_runs_total"
  case functionTime = "martlet_function_seconds"
  case functionReads = "martlet_function_documents_read_total"
  case functionWrites = "martlet_function_documents_written_total"
  case conflicts = "martlet_conflicts_total"
  case limitsHit = "martlet_limits_hit_total"

  case connections = "martlet_connections"
  case connectionsOpened = "martlet_connections_opened_total"
  case connectionsBlocked = "martlet_connections_blocked"
  case heldBytes = "martlet_held_bytes"
  case slowConsumers = "martlet_slow_consumers_total"
  case subscriptions = "martlet_subscriptions"
  case liveQueries = "martlet_live_queries"
  case liveQueryRuns = "martlet_live_query_runs_total"
  case updates = "martlet_updates_total"

  case jobs = "martlet_jobs_total"
  case jobLateness = "martlet_job_lateness_seconds"
  case jobsPending = "martlet_jobs_pending"
  case jobsRunning = "martlet_jobs_running"
  case cronRuns = "martlet_cron_runs_total"
  case retries = "martlet_retries_total"
  case rateLimitRefusals = "martlet_rate_limit_refusals_total"

  case actionsRunning = "martlet_actions_running"
  case actionsWaiting = "martlet_actions_waiting"
  case fetches = "martlet_fetches_total"
  case fetchTime = "martlet_fetch_seconds"

  package var kind: Kind {
    if rawValue.hasSuffix("_total") { return .counter }
    return rawValue.hasSuffix("_seconds") ? .timer : .gauge
  }

  package var dimensions: [String] {
    switch self {
    case .functionRuns: ["function", "kind", "outcome"]
    case .functionTime: ["function", "kind"]
    case .functionReads, .functionWrites: ["function"]
    case .limitsHit: ["limit"]
    case .jobs, .cronRuns: ["outcome"]
    case .actionsRunning, .actionsWaiting: ["pool"]
    case .fetches: ["status"]
    default: []
    }
  }
}
