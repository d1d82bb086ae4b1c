import ArgumentParser
import Glibc

/// The scheduler: how late jobs run, and what jobs cost that wait.
///
/// **Lateness.** 100 pairs of accounts agree on instalments (`accounts:payInInstalments`), so that 100,000 transfers are due within 10 s, evenly
/// spread. A job's lateness is read from its document afterwards: `completedTime`, the time of the transaction that made the transfer, less
/// `scheduledTime`. Each account must then hold exactly what its instalments make of it.
///
/// **At rest.** 1,000,000 transfers are pending, a year ahead. The server must use no processor time, and one more must take as long to
/// schedule as when there was none: a mutation that schedules one job, one after another, durable.
struct JobsCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "100,000 jobs within 10 s: how late they are; 1,000,000 that are pending: what they cost.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Jobs a second that are due. (default: 10000)")
  var rate = 10_000

  @Option(help: "Seconds within which they are due. (default: 10, or 1 with --quick)")
  var within: Int?

  @Option(help: "Jobs that are pending. (default: 1000000, or 50000 with --quick)")
  var pending: Int?

  func validate() throws {
    guard (100...1_000_000).contains(rate), (1...600).contains(within ?? 1), (1_000...10_000_000).contains(pending ?? 1_000) else {
      throw ValidationError("--rate is 100 to 1000000, --within 1 to 600, --pending 1000 to 10000000")
    }
    if common.only == .redis { throw ValidationError("this workload has no peer") }
  }

  private static let aimMilliseconds = 50.0
  private static let restSeconds: UInt32 = 5

  func run() throws {
    var report = Report(workload: "Jobs")
    let arena = try Arena(common, report: &report, needsPeer: false)
    defer { arena.stop() }
    guard let martlet = arena.martlet else { return }
    let instalments = try Instalments(server: martlet)
    let seconds = within ?? (common.quick ? 1 : 10)

    var latenesses: [[Double]] = []
    for round in 1...common.roundCount {
      let result = try instalments.payAll(jobs: rate * seconds, withinSeconds: Double(seconds), &report)
      let sorted = result.latenesses.sorted()
      latenesses.append(sorted)
      report.note(
        "round \(round): \(sorted.count) jobs in \(seconds) s, late by \(Self.summary(sorted)); "
          + "the server used \(Report.fixed(result.processorShare * 100, 0)) % of its core")
    }
    let p99 = median(latenesses.map { Self.quantile(0.99, of: $0) })
    report.ratios.append(Report.Ratio(name: "p99 of the lateness, ms", value: p99, atMost: Self.aimMilliseconds))

    let calls = common.quick ? 500 : 2_000
    _ = try instalments.timeOfOne(calls: calls / 4)
    let few = try instalments.timeOfOne(calls: calls)
    let count = pending ?? (common.quick ? 50_000 : 1_000_000)
    let began = Clock.nowNanoseconds()
    try instalments.schedulePending(count)
    report.note("\(count) pending jobs, scheduled in \(Report.fixed(Double(Clock.nowNanoseconds() - began) / 1e9, 1)) s")
    let many = try instalments.timeOfOne(calls: calls)
    report.note("scheduling one: \(Report.fixed(few, 1)) µs with few jobs, \(Report.fixed(many, 1)) µs with \(count) pending (median, durable)")
    report.ratios.append(Report.Ratio(name: "time to schedule one, many / few pending", value: many / few, atMost: 1.2))

    // What the disk's log is folded in belongs to having written them, not to their waiting.
    try instalments.waitForQuiet()
    let before = ProcessorTime.of(process: martlet.process.id)
    sleep(Self.restSeconds)
    let used = Double(ProcessorTime.of(process: martlet.process.id) - before) / 1e9 / Double(Self.restSeconds)
    report.note("at rest, \(count) pending: \(Report.fixed(used * 100, 2)) % of a core over \(Self.restSeconds) s")
    report.ratios.append(Report.Ratio(name: "share of a core at rest", value: used, atMost: 0.005))
    try report.finish(common)
  }

  /// - Parameter sorted: milliseconds, the least first.
  private static func summary(_ sorted: [Double]) -> String {
    let p50 = Report.fixed(quantile(0.5, of: sorted), 2)
    let p99 = Report.fixed(quantile(0.99, of: sorted), 2)
    return "p50 \(p50) ms, p99 \(p99) ms, at most \(Report.fixed(sorted.last ?? 0, 2)) ms"
  }

  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
  }
}
