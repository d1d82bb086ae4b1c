import Logging
import MartletWire

/// The engine: runs functions, orders and commits what they write, keeps live queries up to date, and speaks with sessions.
///
/// Everything here runs on one thread, the host's. A request that is short is parsed, run and committed as soon as all sockets
/// that were ready have been read, with no change of thread, no lock and no task; the commit log works beside it, a batch at a time.
///
/// Invariants:
/// 1. `headTimestamp` is that of the last commit applied to the tables; commits are applied in the order of their timestamps (G1).
/// 2. What a session is told depends on commits up to the head, so it is held until the batch that holds the head is
///    durable (G2): see `gate`.
/// 3. Live queries run only when a batch has been closed and the next is empty, so that all of them show one snapshot, the
///    head's (G5), while the log writes that batch.
/// 4. On the engine's thread no commit happens while a handler runs; a handler that runs beside it is validated against
///    all commits since its snapshot (G4).
package actor Engine {
  package nonisolated let host: any EngineHost
  nonisolated let environment: EngineEnvironment
  nonisolated let catalog: Catalog
  nonisolated let schema: AppSchema
  nonisolated let limits: SharedLimits
  nonisolated let memory: MemoryRoom
  package nonisolated let registry: FunctionRegistry
  package nonisolated let configuration: EngineConfiguration
  nonisolated let log: any LogWriter
  package nonisolated let logger: Logger
  nonisolated let snapshots: (any SnapshotStore)?
  nonisolated let transfers = Transfers()
  package nonisolated var unownedExecutor: UnownedSerialExecutor { host.executor.asUnownedSerialExecutor() }

  var headTimestamp: UInt64
  var durableTimestamp: UInt64
  var pipeline = CommitPipeline()
  var pacing = BatchPacing()
  // `@exclusivity(unchecked)`, which saves two calls of the runtime for each access: the actor alone uses them, and what they do calls nobody else.
  @exclusivity(unchecked) var records = CommitRecordWriter()
  @exclusivity(unchecked) var replaced = ReplacedDocuments()
  /// Who waits for the open batch, and for the one that is being written.
  var waitingOpen: ContiguousArray<DurabilityWaiter> = []
  var waitingWriting: ContiguousArray<DurabilityWaiter> = []

  // Some that every request touches are not checked for overlapping accesses at run time: what they do calls nobody else.
  @exclusivity(unchecked) var beside = BesideTransactions()
  var live = LiveQueries()
  var sessions: [SessionID: Session] = [:]
  var lastSessionID = 0
  /// Sessions with something to tell at the next publication, in the order in which they came.
  var sessionsToPublish: ContiguousArray<Session> = []
  @exclusivity(unchecked) var statistics = EngineStatistics()
  let tallies: FunctionTallies
  @exclusivity(unchecked) var runLog: RunLog
  /// Whose the function is that is about to run on the engine's thread; nil for a request's.
  var runOrigin: RunOrigin?
  /// Somebody watches each run, and until when.
  var keepsAllRuns = false
  var keepsAllUntil: UInt64 = 0
  nonisolated let slowNanoseconds: UInt64
  let metrics: EngineMetrics?
  /// What functions on the engine's thread are answered in, and build documents in: one runs at a time.
  /// Not checked for overlapping accesses. There are none: while it is lent to a handler or the body of a system query, these have nothing by which they could
  /// run another on this thread.
  @exclusivity(unchecked) var answer = JSONWriter(capacity: 4096)
  let scratch = TransactionScratch()
  /// The one that ran last, to be used again: to make one for each request costs 4 % of a transfer.
  @exclusivity(unchecked) var idleTransaction: Transaction?
  var turnEndIsScheduled = false
  /// Somebody will look soon whether the open batch, which is kept open, still grows.
  var lookIsScheduled = false
  /// What was committed since the memory was measured last, and when that is due again.
  var memoryGrowth = 0
  var memoryNextLook = 0.0
  var memoryIsMeasured = false
  var memoryTimerIsSet = false
  /// The wall clock as it was when the bytes that are being handled were taken up.
  var wallMilliseconds = 0.0
  var systemRefreshIsScheduled = false
  var warmEndIsScheduled = false
  var lifecycle = EngineLifecycle.running
  var lastFunction: FunctionDefinition?
  var actions: ActionPools
  var stopping = StoppingActions()
  var jobQueue = JobQueue()
  /// What the action threw that is being finished: callers are told less.
  var failedActionError: (any Error)?
  var knownSnapshots: [SnapshotDescription] = []
  var scheduledSnapshots = ScheduledSnapshots()
  /// What is being done that takes its time, for those who watch.
  var longWorks: [LongWork] = []
  var isRestoring = false
  /// How often it was restored since the start, for what is written in several commits.
  var restoreCount = 0
  /// Those that the app declares.
  var declaredCrons: [Cron] = []
  /// What the last function logged, for a caller who asked for logs.
  var lastLogLines: [LogLine] = []

  package init(
    host: any EngineHost, environment: EngineEnvironment, recovered: RecoveredData, registry: FunctionRegistry,
    log: any LogWriter, snapshots: (any SnapshotStore)?, configuration: EngineConfiguration, logger: Logger
  ) {
    self.host = host
    self.environment = environment
    self.registry = registry
    self.log = log
    self.snapshots = snapshots
    self.configuration = configuration
    limits = SharedLimits(configuration.limits)
    memory = MemoryRoom(limit: configuration.maxMemoryBytes)
    var logger = logger
    logger.handler = RedactingLogHandler(logger.handler, environment.outside.secrets)
    self.logger = logger
    let actions = ActionPools(configuration)
    self.actions = actions
    catalog = recovered.catalog
    schema = recovered.schema
    headTimestamp = recovered.timestamp
    durableTimestamp = recovered.timestamp
    slowNanoseconds = UInt64(configuration.slowMilliseconds * 1_000_000)
    tallies = FunctionTallies(functions: registry.functions.count)
    tallies.keepAll(configuration.logsAllRuns)
    runLog = RunLog(startMilliseconds: environment.clock.wallMilliseconds())
    metrics = configuration.metrics.map { EngineMetrics($0, registry.functions, actions.names) }
    statistics.startNanoseconds = environment.clock.monotonicNanoseconds()
  }

  /// Commits what recovery left to be committed (tables that are new), before the first session comes.
  package func start(newTables: [TableLayout], snapshots: [SnapshotDescription]) {
    knownSnapshots = snapshots
    guard !newTables.isEmpty else { return }
    commitNewTables(newTables)
  }

  /// What is left to do before the first session comes, for a caller that can wait: documents get the defaults that they lack, crons are
  /// declared, jobs begin to run.
  package func prepare(_ crons: [Cron]) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      prepare(crons) { failure in
        if let failure { continuation.resume(throwing: failure) } else { continuation.resume() }
      }
    }
  }

  package func prepare(_ crons: [Cron], _ done: @escaping @Sendable (WireError?) -> Void) {
    declaredCrons = crons
    fillDefaults { failure in
      if let failure { return done(failure) }
      self.assumeIsolated {
        $0.beginMetering()
        $0.startJobs(crons, done)
      }
    }
  }
}

