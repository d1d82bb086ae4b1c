import ArgumentParser

/// A live list of 1,000 accounts, 100 subscribers, and one row that changes: how many bytes a commit sends to those who take whole values, and
/// to those who asked for patches.
///
/// **One row.** The owner of one account changes, each time another's; the list is ordered by balance, so nothing moves.
///
/// **Two rows that move.** A transfer between two accounts: both change, and both change their places in the list.
///
/// Commits go one after the other, durably; each is done when all subscribers have read their line and its `synced`. In the end every
/// subscriber must show what the query answers, those with patches by applying them all to their first value.
struct PatchesCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patches", abstract: "A live list of 1,000 rows, one row changes, 100 subscribers: bytes and deliveries with and without patches.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Rows of the list.")
  var rows = 1_000

  @Option(help: "Subscribers, each with a connection of its own.")
  var subscribers = 100

  @Option(help: "Commits in each run. (default: 200, or 20 with --quick)")
  var commits: Int?

  func validate() throws {
    guard (10...10_000).contains(rows), (1...1_000).contains(subscribers), (1...100_000).contains(commits ?? 1) else {
      throw ValidationError("--rows is 10 to 10000, --subscribers 1 to 1000, --commits 1 to 100000")
    }
    if common.only == .redis { throw ValidationError("this workload has no peer: Martlet is compared with itself") }
  }

  private static let aim = 20.0

  func run() throws {
    var report = Report(workload: "Patches (W6)")
    let arena = try Arena(common, report: &report, needsPeer: false)
    defer { arena.stop() }
    guard let martlet = arena.martlet else { return }
    let bank = MartletBank(server: martlet)
    try bank.open(count: rows, balance: 1_000_000)
    let count = commits ?? (common.quick ? 20 : 200)
    // Bytes for each commit and subscriber, by run.
    var bytes: [String: Double] = [:]
    for round in 1...common.roundCount {
      for patches in [false, true] {
        let watchers = try ListWatchers(server: martlet, ids: bank.ids, subscribers: subscribers, patches: patches)
        for change in ListWatchers.Change.allCases {
          let run = "\(change.rawValue), \(patches ? "patches" : "whole")"
          let followed = try watchers.follow(change, commits: count, round: round)
          report.add(followed.result, server: "martlet", run: run, round: round)
          bytes[run] = Double(followed.bytes) / Double(count * subscribers)
        }
        try watchers.check(&report)
      }
    }
    report.summarize()
    for median in report.medians {
      report.note(
        "\(median.run): \(Report.fixed(bytes[median.run] ?? 0, 0)) bytes a commit and subscriber, "
          + "\(Report.fixed(median.requestsPerSecond * Double(subscribers), 0)) deliveries/s")
    }
    for change in ListWatchers.Change.allCases {
      let share = (bytes["\(change.rawValue), whole"] ?? 0) / (bytes["\(change.rawValue), patches"] ?? .infinity)
      let aim = change == .oneRow ? Self.aim : nil
      report.ratios.append(Report.Ratio(name: "bytes, \(change.rawValue): whole / patches", value: share, atLeast: aim))
    }
    try report.finish(common)
  }
}
