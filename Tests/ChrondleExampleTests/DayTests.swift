import Martlet
import MartletClient
import Testing

@testable import ChrondleExample

@Suite("Chrondle: a day under the clock", .timeLimit(.minutes(3)))
struct DayTests {
  /// From Saturday, 23:00, to Monday, 00:40, with services that fail in every way that they can. In the queue is something of nearly a week ago, to be
  /// cleaned up.
  private func day(seed: UInt64, hours: Int = 26) async throws -> (game: Game, watched: [String]) {
    let outside = Outside()
    let game = try await Game(outside, seed: seed)
    await game.server.advance(by: .seconds(2))
    _ = try await game.admin.run(Everything.rejectedBefore(6.9))

    // Of the night's puzzle two runs of the retrier fail, in all ways that a run can, and a third gets through to the last model.
    outside.plan(models: [.broken, .malformed, .empty] + [.unreachable, .silent, .forbidden] + [.slow])
    outside.plan(year: 2021, .busy, .broken)
    outside.plan(year: 2022, .forbidden, .malformed, .slow)
    outside.plan(year: 2023, .silent, .unreachable, .empty)
    outside.export((0..<450).map { (year: 1_000 + $0 % 300, event: "Imported event number \($0)") })
    var watched: [String] = []
    var random = DeterministicRandom(seed: seed)
    for hour in 0..<hours {
      for player in ["ada", "bob", "cy"] {
        let puzzle = try await game.newest
        let guess = Int.random(in: 0..<8, using: &random) == 0 ? puzzle.targetYear : Int.random(in: 1...2_026, using: &random)
        _ = try? await game.player.run(PlayFunctions.guess(puzzle.id, player, guess))
        let year = Int.random(in: 1_000...2_400, using: &random)
        _ = try await game.player.run(QueueFunctions.suggest(player, year, "What \(player) knows, number \(hour % 20)"))
      }
      if hour == 3 {
        outside.plan(slowness: .seconds(13))
        outside.plan(export: .busy, .fine, .broken, .fine, .malformed)
        _ = try await game.admin.run(ImportFunctions.start("http://export.test/all", 40))
      }
      if hour == 5 { outside.plan(models: .busy, .busy, .busy, .busy, .busy) }
      await game.server.advance(by: .seconds(hour == 25 ? 2_400 : 3_600))
      let card = try #require(try await game.player.run(PuzzleFunctions.today()))
      watched.append("\(hour): \(card.number) \(card.contextStatus)")
    }
    return (game, watched)
  }

  @Test("Every cron runs, everything that can fail fails and is made good, and at the end all is whole")
  func whole() async throws {
    let (game, watched) = try await day(seed: 1)
    let server = game.server
    // What remains under way at 00:40 is what the last hour brought.
    await server.advance(by: .seconds(120))
    try await game.expectInvariants("after \(watched)")

    let jobs = try await game.jobs
    func runs(_ cron: String) -> [Document<ScheduledFunctions>] { jobs.filter { $0.cron == cron } }
    for cron in ChrondleApp.crons { #expect(runs(cron.name).contains { $0.state.kind == .success }, "\(cron.name) has run") }
    #expect(runs("generate daily puzzle").count == 2 && runs("process event queue").count > 1_500)
    #expect(runs("retry failed contexts").count > 24 && runs("scrape new events").count == 1)
    #expect(jobs.allSatisfy { $0.cron == nil || $0.state.kind == .success }, "no cron's run has failed")
    #expect(game.outside.met == Set(Outside.Mood.allCases), "each way to fail was met")

    // Contexts: two whole runs of the retrier have failed this day, before one that didn't.
    let retries = try await game.admin.run(Everything.retries()).filter { $0.function == "contexts:generate" }
    #expect(retries.count { $0.state == .failed } == 2 && retries.contains { $0.state == .success && $0.failures > 0 })
    #expect(try await game.puzzles.allSatisfy { $0.contextStatus == .success })

    // Scraping: all five years, three of them in later attempts, none left over.
    let scrape = try #require(try await game.admin.run(Everything.scrapes()).first)
    #expect(scrape.status == .completed && scrape.yearsDone + scrape.yearsFailed == 5 && scrape.yearsFailed >= 1)
    #expect(try await game.admin.run(Everything.scrapeFailures()).isEmpty)
    #expect(Set(try await game.events.filter { $0.source == .scraped }.map(\.year)) == Set(2020...2024))

    // The import: too slow for one part, one batch tried again, all of it there.
    let parts = try await game.admin.run(Everything.imports())
    #expect(parts.count > 1 && parts.last?.status == .completed && parts.dropLast().allSatisfy { $0.status == .timeout })
    #expect(parts.last?.progress == 450 && parts.map(\.stored).reduce(0, +) == 450)

    // The queue: what was put aside a week ago is gone by now, what came today was judged.
    let queue = try await game.admin.run(Everything.queue())
    #expect(queue.allSatisfy { $0.createdAt > server.now - 7 * 86_400_000 - 3_700_000 } && queue.contains { $0.status == .rejected })
    #expect(try await game.events.contains { $0.source == .suggested })

    // The log tells of what failed, and never shows a key.
    let log = try await game.admin.query("_system:logs", ["limit": 5_000]).json
    #expect(log.contains("No context for the puzzle") && log.contains("is busy") && log.contains("could not be scraped"))
    #expect(!log.contains(Outside.key))
  }

  @Test("The same seed gives the same day, to the last document; another one another")
  func deterministic() async throws {
    let (first, second, other) = (try await day(seed: 7, hours: 8), try await day(seed: 7, hours: 8), try await day(seed: 8, hours: 8))
    let documents = try await first.game.everything()
    #expect(try await second.game.everything() == documents)
    #expect(try await other.game.everything() != documents)
    #expect(first.watched == second.watched)
  }
}
