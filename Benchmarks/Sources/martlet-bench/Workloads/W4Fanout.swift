import ArgumentParser

/// W4: one commit reaches N subscribers of one query, against `PUBLISH` to N subscribers of one channel.
///
/// One change at a time, and the time from its request to its last subscriber. Martlet's change is a durable transfer, after which it runs the
/// query again; Redis writes nothing. Each subscriber has a connection of its own, and must get each change exactly once.
struct W4Fanout: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "w4", abstract: "One commit to many subscribers, until the last has it; the peer is Redis PUBLISH.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Subscribers; repeat for more runs. (default: 100, 1000 and 5000; 100 and 1000 with --quick)")
  var subscribers: [Int] = []

  func validate() throws {
    guard subscribers.allSatisfy({ (1...15_000).contains($0) }) else { throw ValidationError("subscribers 1 to 15000") }
  }

  /// Deliveries of a round.
  private var deliveries: Int { common.quick ? 20_000 : 200_000 }

  func run() throws {
    var report = Report(workload: "W4 fan-out")
    let arena = try Arena(common, report: &report)
    defer { arena.stop() }
    var broadcasters: [(name: String, server: any Broadcaster)] = []
    if let martlet = arena.martlet { broadcasters.append(("martlet", try MartletBroadcaster(server: martlet))) }
    if let redis = arena.redis { broadcasters.append(("redis", try RedisBroadcaster(server: redis))) }
    let counts = subscribers.isEmpty ? (common.quick ? [100, 1_000] : [100, 1_000, 5_000]) : subscribers
    for count in counts {
      for round in 1...common.roundCount {
        for (name, server) in round.isMultiple(of: 2) ? broadcasters.reversed() : broadcasters {
          try server.whileOthersPause(broadcasters.map(\.server)) {
            report.add(try measure(server, count), server: name, run: Self.run(count), round: round)
          }
        }
      }
    }
    report.summarize()
    for count in counts {
      guard let martlet = report.median(server: "martlet", run: Self.run(count)), let redis = report.median(server: "redis", run: Self.run(count))
      else { continue }
      report.ratios.append(
        Report.Ratio(
          name: "last of \(count) told, Redis' time / Martlet's", value: redis.p50Microseconds / martlet.p50Microseconds, atLeast: 0.7))
    }
    try report.finish(common)
  }

  private static func run(_ count: Int) -> String { "last of \(count)" }

  /// Latencies are those of the last subscriber; requests are deliveries.
  private func measure(_ server: any Broadcaster, _ count: Int) throws -> LoadResult {
    let crowd = try Crowd(port: server.process.port, count: count)
    for index in 0..<count { try crowd.send(server.subscription, to: index) }
    _ = try crowd.wait { server.isSubscribed($0) }
    let changes = max(10, deliveries / count)
    for _ in 0..<max(3, changes / 10) { _ = try tell(server, crowd) }
    var result = LoadResult()
    let window = MeasuredWindow(startNanoseconds: Clock.nowNanoseconds(), serverProcess: server.process.id)
    for _ in 0..<changes {
      result.latencies.record(try tell(server, crowd))
      result.succeeded += 1
    }
    window.close(into: &result, at: Clock.nowNanoseconds())
    result.requests = UInt64(changes * count)
    return result
  }

  private func tell(_ server: any Broadcaster, _ crowd: Crowd) throws -> UInt64 {
    let begin = Clock.nowNanoseconds()
    let news = try server.change()
    let last = try crowd.wait { $0.isWhole(holding: news) }.last ?? begin
    try server.finishChange()
    return last - begin
  }
}
