import Martlet
import MartletClient
import Testing

@testable import ChrondleExample

@Suite("Chrondle: how events come in", .timeLimit(.minutes(2)))
struct PipelineTests {
  private let outside = Outside()

  // MARK: The queue

  @Test("Suggestions rest for half a minute, are taken in their order, ten in a transaction, and unusable ones are put aside with the reason")
  func queue() async throws {
    let game = try await Game(outside)
    for number in 0..<25 { _ = try await game.player.run(QueueFunctions.suggest("ada", 1500, "Event number \(number) of a player")) }
    _ = try await game.player.run(QueueFunctions.suggest("bob", 1500, "Event number 3 of a player"))
    _ = try await game.player.run(QueueFunctions.suggest("bob", 3000, "Something in the far future"))
    await game.server.advance(by: .seconds(29))
    #expect(try await game.admin.run(QueueFunctions.processBatch()) == 0)
    #expect(try await game.player.run(PuzzleFunctions.stats()).suggestions == 27)
    await game.server.advance(by: .seconds(62))
    let suggested = try await game.events.filter { $0.source == .suggested }
    #expect(suggested.map(\.event) == (0..<25).map { "Event number \($0) of a player" })
    let batches = try await game.jobs(of: "queue:processBatch").filter { $0.cron == nil }
    #expect(batches.count == 2 && batches.allSatisfy { $0.state.kind == .success }, "27 are three batches")
    let left = try await game.admin.run(Everything.queue())
    #expect(left.map(\.status) == [.rejected] && left[0].reason == "3000 is no year of history")
    // Swept at the next quarter past: what is older than a week, and nothing else.
    _ = try await game.admin.run(Everything.rejectedBefore(7))
    await game.server.advance(by: .seconds(3_600))
    #expect(try await game.admin.run(Everything.queue()).map(\.id) == left.map(\.id))
  }

  // MARK: Imports

  private func plan(_ count: Int) {
    outside.export((0..<count).map { (year: 1_000 + $0 % 500, event: "Imported event number \($0)") })
  }

  @Test("An import goes batch by batch, and who asks learns how far it is")
  func importing() async throws {
    plan(250)
    outside.plan(export: .slow, .broken, .busy, .slow, .slow)
    let game = try await Game(outside, hasHistory: false)
    let id = try await game.admin.run(ImportFunctions.start("http://export.test/all", 600))
    var progress: [Int] = []
    var state = try await game.admin.run(ImportFunctions.status(id))
    // Each batch takes ten seconds, and one is tried three times.
    for _ in 0..<120 where state.status == .running {
      if progress.last != state.progress { progress.append(state.progress) }
      await game.server.advance(by: .seconds(1))
      state = try await game.admin.run(ImportFunctions.status(id))
    }
    #expect(progress == [0, 100, 200] && state.progress == 250)
    #expect(state.status == .completed && state.stored == 250 && state.skipped == 0 && state.part == 1)
    #expect(try await game.events.count == 250)
    #expect(outside.met.isSuperset(of: [.slow, .broken, .busy]))
    let again = try await game.admin.run(ImportFunctions.start("http://export.test/all", 600))
    await game.server.advance(by: .seconds(60))
    let second = try await game.admin.run(ImportFunctions.status(again))
    #expect(second.status == .completed && second.stored == 0 && second.skipped == 250, "what is there is skipped")
    #expect(try await game.jobs(of: "imports:checkTimeout").allSatisfy { $0.state.kind == .canceled })
  }

  @Test("An import whose time is up goes on in another one, from where it was, and skips nothing")
  func timeout() async throws {
    plan(700)
    outside.plan(slowness: .seconds(15))
    let game = try await Game(outside, hasHistory: false)
    _ = try await game.admin.run(ImportFunctions.start("http://export.test/all", 40))
    await game.server.advance(by: .seconds(600))
    let parts = try await game.admin.run(Everything.imports())
    // Two batches of 15 s in each part of 40 s; the one that is under way when the time is up is fetched again.
    #expect(parts.map(\.status) == [.timeout, .timeout, .timeout, .completed])
    #expect(parts.map(\.progress) == [200, 400, 600, 700] && parts.map(\.stored) == [200, 200, 200, 100])
    #expect(parts.map(\.part) == [1, 2, 3, 4] && parts.dropFirst().map(\.continues) == parts.dropLast().map { $0.id })
    #expect(try await game.events.count == 700)
  }

  @Test("An import that is too slow for any batch is given up after some parts, one that fails for good at once")
  func givenUp() async throws {
    plan(200)
    outside.plan(slowness: .seconds(15))
    let game = try await Game(outside, hasHistory: false)
    _ = try await game.admin.run(ImportFunctions.start("http://export.test/all", 10))
    await game.server.advance(by: .seconds(120))
    #expect(try await game.admin.run(Everything.imports()).map(\.status) == Array(repeating: .timeout, count: ImportFunctions.mostParts))
    outside.plan(export: .forbidden)
    let refused = try await game.admin.run(ImportFunctions.start("http://export.test/all", 600))
    await game.server.advance(by: .seconds(5))
    let end = try await game.admin.run(ImportFunctions.status(refused))
    #expect(end.status == .failed && end.error?.contains("401") == true)
    for mood in [Outside.Mood.malformed, .empty] {
      outside.plan(export: mood, mood, mood)
      let id = try await game.admin.run(ImportFunctions.start("http://export.test/all", 600))
      await game.server.advance(by: .seconds(30))
      #expect(try await game.admin.run(ImportFunctions.status(id)).status == .failed)
    }
    #expect(try await game.events.isEmpty)
  }

