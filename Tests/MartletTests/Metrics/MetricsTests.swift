import Foundation
import MartletTesting
import MartletValues
import MetricsTestKit
import Synchronization
import Testing

@testable import Martlet

private enum Measured: FunctionModule {
  static let path = "measured"
  static let functions: [any ServerFunction] = [fetch, wait, retry, charge, tooMuch]

  static let limit = RateLimit("measured", .fixedWindow(1, per: .seconds(3_600)))

  static let fetch = Action("fetch", Arg("url", .string)) { ctx, url in try await ctx.fetch(url).requireSuccess() }
  static let wait = Action("wait", pool: "narrow") { ctx in try await Gate.waitForCancellation() }
  static let retry = Mutation("retry") { ctx in
    try ctx.retrier.run(fetch("https://down.test/"), options: RetryOptions(initialBackoff: .milliseconds(10), maxFailures: 1))
  }
  static let charge = Mutation("charge") { ctx in try ctx.rateLimiter.require(limit) }
  static let tooMuch = Query("tooMuch", limits: { $0.documentsRead = 1 }) { ctx in
    try ctx.db.query(Counters.self).collect().count
  }
}

private struct NoSnapshots: SnapshotStore {
  func write(_ snapshot: DatabaseSnapshot, _ name: SnapshotName, progress: (Int) -> Void) throws -> SnapshotDescription {
    SnapshotDescription(name: "one", timestamp: snapshot.timestamp, createdAt: 0, documents: 0, bytes: 0)
  }
  func read(_ name: String, into sink: inout some RecoverySink) throws -> SnapshotDescription { throw ApplicationError("there are none") }
  func delete(_ name: String) throws {}
  func list() throws -> [SnapshotDescription] { [] }
}

private struct SteadyMemory: MemoryMeter {
  func usedBytes(limit: Int) -> Int { 50 << 20 }
}

