import ArgumentParser

/// 64 connections increment one document 1,000 times each; afterwards it must hold exactly 64,000 more.
///
/// The increment is a transfer of 1 from one account to another: every mutation of the run reads and writes the same two documents, so that an
/// update that is lost, or done twice, shows in both balances. The source holds just enough, so the transfer after the last one must be refused.
struct CounterCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "counter", abstract: "64 connections increment one document 1,000 times each: none may be lost.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Connections.")
  var clients = 64

  @Option(help: "Increments of each connection.")
  var increments = 1_000

  @Option(help: "Requests in flight on each connection.")
  var inFlight = 1

  func validate() throws {
    guard (1...10_000).contains(clients), (1...1_000_000).contains(increments), (1...10_000).contains(inFlight)
    else { throw ValidationError("clients 1 to 10000, increments 1 to 1000000, in flight 1 to 10000") }
  }

  func run() throws {
    var report = Report(workload: "Counter")
    let arena = try Arena(common, report: &report)
    defer { arena.stop() }
    let banks = arena.banks()
    let sum = clients * increments
    for (name, bank) in banks {
      try bank.open(count: 2, balance: sum)
      let load = Load(connections: clients, inFlight: inFlight, length: .requestsPerConnection(increments))
      try bank.whileOthersPause(banks.map(\.bank)) {
        report.add(
          try bank.transfer(load, plan: TransferPlan(from: 0, to: 1)), server: name, run: "\(clients) × \(increments) increments", round: 1)
        let balances = (try bank.balance(of: 0), try bank.balance(of: 1))
        if balances != (0, Double(2 * sum)) {
          report.failures.append("\(name): balances \(balances) instead of (0, \(2 * sum)) after \(sum) increments")
        }
        let oneMore = try bank.transfer(
          Load(connections: 1, inFlight: 1, length: .requestsPerConnection(1)), plan: TransferPlan(from: 0, to: 1))
        if oneMore.refused != 1 { report.failures.append("\(name): a transfer from an empty account wasn't refused") }
        report.note("\(name): the counter rose by \(Int(balances.1) - sum) of \(sum)")
      }
    }
    report.summarize()
    if let run = report.medians.first?.run { report.compare(run: run, atLeast: nil) }
    try report.finish(common)
  }
}
