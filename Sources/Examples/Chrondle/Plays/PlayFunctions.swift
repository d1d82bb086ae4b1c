import Martlet

/// Playing. The example knows no accounts: a player is a name that the client has made up and keeps. An app whose clients sign in would take
/// `ctx.identity.subject` instead of the argument.
public enum PlayFunctions: FunctionModule {
  public static let path = "plays"
  public static let functions: [any ServerFunction] = [guess, mine, player, stats]

  static let mostGuesses = PuzzleFunctions.eventsOfPuzzle
  static let guessing = RateLimit("guesses", .tokenBucket(30, per: .seconds(60), capacity: 30))

  /// A wrong guess is answered with a direction, and with the next event as a hint.
  public static let guess = Mutation(
    "guess", Arg("puzzle", .id(Puzzles.self)), Arg("player", .string), Arg("year", .wholeNumber)
  ) { ctx, puzzleID, player, year in
    guard (1...100).contains(player.utf8.count) else { throw ApplicationError("a player's name has 1 to 100 bytes") }
    try ctx.rateLimiter.require(guessing, key: player)
    let puzzle = try ctx.db.get(puzzleID)
    let play = try ctx.play(of: player, puzzleID)
    var guesses = play?.guesses ?? []
    guard play?.status ?? .playing == .playing else { throw ApplicationError("this puzzle is over for you") }
    guard !guesses.contains(year) else { throw ApplicationError("you have guessed \(year) already") }
    guesses.append(year)
    let status: PlayStatus = year == puzzle.targetYear ? .won : guesses.count == mostGuesses ? .lost : .playing
    let id = try play?.id ?? ctx.db.insert(Plays.self) {
      $0.puzzle = puzzleID
      $0.player = player
      $0.guesses = []
      $0.tries = 0
      $0.status = .playing
      $0.updatedAt = ctx.now
    }
    try ctx.db.patch(id) {
      $0.guesses = guesses
      $0.tries = Double(guesses.count)
      $0.status = status
      $0.updatedAt = ctx.now
    }
    if status != .playing { try ctx.note(status, of: player, puzzle) }
    return PlayCard(try ctx.db.get(id), of: puzzle)
  }

  /// A player's play of a puzzle; nil before the first guess.
  public static let mine = Query("mine", Arg("puzzle", .id(Puzzles.self)), Arg("player", .string)) { ctx, puzzle, player in
    try ctx.play(of: player, puzzle).map { PlayCard($0, of: try ctx.db.get(puzzle)) }
  }

  public static let player = Query("player", Arg("player", .string)) { ctx, player in
    try ctx.db.query(Players.self).withIndex(\.byPlayer) { $0.eq(\.player, player) }.first()
  }

  /// O(log n), by the index that counts and adds up.
  public static let stats = Query("stats", Arg("puzzle", .id(Puzzles.self))) { ctx, puzzle in
    func plays(_ status: PlayStatus) throws -> TableQuery<Plays> {
      try ctx.db.query(Plays.self).withIndex(\.byPuzzleStatus) { $0.eq(\.puzzle, puzzle).eq(\.status, status) }
    }
    let won = try plays(.won)
    let wins = try won.count()
    return PlayStatistics(
      playing: try plays(.playing).count(), won: wins, lost: try plays(.lost).count(),
      averageGuesses: wins == 0 ? nil : try won.sum(\.tries) / Double(wins))
  }
}

public struct PlayStatistics: CodableWireValue, Hashable {
  public var playing: Int
  public var won: Int
  public var lost: Int
  /// Of those who won.
  public var averageGuesses: Double?
}

/// A play as its player sees it.
public struct PlayCard: CodableWireValue, Hashable {
  public enum Direction: String, CaseIterable, Codable, Sendable { case earlier, later }

  public var status: PlayStatus
  public var guesses: [Int]
  public var guessesLeft: Int
  /// Where the year lies from the last guess; nil when it is over.
  public var direction: Direction?
  public var hints: [String]
  /// When it is over.
  public var targetYear: Int?
  public var context: String?

  init(_ play: Document<Plays>, of puzzle: Document<Puzzles>) {
    status = play.status
    guesses = play.guesses
    guessesLeft = status == .playing ? PlayFunctions.mostGuesses - guesses.count : 0
    let isOver = status != .playing
    direction = isOver ? nil : guesses.last.map { puzzle.targetYear < $0 ? .earlier : .later }
    hints = isOver ? puzzle.events : Array(puzzle.events.prefix(guesses.count + 1))
    targetYear = isOver ? puzzle.targetYear : nil
    context = isOver ? puzzle.context : nil
  }
}

extension ReadsDatabase {
  fileprivate func play(of player: String, _ puzzle: ID<Puzzles>) throws -> Document<Plays>? {
    try query(Plays.self).withIndex(\.byPlayerPuzzle) { $0.eq(\.player, player).eq(\.puzzle, puzzle) }.first()
  }
}

extension QueryContext {
  fileprivate func play(of player: String, _ puzzle: ID<Puzzles>) throws -> Document<Plays>? { try db.play(of: player, puzzle) }
}

extension MutationContext {
  fileprivate func play(of player: String, _ puzzle: ID<Puzzles>) throws -> Document<Plays>? { try db.play(of: player, puzzle) }

  /// A play's end in its player's record. Streaks are of puzzles of the day: one from the archive neither adds to a streak nor ends it.
  fileprivate func note(_ status: PlayStatus, of player: String, _ puzzle: Document<Puzzles>) throws {
    let record = try db.query(Players.self).withIndex(\.byPlayer) { $0.eq(\.player, player) }.first()
    let isOfToday = try db.query(Puzzles.self).withIndex(\.byNumber) { $0.gt(\.number, puzzle.number) }.first() == nil
    let id = try record?.id ?? db.insert(Players.self) {
      $0.player = player
      $0.played = 0
      $0.won = 0
      $0.streak = 0
      $0.bestStreak = 0
    }
    try db.patch(id) {
      $0.played += 1
      if status == .won { $0.won += 1 }
      guard isOfToday else { return }
      guard status == .won else { return $0.streak = 0 }
      let continues = $0.lastWon == puzzle.number - 1
      $0.streak = continues ? $0.streak + 1 : 1
      $0.bestStreak = max($0.bestStreak, $0.streak)
      $0.lastWon = puzzle.number
    }
  }
}
