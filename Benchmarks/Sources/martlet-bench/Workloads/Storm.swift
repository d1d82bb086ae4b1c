import ArgumentParser

/// 5,000 clients come at once: each connects and subscribes, and, when the server was restarted, does so again.
///
/// Everyone must be served, with the value that the account has, and nobody refused.
struct Storm: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "storm", abstract: "5,000 connections subscribe at once, and again after a restart of the server.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Connections. (default: 5000, or 500 with --quick)")
  var connections: Int?

  func validate() throws {
    guard (1...15_000).contains(connections ?? 1) else { throw ValidationError("connections 1 to 15000") }
    if common.only == .redis { throw ValidationError("this workload has no peer") }
  }

  func run() throws {
    var report = Report(workload: "Storm")
    let arena = try Arena(common, report: &report, needsPeer: false)
    defer { arena.stop() }
    guard let martlet = arena.martlet else { return }
    let count = connections ?? (common.quick ? 500 : 5_000)
    let bank = MartletBank(server: martlet)
    try bank.open(count: 1_000, balance: 77)
    var first: [Double] = []
    var again: [Double] = []
    for _ in 1...common.roundCount {
      let crowd = try Crowd(port: martlet.process.port, count: 0)
      first.append(try come(count, crowd, bank))
      try martlet.process.restart()
      again.append(try come(count, try Crowd(port: martlet.process.port, count: 0), bank))
    }
    report.note("\(count) connections, until the last has its value: \(Report.fixed(median(first), 2)) s; after a restart: \(Report.fixed(median(again), 2)) s (medians)")
    try report.finish(common)
  }

  /// Seconds from the first connection to the last value.
  private func come(_ count: Int, _ crowd: Crowd, _ bank: MartletBank) throws -> Double {
    let begin = Clock.nowNanoseconds()
    for index in 0..<count {
      try crowd.join()
      try crowd.send(Array("subscribe s accounts:get {\"id\":\"\(bank.ids[index % bank.ids.count])\"}\n".utf8), to: index)
    }
    let value = Array("\"balance\":77,".utf8)
    let end = try crowd.wait { $0.isWhole(holding: value) && $0.isWhole(holding: Array("synced ".utf8)) }.last ?? begin
    return Double(end - begin) / 1e9
  }
}
