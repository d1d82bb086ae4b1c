import ArgumentParser
import Glibc

/// W11: what connections cost that have nothing to tell: 10,000 of them, with 3 subscriptions each.
///
/// Memory is the server's resident memory with them, less before. Redis has as many connections, each subscribed to 3 of 3,000 channels.
struct W11Idle: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "w11", abstract: "10,000 idle connections with 3 subscriptions each: memory, and processor time at rest.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Connections. (default: 10000, or 1000 with --quick)")
  var connections: Int?

  func validate() throws {
    guard (1...15_000).contains(connections ?? 1) else { throw ValidationError("connections 1 to 15000") }
  }

  private static let restSeconds: UInt32 = 5
  private static let topics = 3_000

  func run() throws {
    var report = Report(workload: "W11 idle connections")
    let arena = try Arena(common, report: &report)
    defer { arena.stop() }
    let count = connections ?? (common.quick ? 1_000 : 10_000)
    var bytes: [String: Double] = [:]
    if let martlet = arena.martlet {
      let bank = MartletBank(server: martlet)
      try bank.open(count: Self.topics, balance: 1)
      let ids = bank.ids
      let begin = Clock.nowNanoseconds()
      let used = try measure(martlet, count, "Martlet", &report) { index in
        (0..<3).flatMap { Array("subscribe s\($0) accounts:get {\"id\":\"\(ids[(index * 3 + $0) % Self.topics])\"}\n".utf8) }
      } isSubscribed: {
        $0.isWhole(holding: Array("update s2 ".utf8)) && $0.isWhole(holding: Array("synced ".utf8))
      }
      bytes["martlet"] = used
      report.note("all were subscribed within \(Report.fixed(Double(Clock.nowNanoseconds() - begin) / 1e9 - Double(Self.restSeconds), 1)) s")
    }
    if let redis = arena.redis {
      bytes["redis"] = try measure(redis, count, "Redis", &report) { index in
        RESP.command(["SUBSCRIBE"] + (0..<3).map { "channel:\((index * 3 + $0) % Self.topics)" })
      } isSubscribed: {
        $0.isWhole(holding: Array(":3\r\n".utf8))
      }
    }
    if let martlet = bytes["martlet"], let redis = bytes["redis"] {
      report.ratios.append(Report.Ratio(name: "memory of a connection, Martlet / Redis", value: martlet / redis, atMost: 2))
    }
    try report.finish(common)
  }

  private func measure(
    _ server: any Contender, _ count: Int, _ name: String, _ report: inout Report, subscription: (Int) -> [UInt8],
    isSubscribed: (UnsafeRawBufferPointer) -> Bool
  ) throws -> Double {
    let before = ResidentMemory.of(process: server.process.id)
    let crowd = try Crowd(port: server.process.port, count: count)
    for index in 0..<count { try crowd.send(subscription(index), to: index) }
    _ = try crowd.wait(until: isSubscribed)
    let used = Double(ResidentMemory.of(process: server.process.id) - before) / Double(count)
    let time = ProcessorTime.of(process: server.process.id)
    sleep(Self.restSeconds)
    let share = Double(ProcessorTime.of(process: server.process.id) - time) / 1e9 / Double(Self.restSeconds)
    report.note("\(name): \(Report.fixed(used / 1_024, 2)) KiB a connection of \(count), \(Report.fixed(share * 100, 2)) % of a core at rest")
    report.ratios.append(Report.Ratio(name: "\(name): share of a core at rest", value: share, atMost: 0.005))
    return used
  }
}
