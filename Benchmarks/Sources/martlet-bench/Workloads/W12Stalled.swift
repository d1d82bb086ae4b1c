import ArgumentParser

/// W12: one of 1,000 subscribers stops reading. What that costs the others, and the server's memory.
///
/// All watch the 100 richest accounts, some 12 KB, which each change makes anew. One change at a time, until the last reader has it; first with
/// nobody stalled, then with one, for each round.
struct W12Stalled: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "w12", abstract: "A reader that stalls among 1,000: the others' delays, and the server's memory.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Subscribers.")
  var subscribers = 1_000

  @Option(help: "Changes in each run. (default: 500, or 50 with --quick)")
  var changes: Int?

  func validate() throws {
    guard (2...15_000).contains(subscribers), (10...100_000).contains(changes ?? 10) else {
      throw ValidationError("subscribers 2 to 15000, at least 10 changes")
    }
    if common.only == .redis { throw ValidationError("this workload has no peer: Martlet is compared with itself") }
  }

  func run() throws {
    var report = Report(workload: "W12 a stalled reader")
    let arena = try Arena(common, report: &report, needsPeer: false)
    defer { arena.stop() }
    guard let martlet = arena.martlet else { return }
    let bank = MartletBank(server: martlet)
    try bank.open(count: 100, balance: 1_000_000)
    var growth: [Double] = []
    for round in 1...common.roundCount {
      let crowd = try Crowd(port: martlet.process.port, count: subscribers)
      for index in 0..<subscribers { try crowd.send(Array("subscribe s accounts:richest {\"limit\":100}\n".utf8), to: index) }
      _ = try crowd.wait { $0.isWhole(holding: Array("synced ".utf8)) }
      _ = try run(crowd, martlet, bank, changes: 10)
      let count = changes ?? (common.quick ? 50 : 500)
      report.add(try run(crowd, martlet, bank, changes: count), server: "martlet", run: "all read", round: round)
      try crowd.stall(0)
      let before = ResidentMemory.of(process: martlet.process.id)
      report.add(try run(crowd, martlet, bank, changes: count), server: "martlet", run: "one stalled", round: round)
      growth.append(Double(ResidentMemory.of(process: martlet.process.id) - before) / 1_048_576)
    }
    report.note("memory that the server took with one stalled: \(Report.fixed(median(growth), 1)) MiB (median)")
    report.summarize()
    if let healthy = report.median(server: "martlet", run: "all read"), let stalled = report.median(server: "martlet", run: "one stalled") {
      report.ratios.append(
        Report.Ratio(name: "p99 until the last reader has it, stalled / not", value: stalled.p99Microseconds / healthy.p99Microseconds, atMost: 1.2))
    }
    report.ratios.append(Report.Ratio(name: "memory taken with one stalled, MiB", value: median(growth), atMost: 16))
    try report.finish(common)
  }

  private func run(_ crowd: Crowd, _ martlet: MartletServer, _ bank: MartletBank, changes: Int) throws -> LoadResult {
    let connection = try BlockingConnection(port: martlet.process.port)
    var result = LoadResult()
    let window = MeasuredWindow(startNanoseconds: Clock.nowNanoseconds(), serverProcess: martlet.process.id)
    for number in 0..<changes {
      let (from, to) = (bank.ids[number % 99], bank.ids[number % 99 + 1])
      let begin = Clock.nowNanoseconds()
      try connection.send(Array("mutation t accounts:transferFunds {\"from\":\"\(from)\",\"to\":\"\(to)\",\"amount\":1}\n".utf8))
      let times = try crowd.wait { $0.isWhole(holding: Array("\nsynced ".utf8)) }
      result.latencies.record((times.last ?? begin) - begin)
      let answer = try connection.readLine()
      guard answer.starts(with: Array("ok t ".utf8)) else {
        throw BenchmarkError("Martlet answered \(String(decoding: answer.prefix(500), as: UTF8.self))")
      }
      result.succeeded += 1
    }
    window.close(into: &result, at: Clock.nowNanoseconds())
    result.requests = UInt64(changes * (crowd.count - 1))
    return result
  }
}
