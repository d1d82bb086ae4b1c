import ExampleTestSupport
import Martlet
import MartletClient
import TestServers
import Testing

@testable import OpinionScopeExample

/// The example on a real server, a real socket and a real file, and an exchange on another socket.
@Suite("opinion-scope: over the socket", .timeLimit(.minutes(1)), .serialized)
struct SocketTests {
  private static func run(
    _ plan: StandInExchange.Plan, _ body: (RunningServer, MartletClient, StandInExchange) async throws -> Void
  ) async throws {
    let exchange = StandInExchange(plan)
    try await LoopbackServer.with({ exchange.reply(to: $0) }) { loopback in
      var app = Scope.app
      app.crons = []
      try await RunningServer.with(app, environment: [Exchange.keyVariable: Scope.key, Exchange.addressVariable: loopback.url]) { server in
        let client = try await server.client()
        try await body(server, client, exchange)
        await client.close()
      }
    }
  }

  /// Begins a sync, and waits for its end as a person would: by looking at the log.
  private static func sync(_ client: MartletClient, _ start: FunctionCall<ID<SyncLogs>?>) async throws -> Document<SyncLogs> {
    let sync = try #require(try await client.run(start))
    for try await logs in client.subscribe(SyncFunctions.recent(10)) {
      if let log = logs.first(where: { $0.id == sync }), log.status != .running { return log }
    }
    throw CancellationError()
  }

  @Test("Markets come through whatever the exchange does first, and who watches sees them", arguments: StandInExchange.Mishap.allCases)
  func markets(mishap: StandInExchange.Mishap) async throws {
    // What says nothing has its ten seconds on the virtual clock.
    guard mishap != .silent else { return }
    let plan = StandInExchange.Plan(
      markets: { _ in [StandInExchange.market("a", volume24h: 3), StandInExchange.market("b", volume24h: 4)] },
      mishap: { _, count, _ in count == 0 ? mishap : nil }, retryAfterSeconds: 1,
      malformed: #"{"data":[{"marketId":"a","title":null,"volume":1,"volume24h":1,"cutoffAt":1}]}"#)
    try await Self.run(plan) { _, client, exchange in
      var trending = client.subscribe(MarketFunctions.trending(10)).makeAsyncIterator()
      #expect(try await trending.next()?.isEmpty == true)
      var log = try await Self.sync(client, MarketSync.start())
      if [.malformed, .empty, .notFound].contains(mishap) {
        #expect(log.status == .failed && exchange.asked.count == 1)
        if mishap == .malformed { #expect(log.error?.hasPrefix("/openapi/market/list: data[0].title: expected string, found null") == true) }
        log = try await Self.sync(client, MarketSync.start())
      }
      #expect(log.status == .completed && log.itemCount == 2)
      #expect(exchange.asked.count == (mishap == .slow ? 1 : 2))
      #expect(try await trending.next()?.map(\.externalId) == ["b", "a"])
      #expect(exchange.asked.allSatisfy { $0.key == Scope.key })
    }
  }

  @Test("Whales come in batches, are told to who pays for it, and are counted")
  func whales() async throws {
    let plan = StandInExchange.Plan(
      markets: { _ in [StandInExchange.market("m", volume24h: 1)] },
      trades: { address, _ in [StandInExchange.trade("t\(address)", market: "m", at: 1_000)] },
      mishap: { path, count, _ in path.contains(StandInExchange.address(2)) && count == 0 ? .broken : nil })
    try await Self.run(plan) { server, client, exchange in
      _ = try await Self.sync(client, MarketSync.start())
      for number in 1...6 { try await client.run(WhaleFunctions.track(StandInExchange.address(number), nil)) }
      let log = try await Self.sync(client, WhaleSync.start())
      #expect(log.status == .completed && log.itemCount == 6)
      #expect(log.endedAt! - log.startedAt >= 1_000, "a second between the batches")
      let free = try await server.client(token: nil)
      #expect(try await free.run(ActivityFunctions.feed(10)).count == 6)
      await free.close()
      _ = try await Self.sync(client, WhaleStats.start())
      #expect(try await client.run(WhaleFunctions.leaderboard(10)).map(\.totalVolume) == Array(repeating: 100, count: 6))
      // All of it is a month of 1970, so it goes.
      let cleaned = try await Self.sync(client, Cleanup.start())
      #expect(cleaned.itemCount == 6)
      #expect(try await client.run(SyncFunctions.health())["cleanup"] == SyncHealth(running: 0, completed: 1, failed: 0))
    }
  }
}
