/// One run, as it is reported: throughput in requests a second, latencies in microseconds.
struct Measurement: Codable {
  var server: String
  var run: String
  var round: Int
  var requestsPerSecond: Double
  var p50Microseconds: Double
  var p99Microseconds: Double
  var p999Microseconds: Double
  var refused: Int
  var failed: Int
  var clientProcessorShare: Double
  var serverProcessorShare: Double
  var disturbedShare: Double

  init(server: String, run: String, round: Int, _ result: LoadResult) {
    self.server = server
    self.run = run
    self.round = round
    requestsPerSecond = result.requestsPerSecond
    p50Microseconds = Double(result.latencies.nanoseconds(atQuantile: 0.5)) / 1_000
    p99Microseconds = Double(result.latencies.nanoseconds(atQuantile: 0.99)) / 1_000
    p999Microseconds = Double(result.latencies.nanoseconds(atQuantile: 0.999)) / 1_000
    refused = result.refused
    failed = result.failed
    clientProcessorShare = result.clientProcessorShare
    serverProcessorShare = result.serverProcessorShare
    disturbedShare = result.disturbedShare
  }

  /// Field by field the median of several rounds; outcomes are summed. Nil when there are none.
  static func median(of rounds: [Measurement]) -> Measurement? {
    guard var summary = rounds.first else { return nil }
    for field in [
      \Measurement.requestsPerSecond, \.p50Microseconds, \.p99Microseconds, \.p999Microseconds,
      \.clientProcessorShare, \.serverProcessorShare, \.disturbedShare,
    ] {
      summary[keyPath: field] = martlet_bench.median(rounds.map { $0[keyPath: field] })
    }
    summary.refused = rounds.reduce(0) { $0 + $1.refused }
    summary.failed = rounds.reduce(0) { $0 + $1.failed }
    return summary
  }
}

/// The middle value, or the mean of the two in the middle; 0 for none.
func median(_ values: [Double]) -> Double {
  guard !values.isEmpty else { return 0 }
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}