  @Test("A cancelled import stores nothing more; one that a restart interrupts loses nothing")
  func cancelAndRestart() async throws {
    plan(250)
    let game = try await Game(outside, hasHistory: false)
    outside.plan(slowness: .seconds(5))
    let cancelled = try await game.admin.run(ImportFunctions.start("http://export.test/all", 600))
    await game.server.advance(by: .seconds(7))
    try await game.admin.run(ImportFunctions.cancel(cancelled))
    await game.server.advance(by: .seconds(60))
    let end = try await game.admin.run(ImportFunctions.status(cancelled))
    #expect(end.status == .cancelled && end.progress == 100)
    #expect(try await game.events.count == 100)

    let interrupted = try await game.admin.run(ImportFunctions.start("http://export.test/all", 600))
    await game.server.advance(by: .seconds(7))
    try await game.server.restart()
    await game.server.advance(by: .seconds(60))
    let whole = try await game.admin.run(ImportFunctions.status(interrupted))
    #expect(whole.status == .completed && whole.progress == 250 && whole.skipped == 100 && whole.stored == 150)
    #expect(try await game.events.count == 250)
  }

  // MARK: Scraping

  @Test("A page's events are its list items, without tags, dates and notes, and without births")
  func page() {
    #expect(
      YearPage.events(in: Outside.page(of: 1912)) == [
        "Ship number 69 & her crew are lost at sea.", "A bridge across river number 43 is opened.", "This one names 1912.",
      ])
    #expect(YearPage.events(in: "").isEmpty && YearPage.events(in: "<li").isEmpty && YearPage.events(in: "<ul><li>  </li></ul>").isEmpty)
    #expect(YearPage.events(in: "<li>unclosed <b>item") == ["unclosed item"])
  }

  @Test("Years come one after another, a second apart; one that fails is put down, stops nobody, and is tried again at a quarter to")
  func scraping() async throws {
    outside.plan(year: 1901, .broken)
    outside.plan(year: 1902, .empty, .broken, .unreachable)
    outside.plan(year: 1903, .forbidden)
    let game = try await Game(outside, hasHistory: false)
    let id = try await game.admin.run(ScrapingFunctions.start(1900, 1905))
    #expect(try await game.admin.run(ScrapingFunctions.start(1950, 1960)) == id, "one walk at a time")
    await game.server.advance(by: .seconds(30))
    let end = try await game.admin.run(ScrapingFunctions.status(id))
    #expect(end.status == .completed && end.yearsDone == 4 && end.yearsFailed == 2 && end.stored == 8 && end.skipped == 4)
    #expect(Set(try await game.events.map(\.year)) == [1900, 1901, 1904, 1905])
    let years = outside.requests.compactMap { Int($0.url.suffix(4)) }
    #expect(years == [1900, 1901, 1901, 1902, 1902, 1902, 1903, 1904, 1905])
    let starts = try await game.jobs(of: "scraping:startYear")
    #expect(starts.count == 5 && starts.allSatisfy { $0.cron == nil })
    let failures = try await game.admin.run(Everything.scrapeFailures())
    #expect(failures.map(\.year) == [1902, 1903] && failures[1].lastError.contains("401"))

    // They are due half an hour after they have failed, so at 23:45.
    await game.server.advance(by: .seconds(7_200))
    #expect(try await game.admin.run(Everything.scrapeFailures()).isEmpty)
    #expect(Set(try await game.events.map(\.year)) == Set(1900...1905))

    let again = try await game.admin.run(ScrapingFunctions.start(1900, 1905))
    await game.server.advance(by: .seconds(30))
    let second = try await game.admin.run(ScrapingFunctions.status(again))
    #expect(second.stored == 0 && second.skipped == 18 && second.yearsDone == 6)
  }

  @Test("The walk goes on after a restart")
  func scrapingAcrossRestart() async throws {
    outside.plan(year: 1901, .slow)
    let game = try await Game(outside, hasHistory: false)
    let id = try await game.admin.run(ScrapingFunctions.start(1900, 1903))
    await game.server.advance(by: .seconds(3))
    try await game.server.restart()
    await game.server.advance(by: .seconds(30))
    let end = try await game.admin.run(ScrapingFunctions.status(id))
    #expect(end.status == .completed && end.yearsDone == 4 && end.stored == 8)
    await game.server.advance(by: .seconds(3 * 3_600))
    let weekly = try await game.admin.run(Everything.scrapes())
    #expect(weekly.map(\.startYear) == [1900, 2020] && weekly[1].endYear == 2024, "Sunday, two o'clock")
  }

  @Test("Without a source each year says what to set")
  func withoutSource() async throws {
    let game = try await Game(outside, hasHistory: false, environment: [:])
    _ = try await game.admin.run(ScrapingFunctions.start(1900, 1901))
    await game.server.advance(by: .seconds(10))
    let failures = try await game.admin.run(Everything.scrapeFailures())
    #expect(failures.count == 2 && failures.allSatisfy { $0.lastError.contains("HISTORY_URL is not set") })
  }
}
