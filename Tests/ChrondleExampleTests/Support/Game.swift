import Foundation
import Martlet
import MartletClient
import MartletTesting
import Testing

@testable import ChrondleExample

/// The whole example in a test's process, on a clock that the test moves.
struct Game {
  /// Saturday, 14 November 2026, 23:00 UTC.
  static let saturdayNight = 1_794_697_200_000.0

  let server: MartletTestServer
  let outside: Outside
  /// Who holds the admin key, and a player, who doesn't.
  let admin: MartletClient
  let player: MartletClient

  /// - Parameters:
  ///   - hasHistory: whether it begins with the history, and with puzzle 1.
  ///   - hasQueue: whether the queue's cron runs, 1,440 times a day: what plays for many days and suggests nothing does without.
  init(
    _ outside: Outside = Outside(), hasHistory: Bool = true, hasQueue: Bool = true,
    environment: [String: String] = [
      "OPENROUTER_API_KEY": Outside.key, "OPENROUTER_URL": "http://models.test", "HISTORY_URL": "http://history.test",
    ], startingAt: Double = saturdayNight, seed: UInt64 = 1
  ) async throws {
    self.outside = outside
    server = try MartletTestServer(
      schema: ChrondleApp.tables, functions: ChrondleApp.modules + [Everything.self], triggers: ChrondleApp.triggers,
      crons: ChrondleApp.crons.filter { hasQueue || $0.name != "process event queue" },
      pools: ChrondleApp.pools, workpools: ChrondleApp.workpools, adminKey: "admin-key", environment: environment, fetch: outside.answer,
      startingAt: startingAt, seed: seed)
    admin = try await server.client(token: "admin-key")
    player = try await server.client()
    if hasHistory { _ = try await player.run(EventFunctions.loadHistory()) }
  }

  var puzzles: [Document<Puzzles>] { get async throws { try await admin.run(Everything.puzzles()) } }
  var events: [Document<Events>] { get async throws { try await admin.run(Everything.events()) } }
  var jobs: [Document<ScheduledFunctions>] { get async throws { try await admin.run(Everything.jobs()) } }

  func jobs(of function: String) async throws -> [Document<ScheduledFunctions>] { try await jobs.filter { $0.function == function } }

