import Martlet
import MartletClient
import MartletTesting
import Testing

@testable import OpinionScopeExample

@Suite("opinion-scope: markets", .timeLimit(.minutes(1)))
struct MarketSyncTests {
  @Test("What the exchange lists is stored, changed where it has changed, and left alone where it hasn't")
  func upserts() async throws {
    let scope = try await Scope(.init(markets: { _ in [market("a", volume24h: 5), market("b", volume24h: 7, yesPrice: 0.25)] }))
    try await scope.admin.run(MarketSync.start())
    await scope.server.settle()
    let first = try await scope.admin.run(MarketFunctions.trending(10))
    try #require(first.map(\.externalId) == ["b", "a"])
    #expect(first.map(\.yesPrice) == [0.25, 0.5] && first.map(\.noPrice) == [0.75, 0.5])
    #expect(first[0].category == "sports" && first[0].url == "https://opinion.trade/market/b")
    await scope.server.advance(by: .seconds(60))
    scope.exchange.change { $0.markets = { _ in [market("a", volume24h: 50, label: nil), market("b", volume24h: 7, yesPrice: 0.25)] } }
    try await scope.admin.run(MarketSync.start())
    await scope.server.settle()
    let second = try await scope.admin.run(MarketFunctions.trending(10))
    try #require(second.map(\.id) == [first[1].id, first[0].id], "the same documents")
    #expect(second[0].volume24h == 50 && second[0].category == "other" && second[0].updatedAt == first[0].updatedAt + 60_000)
    #expect(second[1].value == first[0].value, "what hasn't changed isn't written")
    #expect(try await scope.admin.run(MarketFunctions.inCategory("sports", 10)).map(\.externalId) == ["b"])
    let syncs = try await scope.syncs()
    #expect(syncs.map(\.status) == [.completed, .completed] && syncs.map(\.itemCount) == [2, 2])
    #expect(scope.exchange.asked.map(\.key) == [Scope.key, Scope.key])
  }

  @Test("A market that is over isn't shown")
  func closed() async throws {
    let scope = try await Scope(
      .init(markets: { _ in [market("past", volume24h: 9, cutoffAt: Scope.start - 1), market("open", volume24h: 1)] }))
    try await scope.admin.run(MarketSync.start())
    await scope.server.settle()
    #expect(try await scope.admin.run(MarketFunctions.trending(10)).map(\.externalId) == ["open"])
  }

