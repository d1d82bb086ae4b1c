import Martlet

public enum EventFunctions: FunctionModule {
  public static let path = "events"
  public static let functions: [any ServerFunction] = [loadHistory, add, importMany, unusedOf, usedBy, all]

  // MARK: Coming in

  /// Fills an empty database with the history that comes with the example, and makes the first puzzle, so that nobody waits for midnight. Does
  /// nothing where there are events already, so anybody may call it.
  public static let loadHistory = Mutation("loadHistory", limits: { $0.handlerMilliseconds = 10_000 }) { ctx in
    guard try ctx.db.query(Events.self).first() == nil else { return Stored(stored: 0, skipped: 0) }
    let stored = try ctx.storeUsable(History.events, from: .history)
    try ctx.run(PuzzleFunctions.generateDaily())
    return stored
  }

  public static let add = Mutation(
    "add", Arg("year", .wholeNumber), Arg("event", .string), visibility: .internal
  ) { ctx, year, event in
    let new = NewEvent(year: year, event: event)
    if let problem = new.problem(thisYear: Day.year(of: ctx.now)) { throw ApplicationError(problem) }
    guard try ctx.store(new, from: .added) else { throw ApplicationError("the event is there already") }
  }

  /// All in one transaction: one commit, however many. What is there already is skipped.
  public static let importMany = Mutation(
    "importMany", Arg("events", .array(NewEvent.validator)), visibility: .internal
  ) { ctx, events in
    guard events.count <= mostAtOnce else {
      throw ApplicationError("import at most \(mostAtOnce) events at a time, or have imports:start fetch them batch by batch")
    }
    return try ctx.storeUsable(events, from: .imported)
  }

  private static let mostAtOnce = 1_000

  // MARK: Reading

  /// The events of a year that no puzzle has used.
  public static let unusedOf = Query(
    "unusedOf", Arg("year", .wholeNumber), Arg("limit", .wholeNumber, default: 50), visibility: .internal
  ) { ctx, year, limit in
    try ctx.db.query(Events.self).withIndex(\.byYearAvailable) { $0.eq(\.year, year).eq(\.puzzle, nil) }.take(limit)
  }

  public static let usedBy = Query("usedBy", Arg("puzzle", .id(Puzzles.self)), visibility: .internal) { ctx, puzzle in
    try ctx.db.query(Events.self).withIndex(\.byPuzzle) { $0.eq(\.puzzle, puzzle) }.collect()
  }

  /// By years, page by page: never more of them than fit in an answer.
  public static let all = Query("all", Arg("page", .pagination), visibility: .internal) { ctx, page in
    try ctx.db.query(Events.self).withIndex(\.byYear).paginate(page)
  }

  // MARK: Counting

  /// Keeps `years` in step with every write to `events`, whoever writes.
  public static let countUnused = Trigger.onChange(of: Events.self) { ctx, change in
    func unusedYear(_ event: Document<Events>?) -> Int? { event.flatMap { $0.puzzle == nil ? $0.year : nil } }
    let (before, after) = (unusedYear(change.old), unusedYear(change.new))
    guard before != after else { return }
    for (year, difference) in [(before, -1), (after, 1)] {
      guard let year else { continue }
      if let counted = try ctx.db.query(Years.self).withIndex(\.byYear, { $0.eq(\.year, year) }).first() {
        try ctx.db.patch(counted.id) { $0.available += difference }
      } else {
        try ctx.db.insert(Years.self) {
          $0.year = year
          $0.available = difference
        }
      }
    }
  }
}
