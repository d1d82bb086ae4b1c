import Martlet

/// A puzzle as players see it. Of one that isn't over neither the year nor what is told about it, and the first event only: `plays:guess` and
/// `plays:mine` tell more.
public struct PuzzleCard: CodableWireValue, Hashable {
  public var id: ID<Puzzles>
  public var date: String
  public var number: Int
  public var hints: [String]
  public var contextStatus: ContextStatus
  public var targetYear: Int?
  public var context: String?

  init(of puzzle: Document<Puzzles>, isOver: Bool) {
    id = puzzle.id
    date = puzzle.date
    number = puzzle.number
    hints = isOver ? puzzle.events : Array(puzzle.events.prefix(1))
    contextStatus = puzzle.contextStatus
    targetYear = isOver ? puzzle.targetYear : nil
    context = isOver ? puzzle.context : nil
  }
}

public struct Statistics: CodableWireValue, Hashable {
  public var puzzles: Int
  public var events: Int
  public var unusedEvents: Int
  public var years: Int
  public var playableYears: Int
  public var players: Int
  public var plays: Int
  public var suggestions: Int
  public var contexts: Contexts

  public struct Contexts: Codable, Hashable, Sendable {
    public var pending: Int
    public var generating: Int
    public var success: Int
    public var failed: Int
  }
}
