import Martlet
import MartletClient
import Testing

@testable import ChrondleExample

@Suite("Chrondle: playing", .timeLimit(.minutes(2)))
struct PlayTests {
  @Test("A wrong guess gets a direction and a hint, the right one the year and what is told of it")
  func winning() async throws {
    let game = try await Game()
    await game.server.advance(by: .seconds(2))
    let puzzle = try await game.newest
    let year = puzzle.targetYear
    let late = try await game.player.run(PlayFunctions.guess(puzzle.id, "ada", year + 10))
    #expect(late.direction == .earlier && late.hints == Array(puzzle.events.prefix(2)) && late.guessesLeft == 5 && late.targetYear == nil)
    let early = try await game.player.run(PlayFunctions.guess(puzzle.id, "ada", year - 1))
    #expect(early.direction == .later && early.hints == Array(puzzle.events.prefix(3)) && early.status == .playing)
    let right = try await game.player.run(PlayFunctions.guess(puzzle.id, "ada", year))
    #expect(right.status == .won && right.targetYear == year && right.context == "It was a year." && right.guessesLeft == 0)
    #expect(right.hints == puzzle.events && right.guesses == [year + 10, year - 1, year])
    #expect(try await game.player.run(PlayFunctions.mine(puzzle.id, "ada")) == right)
    #expect(try await game.player.run(PlayFunctions.mine(puzzle.id, "bob")) == nil)
    let error = await #expect(throws: MartletError.self) { try await game.player.run(PlayFunctions.guess(puzzle.id, "ada", 1)) }
    #expect(error?.message == "this puzzle is over for you")
  }

  @Test("Six wrong guesses lose; one year isn't guessed twice; the statistics equal a recount, live")
  func statistics() async throws {
    let game = try await Game()
    let puzzle = try await game.newest
    var live = game.player.subscribe(PlayFunctions.stats(puzzle.id)).makeAsyncIterator()
    #expect(try await live.next() == PlayStatistics(playing: 0, won: 0, lost: 0, averageGuesses: nil))
    for wrong in 1...6 {
      let card = try await game.player.run(PlayFunctions.guess(puzzle.id, "bob", -wrong))
      #expect(card.status == (wrong == 6 ? .lost : .playing))
      if wrong == 1 { await #expect(throws: MartletError.self) { try await game.player.run(PlayFunctions.guess(puzzle.id, "bob", -1)) } }
    }
    for (index, player) in ["ada", "cy", "dot"].enumerated() {
      for wrong in 0..<index { _ = try await game.player.run(PlayFunctions.guess(puzzle.id, player, -1 - wrong)) }
      _ = try await game.player.run(PlayFunctions.guess(puzzle.id, player, puzzle.targetYear))
    }
    _ = try await game.player.run(PlayFunctions.guess(puzzle.id, "eve", -5))
    let statistics = try await game.player.run(PlayFunctions.stats(puzzle.id))
    #expect(statistics == PlayStatistics(playing: 1, won: 3, lost: 1, averageGuesses: 2))
    while try await live.next() != statistics {}
    let plays = try await game.admin.run(Everything.plays())
    #expect(plays.allSatisfy { $0.tries == Double($0.guesses.count) } && plays.count == 5)
  }

  @Test("A streak grows with each day that is won, and ends with one that is lost or left out; the archive doesn't count")
  func streaks() async throws {
    let game = try await Game(hasQueue: false)
    func play(winning: Bool, _ puzzle: Document<Puzzles>) async throws {
      for wrong in 0..<(winning ? 1 : 6) { _ = try await game.player.run(PlayFunctions.guess(puzzle.id, "ada", -1 - wrong)) }
      if winning { _ = try await game.player.run(PlayFunctions.guess(puzzle.id, "ada", puzzle.targetYear)) }
    }
    func streak() async throws -> [Int] {
      let record = try #require(try await game.player.run(PlayFunctions.player("ada")))
      return [record.streak, record.bestStreak, record.won, record.played]
    }
    var streaks: [[Int]] = []
    for wins in [true, true, nil, true, false, true] {
      if let wins {
        try await play(winning: wins, try await game.newest)
        streaks.append(try await streak())
      }
      await game.server.advance(by: .seconds(86_400))
    }
    #expect(streaks == [[1, 1, 1, 1], [2, 2, 2, 2], [1, 2, 3, 3], [0, 2, 3, 4], [1, 2, 4, 5]])
    try await play(winning: false, try await game.puzzles[2])
    #expect(try await streak() == [1, 2, 4, 6])
  }

  @Test("Who guesses too fast is told when to go on")
  func rateLimit() async throws {
    let game = try await Game()
    let puzzle = try await game.newest.id
    var error: MartletError?
    for guess in 1...31 {
      // Those after the sixth are refused for another reason, and cost nothing: what throws has used up nothing.
      do { _ = try await game.player.run(PlayFunctions.guess(puzzle, "p", -guess)) } catch let refusal as MartletError { error = refusal }
    }
    #expect(error?.message == "this puzzle is over for you")
    for suggestion in 1...41 {
      do {
        _ = try await game.player.run(QueueFunctions.suggest("p", 1500, "Event number \(suggestion) of a player"))
        #expect(suggestion <= 40)
      } catch let refusal as MartletError {
        #expect(suggestion == 41 && refusal.data?["code"] == "rate_limited" && refusal.data?["limit"] == "suggestions")
      }
    }
  }
}
