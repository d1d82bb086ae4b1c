import Martlet
import MartletClient
import MartletTesting
import Testing

@testable import OpinionScopeExample

@Suite("opinion-scope: whales", .timeLimit(.minutes(1)))
struct WhaleSyncTests {
  private typealias Mishap = StandInExchange.Mishap

  /// One market, and for each wallet a trade of a minute ago.
  private static let plan = StandInExchange.Plan(
    markets: { _ in [StandInExchange.market("m", volume24h: 1)] },
    trades: { address, _ in [StandInExchange.trade("t-\(address.suffix(2))", market: "m", at: Scope.start - 60_000)] })

  /// With markets stored.
  private func scope(_ whales: Int, _ change: (inout StandInExchange.Plan) -> Void = { _ in }) async throws -> Scope {
    var plan = Self.plan
    change(&plan)
    let scope = try await Scope(plan)
    try await scope.admin.run(MarketSync.start())
    await scope.server.settle()
    try await scope.track(whales)
    return scope
  }

  @Test("Wallets are asked five at a time, with a second between the batches", arguments: [0, 1, 5, 6, 12])
  func batches(count: Int) async throws {
    let scope = try await count == 0 ? Scope(Self.plan) : scope(count)
    let before = scope.exchange.asked.count
    try await scope.admin.run(WhaleSync.start())
    await scope.server.advance(by: .seconds(30))
    let asked = scope.exchange.asked.dropFirst(before)
    #expect(asked.map { $0.time - Scope.start } == (0..<count).map { Double($0 / 5) * 1_000 })
    #expect(Set(asked.map(\.path)).count == count)
    let sync = try #require(try await scope.lastSync)
    #expect(sync.type == .whales && sync.status == .completed && sync.itemCount == count)
    // The end of the last batch looks for another, a second later at most.
    #expect(sync.endedAt == Scope.start + Double(max(0, count - 1) / 5) * 1_000)
  }

  @Test("What was stored by an earlier sync isn't stored again")
  func idempotent() async throws {
    let scope = try await scope(3)
    for _ in 0..<3 {
      try await scope.admin.run(WhaleSync.start())
      await scope.server.advance(by: .seconds(10))
    }
    #expect(try await scope.syncs(.whales).map(\.itemCount) == [0, 0, 3])
    #expect(try await scope.documents("whaleActivity").count == 3)
  }

  @Test("A wallet that is refused for good is an error of the sync, and the others of its batch are stored", arguments: [Mishap.notFound, .malformed])
  func oneFails(mishap: StandInExchange.Mishap) async throws {
    let bad = StandInExchange.address(3)
    let scope = try await scope(7) {
      $0.mishap = { path, _, _ in path.contains(bad) ? mishap : nil }
      $0.malformed = #"{"data":[{"tradeId":"x","marketId":"m","action":"HOLD","amount":1,"price":1,"timestamp":1}]}"#
    }
    try await scope.admin.run(WhaleSync.start())
    await scope.server.advance(by: .seconds(30))
    let sync = try #require(try await scope.lastSync)
    #expect(sync.status == .failed && sync.itemCount == 6 && sync.errorCount == 1)
    let error = try #require(sync.error)
    #expect(error.hasPrefix("\(bad): ") && error.contains(mishap == .notFound ? "status 404" : "data[0].action"), "\(error)")
  }

  @Test("A batch that fails now is tried again as a whole, stored once, and counted once")
  func batchRetried() async throws {
    let bad = StandInExchange.address(4)
    let scope = try await scope(7) { $0.mishap = { path, count, _ in path.contains(bad) && count < 2 ? .broken : nil } }
    try await scope.admin.run(WhaleSync.start())
    await scope.server.advance(by: .seconds(30))
    let sync = try #require(try await scope.lastSync)
    #expect(sync.status == .completed && sync.itemCount == 7 && sync.errorCount == 0)
    #expect(try await scope.documents("whaleActivity").count == 7)
  }

  @Test("A batch whose attempts all fail is an error, and the batches after it are fetched")
  func batchLost() async throws {
    let bad = StandInExchange.address(4)
    let scope = try await scope(7) { $0.mishap = { path, _, _ in path.contains(bad) ? .unreachable : nil } }
    try await scope.admin.run(WhaleSync.start())
    await scope.server.advance(by: .seconds(30))
    let sync = try #require(try await scope.lastSync)
    #expect(sync.status == .failed && sync.itemCount == 2 && sync.errorCount == 1)
    #expect(sync.error?.contains("connection refused") == true)
  }

