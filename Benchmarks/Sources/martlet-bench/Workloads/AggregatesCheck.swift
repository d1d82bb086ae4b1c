import ArgumentParser

/// `count` and `sum` cost the same however many documents there are, and a live one runs again only when its range changes.
///
/// **Calls.** 1,000,000 accounts in groups of 5,000, each with a range of balances of its own. One call does a `count` and a `sum` of
/// the same range; it is timed by how many a connection with 64 requests in flight gets answered: the server is busy all the time, so that a
/// request's share of the time is what it costs, with reading it, finding the function and answering. What of that isn't the aggregates' is
/// told by a call that reads nothing, `accounts:richest` of 0 accounts. Ranges are drawn, from a single group up to nearly all.
///
/// **Live.** A live total of one group, while 64 transfers are in flight within another group: it must not run at all. Then one transfer
/// after another into its group: each is a batch, one run and one update. Then 64 in flight there: at most a run for each batch.
struct AggregatesCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aggregates", abstract: "Count and sum over 1,000,000 documents: the time of a call, and when live ones run again.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Documents, rounded up to groups of 5,000. (default: 1000000, or 100000 with --quick)")
  var documents: Int?

  @Option(help: "Transfers into the live range, one after another. (default: 500, or 100 with --quick)")
  var transfers: Int?

  func validate() throws {
    guard (10_000...10_000_000).contains(documents ?? 10_000), (1...100_000).contains(transfers ?? 1) else {
      throw ValidationError("documents 10000 to 10000000, transfers 1 to 100000")
    }
    if common.only == .redis { throw ValidationError("this workload has no peer") }
  }

  /// The time that a count and a sum may take together, with the socket.
  private static let aimMicroseconds = 20.0

  func run() throws {
    var report = Report(workload: "Aggregates")
    let arena = try Arena(common, report: &report, needsPeer: false)
    defer { arena.stop() }
    guard let martlet = arena.martlet else { return }
    let count = documents ?? (common.quick ? 100_000 : 1_000_000)
    let began = Clock.nowNanoseconds()
    let groups = try AccountGroups(server: martlet, documents: count)
    let seconds = Double(Clock.nowNanoseconds() - began) / 1e9
    report.note("\(groups.documents) documents, written in \(Report.fixed(seconds, 1)) s")

    let (nothing, everything, ranges) = ("a query that reads nothing", "count + sum of everything", "count + sum of a range")
    for round in 1...common.roundCount {
      var generator = SeededGenerator(seed: common.seed &+ UInt64(round))
      let drawn = (0..<(1 << 14)).map { _ in groups.randomRange(using: &generator).request }
      for (run, requests) in [
        (nothing, [#" accounts:richest {"limit":0}"#]), (everything, [" accounts:total {}"]), (ranges, drawn),
      ] {
        report.add(try groups.ask(requests, common.length), server: "martlet", run: run, round: round)
      }
    }
    for index in 0..<200 {
      var generator = SeededGenerator(seed: common.seed &+ 1_000 &+ UInt64(index))
      try groups.check(groups.randomRange(using: &generator), &report)
    }
    report.summarize()
    // Time, and what of it the server had a processor: the rest is another process's, or the generator's.
    let cost = { (run: String) -> (time: Double, processor: Double) in
      guard let median = report.median(server: "martlet", run: run) else { return (0, 0) }
      let time = 1e6 / median.requestsPerSecond
      return (time, time * median.serverProcessorShare)
    }
    for run in [everything, ranges] {
      let (call, bare) = (cost(run), cost(nothing))
      report.note(
        "\(run): \(Report.fixed(call.time, 2)) µs a call, of it \(Report.fixed(call.processor, 2)) µs of processor time: "
          + "\(Report.fixed(call.processor - bare.processor, 2)) µs more than a query that reads nothing")
      report.ratios.append(Report.Ratio(name: "µs for \(run), with the socket", value: call.time, atMost: Self.aimMicroseconds))
    }

    try live(groups, &report)
    try report.finish(common)
  }

  private func live(_ groups: AccountGroups, _ report: inout Report) throws {
    let watched = groups.count / 2
    let watcher = try LiveTotal(groups, watched)
    let length = Load.Length.seconds(warmUp: 0, measured: common.measuredSeconds)

    let beside = try groups.measured { try groups.transfer(within: 0, inFlight: 64, length) }
    report.note("live, commits beside the range: \(beside.runs) runs for \(beside.value.succeeded) commits in \(beside.batches) batches")
    if beside.runs != 0 { report.failures.append("a live total ran \(beside.runs) times for commits beside its range") }

    let single = transfers ?? (common.quick ? 100 : 500)
    let into = try groups.measured {
      for number in 1...single {
        try groups.transferOne(number, from: 0, to: watched)
        try watcher.expect(more: Double(number), &report)
      }
    }
    report.note("live, one commit after another in the range: \(into.runs) runs for \(single) commits in \(into.batches) batches")
    if into.runs != single || into.batches != single {
      report.failures.append("\(single) commits in a live range, each a batch, made \(into.runs) runs in \(into.batches) batches")
    }

    let within = try groups.measured { try groups.transfer(within: watched, inFlight: 64, length) }
    report.note("live, commits within the range: \(within.runs) runs for \(within.value.succeeded) commits in \(within.batches) batches")
    if within.runs == 0 || within.runs > within.batches {
      report.failures.append("\(within.batches) batches of commits in a live range made \(within.runs) runs")
    }
  }
}