@Suite("Metrics")
struct MetricsTests {
  private static func server(_ metrics: TestMetrics) throws -> EngineHarness {
    var configuration = EngineConfiguration()
    configuration.metrics = MetricsBackend(metrics)
    configuration.maxMemoryBytes = 1 << 30
    return try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self, Jobs.self, Measured.self],
      crons: [Cron("stuck", .interval(.seconds(1)), Measured.wait())], pools: ["narrow": 1], configuration: configuration,
      fetcher: SimulatedFetcher { $0.url.contains("down") ? .response(Response(status: 503)) : .response(Response(status: 200), after: 5) },
      snapshots: NoSnapshots(), memory: SteadyMemory())
  }

  /// What a backend was told of a metric, by its dimensions.
  private static func total(_ metrics: TestMetrics, _ metric: EngineMetric, _ dimensions: [(String, String)] = []) -> Double {
    switch metric.kind {
    case .counter: Double(metrics.counterTotal(label: metric.rawValue, dimensions: dimensions))
    case .gauge: metrics.recorders(label: metric.rawValue, dimensions: dimensions).compactMap { $0.values.max() }.max() ?? 0
    case .timer: Double(metrics.timers(label: metric.rawValue, dimensions: dimensions).reduce(0) { $0 + $1.values.count })
    }
  }

  @Test("Everything that is measured moves, under its name and with its dimensions")
  func everything() throws {
    let metrics = TestMetrics()
    let server = try Self.server(metrics)
    let client = server.connect()
    client.send("subscribe 1 counters:all")
    server.settle()
    for number in 0..<3 { client.send(#"mutation \#(number)m counters:set {"name":"n\#(number)","value":1}"#) }
    server.settle()
    client.send("query q measured:tooMuch", "mutation r measured:retry", "mutation c measured:charge", "mutation d measured:charge")
    client.send(#"mutation l jobs:later {"after":5000,"function":"fail","args":{}}"#, #"action f measured:fetch {"url":"https://up.test/"}"#)
    client.send("action w1 measured:wait", "action w2 measured:wait", "action s _system:snapshot")
    server.settle()
    // Two that conflict, and a client that takes nothing.
    client.send(#"mutation k counters:set {"name":"anchor","value":0}"#)
    server.settle()
    server.clock.nanosecondsPerReading = 4_000_000
    let blocked = server.connect()
    blocked.send("query v counters:slowAnchored")
    blocked.isWritable = false
    client.send(#"mutation x counters:slowAdd {"name":"n0","amount":1}"#)
    server.connect().send(#"mutation y counters:set {"name":"n0","value":5}"#)
    server.settle()
    server.clock.nanosecondsPerReading = 0
    let slow = server.connect()
    server.inspect { engine in engine.closeSlowConsumer(engine.sessions.keys.max { $0.rawValue < $1.rawValue }!) }
    withExtendedLifetime(slow) {}
    // The cron's action waits for a place, and so its next runs are skipped.
    server.advance(milliseconds: 1_000)
    client.send("cancel w1", "cancel w2")
    for _ in 0..<8 {
      server.advance(milliseconds: 1_000)
      server.settle()
    }
    try Self.measureLog(metrics)
    for metric in EngineMetric.allCases { #expect(Self.total(metrics, metric) > 0, "\(metric.rawValue) doesn't move") }

    func total(_ metric: EngineMetric, _ dimensions: (String, String)...) -> Int { Int(Self.total(metrics, metric, dimensions)) }
    #expect(total(.functionRuns, ("function", "measured:charge"), ("kind", "mutation"), ("outcome", "success")) == 1)
    #expect(total(.functionRuns, ("function", "measured:charge"), ("kind", "mutation"), ("outcome", "failed")) == 1)
    #expect(total(.functionWrites, ("function", "counters:set")) == 5)
    #expect(total(.functionTime, ("function", "counters:set"), ("kind", "mutation")) == 5)
    #expect(total(.rateLimitRefusals) == 1 && total(.conflicts) == 1 && total(.slowConsumers) == 1 && total(.connectionsBlocked) == 1 && total(.retries) == 1)
    #expect(total(.limitsHit, ("limit", "documentsRead")) == 1)
    #expect(total(.fetches, ("status", "2xx")) == 1 && total(.fetches, ("status", "5xx")) == 2 && total(.fetchTime) == 3)
    #expect(total(.cronRuns, ("outcome", "begun")) == 1 && total(.cronRuns, ("outcome", "skipped")) >= 5)
    // The retrier's two attempts, and the job that fails on purpose.
    #expect(total(.jobs, ("outcome", "failed")) == 3)
    #expect(total(.commits) >= total(.batches) && total(.commitTime) >= total(.batches))
    #expect(total(.snapshotTime) == 1 && total(.connectionsOpened) >= 3 && total(.actionsWaiting, ("pool", "narrow")) == 1)
    for metric in metrics.counters.map({ ($0.label, $0.dimensions) }) + metrics.timers.map({ ($0.label, $0.dimensions) })
      + metrics.recorders.map({ ($0.label, $0.dimensions) })
    {
      #expect(EngineMetric(rawValue: metric.0)?.dimensions == metric.1.map(\.0), "\(metric)")
    }
  }

  /// The log's own thread, on a disk that folds after each batch.
  private static func measureLog(_ metrics: TestMetrics) throws {
    let disk = MemoryStorage.Disk()
    disk.setRowsBeforeCheckpoint(2)
    let log = ThreadedLogWriter(storage: MemoryStorage(disk), durability: .full, metrics: MetricsBackend(metrics))
    var records = CommitRecordWriter()
    for timestamp: UInt64 in 1...3 {
      records.begin(timestamp: timestamp, wallClockMilliseconds: 0)
      records.delete(DocumentID(tableNumber: 10_001, high: 1, low: timestamp))
      records.end()
      let written = DispatchSemaphore(value: 0)
      log.write(records.takeBatch()!) { _ in written.signal() }
      written.wait()
    }
    try log.close()
    #expect(Int(total(metrics, .logWriteTime)) == 3)
  }

  @Test("Measurements are handed over once a second at most, and the last ones are too; a server at rest hands over nothing")
  func pace() throws {
    let metrics = TestMetrics()
    let server = try Self.server(metrics)
    let client = server.connect()
    client.send("action w measured:wait")
    server.advance(milliseconds: 3_000)
    let commits = try metrics.expectCounter("martlet_commits_total")
    let gauge = try metrics.expectGauge("martlet_connections")
    let before = (counted: commits.totalValue, times: gauge.values.count)
    for number in 0..<100 {
      client.send(#"mutation \#(number) counters:set {"name":"a","value":\#(number)}"#)
      server.settle()
      server.advance(milliseconds: 1)
    }
    #expect(gauge.values.count - before.times <= 1)
    server.advance(milliseconds: 1_000)
    #expect(commits.totalValue >= before.counted + 100)
    #expect(Int(commits.totalValue) == server.inspect { Int($0.statistics.commits) })
  }

  @Test("A server at rest sets no timer for its measurements")
  func rest() throws {
    let metrics = TestMetrics()
    var configuration = EngineConfiguration()
    configuration.metrics = MetricsBackend(metrics)
    let server = try EngineHarness.counters(["a": 1], configuration: configuration)
    server.advance(milliseconds: 5_000)
    let gauge = try metrics.expectGauge("martlet_connections")
    let count = gauge.values.count
    server.advance(milliseconds: 60_000)
    #expect(gauge.values.count == count)
  }

  @Test("A process that set up no backend measures nothing")
  func none() throws {
    #expect(MetricsBackend.bootstrapped == nil)
    let server = try EngineHarness.counters(["a": 1])
    #expect(server.inspect { $0.metrics == nil })
  }
}
