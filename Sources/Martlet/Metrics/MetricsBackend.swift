import CoreMetrics

/// Where a server's measurements go, with the handles that threads other than the engine's use: the log's, those that write snapshots, actions.
///
/// What they measure takes milliseconds, so each of them hands its measurement over at once. All else is added up by the engine: see `EngineMetrics`.
package struct MetricsBackend: Sendable {
  let factory: any MetricsFactory
  let logWriteTime: Timer
  let checkpointTime: Timer
  let unfoldedLogBytes: Gauge
  let snapshotTime: Timer
  let fetchTime: Timer
  private let fetches: [String: Counter]

  /// What a fetch comes to, as it is counted: the class of its status, or `error` where none came.
  private static let fetchOutcomes = ["1xx", "2xx", "3xx", "4xx", "5xx", "error"]

  package init(_ factory: any MetricsFactory) {
    self.factory = factory
    logWriteTime = factory.timer(.logWriteTime)
    checkpointTime = factory.timer(.checkpointTime)
    unfoldedLogBytes = factory.gauge(.unfoldedLogBytes)
    snapshotTime = factory.timer(.snapshotTime)
    fetchTime = factory.timer(.fetchTime)
    fetches = Dictionary(uniqueKeysWithValues: Self.fetchOutcomes.map { ($0, factory.counter(.fetches, $0)) })
  }

  /// The one that the process has set up by `MetricsSystem.bootstrap`; nil where it hasn't, so that nothing is done for nobody.
  package static var bootstrapped: MetricsBackend? {
    let factory = MetricsSystem.factory
    return factory is NOOPMetricsHandler ? nil : MetricsBackend(factory)
  }

  func noteFetch(status: Int?, nanoseconds: UInt64) {
    fetches[status.map { "\($0 / 100)xx" } ?? "error"]?.increment()
    fetchTime.recordNanoseconds(Int64(clamping: nanoseconds))
  }
}

extension MetricsFactory {
  func counter(_ metric: EngineMetric, _ values: String...) -> Counter {
    Counter(label: metric.rawValue, dimensions: dimensions(metric, values), factory: self)
  }

  func gauge(_ metric: EngineMetric, _ values: String...) -> Gauge {
    Gauge(label: metric.rawValue, dimensions: dimensions(metric, values), factory: self)
  }

  func timer(_ metric: EngineMetric, _ values: String...) -> Timer {
    Timer(label: metric.rawValue, dimensions: dimensions(metric, values), factory: self)
  }

  private func dimensions(_ metric: EngineMetric, _ values: [String]) -> [(String, String)] {
    precondition(metric.dimensions.count == values.count, "\(metric.rawValue) has the dimensions \(metric.dimensions)")
    return Array(zip(metric.dimensions, values))
  }
}
