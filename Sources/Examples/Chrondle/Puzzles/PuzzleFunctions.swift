import Martlet

public enum PuzzleFunctions: FunctionModule {
  public static let path = "puzzles"
  public static let functions: [any ServerFunction] = [generateDaily, generate, today, byDate, byNumber, archive, stats]

  /// As many as a player has guesses.
  static let eventsOfPuzzle = 6

  // MARK: Making

  /// The cron of midnight. A second run on the same day finds that day's puzzle.
  public static let generateDaily = Mutation("generateDaily", visibility: .internal) { ctx in
    try ctx.run(generate(Day.text(ctx.now)))
  }

  /// The puzzle of a day, made if there is none. The puzzle, what becomes of its events, and the order for its context are one commit.
  public static let generate = Mutation("generate", Arg("date", .string), visibility: .internal) { ctx, date in
    guard Day.isDay(date) else { throw ApplicationError("\"\(date)\" is no date; write it as 2026-11-21") }
    if let existing = try ctx.db.query(Puzzles.self).withIndex(\.byDate, { $0.eq(\.date, date) }).first() {
      ctx.log.info("Puzzle \(existing.number) of \(date) is there already")
      return existing.id
    }
    let (year, events) = try ctx.chooseEvents()
    let number = try (ctx.db.query(Puzzles.self).withIndex(\.byNumber).max(\.number) ?? 0) + 1
    let puzzle = try ctx.db.insert(Puzzles.self) {
      $0.date = date
      $0.number = number
      $0.targetYear = year
      $0.events = events.map(\.event)
      $0.contextStatus = .pending
    }
    for event in events {
      try ctx.db.patch(event.id) {
        $0.puzzle = puzzle
        $0.updatedAt = ctx.now
      }
    }
    try ctx.generateContext(of: puzzle)
    ctx.log.info("Puzzle \(number) of \(date) is made")
    return puzzle
  }

  // MARK: Reading

  /// The newest puzzle, its year hidden. It doesn't ask what day it is: who subscribes is told of the next one when it is made, at midnight.
  public static let today = Query("today") { ctx in
    try ctx.db.query(Puzzles.self).withIndex(\.byDate).order(.descending).first().map { PuzzleCard(of: $0, isOver: false) }
  }

  public static let byDate = Query("byDate", Arg("date", .string)) { ctx, date in
    try ctx.db.query(Puzzles.self).withIndex(\.byDate) { $0.eq(\.date, date) }.first().map { try ctx.card(of: $0) }
  }

  public static let byNumber = Query("byNumber", Arg("number", .wholeNumber)) { ctx, number in
    try ctx.db.query(Puzzles.self).withIndex(\.byNumber) { $0.eq(\.number, number) }.first().map { try ctx.card(of: $0) }
  }

  /// The newest first, page by page.
  public static let archive = Query("archive", Arg("page", .pagination)) { ctx, page in
    try ctx.db.query(Puzzles.self).withIndex(\.byDate).order(.descending).paginate(page).map { try ctx.card(of: $0) }
  }

  /// Every figure is O(log n), so a live dashboard costs next to nothing, whatever there is to count.
  public static let stats = Query("stats") { ctx in
    func contexts(_ status: ContextStatus) throws -> Int {
      try ctx.db.query(Puzzles.self).withIndex(\.byContextStatus) { $0.eq(\.contextStatus, status) }.count()
    }
    return Statistics(
      puzzles: try ctx.db.query(Puzzles.self).count(),
      events: try ctx.db.query(Events.self).count(),
      unusedEvents: try ctx.db.query(Events.self).withIndex(\.byPuzzle) { $0.eq(\.puzzle, nil) }.count(),
      years: try ctx.db.query(Years.self).count(),
      playableYears: try ctx.db.query(Years.self).withIndex(\.byAvailable) { $0.gte(\.available, eventsOfPuzzle) }.count(),
      players: try ctx.db.query(Players.self).count(),
      plays: try ctx.db.query(Plays.self).count(),
      suggestions: try ctx.db.query(EventQueue.self).withIndex(\.byStatusTime) { $0.eq(\.status, .pending) }.count(),
      contexts: .init(
        pending: try contexts(.pending), generating: try contexts(.generating), success: try contexts(.success),
        failed: try contexts(.failed)))
  }
}

extension MutationContext {
  /// Draws a year of those that have enough unused events, each as likely as the others, and then events of it. O(log n), however many years there
  /// are.
  fileprivate func chooseEvents() throws -> (year: Int, events: [Document<Events>]) {
    let count = PuzzleFunctions.eventsOfPuzzle
    let playable = try db.query(Years.self).withIndex(\.byAvailable) { $0.gte(\.available, count) }
    let years = try playable.count()
    guard years > 0 else {
      throw ApplicationError("no year has \(count) unused events: load some with events:loadHistory, events:importMany or imports:start")
    }
    let year = try playable.offset(Int.random(in: 0..<years, using: &random)).first()!.year
    let unused = try db.query(Events.self).withIndex(\.byYearAvailable) { $0.eq(\.year, year).eq(\.puzzle, nil) }.take(100)
    return (year, Array(unused.shuffled(using: &random).prefix(count)))
  }
}

extension QueryContext {
  /// A puzzle is over when there is a newer one.
  fileprivate func card(of puzzle: Document<Puzzles>) throws -> PuzzleCard {
    let newer = try db.query(Puzzles.self).withIndex(\.byDate) { $0.gt(\.date, puzzle.date) }
    return PuzzleCard(of: puzzle, isOver: try newer.first() != nil)
  }
}
