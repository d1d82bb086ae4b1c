import Martlet
import MartletClient
import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import OpinionScopeExample

/// A day of the example on the virtual clock: all crons, with an exchange that fails in every way that it can.
@Suite("opinion-scope: a day", .timeLimit(.minutes(3)))
struct DayTests {
  private static let whales = 7
  private static let hour = 3_600_000.0
  /// In the last minutes nothing fails, so that what has been missed is made up for.
  private static let quiet = Scope.start + 24 * hour - 10 * 60_000

  /// What the exchange tells follows from the seed and the time.
  private static func plan(_ seed: UInt64) -> StandInExchange.Plan {
    StandInExchange.Plan(
      markets: { now in
        (0..<30).compactMap { number in
          // The last one is listed from the second hour on; its trades come before.
          if number == 29, now < Scope.start + hour { return nil }
          let volume = Double(mixed(seed, number, Int(now / 300_000)) % 100_000)
          return StandInExchange.market(
            "m\(number)", volume24h: volume, yesPrice: volume / 100_000, label: "label \(number % 3)",
            cutoffAt: number == 28 ? Scope.start + 12 * hour : 4e12)
        }
      },
      trades: { address, now in Array(trades(of: address, until: now, seed).suffix(6)) + old(address, now) },
      mishap: { path, count, now in
        guard now < quiet else { return nil }
        let draw = mixed(seed, path.utf8.reduce(0) { $0 &* 31 &+ Int($1) }, count)
        // An hour of the day nothing works, and another one wallet is gone.
        if (Scope.start + 9 * hour..<Scope.start + 9.2 * hour).contains(now) { return .broken }
        if path.contains(StandInExchange.address(7)), (Scope.start + 10 * hour..<Scope.start + 10.5 * hour).contains(now) { return .notFound }
        let odds: UInt64 = path.hasSuffix("list") ? 6 : 25
        return draw % odds == 0 ? StandInExchange.Mishap.allCases[Int(draw / odds) % StandInExchange.Mishap.allCases.count] : nil
      }, malformed: #"{"data":[{"marketId":"m0","tradeId":"x"}]}"#)
  }

  /// A trade each 20 to 60 minutes.
  private static func trades(of address: String, until now: Double, _ seed: UInt64) -> [Value] {
    let number = Int(address.suffix(4), radix: 16)!
    let every = Double(20 + number * 3) * 60_000
    return (0..<max(0, Int((now - Scope.start) / every) + 1)).compactMap { index in
      let time = Scope.start + Double(index) * every + Double(mixed(seed, number, index) % 60_000)
      guard time <= now else { return nil }
      let market = mixed(seed, index, number) % 30
      return StandInExchange.trade("t\(number)-\(index)", market: "m\(market)", at: time, amount: Double(1 + market * 10))
    }
  }

  /// Of the first wallet the exchange tells trades of long ago as well, in the first minutes.
  private static func old(_ address: String, _ now: Double) -> [Value] {
    guard address == StandInExchange.address(1), now < Scope.start + 0.1 * hour else { return [] }
    return (0..<600).map { StandInExchange.trade("old-\($0)", market: "m0", at: Scope.start - 100 * 24 * hour - Double($0)) }
  }

  private static func mixed(_ seed: UInt64, _ a: Int, _ b: Int) -> UInt64 {
    var random = TestRandom(seed: seed &+ UInt64(bitPattern: Int64(a &* 1_000_003 &+ b)))
    return random.next() >> 8
  }

  @Test("Every cron and every failure comes, every sync ends, nothing is seen too early, and in the end all is as the exchange has it")
  func day() async throws {
    let seed: UInt64 = 1
    let scope = try await Scope(Self.plan(seed), withCrons: true)
    try await scope.track(Self.whales)
    let tiers = try await Tier.allCases.asyncMap { ($0, try await scope.server.client(token: $0.rawValue)) }
    var trending = scope.admin.subscribe(MarketFunctions.trending(5)).makeAsyncIterator()
    _ = try await trending.next()
    // Steps that meet the minutes everywhere, and find some trades within their delays.
    var steps = 0
    while scope.server.now < Scope.start + 24 * Self.hour {
      let left = Scope.start + 24 * Self.hour - scope.server.now
      await scope.server.advance(by: .milliseconds(min(left, 37 * 60_000 - 9_001)))
      try await expectDelays(tiers, at: scope.server.now)
      steps += 1
    }
    #expect(steps > 38)
    await scope.server.advance(by: .seconds(50))

    let syncs = try await scope.syncs()
    try await expectComplete(syncs, scope)
    expectFailures(syncs, scope)
    try await expectData(scope, seed)
    #expect(try await trending.next()?.count == 5)
    // Crons and retries by the server's own books.
    for cron in OpinionScopeApp.crons {
      let runs = try await scope.documents("_cron_runs").filter { $0["name"] == .string(cron.name) }
      #expect(!runs.isEmpty && runs.allSatisfy { $0["status"] == "success" }, "\(cron.name)")
    }
    let retries = try await scope.documents("_retries")
    #expect(retries.contains { $0["state"] == "success" && $0["failures"] != 0 }, "an attempt that went well after others that didn't")
    #expect(retries.contains { $0["state"] == "failed" && $0["failures"] == 4 }, "one that never did")
    #expect(!retries.contains { $0["state"] == "inProgress" })
  }

  @Test("The same seed gives the same day, another one another")
  func determinism() async throws {
    func run(_ seed: UInt64) async throws -> [String: [Value]] {
      let scope = try await Scope(Self.plan(seed), withCrons: true, seed: seed)
      try await scope.track(Self.whales)
      await scope.server.advance(by: .seconds(3_630))
      var tables: [String: [Value]] = [:]
      for table in OpinionScopeApp.tables { tables[table.name] = try await scope.documents(table.name) }
      return tables
    }
    let first = try await run(3)
    #expect(try await run(3) == first)
    #expect(try await run(4) != first)
    #expect(first.values.allSatisfy { !$0.isEmpty })
  }

  // MARK: What must hold

  private func expectDelays(_ tiers: [(Tier, MartletClient)], at now: Double) async throws {
    let all = try await tiers[0].1.run(ActivityFunctions.feed(100_000))
    for (tier, client) in tiers {
      let seen = try await client.run(ActivityFunctions.feed(100_000))
      #expect(seen.map(\.id) == all.filter { $0.timestamp + tier.delay <= now }.map(\.id), "\(tier) at \(now - Scope.start)")
    }
  }

  private func expectComplete(_ syncs: [Document<SyncLogs>], _ scope: Scope) async throws {
    #expect(syncs.allSatisfy { $0.status != .running && $0.endedAt ?? 0 >= $0.startedAt })
    #expect(syncs.allSatisfy { ($0.status == .failed) == ($0.errorCount > 0) && ($0.error == nil) == ($0.errorCount == 0) })
    let stats = try await scope.admin.query("_system:functionStats")
    func runs(_ function: String) -> Int {
      guard case .array(let list) = stats, case .float64(let runs)? = list.first(where: { $0["name"] == .string(function) })?["runs"] else { return 0 }
      return Int(runs)
    }
    // A cron that finds its last sync still running begins none; so there are at most as many syncs as runs.
    for (type, function, most) in [
      (SyncType.markets, "marketSync:start", 288), (.whales, "whaleSync:start", 1_440), (.stats, "whaleStats:start", 24),
      (.cleanup, "cleanup:start", 1),
    ] {
      let count = syncs.count { $0.type == type }
      #expect(runs(function) == most && count <= most && count > most * 9 / 10, "\(type): \(count) of \(runs(function))")
    }
    let health = try await scope.admin.run(SyncFunctions.health())
    for type in SyncType.allCases {
      let counted = SyncHealth(
        running: 0, completed: syncs.count { $0.type == type && $0.status == .completed },
        failed: syncs.count { $0.type == type && $0.status == .failed })
      #expect(health[type.rawValue] == counted)
    }
  }

  private func expectFailures(_ syncs: [Document<SyncLogs>], _ scope: Scope) {
    for path in ["/openapi/market/list", "/trades"] {
      let met = Set(scope.exchange.asked.filter { $0.path.hasSuffix(path) }.compactMap(\.mishap))
      #expect(met == Set(StandInExchange.Mishap.allCases), "\(path)")
    }
    let errors = syncs.compactMap(\.error)
    for text in ["status 404", "status 500", "expected", "data[0]."] { #expect(errors.contains { $0.contains(text) }, "\(text)") }
    #expect(!errors.contains { $0.contains(Scope.key) })
    // What was told to wait was left alone so long.
    let asked = scope.exchange.asked
    for (index, one) in asked.enumerated() where one.mishap == .tooMany {
      if let next = asked[(index + 1)...].first(where: { $0.path == one.path }) { #expect(next.time - one.time >= 7_000) }
    }
  }

  private func expectData(_ scope: Scope, _ seed: UInt64) async throws {
    let lastSync = try #require(try await scope.syncs(.markets).first)
    let listed = Self.plan(seed).markets(lastSync.startedAt)
    let markets = try await scope.documents("markets")
    #expect(markets.count == 30 && listed.count == 30)
    for market in listed {
      let stored = try #require(markets.first { $0["externalId"] == market["marketId"] })
      #expect(stored["volume24h"] == market["volume24h"] && stored["yesPrice"] == market["yesPrice"])
    }
    // Every trade of the day once; those of long ago were there, and were removed at three.
    let lastWhaleSync = try #require(try await scope.syncs(.whales).first)
    var expected: Set<String> = []
    for number in 1...Self.whales {
      for trade in Self.trades(of: StandInExchange.address(number), until: lastWhaleSync.startedAt, seed) {
        if case .string(let id)? = trade["tradeId"] { expected.insert(id) }
      }
    }
    let stored = try await scope.documents("whaleActivity").compactMap { if case .string(let id)? = $0["tradeId"] { id } else { nil } }
    #expect(Set(stored) == expected && stored.count == expected.count)
    #expect(try await scope.syncs(.cleanup).first?.itemCount == 600)
    // The stats, as of now, are what a recount gives.
    try await scope.admin.run(WhaleStats.start())
    await scope.server.settle()
    let documents = try await scope.documents("whaleActivity")
    for whale in try await scope.admin.run(WhaleFunctions.leaderboard(100)) {
      let own = documents.filter { $0["whale"] == .string(whale.id.description) }
      let volume = own.reduce(0) { if case .float64(let amount)? = $1["amount"] { $0 + amount } else { $0 } }
      #expect(whale.tradeCount == own.count && whale.totalVolume == volume && own.count > 10)
    }
  }
}

extension Array {
  fileprivate func asyncMap<Other>(_ transform: (Element) async throws -> Other) async rethrows -> [Other] {
    var others: [Other] = []
    for element in self { others.append(try await transform(element)) }
    return others
  }
}
