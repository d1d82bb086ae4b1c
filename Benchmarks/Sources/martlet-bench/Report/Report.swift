import FoundationEssentials
import Glibc

/// What a workload found: its runs, the ratios that are asked about, and the checks that failed.
///
/// Progress goes to standard error as it happens, the result to standard output at the end: a table, or with `--json` one object.
struct Report: Encodable {
  /// A ratio and, where the project set one, what it should be.
  struct Ratio: Encodable {
    var name: String
    var value: Double
    var atLeast: Double?
    var atMost: Double?

    var isMet: Bool { value >= (atLeast ?? -.infinity) && value <= (atMost ?? .infinity) }
  }

  /// The share of a run from which on other processes on the generator's core are worth a word.
  private static let disturbedFrom = 0.03

  var workload: String
  var notes: [String] = []
  var rounds: [Measurement] = []
  var medians: [Measurement] = []
  var ratios: [Ratio] = []
  var failures: [String] = []

  init(workload: String) { self.workload = workload }

  mutating func note(_ text: String) {
    notes.append(text)
    Self.progress(text)
  }

  /// Adds a run, and makes failures of its replies failures of the benchmark.
  mutating func add(_ result: LoadResult, server: String, run: String, round: Int) {
    let measurement = Measurement(server: server, run: run, round: round, result)
    rounds.append(measurement)
    Self.progress("round \(round)  \(Self.row(measurement))")
    if result.failed > 0 {
      failures.append("\(server), \(run): \(result.failed) requests failed, such as: \(result.failures.first ?? "")")
    }
  }

  /// Replaces the medians by those of the rounds so far, in the order in which their runs first came.
  mutating func summarize() {
    medians = []
    var seen: Set<[String]> = []
    for first in rounds where seen.insert([first.run, first.server]).inserted {
      if let median = Measurement.median(of: rounds.filter { $0.run == first.run && $0.server == first.server }) {
        medians.append(median)
      }
    }
    let disturbed = rounds.count { $0.disturbedShare >= Self.disturbedFrom }
    if disturbed > 0 {
      note("\(disturbed) of \(rounds.count) runs were disturbed: other processes used these cores. Figures are too low, and ratios unsure.")
    }
  }

  func median(server: String, run: String) -> Measurement? { medians.first { $0.server == server && $0.run == run } }

  /// Martlet's throughput over the peer's in the same run, where both took part.
  mutating func compare(run: String, atLeast aim: Double?) {
    guard let martlet = median(server: "martlet", run: run), let peer = median(server: "redis", run: run), peer.requestsPerSecond > 0 else { return }
    ratios.append(Ratio(name: "\(run): Martlet / Redis", value: martlet.requestsPerSecond / peer.requestsPerSecond, atLeast: aim))
  }

  /// Martlet's throughput over that of another version of it: the median of the rounds' ratios, since the two were measured beside each other.
  mutating func compare(run: String, baselines: Int) {
    for name in (0..<baselines).map(Self.baseline) {
      let ratios = rounds.compactMap { measured -> Double? in
        guard measured.server == "martlet", measured.run == run else { return nil }
        let other = rounds.first { $0.server == name && $0.run == run && $0.round == measured.round }
        return other.map { measured.requestsPerSecond / $0.requestsPerSecond }
      }
      if !ratios.isEmpty { self.ratios.append(Ratio(name: "\(run): Martlet / \(name)", value: martlet_bench.median(ratios))) }
    }
  }

  /// What a baseline is called in the report.
  static func baseline(_ index: Int) -> String { index == 0 ? "before" : "before\(index + 1)" }

  static func progress(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }

  func printResult(asJSON: Bool) throws {
    if asJSON {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(self), as: UTF8.self))
      return
    }
    print("\n\(workload), medians")
    for note in notes { print("  \(note)") }
    for measurement in medians { print(Self.row(measurement)) }
    for ratio in ratios {
      var line = Self.pad(ratio.name, 48) + Self.fixed(ratio.value, 3)
      if let aim = ratio.atLeast { line += "   aim ≥ \(aim): \(ratio.isMet ? "met" : "missed")" }
      if let aim = ratio.atMost { line += "   aim ≤ \(aim): \(ratio.isMet ? "met" : "missed")" }
      print(line)
    }
    print(failures.isEmpty ? "All checks passed." : failures.map { "FAILED: \($0)" }.joined(separator: "\n"))
  }

  private static func row(_ m: Measurement) -> String {
    pad(m.server, 8) + pad(m.run, 32) + pad(fixed(m.requestsPerSecond, 0), 9, leading: true) + "/s"
      + "  p50 " + pad(fixed(m.p50Microseconds, 0), 6, leading: true)
      + "  p99 " + pad(fixed(m.p99Microseconds, 0), 6, leading: true)
      + "  p99.9 " + pad(fixed(m.p999Microseconds, 0), 6, leading: true) + " µs"
      + "  cpu client " + pad(fixed(m.clientProcessorShare * 100, 0), 3, leading: true)
      + " % server " + pad(fixed(m.serverProcessorShare * 100, 0), 3, leading: true) + " %"
      + (m.disturbedShare >= disturbedFrom ? "  disturbed " + fixed(m.disturbedShare * 100, 0) + " %" : "")
      + (m.refused > 0 ? "  refused \(m.refused)" : "") + (m.failed > 0 ? "  FAILED \(m.failed)" : "")
  }

  static func pad(_ text: String, _ width: Int, leading: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(leading ? 0 : 1, width - text.count))
    return leading ? blanks + text : text + blanks
  }

  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return "\(value)" }
    let scale = pow(10, Double(digits))
    let scaled = Int((abs(value) * scale).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    if digits == 0 { return "\(sign)\(scaled)" }
    let fraction = String(scaled % Int(scale))
    return "\(sign)\(scaled / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
  }
}