  /// The newest puzzle, as the server knows it.
  var newest: Document<Puzzles> { get async throws { try #require(try await puzzles.last) } }

  /// What must hold whenever nothing is under way, whatever happened.
  func expectInvariants(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let (puzzles, events) = (try await puzzles, try await events)
    func expect(_ holds: Bool, _ what: String) {
      if !holds { Issue.record("\(what) \(comment?.rawValue ?? "")", sourceLocation: sourceLocation) }
    }
    // A puzzle a day, from the first one to today's.
    let days = Set(puzzles.map(\.date))
    expect(days.count == puzzles.count, "a day has two puzzles")
    var day = puzzles[0].creationTime
    while day <= server.now {
      expect(days.contains(Day.text(day)), "\(Day.text(day)) has no puzzle")
      day += 86_400_000
    }
    expect(puzzles.map(\.number) == Array(1...puzzles.count), "numbers follow one another")
    // Each event is in one puzzle at most, and in the one that it says.
    var used = 0
    for puzzle in puzzles {
      let own = events.filter { $0.puzzle == puzzle.id }
      expect(own.count == 6 && Set(own.map(\.event)) == Set(puzzle.events), "puzzle \(puzzle.number) and its events are one")
      expect(own.allSatisfy { $0.year == puzzle.targetYear }, "puzzle \(puzzle.number) is of one year")
      used += own.count
    }
    expect(events.count { $0.puzzle != nil } == used, "an event is used by no puzzle that there is")
    expect(Set(events.map { "\($0.year) \($0.event)" }).count == events.count, "an event is there twice")
    // Contexts are there, or it is known why not.
    let failures = try await admin.run(Everything.contextFailures())
    for puzzle in puzzles {
      expect([.success, .failed].contains(puzzle.contextStatus), "puzzle \(puzzle.number): \(puzzle.contextStatus)")
      expect((puzzle.contextStatus == .success) == (puzzle.context != nil), "puzzle \(puzzle.number) succeeded, and has a context")
      expect((puzzle.contextStatus == .failed) == failures.contains { $0.puzzle == puzzle.id }, "puzzle \(puzzle.number) failed, and is put down")
      expect(puzzle.contextError?.contains(Outside.key) != true, "an error shows the key")
    }
    // Figures equal a recount.
    let unused = Dictionary(grouping: events.filter { $0.puzzle == nil }, by: \.year).mapValues(\.count)
    let years = try await admin.run(Everything.years())
    expect(Dictionary(uniqueKeysWithValues: years.map { ($0.year, $0.available) }).filter { $0.value != 0 } == unused, "unused events of years")
    let stats = try await player.run(PuzzleFunctions.stats())
    expect(stats.puzzles == puzzles.count && stats.events == events.count && stats.unusedEvents == events.count - used, "\(stats)")
    expect(stats.playableYears == unused.values.count { $0 >= 6 }, "playable years")
    // Nothing is left over.
    let waiting = try await admin.run(Everything.queue()).filter { $0.status == .pending && $0.createdAt < server.now - 100_000 }
    expect(waiting.isEmpty, "suggestions that wait: \(waiting.count)")
    expect(try await admin.run(Everything.imports()).allSatisfy { $0.status != .running && $0.endedAt != nil }, "an import runs")
    for scrape in try await admin.run(Everything.scrapes()) {
      expect(scrape.status == .completed && scrape.yearsDone + scrape.yearsFailed == scrape.endYear - scrape.startYear + 1, "a scrape is not whole")
    }
  }

  /// All that is stored, to be compared.
  func everything() async throws -> [String] {
    var documents: [String] = []
    for table in ChrondleApp.tables.map({ $0.name }) + ["_scheduled_functions", "_retries", "_workpool_items"] {
      let page = try await admin.query("_system:documents", ["table": .string(table), "limit": 20_000])
      documents.append(page.json)
    }
    return documents
  }
}

/// What a test wants to see that no player may.
enum Everything: FunctionModule {
  static let path = "everything"
  static let functions: [any ServerFunction] = [
    puzzles, events, years, contextFailures, plays, queue, imports, scrapes, scrapeFailures, jobs, retries, cronRuns,
    rejectedBefore,
  ]

  static let puzzles = Query("puzzles", visibility: .internal) { ctx in try ctx.db.query(Puzzles.self).withIndex(\.byNumber).collect() }
  static let events = Query("events", visibility: .internal) { ctx in try ctx.db.query(Events.self).collect() }
  static let years = Query("years", visibility: .internal) { ctx in try ctx.db.query(Years.self).collect() }
  static let contextFailures = Query("contextFailures", visibility: .internal) { ctx in try ctx.db.query(ContextFailures.self).collect() }
  static let plays = Query("plays", visibility: .internal) { ctx in try ctx.db.query(Plays.self).collect() }
  static let queue = Query("queue", visibility: .internal) { ctx in try ctx.db.query(EventQueue.self).collect() }
  static let imports = Query("imports", visibility: .internal) { ctx in try ctx.db.query(Imports.self).collect() }
  static let scrapes = Query("scrapes", visibility: .internal) { ctx in try ctx.db.query(Scrapes.self).collect() }
  static let scrapeFailures = Query("scrapeFailures", visibility: .internal) { ctx in try ctx.db.query(ScrapeFailures.self).collect() }
  static let jobs = Query("jobs", visibility: .internal) { ctx in try ctx.db.query(ScheduledFunctions.self).collect() }
  static let retries = Query("retries", visibility: .internal) { ctx in try ctx.db.query(RetryRuns.self).collect() }
  static let cronRuns = Query("cronRuns", visibility: .internal) { ctx in try ctx.db.query(CronRuns.self).collect() }

  /// What the queue holds of a suggestion that was put aside so many days ago.
  static let rejectedBefore = Mutation("rejectedBefore", Arg("days", .double), visibility: .internal) { ctx, days in
    try ctx.db.insert(EventQueue.self) {
      $0.year = 3000
      $0.event = "Something in the far future"
      $0.status = .rejected
      $0.reason = "3000 is no year of history"
      $0.createdAt = ctx.now - days * 86_400_000
    }
  }
}
