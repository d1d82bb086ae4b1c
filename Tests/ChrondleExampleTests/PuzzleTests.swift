import Martlet
import MartletClient
import Testing

@testable import ChrondleExample

@Suite("Chrondle: puzzles", .timeLimit(.minutes(2)))
struct PuzzleTests {
  @Test("An empty database is filled once, and has a puzzle at once")
  func loading() async throws {
    let game = try await Game(hasHistory: false)
    #expect(try await game.player.run(PuzzleFunctions.today()) == nil)
    let stored = try await game.player.run(EventFunctions.loadHistory())
    #expect(stored == Stored(stored: History.events.count, skipped: 0))
    #expect(try await game.player.run(EventFunctions.loadHistory()) == Stored(stored: 0, skipped: 0))
    let card = try #require(try await game.player.run(PuzzleFunctions.today()))
    #expect(card.number == 1 && card.date == "2026-11-14" && card.hints.count == 1)
    #expect(card.targetYear == nil && card.context == nil, "it isn't over")
    await game.server.advance(by: .seconds(1))
    try await game.expectInvariants()
  }

  @Test("Who subscribes sees the new puzzle at midnight, and the old one is over")
  func midnight() async throws {
    let game = try await Game()
    await game.server.advance(by: .seconds(5))
    var cards = game.player.subscribe(PuzzleFunctions.today()).makeAsyncIterator()
    let first = try #require(try await cards.next() ?? nil)
    #expect(first.number == 1 && first.contextStatus == .success)
    await game.server.advance(by: .seconds(3_594))
    #expect(try await game.puzzles.count == 1)
    await game.server.advance(by: .seconds(1))
    var second = try #require(try await cards.next() ?? nil)
    #expect(second.number == 2 && second.date == "2026-11-15")
    await game.server.advance(by: .seconds(5))
    while second.contextStatus != .success { second = try #require(try await cards.next() ?? nil) }
    #expect(second.number == 2)

    let old = try #require(try await game.player.run(PuzzleFunctions.byNumber(1)))
    #expect(old.targetYear != nil && old.context == "It was a year." && old.hints.count == 6)
    #expect(try await game.player.run(PuzzleFunctions.byDate("2026-11-15"))?.targetYear == nil)
    #expect(try await game.player.run(PuzzleFunctions.byNumber(3)) == nil)
    try await game.expectInvariants()
  }

  @Test("A day has one puzzle, however often it is made")
  func idempotent() async throws {
    let game = try await Game()
    let first = try await game.newest.id
    #expect(try await game.admin.run(PuzzleFunctions.generateDaily()) == first)
    #expect(try await game.admin.run(PuzzleFunctions.generate("2026-11-14")) == first)
    #expect(try await game.puzzles.count == 1)
    await #expect(throws: MartletError.self) { try await game.admin.run(PuzzleFunctions.generate("2026-02-30")) }
    await #expect(throws: MartletError.self) { try await game.player.run(PuzzleFunctions.generateDaily()) }
  }

  @Test("Twelve nights, a restart at one midnight: a puzzle a day, and the archive page by page")
  func nights() async throws {
    let game = try await Game(hasQueue: false)
    await game.server.advance(by: .seconds(3_599))
    for night in 1...12 {
      if night == 6 { try await game.server.restart() }
      await game.server.advance(by: .seconds(86_400))
    }
    #expect(try await game.puzzles.map(\.date) == (14...26).map { "2026-11-\($0)" })
    try await game.expectInvariants()
    let page = try await game.player.run(PuzzleFunctions.archive(PaginationOptions(numItems: 5)))
    #expect(page.items.map(\.number) == [13, 12, 11, 10, 9] && page.items[0].targetYear == nil && page.items[1].targetYear != nil)
    let next = try await game.player.run(PuzzleFunctions.archive(PaginationOptions(numItems: 5, cursor: page.continueCursor)))
    #expect(next.items.map(\.number) == [8, 7, 6, 5, 4])
  }

  @Test("Without events the night's run fails and says why; when there are some, the next night has its puzzle")
  func nothingToPlay() async throws {
    let game = try await Game(hasHistory: false)
    await game.server.advance(by: .seconds(3_601))
    let run = try #require(try await game.admin.run(Everything.cronRuns()).first { $0.cron == "generate daily puzzle" })
    #expect(run.status == .failed && run.error?.contains("events:loadHistory") == true)
    let six = (1...6).map { NewEvent(year: 1700, event: "Something happens in place \($0)") }
    #expect(try await game.admin.run(EventFunctions.importMany(six + six.prefix(2))) == Stored(stored: 6, skipped: 2))
    await game.server.advance(by: .seconds(86_400))
    #expect(try await game.newest.targetYear == 1700)
    #expect(Set(try await game.newest.events) == Set(six.map(\.event)))
    #expect(try await game.admin.run(EventFunctions.unusedOf(1700, 50)).isEmpty)
    #expect(try await game.admin.run(EventFunctions.usedBy(try await game.newest.id)).count == 6)
  }

  @Test("An event that can't be used is refused with the reason, one that is there already as well")
  func adding() async throws {
    let game = try await Game(hasHistory: false)
    func refusal(_ year: Int, _ event: String) async -> String? {
      do { try await game.admin.run(EventFunctions.add(year, event)) } catch { return (error as? MartletError)?.message }
      return nil
    }
    #expect(await refusal(1815, "A general loses at Waterloo") == nil)
    #expect(await refusal(1815, "A general loses at Waterloo") == "the event is there already")
    #expect(await refusal(1816, "There is no summer in 1816") == "the event gives its year away")
    #expect(await refusal(2027, "This is still to come") == "2027 is no year of history")
    #expect(await refusal(0, "There was no such year") == "0 is no year of history")
    #expect(await refusal(1900, "short") == "an event has 10 to 200 characters, not 5")
    await #expect(throws: MartletError.self) { try await game.player.run(EventFunctions.add(1815, "A general loses at Leipzig")) }
    let page = try await game.admin.run(EventFunctions.all(PaginationOptions(numItems: 10)))
    #expect(page.documents.map(\.year) == [1815] && page.isDone)
  }
}
