import ArgumentParser

/// W1: durable transfers between accounts.
///
/// 64 clients move 1 from one account to another, first with one transfer in flight each, then with 40; accounts are picked evenly, or by
/// Zipf 1.5, where a handful of them is in nearly every transfer. The peer does the same in a Lua script. In every round both
/// servers are asked for the same transfers, one after the other, the one that waits paused; who begins alternates.
///
/// After each run no money may have appeared or gone, and no reply may have been an error other than "Insufficient funds".
struct W1Transfers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "w1", abstract: "Durable transfers over 100,000 accounts; the peer is a Redis script with appendfsync always.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Accounts. (default: 100000, or 10000 with --quick)")
  var accounts: Int?

  @Option(help: "What each account begins with; enough that hardly a transfer is refused, as a refused one costs less.")
  var balance = 10_000

  @Option(help: "Connections.")
  var clients = 64

  @Option(help: "Requests in flight on each connection; repeat for more runs. (default: 1 and 40)")
  var inFlight: [Int] = []

  @Option(help: "Exponent of the Zipf distribution; repeat for more runs, 0 is uniform. (default: 0 and 1.5)")
  var zipf: [Double] = []

  func validate() throws {
    guard (2...10_000_000).contains(accounts ?? 2), (1...10_000).contains(clients), balance >= 0,
      inFlight.allSatisfy({ (1...10_000).contains($0) }), zipf.allSatisfy({ $0 >= 0 && $0 <= 10 })
    else { throw ValidationError("accounts 2 to 10000000, clients 1 to 10000, in flight 1 to 10000, Zipf 0 to 10") }
  }

  func run() throws {
    var report = Report(workload: "W1 transfers")
    let arena = try Arena(common, report: &report)
    defer { arena.stop() }
    let accountCount = accounts ?? (common.quick ? 10_000 : 100_000)
    let banks = arena.banks()
    for (name, bank) in banks {
      Report.progress("\(name): opening \(accountCount) accounts")
      try bank.open(count: accountCount, balance: balance)
    }
    let expected = (count: accountCount, balance: Double(accountCount) * Double(balance))

    let depths = inFlight.isEmpty ? [1, 40] : inFlight
    let distributions: [Distribution] = (zipf.isEmpty ? [0, 1.5] : zipf).map { $0 == 0 ? .uniform : .zipf(exponent: $0) }
    for round in 1...common.roundCount {
      for depth in depths {
        for distribution in distributions {
          let plan = TransferPlan(accounts: accountCount, distribution: distribution, seed: common.seed &+ UInt64(round))
          let load = Load(connections: clients, inFlight: depth, length: common.length)
          let run = name(depth, distribution)
          for (name, bank) in round.isMultiple(of: 2) ? banks.reversed() : banks {
            try bank.whileOthersPause(banks.map(\.bank)) {
              report.add(try bank.transfer(load, plan: plan), server: name, run: run, round: round)
              let total = try bank.total()
              if total != expected {
                report.failures.append("\(name), \(run), round \(round): \(total) instead of \(expected)")
              }
            }
          }
        }
      }
    }

    report.summarize()
    for depth in depths {
      for distribution in distributions {
        let aim: Double? = depth == 1 ? 1.5 : depth == 40 ? 1.0 : nil
        report.compare(run: name(depth, distribution), atLeast: distribution == .uniform ? aim : nil)
        report.compare(run: name(depth, distribution), baselines: common.baseline.count)
      }
      for server in banks.map(\.name) {
        guard let even = report.median(server: server, run: name(depth, .uniform)) else { continue }
        for distribution in distributions where distribution != .uniform {
          guard let skewed = report.median(server: server, run: name(depth, distribution)) else { continue }
          report.ratios.append(
            Report.Ratio(
              name: "\(clients) × \(depth): \(distribution) / uniform, \(server)",
              value: skewed.requestsPerSecond / even.requestsPerSecond,
              atLeast: server == "martlet" ? 0.95 : nil))
        }
      }
    }
    try report.finish(common)
  }

  private func name(_ depth: Int, _ distribution: Distribution) -> String { "\(clients) × \(depth) \(distribution)" }
}