  @Test(
    "An answer of another shape is a failed sync that names the member, is asked for once, and nothing of it is stored",
    arguments: [
      (#"{"data":[GOOD,{"marketId":"x","title":7,"volume":1,"volume24h":1,"cutoffAt":1}]}"#, "data[1].title: expected string, found number"),
      (#"{"data":[GOOD,{"marketId":"x","title":"t","volume24h":1,"cutoffAt":1}]}"#, "data[1].volume: expected number, found nothing"),
      (#"{"data":[GOOD,{"marketId":"x","title":"t","volume":1,"volume24h":-1,"cutoffAt":1}]}"#, "data[1].volume24h: expected 0 or more, found -1.0"),
      (
        #"{"data":[{"marketId":"x","title":"t","volume":1,"volume24h":1,"cutoffAt":1,"yesPrice":1.5}]}"#,
        "data[0].yesPrice: expected 0 to 1, found 1.5"
      ),
      (#"{"result":[]}"#, "data: expected"), (#"[]"#, "expected object, found array"), ("", "/openapi/market/list"), ("<html>", "/openapi/market/list"),
    ])
  func malformed(body: String, problem: String) async throws {
    let good = market("good", volume24h: 1).json
    let scope = try await Scope(
      .init(mishap: { _, _, _ in .malformed }, malformed: body.replacing("GOOD", with: good)))
    try await scope.admin.run(MarketSync.start())
    await scope.server.advance(by: .seconds(60))
    let sync = try #require(try await scope.lastSync)
    #expect(sync.status == .failed && sync.itemCount == 0 && sync.errorCount == 1)
    #expect(sync.error?.contains(problem) == true, "\(sync.error ?? "no error")")
    #expect(sync.error?.hasPrefix("/openapi/market/list: ") == true)
    #expect(scope.exchange.asked.count == 1)
    #expect(try await scope.documents("markets").isEmpty)
  }

  @Test("What may go well later is tried again, at its pace", arguments: StandInExchange.Mishap.allCases)
  func retries(_ mishap: StandInExchange.Mishap) async throws {
    let scope = try await Scope(
      .init(markets: { _ in [market("a", volume24h: 5)] }, mishap: { _, count, _ in count == 0 ? mishap : nil }))
    try await scope.admin.run(MarketSync.start())
    await scope.server.advance(by: .seconds(60))
    let sync = try #require(try await scope.lastSync)
    let isFinal = [.notFound, .malformed, .empty].contains(mishap)
    // An empty list is an answer.
    #expect(sync.status == (mishap == .notFound || mishap == .empty ? .failed : .completed))
    let times = scope.exchange.asked.map { $0.time - Scope.start }
    #expect(times.count == (isFinal || mishap == .slow ? 1 : 2))
    switch mishap {
    case .slow: #expect(sync.endedAt == Scope.start + 3_000)
    case .silent: #expect((10_250...10_750).contains(times[1]))
    case .tooMany: #expect((7_000...7_001).contains(times[1]))
    case .unreachable, .broken: #expect((250...750).contains(times[1]))
    case .notFound: #expect(sync.error?.contains("answered with status 404") == true)
    case .malformed, .empty: #expect(try await scope.documents("markets").isEmpty)
    }
  }

  @Test("After four attempts a sync has failed, and says with what")
  func givesUp() async throws {
    let scope = try await Scope(.init(mishap: { _, _, _ in .broken }))
    try await scope.admin.run(MarketSync.start())
    await scope.server.advance(by: .seconds(60))
    #expect(scope.exchange.asked.count == 4)
    let sync = try #require(try await scope.lastSync)
    #expect(sync.status == .failed && sync.endedAt != nil)
    #expect(sync.error?.contains("answered with status 500") == true && sync.error?.contains(Scope.key) == false)
  }

  @Test("While a sync waits for the exchange's patience to return, no other begins")
  func oneAtATime() async throws {
    let scope = try await Scope(
      .init(mishap: { _, count, _ in count == 0 ? .tooMany : nil }, retryAfterSeconds: 700), withCrons: true)
    await scope.server.advance(by: .seconds(3 * 300))
    #expect(try await scope.syncs(.markets).map(\.status) == [.running])
    await scope.server.advance(by: .seconds(299))
    #expect(try await scope.syncs(.markets).map(\.status) == [.completed])
    #expect(scope.exchange.asked.count(where: { $0.path.hasSuffix("list") }) == 2)
  }

  @Test("Whoever watches what trends sees each sync that changes it")
  func live() async throws {
    let scope = try await Scope(
      .init(markets: { now in [market("a", volume24h: 5), market("b", volume24h: (now - Scope.start) / 100_000)] }), withCrons: true)
    var trending = scope.admin.subscribe(MarketFunctions.trending(1)).makeAsyncIterator()
    #expect(try await trending.next()?.isEmpty == true)
    await scope.server.advance(by: .seconds(300))
    #expect(try await trending.next()?.map(\.externalId) == ["a"])
    await scope.server.advance(by: .seconds(300))
    #expect(try await trending.next()?.map(\.externalId) == ["b"])
  }

  @Test("A server without the exchange's key doesn't start, and says what is missing", arguments: [[:], [Exchange.keyVariable: ""]])
  func missingKey(environment: [String: String]) {
    let error = #expect(throws: MissingVariable.self) { try MartletTestServer(Scope.app, environment: environment) }
    #expect("\(error!)" == "the environment variable OPINION_TRADE_API_KEY is not set; start the server with it")
  }
}

private func market(_ id: String, volume24h: Double, yesPrice: Double? = nil, label: String? = "sports", cutoffAt: Double = 4e12) -> Value {
  StandInExchange.market(id, volume24h: volume24h, yesPrice: yesPrice, label: label, cutoffAt: cutoffAt)
}
