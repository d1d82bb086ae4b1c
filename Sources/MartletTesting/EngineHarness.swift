import Logging
import Martlet
import MartletValues
import MartletWire
import Synchronization

/// A whole server in one process and one thread: schema, functions, a simulated host, log and disk.
///
///     let server = try EngineHarness(tables: [Accounts.self], modules: [Bank.self], seed: 1)
///     let client = server.connect()
///     client.send(#"mutation 1 accounts:open {"owner":"alice","balance":100}"#)
///     server.run()
///     client.take()                     // ok 1 2 "…"
///     try server.crash()                // loses what was not synced; a new engine recovers from the same disk
///
/// The same seed gives the same run, byte for byte (G10).
package final class EngineHarness {
  package let disk: MemoryStorage.Disk
  package let app: AppDefinition
  package let configuration: EngineConfiguration
  package let clock: SimulatedClock
  /// What its actions find of the world: other servers, if there are any, and the variables of a process.
  package let fetcher: SimulatedFetcher?
  private let variables: [String: String]
  private var entropy: DeterministicRandom
  private let pace: SimulatedLogWriter.Pace
  private let snapshots: (any SnapshotStore)?
  private let memory: (any MemoryMeter)?
  private let logger: Logger
  private let openStorage: (() throws -> any Storage)?

  private static var silence: Logger {
    var logger = Logger(label: "martlet.simulation") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    return logger
  }

  package private(set) var host: SimulatedHost
  package private(set) var log: SimulatedLogWriter
  package private(set) var engine: Engine
  package private(set) var recovered: RecoveredData

  /// - Parameters:
  ///   - pools: those that the app declares; workpools likewise.
  ///   - disk: what an earlier server left behind; an empty one when it is left out.
  ///   - logger: none of the server's log is kept when it is left out.
  ///   - openStorage: opens another storage than that on `disk`, at each start.
  package init(
    tables: [any Table.Type], modules: [any FunctionModule.Type], triggers: [Trigger] = [], crons: [Cron] = [],
    pools: [String: Int] = [:], workpools: [Workpool] = [], seed: UInt64 = 1,
    disk: MemoryStorage.Disk = .init(), configuration: EngineConfiguration = EngineConfiguration(), pace: SimulatedLogWriter.Pace = .immediate,
    clock: SimulatedClock = SimulatedClock(), fetcher: SimulatedFetcher? = nil, variables: [String: String] = [:],
    snapshots: (any SnapshotStore)? = nil, memory: (any MemoryMeter)? = nil, logger: Logger? = nil, openStorage: (() throws -> any Storage)? = nil
  ) throws {
    self.clock = clock
    self.disk = disk
    app = AppDefinition(tables: tables, modules: modules, triggers: triggers, crons: crons, pools: pools, workpools: workpools)
    var configuration = configuration
    configuration.pools = pools
    self.configuration = configuration
    self.pace = pace
    self.fetcher = fetcher
    self.variables = variables
    self.snapshots = snapshots
    self.memory = memory
    self.logger = logger ?? Self.silence
    self.openStorage = openStorage
    entropy = DeterministicRandom(seed: seed)
    (host, log, engine, recovered) = try Self.start(
      disk, app, configuration, clock, pace, &entropy, OutsideWorld(fetcher: fetcher, variables: variables), snapshots, memory, self.logger,
      openStorage)
  }

  private static func start(
    _ disk: MemoryStorage.Disk, _ app: AppDefinition, _ configuration: EngineConfiguration, _ clock: SimulatedClock,
    _ pace: SimulatedLogWriter.Pace, _ entropy: inout DeterministicRandom, _ outside: OutsideWorld,
    _ snapshots: (any SnapshotStore)?, _ memory: (any MemoryMeter)?, _ logger: Logger, _ openStorage: (() throws -> any Storage)?
  ) throws -> (SimulatedHost, SimulatedLogWriter, Engine, RecoveredData) {
    let host = SimulatedHost(seed: entropy.next(), clock: clock)
    // Jobs begin with the start, and may fetch.
    (outside.fetcher as? SimulatedFetcher)?.host = host
    let storage = try openStorage?() ?? MemoryStorage(disk)
    let registry = try FunctionRegistry(appModules: app.modules, pools: app.pools, workpools: app.workpools)
    var recovery = Recovery(schema: try AppSchema(app.tables, triggers: app.triggers))
    let recovered = try recovery.run(storage, executor: host)
    let log = SimulatedLogWriter(
      storage: storage, durability: configuration.durability, host: host, pace: pace, seed: entropy.next())
    let engine = Engine(
      host: host,
      environment: EngineEnvironment(clock: clock, entropy: Entropy(SeededEntropy(seed: entropy.next())), outside: outside, memory: memory),
      recovered: recovered, registry: registry, log: log, snapshots: snapshots, configuration: configuration, logger: logger)
    // The commits of the start are on disk before a test begins, whatever the pace.
    log.pace = .immediate
    let refusal = Refusal()
    host.enter {
      engine.assumeIsolated {
        $0.start(newTables: recovered.newTables, snapshots: [])
        $0.prepare(app.crons) { failure in refusal.error.withLock { $0 = failure } }
      }
    }
    host.run()
    log.pace = pace
    if let error = refusal.error.withLock({ $0 }) { throw error }
    return (host, log, engine, recovered)
  }

  package func connect() -> InProcessClient { InProcessClient(engine: engine, host: host) }

  /// Everything that can happen without time passing.
  package func run() { host.run() }

  package func advance(milliseconds: Int) { host.advance(milliseconds: milliseconds) }

  /// Completes the batch that is being written, and lets its consequences happen. False if there was none.
  @discardableResult
  package func completeBatch() -> Bool {
    defer { host.run() }
    return log.complete()
  }

  /// Until every commit is durable and nothing is left to do.
  package func settle() {
    host.run()
    for _ in 0..<10_000 {
      switch pace {
      case .delayed: host.advance(milliseconds: 4)
      case .byHand, .immediate: log.complete()
      }
      host.run()
      if log.writing == nil, host.isIdle { return }
    }
    preconditionFailure("the simulation does not come to rest")
  }

  /// Loses power, and starts again from the disk.
  /// - Parameter keepingUnsynced: how many batches that were written and not synced happen to survive.
  package func crash(keepingUnsynced: Int = 0) throws {
    disk.crash(keepingUnsynced: keepingUnsynced)
    try restart()
  }

  package func restart() throws {
    (host, log, engine, recovered) = try Self.start(
      disk, app, configuration, clock, pace, &entropy, OutsideWorld(fetcher: fetcher, variables: variables), snapshots, memory, logger, openStorage)
  }

  /// Runs `body` within the engine.
  package func inspect<Result: Sendable>(_ body: @Sendable (isolated Engine) throws -> Result) rethrows -> Result {
    try host.enter { try engine.assumeIsolated { try body($0) } }
  }

  /// One of the counters of `_system:stats`.
  package func statistic(_ name: String) -> Int {
    let client = connect()
    client.send("query s _system:stats")
    settle()
    defer { client.disconnect() }
    guard let line = client.lines.first, line.kind == .ok, case .object(let members)? = try? Value(json: line.rest),
      case .float64(let value)? = members[name]
    else { preconditionFailure("there is no counter \(name)") }
    return Int(value)
  }
}

/// Why a server did not start.
private final class Refusal: Sendable {
  let error = Mutex<WireError?>(nil)
}
