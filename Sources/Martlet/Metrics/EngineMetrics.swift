import CoreMetrics

/// The measurements of the engine, on their way to a backend.
///
/// A backend takes a lock or an atomic for each number that it is handed, which a request can't pay. So the engine adds up plain integers, as it does
/// without a backend, and hands over what they have grown by once a second, at the end of a turn; a server at rest hands over nothing. Times can't be added
/// up, as a backend wants their distribution: those that `FunctionTally` has measured are kept until then, a thousand at most.
final class EngineMetrics {
  private let factory: any MetricsFactory
  let backend: MetricsBackend
  private let functions: [FunctionDefinition]
  /// By the functions' numbers. A function that has never run has no handles: a backend would show zeros of all there are.
  private var functionHandles: [FunctionHandles?]
  private var reported: [FunctionTally]
  private var times: ContiguousArray<(function: Int, nanoseconds: UInt64)> = []
  private static let mostTimes = 1_024

  private struct FunctionHandles {
    let successes: Counter
    let failures: Counter
    let reads: Counter
    let writes: Counter
    let time: Timer
  }

  let commitTime: Timer
  let jobLateness: Timer
  /// Each counter with what it counts, and how far that is reported.
  private var counters: [(counter: Counter, value: @Sendable (isolated Engine) -> UInt64, reported: UInt64)] = []
  private var gauges: [(gauge: Gauge, value: @Sendable (isolated Engine) -> Int)] = []
  private var limits: [String: (counter: Counter, reported: UInt64)] = [:]

  /// When the measurements are handed over next, in milliseconds since 1970.
  var nextTime = 0.0
  var timerIsSet = false
  static let intervalMilliseconds = 1_000
  /// When the first commit of the open batch was made, and of the one that is being written.
  var openSince: UInt64 = 0
  var writingSince: UInt64 = 0

  init(_ backend: MetricsBackend, _ functions: [FunctionDefinition], _ pools: [String]) {
    let factory = backend.factory
    self.backend = backend
    self.factory = factory
    self.functions = functions
    functionHandles = Array(repeating: nil, count: functions.count + 1)
    reported = Array(repeating: FunctionTally(), count: functions.count + 1)
    commitTime = factory.timer(.commitTime)
    jobLateness = factory.timer(.jobLateness)
    times.reserveCapacity(Self.mostTimes)
    count(factory.counter(.commits)) { $0.statistics.commits }
    count(factory.counter(.batches)) { $0.statistics.batches }
    count(factory.counter(.logBytes)) { $0.statistics.logBytes }
    count(factory.counter(.conflicts)) { $0.statistics.conflicts }
    count(factory.counter(.connectionsOpened)) { $0.statistics.connectionsOpened }
    count(factory.counter(.slowConsumers)) { $0.statistics.slowConsumers }
    count(factory.counter(.liveQueryRuns)) { $0.statistics.queryRuns }
    count(factory.counter(.updates)) { $0.statistics.updates }
    count(factory.counter(.jobs, "success")) { $0.jobQueue.statistics.succeeded }
    count(factory.counter(.jobs, "failed")) { $0.jobQueue.statistics.failed }
    count(factory.counter(.cronRuns, "begun")) { $0.statistics.cronRuns }
    count(factory.counter(.cronRuns, "skipped")) { $0.statistics.cronsSkipped }
    count(factory.counter(.retries)) { $0.statistics.retries }
    count(factory.counter(.rateLimitRefusals)) { $0.statistics.rateLimitRefusals }
    show(factory.gauge(.connections)) { $0.sessions.count }
    show(factory.gauge(.connectionsBlocked)) { Backlog($0.sessions.values).blockedConnections }
    show(factory.gauge(.heldBytes)) { Backlog($0.sessions.values).heldBytes }
    show(factory.gauge(.subscriptions)) { $0.live.subscriptionCount }
    show(factory.gauge(.liveQueries)) { $0.live.count }
    show(factory.gauge(.documents)) { $0.documentCount }
    show(factory.gauge(.jobsPending)) { $0.pendingJobs }
    show(factory.gauge(.jobsRunning)) { $0.jobQueue.running.count }
    show(factory.gauge(.memory)) { _ in ProcessMemory.residentBytes }
    show(factory.gauge(.memoryUsed)) { $0.memoryUsed }
    show(factory.gauge(.memoryLimit)) { $0.memory.isLimited ? $0.memory.limit : 0 }
    for pool in pools {
      show(factory.gauge(.actionsRunning, pool)) { $0.actions[pool].runningCount }
      show(factory.gauge(.actionsWaiting, pool)) { $0.actions[pool].waitingCount }
    }
  }

