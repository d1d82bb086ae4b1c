import ExampleTestSupport
import Martlet
import MartletClient
import TestServers
import Testing

@testable import ChrondleExample

/// The example on a real server, a real socket and a real file, and the services outside on another socket.
@Suite("Chrondle: over the socket", .timeLimit(.minutes(2)), .serialized)
struct SocketTests {
  private static func run(_ outside: Outside, _ body: (RunningServer, MartletClient, String) async throws -> Void) async throws {
    try await LoopbackServer.with({ outside.answer($0) }) { loopback in
      let environment = ["OPENROUTER_API_KEY": Outside.key, "OPENROUTER_URL": "\(loopback.url)/models", "HISTORY_URL": "\(loopback.url)/history"]
      let app = AppDefinition(
        tables: ChrondleApp.tables, modules: ChrondleApp.modules + [Everything.self], triggers: ChrondleApp.triggers, pools: ChrondleApp.pools,
        workpools: ChrondleApp.workpools)
      try await RunningServer.with(app, environment: environment) { server in
        let admin = try await server.client()
        try await body(server, admin, loopback.url)
        await admin.close()
      }
    }
  }

  @Test("A player sees the puzzle, then that its context is there, though the models were busy, broken and malformed; and plays it to its end")
  func playing() async throws {
    let outside = Outside(retryAfterSeconds: 1)
    outside.plan(models: .busy, .busy, .busy, .broken, .busy, .slow)
    try await Self.run(outside) { server, admin, _ in
      let player = try await server.client(token: nil)
      var cards = player.subscribe(PuzzleFunctions.today()).makeAsyncIterator()
      #expect(try await cards.next() ?? nil == nil)
      _ = try await player.run(EventFunctions.loadHistory())
      var seen: [ContextStatus] = []
      while seen.last != .success {
        guard let card = try await cards.next() ?? nil else { continue }
        if seen.last != card.contextStatus { seen.append(card.contextStatus) }
        try #require(card.contextStatus != .failed)
      }
      #expect(seen.suffix(2) == [.generating, .success])
      #expect(outside.models == LanguageModel.models + [LanguageModel.models[0]] + LanguageModel.models.prefix(2))
      let puzzle = try #require(try await admin.run(Everything.puzzles()).first)
      #expect(puzzle.contextModel == LanguageModel.models[1])

      var statistics = player.subscribe(PlayFunctions.stats(puzzle.id)).makeAsyncIterator()
      _ = try await player.run(PlayFunctions.guess(puzzle.id, "ada", puzzle.targetYear + 1))
      let won = try await player.run(PlayFunctions.guess(puzzle.id, "ada", puzzle.targetYear))
      #expect(won.status == .won && won.context == "It was a year.")
      while try await statistics.next()?.won != 1 {}
      let error = await #expect(throws: MartletError.self) { try await player.run(PuzzleFunctions.generateDaily()) }
      #expect(error?.code == .forbidden)
      await player.close()
    }
  }

  @Test("What a context fails of is told without the key", arguments: [Outside.Mood.malformed, .empty, .forbidden, .unreachable])
  func failing(_ mood: Outside.Mood) async throws {
    let outside = Outside()
    outside.plan(models: mood, mood, mood)
    try await Self.run(outside) { _, admin, _ in
      _ = try await admin.run(EventFunctions.loadHistory())
      for try await card in admin.subscribe(PuzzleFunctions.today()) where card?.contextStatus == .failed { break }
      let failure = try #require(try await admin.run(Everything.contextFailures()).first)
      #expect(!failure.lastError.isEmpty && !failure.lastError.contains(Outside.key))
      #expect(outside.models.count == (mood == .forbidden ? 1 : 3))
      for table in ["_retries", "_scheduled_functions", "context_failures", "puzzles"] {
        #expect(!(try await admin.query("_system:documents", ["table": .string(table), "limit": 1_000]).json.contains(Outside.key)))
      }
    }
  }

  @Test("An import and a walk through years come to their ends, whatever the source does first")
  func pipeline() async throws {
    let outside = Outside(retryAfterSeconds: 1)
    outside.plan(export: .slow, .broken, .malformed, .slow, .busy, .slow)
    outside.plan(year: 1901, .unreachable)
    outside.plan(year: 1902, .forbidden)
    outside.export((0..<250).map { (year: 1_000 + $0 % 500, event: "Imported event number \($0)") })
    try await Self.run(outside) { _, admin, url in
      let id = try await admin.run(ImportFunctions.start("\(url)/export/all", 600))
      let scrape = try await admin.run(ScrapingFunctions.start(1900, 1902))
      for try await state in admin.subscribe(ImportFunctions.status(id)) where state.status != .running {
        #expect(state.status == .completed && state.stored == 250)
        break
      }
      for try await state in admin.subscribe(ScrapingFunctions.status(scrape)) where state.status == .completed {
        #expect(state.yearsDone == 2 && state.yearsFailed == 1 && state.stored == 4)
        #expect(state.endedAt! - state.startedAt >= 2_000, "a second between the years")
        break
      }
      #expect(try await admin.run(Everything.scrapeFailures()).map(\.year) == [1902])
      #expect(try await admin.run(Everything.events()).count == 254)
    }
  }
}
