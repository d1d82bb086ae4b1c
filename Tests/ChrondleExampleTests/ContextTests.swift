import Martlet
import MartletClient
import Testing

@testable import ChrondleExample

@Suite("Chrondle: contexts", .timeLimit(.minutes(2)))
struct ContextTests {
  private let outside = Outside()

  /// When the attempts of all contexts began, as milliseconds after the first one.
  private func attempts(_ game: Game) async throws -> [Double] {
    let times = try await game.jobs(of: "contexts:generate").map(\.scheduledTime)
    return times.map { $0 - times[0] }
  }

  @Test("A model that is busy is passed over; the context says which one wrote it")
  func fallback() async throws {
    outside.plan(models: .busy)
    let game = try await Game(outside)
    await game.server.advance(by: .seconds(2))
    let puzzle = try await game.newest
    #expect(puzzle.contextStatus == .success && puzzle.contextModel == LanguageModel.models[1] && puzzle.context == "It was a year.")
    #expect(outside.models == Array(LanguageModel.models.prefix(2)))
    #expect(try await attempts(game).count == 1, "the next model is no other attempt")
    let request = try #require(outside.requests.first)
    #expect(request.method == .post && request.headers["authorization"] == "Bearer \(Outside.key)")
    let prompt = String(decoding: request.body, as: UTF8.self)
    for event in puzzle.events { #expect(prompt.contains((Value.string(event)).json.dropFirst().dropLast())) }
  }

  @Test("When all models are busy, the next attempt waits as long as Retry-After says")
  func retryAfter() async throws {
    outside.plan(models: .busy, .busy, .busy)
    let game = try await Game(outside)
    await game.server.advance(by: .seconds(6))
    #expect(outside.models == LanguageModel.models)
    #expect(try await game.newest.contextStatus == .generating)
    #expect(try await game.admin.run(ContextFunctions.progress(try await game.newest.id))?.failures == 1)
    await game.server.advance(by: .seconds(10))
    #expect(outside.models == LanguageModel.models + [LanguageModel.models[0]])
    let times = try await attempts(game)
    #expect(times.count == 2 && times[1] >= 7_000)
    #expect(try await game.newest.contextStatus == .success)
  }

  @Test("What may pass is tried three times, with growing waits that differ", arguments: [Outside.Mood.broken, .malformed, .empty, .unreachable, .silent])
  func threeAttempts(_ mood: Outside.Mood) async throws {
    var waits: [[Double]] = []
    for seed in [UInt64(1), 2] {
      let outside = Outside()
      outside.plan(models: mood, mood, mood)
      let game = try await Game(outside, seed: seed)
      await game.server.advance(by: .seconds(600))
      #expect(outside.models.count == 3)
      let puzzle = try await game.newest
      #expect(puzzle.contextStatus == .failed && puzzle.contextError?.isEmpty == false && puzzle.context == nil)
      #expect(puzzle.contextError?.contains(Outside.key) == false)
      let failure = try #require(try await game.admin.run(Everything.contextFailures()).first)
      #expect(failure.puzzle == puzzle.id && failure.attemptCount == 1 && failure.lastError == puzzle.contextError)
      let times = try await attempts(game)
      let took = mood == .silent ? 60_000.0 : mood == .unreachable ? 10.0 : 200.0
      let pauses = [times[1] - times[0] - took, times[2] - times[1] - took]
      #expect((500.0...1_500).contains(pauses[0].rounded()) && (1_000.0...3_000).contains(pauses[1].rounded()), "\(pauses)")
      waits.append(pauses)
      try await game.expectInvariants()
    }
    #expect(waits[0] != waits[1], "jitter")
  }

  @Test("What failed is tried again at half past, until it succeeds")
  func hourly() async throws {
    outside.plan(models: Array(repeating: .broken, count: 6))
    // At 23:00 the first run fails; it is due after the cron's run at 23:30, so it is tried again at 00:30.
    let game = try await Game(outside)
    await game.server.advance(by: .seconds(1_700))
    #expect(try await game.newest.contextStatus == .failed && outside.models.count == 3)
    let puzzle = try await game.newest.id
    // 00:28, after midnight's puzzle, which fails as well.
    await game.server.advance(by: .seconds(3_600))
    #expect(outside.models.count == 6)
    #expect(try await game.puzzles.map(\.contextStatus) == [.failed, .failed])
    await game.server.advance(by: .seconds(3_800))
    #expect(try await game.puzzles.map(\.contextStatus) == [.success, .success] && outside.models.count == 8)
    #expect(try await game.puzzles.first?.id == puzzle)
    #expect(try await game.puzzles.allSatisfy { $0.contextError == nil })
    #expect(try await game.admin.run(Everything.contextFailures()).isEmpty)
    try await game.expectInvariants()
  }

  @Test("A refusal is final, and no error shows the key, not even where the service repeats it")
  func noKeys() async throws {
    outside.plan(models: .forbidden)
    let game = try await Game(outside)
    await game.server.advance(by: .seconds(60))
    let puzzle = try await game.newest
    #expect(outside.models.count == 1)
    #expect(puzzle.contextStatus == .failed && puzzle.contextError?.contains("401") == true)
    #expect(puzzle.contextError?.contains("[OPENROUTER_API_KEY]") == true)
    for json in try await game.everything() { #expect(!json.contains(Outside.key)) }
    #expect(!(try await game.admin.query("_system:logs", [:]).json.contains(Outside.key)))
  }

  @Test("Without a key the puzzle is there, and its context says what to set")
  func withoutKey() async throws {
    let game = try await Game(outside, environment: [:])
    await game.server.advance(by: .seconds(60))
    let puzzle = try await game.newest
    #expect(puzzle.contextStatus == .failed && outside.requests.isEmpty)
    #expect(puzzle.contextError?.contains("OPENROUTER_API_KEY is not set") == true)
    try await game.expectInvariants()
  }

  @Test("A restart while a model thinks costs an attempt, not the context")
  func restart() async throws {
    outside.plan(models: .slow)
    let game = try await Game(outside)
    await game.server.advance(by: .seconds(2))
    #expect(try await game.newest.contextStatus == .generating)
    try await game.server.restart()
    await game.server.advance(by: .seconds(30))
    #expect(try await game.newest.contextStatus == .success && outside.models.count == 2)
    try await game.expectInvariants()
  }
}