  private func count(_ counter: Counter, _ value: @escaping @Sendable (isolated Engine) -> UInt64) { counters.append((counter, value, 0)) }
  private func show(_ gauge: Gauge, _ value: @escaping @Sendable (isolated Engine) -> Int) { gauges.append((gauge, value)) }

  func noteTime(_ nanoseconds: UInt64, of function: FunctionDefinition) {
    if times.count < Self.mostTimes { times.append((function.number, nanoseconds)) }
  }

  // MARK: Handing over

  func handOver(_ engine: isolated Engine) {
    for index in counters.indices {
      let value = counters[index].value(engine)
      guard value > counters[index].reported else { continue }
      counters[index].counter.increment(by: value - counters[index].reported)
      counters[index].reported = value
    }
    for (gauge, value) in gauges { gauge.record(value(engine)) }
    for (name, count) in engine.statistics.limitsHit {
      let known = limits[name] ?? (factory.counter(.limitsHit, name), 0)
      known.counter.increment(by: count - known.reported)
      limits[name] = (known.counter, count)
    }
    for function in functions { handOver(function, engine.tallies[function]) }
    for (function, nanoseconds) in times { functionHandles[function]?.time.recordNanoseconds(Int64(clamping: nanoseconds)) }
    times.removeAll(keepingCapacity: true)
  }

  private func handOver(_ function: FunctionDefinition, _ tally: FunctionTally) {
    let old = reported[function.number]
    guard tally.runs > old.runs else { return }
    let handles = functionHandles[function.number] ?? makeHandles(function)
    functionHandles[function.number] = handles
    reported[function.number] = tally
    let failures = tally.failures - old.failures
    let successes = tally.runs - old.runs - failures
    if successes > 0 { handles.successes.increment(by: successes) }
    if failures > 0 { handles.failures.increment(by: failures) }
    if tally.documentsRead > old.documentsRead { handles.reads.increment(by: tally.documentsRead - old.documentsRead) }
    if tally.documentsWritten > old.documentsWritten { handles.writes.increment(by: tally.documentsWritten - old.documentsWritten) }
  }

  private func makeHandles(_ function: FunctionDefinition) -> FunctionHandles {
    let (name, kind) = (function.name, function.kind.rawValue)
    return FunctionHandles(
      successes: factory.counter(.functionRuns, name, kind, "success"), failures: factory.counter(.functionRuns, name, kind, "failed"),
      reads: factory.counter(.functionReads, name), writes: factory.counter(.functionWrites, name),
      time: factory.timer(.functionTime, name, kind))
  }
}

extension Engine {
  /// Hands measurements over, if a second has passed since that was done last; else when it has. A part of each turn's end.
  func handOver(_ metrics: EngineMetrics) {
    guard wallMilliseconds < metrics.nextTime else {
      metrics.nextTime = wallMilliseconds + Double(EngineMetrics.intervalMilliseconds)
      return metrics.handOver(self)
    }
    guard !metrics.timerIsSet else { return }
    metrics.timerIsSet = true
    // A clock that was set back must not hold them up for longer.
    let wait = min(Int((metrics.nextTime - wallMilliseconds).rounded(.up)), EngineMetrics.intervalMilliseconds)
    host.schedule(afterMilliseconds: wait) {
      self.assumeIsolated { engine in
        guard let metrics = engine.metrics else { return }
        metrics.timerIsSet = false
        metrics.nextTime = 0
        engine.wallMilliseconds = engine.environment.clock.wallMilliseconds()
        engine.handOver(metrics)
      }
    }
  }

  /// Documents of the app's tables.
  var documentCount: Int {
    catalog.tables.filter { !$0.layout.definition.isSystem }.reduce(0) { sum, table in sum + table.assumeIsolated { $0.documentCount } }
  }
}