package struct EngineConfiguration: Sendable {
  package var limits = Limits()
  package var durability = Durability.full
  /// Once there is one, system functions need it.
  package var adminKey: String?
  /// Who holds the tokens of clients, but for the admin key; nil where nobody signs in.
  package var tokens: (any TokenVerifier)?
  package var maximumLineBytes = 16 << 20
  /// Actions that run at a time; as many as `actionsWaiting` more wait in order, and one beyond that is refused as `overloaded`.
  package var actionsRunning = 64
  package var actionsWaiting = 10_000
  /// The places of pools that the app declares, each with a queue of its own as long; `default` stands for `actionsRunning`.
  package var pools: [String: Int] = [:]
  /// Answers and requests that one connection may have outstanding, before the server stops reading from it.
  package var sessionHeldBytes = 8 << 20
  package var sessionRequests = 10_000
  /// Subscriptions that one connection may have, and connections that there may be; more are refused as `limit_exceeded`.
  package var sessionSubscriptions = 10_000
  package var connections = 15_000
  /// How long a connection may take nothing before it is ended as `slow_consumer`.
  package var stallMilliseconds = 30_000
  /// Commits that may wait for the disk, in bytes of the log; beyond that mutations are refused as `overloaded`.
  package var openBatchBytes = 64 << 20
  /// Memory that the process may use; beyond it writes that grow are refused as `limit_exceeded`. Nil: no limit.
  package var maxMemoryBytes: Int?
  /// From how long on a query or mutation is slow, and its run kept in the log.
  package var slowMilliseconds = 100.0
  /// Whether each run is kept in the log, and not only those that are worth it.
  package var logsAllRuns = false
  /// Where measurements go; nil for nowhere.
  package var metrics: MetricsBackend?
  package var version = "0.1.0"

  package init() {}
}

enum EngineLifecycle: Equatable {
  case running
  /// Takes no new requests; what is in flight goes on.
  case draining
  /// The disk refused a write: reads go on, on the last durable state; nothing commits.
  case storageFailed(String)

  var isStorageFailed: Bool {
    if case .storageFailed = self { return true }
    return false
  }
}

/// Who is told when a batch is durable, or that it never will be.
enum DurabilityWaiter {
  case session(Session)
  case work(@Sendable (WireError?) -> Void)
}
