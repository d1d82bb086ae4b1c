import Martlet
import MartletClient
import MartletTesting
import Testing

@testable import OpinionScopeExample

@Suite("opinion-scope: stats and clean-up", .timeLimit(.minutes(1)))
struct UpkeepTests {
  private static let day = 86_400_000.0

  @Test("Stats are what each whale's activity adds up to, page by page, however many whales there are")
  func stats() async throws {
    let scope = try await Scope(
      .init(
        markets: { _ in [StandInExchange.market("m", volume24h: 1)] },
        trades: { address, _ in
          let number = Int(address.suffix(3), radix: 16)!
          return (0..<(number % 4)).map {
            StandInExchange.trade("\(number)-\($0)", market: "m", at: Scope.start - Double($0) * 1_000, amount: Double(number) + 0.1)
          }
        }))
    try await scope.admin.run(MarketSync.start())
    try await scope.track(230)
    try await scope.admin.run(WhaleSync.start())
    await scope.server.advance(by: .seconds(60))
    try await scope.admin.run(WhaleStats.start())
    await scope.server.settle()
    let sync = try #require(try await scope.syncs(.stats).first)
    #expect(sync.status == .completed && sync.itemCount == 230)
    let whales = try await scope.admin.run(WhaleFunctions.leaderboard(1_000))
    #expect(whales.map(\.totalVolume) == whales.map(\.totalVolume).sorted(by: >))
    for number in 1...230 {
      let whale = try #require(whales.first { $0.nickname == "whale \(number)" })
      let count = number % 4
      #expect(whale.tradeCount == count && abs(whale.totalVolume - Double(count) * (Double(number) + 0.1)) < 1e-9)
      #expect(whale.lastActiveAt == (count == 0 ? nil : Scope.start))
    }
  }

  @Test("What is older than 90 days goes, in batches that follow one another, and what is younger stays")
  func cleanup() async throws {
    let old = 1_234
    let scope = try await Scope(
      .init(
        markets: { _ in [StandInExchange.market("m", volume24h: 1)] },
        trades: { _, _ in
          (0..<old).map { StandInExchange.trade("old \($0)", market: "m", at: Scope.start - 90 * Self.day - Double($0 + 1)) }
            + (0..<3).map { StandInExchange.trade("young \($0)", market: "m", at: Scope.start - 90 * Self.day + Double($0)) }
        }))
    try await scope.admin.run(MarketSync.start())
    try await scope.track(1)
    try await scope.admin.run(WhaleSync.start())
    await scope.server.settle()
    #expect(try await scope.documents("whaleActivity").count == old + 3)
    for age in [89.0, 91, 92] {
      let log: Value = ["type": "markets", "status": "completed", "startedAt": .float64(Scope.start - age * Self.day)]
      _ = try await scope.admin.mutation("_system:insert", ["table": "syncLogs", "document": log])
    }
    let logs = try await scope.syncs().count
    try await scope.admin.run(Cleanup.start())
    await scope.server.settle()
    #expect(try await scope.documents("whaleActivity").count == 3)
    #expect(try await scope.syncs().count == logs - 2 + 1, "without two, with that of the clean-up")
    let sync = try #require(try await scope.syncs(.cleanup).first)
    #expect(sync.status == .completed && sync.itemCount == old + 2)
    let steps = try await scope.documents("_scheduled_functions").filter { $0["name"] == "cleanup:step" }
    #expect(steps.count == 2, "beside the first, which ran with the start")
  }
}
