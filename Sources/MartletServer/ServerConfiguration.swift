import Foundation
import Martlet

/// Where a server listens and keeps its data, and what it promises.
public struct ServerConfiguration: Sendable {
  public var host = "127.0.0.1"
  /// 0 takes any port that is free.
  public var port = 7433
  /// The data file. Its folder is made if it isn't there.
  public var dataPath = "data/martlet.sqlite"
  /// The folder of snapshots.
  public var snapshotsPath = "Snapshots"
  public var durability = Durability.full
  /// For how long the log is kept after it was folded, in seconds, so that the database can go back to any commit since; nil: not at all.
  public var keptLogSeconds: Double?
  /// How often the server writes a snapshot by itself, in seconds; nil: never.
  public var snapshotSeconds: Double?
  /// How many of those stay, the newest.
  public var keptSnapshots = 24
  /// Once there is one, the functions of `_system` need it.
  public var adminKey: String?
  /// Who holds the other tokens that clients send; nil where nobody signs in.
  public var tokens: (any TokenVerifier)?
  public var limits = Limits()
  /// What actions may fetch.
  public var fetch = FetchRules()
  /// The places of the pools that actions name; `default` is the one of those that name none, 64 unless it is set.
  public var pools: [String: Int] = [:]
  /// What actions read as `ctx.environment`.
  public var environment: [String: String] = ProcessInfo.processInfo.environment
  /// From how long on, in milliseconds, a query's or mutation's run is slow, and kept in the log of runs.
  public var slowMilliseconds = 100.0
  /// Whether every run is kept there, and not only those that failed, were slow or logged something, actions, and jobs.
  public var logsAllRuns = false
  /// Clients that may be connected at a time; one more is told `limit_exceeded`, and closed. Fewer where the process may not have as many files open: the
  /// server raises that limit as far as it can, keeps a few for itself, and warns.
  public var connections = 15_000
  /// Subscriptions that one connection may have.
  public var subscriptionsPerConnection = 10_000
  /// Requests that one connection may have unanswered. Beyond that queries and mutations wait in its socket, and actions are refused.
  public var requestsPerConnection = 10_000
  /// A connection that takes nothing for so long, in seconds, is ended.
  public var stallSeconds = 30.0
  /// Memory that the process may use.
  public var maxMemory = MemoryLimit.share(0.8)
  /// How long a stopping server waits for what is in flight, in seconds. Actions that still run then are cancelled.
  public var shutdownGraceSeconds = 10
  /// How long it waits for cancelled actions to end, in seconds. One that goes on is left, and its job is failed at the next start.
  public var cancellationSeconds = 5

  public init() {}

  var engine: EngineConfiguration {
    var engine = EngineConfiguration()
    engine.durability = durability
    engine.adminKey = adminKey
    engine.tokens = tokens
    engine.limits = limits
    engine.connections = connections
    engine.sessionSubscriptions = subscriptionsPerConnection
    engine.sessionRequests = requestsPerConnection
    engine.stallMilliseconds = Int((stallSeconds * 1_000).rounded(.up))
    engine.maxMemoryBytes = maxMemory.bytes()
    engine.pools = pools
    engine.slowMilliseconds = slowMilliseconds
    engine.logsAllRuns = logsAllRuns
    engine.metrics = .bootstrapped
    return engine
  }
}