  @Test("A server that loses power within a sync goes on with it")
  func restart() async throws {
    let scope = try await scope(12) { $0.mishap = { path, count, _ in path.contains("/user/") && count == 0 ? .slow : nil } }
    try await scope.admin.run(WhaleSync.start())
    await scope.server.advance(by: .seconds(7))
    #expect(try await scope.lastSync?.status == .running)
    try await scope.server.restart()
    await scope.server.advance(by: .seconds(120))
    let sync = try #require(try await scope.lastSync)
    #expect(sync.status == .completed && sync.itemCount == 12)
    #expect(try await scope.documents("whaleActivity").count == 12)
  }

  @Test("A trade on a market that isn't known waits for the market")
  func unknownMarket() async throws {
    let scope = try await Scope(Self.plan)
    try await scope.track(1)
    for expected in [0, 1] {
      try await scope.admin.run(WhaleSync.start())
      await scope.server.advance(by: .seconds(5))
      #expect(try await scope.documents("whaleActivity").count == expected)
      try await scope.admin.run(MarketSync.start())
      await scope.server.settle()
    }
  }

  @Test("Each tier sees a trade when its delay is over, to the millisecond, without asking again")
  func delays() async throws {
    let scope = try await scope(1) {
      $0.trades = { _, now in now < Scope.start + 10_000 ? [] : [StandInExchange.trade("t", market: "m", at: Scope.start + 10_000)] }
    }
    var feeds: [Tier: AsyncThrowingStream<[Document<WhaleActivity>], any Error>.AsyncIterator] = [:]
    for tier in Tier.allCases {
      let client = try await scope.server.client(token: tier.rawValue)
      let (stream, continuation) = AsyncThrowingStream.makeStream(of: [Document<WhaleActivity>].self)
      Task { for try await feed in client.subscribe(ActivityFunctions.feed(10)) { continuation.yield(feed) } }
      feeds[tier] = stream.makeAsyncIterator()
      #expect(try await feeds[tier]!.next()?.isEmpty == true)
    }
    func visible() async throws -> [Tier] {
      var tiers: [Tier] = []
      for tier in Tier.allCases {
        let client = try await scope.server.client(token: tier.rawValue)
        if try await !client.run(ActivityFunctions.feed(10)).isEmpty { tiers.append(tier) }
        await client.close()
      }
      return tiers
    }
    await scope.server.advance(by: .seconds(15))
    try await scope.admin.run(WhaleSync.start())
    await scope.server.settle()
    #expect(try await visible() == [.proPlus])
    #expect(try await feeds[.proPlus]!.next()?.count == 1)
    await scope.server.advance(by: .milliseconds(24_999))
    #expect(try await visible() == [.proPlus])
    await scope.server.advance(by: .milliseconds(1))
    #expect(try await visible() == [.proPlus, .pro])
    #expect(try await feeds[.pro]!.next()?.count == 1)
    await scope.server.advance(by: .milliseconds(869_999))
    #expect(try await visible() == [.proPlus, .pro])
    await scope.server.advance(by: .milliseconds(1))
    #expect(try await visible() == [.proPlus, .pro, .free])
    #expect(try await feeds[.free]!.next()?.count == 1)
    #expect(try await scope.server.client().run(ActivityFunctions.feed(10)).count == 1, "who hasn't signed in is free")
  }

  @Test("A wallet's address is checked, and it is tracked once")
  func tracking() async throws {
    let scope = try await Scope()
    for bad in ["", "0x12", StandInExchange.address(1) + "0", "0x" + String(repeating: "g", count: 40), "0x" + String(repeating: "/", count: 40)] {
      let error = await #expect(throws: MartletError.self) { try await scope.admin.run(WhaleFunctions.track(bad, nil)) }
      #expect(error?.code == .application)
    }
    try await scope.track(2)
    try await scope.track(2)
    #expect(try await scope.admin.run(WhaleFunctions.leaderboard(10)).count == 2)
    let stranger = try await scope.server.client()
    let error = await #expect(throws: MartletError.self) { try await stranger.run(WhaleFunctions.track(StandInExchange.address(9), nil)) }
    #expect(error?.code == .forbidden)
    try await scope.admin.run(WhaleFunctions.untrack(StandInExchange.address(1)))
    #expect(try await scope.admin.run(WhaleFunctions.leaderboard(10)).map(\.nickname) == ["whale 2"])
  }
}
