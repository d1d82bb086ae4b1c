import ArgumentParser

/// 5,000 clients come at once: each connects and subscribes. Then the server is restarted, they all lose their connections, and come back at once.
///
/// At once: no connection waits for another one, and each subscribes as soon as it is there. Everyone must be served, exactly once, with the value that the
/// account has, and nobody refused. The time after the restart begins when the server listens again; what it took to stop and start is told apart.
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
    var first: [Arrival] = []
    var again: [Arrival] = []
    var restarts: [Double] = []
    for _ in 1...common.roundCount {
      let crowd = try Crowd(port: martlet.process.port, count: 0)
      first.append(try come(count, crowd, bank))
      let begin = Clock.nowNanoseconds()
      try martlet.process.restart()
      restarts.append(Double(Clock.nowNanoseconds() - begin) / 1e9)
      try crowd.waitForEnds()
      again.append(try come(count, crowd, bank))
    }
    note("\(count) connections at once", first, &report)
    note("again after a restart (\(Report.fixed(median(restarts), 2)) s)", again, &report)
    try report.finish(common)
  }

  /// Seconds from the first attempt to connect to the value of the median client, and of the last one.
  private typealias Arrival = (median: Double, last: Double)

  private func note(_ what: String, _ arrivals: [Arrival], _ report: inout Report) {
    report.note(
      "\(what): half are served after \(Report.fixed(median(arrivals.map(\.median)), 2)) s, the last after \(Report.fixed(median(arrivals.map(\.last)), 2)) s (medians)")
  }

  private func come(_ count: Int, _ crowd: Crowd, _ bank: MartletBank) throws -> Arrival {
    let value = Array("\"balance\":77,".utf8)
    let synced = Array("synced ".utf8)
    let begin = Clock.nowNanoseconds()
    try crowd.join(count) { Array("subscribe s accounts:get {\"id\":\"\(bank.ids[$0 % bank.ids.count])\"}\n".utf8) }
    let times = try crowd.wait { $0.isWhole(holding: value) && $0.isWhole(holding: synced) }
    func seconds(_ time: UInt64) -> Double { Double(time - begin) / 1e9 }
    return (seconds(times[times.count / 2]), seconds(times[times.count - 1]))
  }
}
