import ArgumentParser

/// A commit's cost grows with the live queries that it affects, not with those that there are.
///
/// 10,000 live queries watch 10,000 accounts, one each. A transfer between two of them must re-run exactly two queries
/// (`queryRuns` of `_system:stats`), push exactly their two new values, and take no longer than when there were only two subscriptions at all:
/// at most 1.2 times, by the median.
///
/// Transfers go one after the other over a connection of their own, durably; each is done when its `ok` and both updates have
/// come. Both numbers of subscriptions are timed with the same two accounts, in turns, on the same server and the same
/// connections, so that nothing differs but the 9,998 others. Exactness is checked with transfers between changing accounts.
struct SubscriptionsCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "subscriptions", abstract: "A transfer re-runs exactly 2 of 10,000 live queries, and takes no longer than with 2.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Subscriptions, each to an account of its own.")
  var subscriptions = 10_000

  @Option(help: "Connections that hold them.")
  var connections = 10

  @Option(help: "Transfers timed in each round. (default: 2000, or 500 with --quick)")
  var transfers: Int?

  func validate() throws {
    guard (4...1_000_000).contains(subscriptions), (2...1_000).contains(connections), connections <= subscriptions / 2,
      (10...1_000_000).contains(transfers ?? 10)
    else { throw ValidationError("subscriptions 4 to 1000000 over 2 to 1000 connections, at least 10 transfers") }
    if common.only == .redis { throw ValidationError("this workload has no peer: Martlet is compared with itself") }
  }

  func run() throws {
    var report = Report(workload: "Subscriptions")
    let arena = try Arena(common, report: &report, needsPeer: false)
    defer { arena.stop() }
    guard let martlet = arena.martlet else { return }
    let watchers = try Watchers(server: martlet, accounts: subscriptions, connections: connections)
    let transferCount = transfers ?? (common.quick ? 500 : 2_000)
    let few = "with 2 subscriptions"
    let many = "with \(subscriptions) subscriptions"
    let others = Array(2..<subscriptions)

    try watchers.subscribe([0, 1])
    _ = try watchers.transfer(count: transferCount / 4) { _ in (0, 1) }
    for round in 1...common.roundCount {
      report.add(try watchers.transfer(count: transferCount, Self.alternating), server: "martlet", run: few, round: round)

      try watchers.subscribe(others)
      _ = try watchers.transfer(count: transferCount / 4, Self.alternating)
      report.add(try watchers.transfer(count: transferCount, Self.alternating), server: "martlet", run: many, round: round)

      var generator = SeededGenerator(seed: common.seed &+ UInt64(round))
      let runsBefore = try watchers.statistics()
      let checked = transferCount / 4
      _ = try watchers.transfer(count: checked) { _ in
        let from = Int.random(in: 0..<subscriptions, using: &generator)
        let offset = Int.random(in: 1..<subscriptions, using: &generator)
        return (from, (from + offset) % subscriptions)
      }
      let runs = try watchers.statistics().queryRuns - runsBefore.queryRuns
      if runs != Double(2 * checked) {
        report.failures.append("round \(round): \(checked) transfers re-ran \(Int(runs)) queries instead of \(2 * checked)")
      }
      if runsBefore.subscriptions != Double(subscriptions) {
        report.failures.append("round \(round): the server counts \(Int(runsBefore.subscriptions)) subscriptions instead of \(subscriptions)")
      }
      try watchers.unsubscribe(others)
      _ = try watchers.transfer(count: transferCount / 4, Self.alternating)
    }
    report.failures += watchers.failures

    report.summarize()
    if let base = report.median(server: "martlet", run: few), let loaded = report.median(server: "martlet", run: many) {
      report.ratios.append(
        Report.Ratio(
          name: "median time of a transfer, \(subscriptions) / 2 subscriptions",
          value: loaded.p50Microseconds / base.p50Microseconds, atMost: 1.2))
    }
    try report.finish(common)
  }

  /// Back and forth between the same two accounts, so that neither runs dry.
  private static func alternating(_ index: Int) -> (from: Int, to: Int) { index.isMultiple(of: 2) ? (0, 1) : (1, 0) }
}
