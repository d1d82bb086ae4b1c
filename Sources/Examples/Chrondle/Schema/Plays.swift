import Martlet

/// What one player has guessed of one puzzle. Each play is a document of its own, so players are never in each other's way.
public struct Plays: Table {
  public static let name = "plays"

  public let puzzle = Field("puzzleId", .id(Puzzles.self))
  public let player = Field(.string)
  public let guesses = Field(.array(.wholeNumber))
  /// How many guesses there are, as a Double, which an index can add up.
  public let tries = Field(.double)
  public let status = Field(.enumeration(PlayStatus.self))
  public let updatedAt = Field(.double)

  public let byPlayerPuzzle = Index("by_player_puzzle", \Plays.player, \Plays.puzzle, unique: true)
  /// Counts and adds up as it orders: a puzzle's statistics are O(log n), without a document that every guess would change.
  public let byPuzzleStatus = Index("by_puzzle_status", \Plays.puzzle, \Plays.status, summing: \Plays.tries)

  public init() {}
}

public enum PlayStatus: String, CaseIterable, Codable, Sendable {
  case playing, won, lost
}

public struct Players: Table {
  public static let name = "players"

  public let player = Field(.string)
  public let played = Field(.wholeNumber)
  public let won = Field(.wholeNumber)
  /// Puzzles of the day that were won one after another.
  public let streak = Field(.wholeNumber)
  public let bestStreak = Field(.wholeNumber)
  /// The number of the last puzzle of the day that was won.
  public let lastWon = Field(.optional(.wholeNumber))

  public let byPlayer = Index("by_player", \Players.player, unique: true)

  public init() {}
}
