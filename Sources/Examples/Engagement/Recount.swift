import Martlet

/// Proves that the kept numbers are what they should be: goes through artists, shows and setlists, counts anew what each keeps, and writes down
/// what differs. A page is a transaction of its own, so each document is compared with what there is at that moment, and nobody waits for it.
///
/// `weekVotes` is compared as of the last time it was due: between two runs of `Trending` a vote may be older than a week and still count.
public enum Recount: FunctionModule {
  public static let path = "recount"
  public static let functions: [any ServerFunction] = [start, step, last]

  static let pageSize = 200

  public static let start = Mutation("start", visibility: .internal) { ctx in
    let recount = try ctx.db.insert(Recounts.self) { $0.startedAt = ctx.now }
    try ctx.scheduler.run(after: .zero, step(recount, .artists, nil))
    return recount
  }

  public static let last = Query("last") { ctx in try ctx.db.query(Recounts.self).order(.descending).first() }

  static let step: Mutation<Null, ID<Recounts>, Part, String?> = Mutation(
    "step", Arg("recount", .id(Recounts.self)), Arg("part", .enumeration(Part.self)), Arg("cursor", .optional(.string)), visibility: .internal
  ) { ctx, recount, part, cursor -> Void in
    let options = PaginationOptions(numItems: pageSize, cursor: cursor)
    let found: (compared: Int, wrong: [String], next: String?) =
      switch part {
      case .artists: try ctx.compare(Artists.self, options, with: ctx.isRight)
      case .shows: try ctx.compare(Shows.self, options, with: ctx.isRight)
      case .setlists: try ctx.compare(Setlists.self, options, with: ctx.isRight)
      }
    let known = try ctx.db.get(recount)
    let next = found.next.map { (part, Optional($0)) } ?? part.next.map { ($0, nil) }
    try ctx.db.patch(recount) {
      $0.documents += found.compared
      $0.differences += found.wrong.count
      $0.first = known.first ?? found.wrong.first
      if next == nil { $0.endedAt = ctx.now }
    }
    for id in found.wrong { ctx.log.error("\(id) keeps a number that isn't what there is") }
    if let (part, cursor) = next { try ctx.scheduler.run(after: .zero, step(recount, part, cursor)) }
  }

  /// The tables, in the order in which they are gone through.
  enum Part: String, CaseIterable {
    case artists, shows, setlists

    var next: Part? {
      switch self {
      case .artists: .shows
      case .shows: .setlists
      case .setlists: nil
      }
    }
  }
}

extension MutationContext {
  fileprivate func compare<T: Table>(
    _ table: T.Type, _ options: PaginationOptions, with isRight: (Document<T>) throws -> Bool
  ) throws -> (compared: Int, wrong: [String], next: String?) {
    let page = try db.query(table).paginate(options)
    let wrong = try page.documents.filter { try !isRight($0) }.map { "\($0.id)" }
    return (page.documents.count, wrong, page.isDone ? nil : page.continueCursor)
  }

  fileprivate func isRight(_ artist: Document<Artists>) throws -> Bool {
    let upcoming = try db.upcoming(of: artist.id)
    return try artist.upcomingShows == upcoming.count() && artist.weekVotes == upcoming.sum(\.weekVotes)
  }

  fileprivate func isRight(_ show: Document<Shows>) throws -> Bool {
    let entries = try db.query(Setlists.self).withIndex(\.byShowVoteCount) { $0.eq(\.show, show.id) }.count()
    let votes = try db.query(Votes.self).withIndex(\.byShowCastAt) { $0.eq(\.show, show.id) }.count()
    // What it holds is of a time at which its oldest vote was of that week.
    let week = try db.weekVotes(of: show.id, at: min(now, (show.agesAt ?? .infinity) - 1))
    return show.setlistCount == entries && show.voteCount == votes && show.weekVotes == week.count && show.agesAt == week.agesAt
  }

  fileprivate func isRight(_ entry: Document<Setlists>) throws -> Bool {
    try entry.voteCount == db.query(Votes.self).withIndex(\.bySetlistVoter) { $0.eq(\.setlist, entry.id) }.count()
  }
}
