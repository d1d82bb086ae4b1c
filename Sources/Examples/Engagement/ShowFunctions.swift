import Martlet

public enum ShowFunctions: FunctionModule {
  public static let path = "shows"
  public static let functions: [any ServerFunction] = [announce, callOff, get, trending, completePast]

  static let batchSize = 100
  /// After so many milliseconds a show is over.
  static let length = 4 * 3_600_000.0

  public static let announce = Mutation(
    "announce", Arg("artist", .id(Artists.self)), Arg("venue", .string), Arg("startsAt", .double)
  ) { ctx, artist, venue, startsAt in
    guard try ctx.db.find(artist) != nil else { throw ApplicationError("There is no such artist") }
    return try ctx.db.insert(Shows.self) {
      $0.artist = artist
      $0.venue = venue
      $0.startsAt = startsAt
      $0.status = .upcoming
    }
  }

  /// Removes a show that nobody has voted for yet, and its setlist.
  public static let callOff = Mutation("callOff", Arg("show", .id(Shows.self))) { ctx, show in
    guard try ctx.db.get(show).voteCount == 0 else { throw ApplicationError("People have voted for this show; it can't be removed") }
    for entry in try ctx.db.query(Setlists.self).withIndex(\.byShowVoteCount, { $0.eq(\.show, show) }).collect() {
      try ctx.db.delete(entry.id)
    }
    try ctx.db.delete(show)
  }

  public static let get = Query("get", Arg("show", .id(Shows.self))) { ctx, show in try ctx.db.get(show) }

  /// The shows to come that were voted for most within a week. It reads as many shows as it answers, and their artists.
  public static let trending = Query("trending", Arg("limit", .wholeNumber, default: 20)) { ctx, limit in
    try ctx.db.query(Shows.self).withIndex(\.byStatusWeekVotes) { $0.eq(\.status, .upcoming) }
      .order(.descending).take(limit)
      .map { show in
        TrendingShow(
          id: show.id, artist: try ctx.db.get(show.artist).name, venue: show.venue, startsAt: show.startsAt, votes: show.voteCount,
          weekVotes: Int(show.weekVotes), rank: show.rank, rankBefore: show.rankBefore)
      }
  }

  /// Completes the shows that are over: an index range holds them, and nothing else is read.
  public static let completePast: Mutation<Int> = Mutation("completePast", visibility: .internal) { ctx in
    let past = try ctx.db.query(Shows.self)
      .withIndex(\.byStatusStartsAt) { $0.eq(\.status, .upcoming).lte(\.startsAt, ctx.now - length) }
      .take(batchSize)
    for show in past { try ctx.db.patch(show.id) { $0.status = .completed } }
    if past.count == batchSize { try ctx.scheduler.run(after: .zero, completePast()) }
    return past.count
  }
}

public struct TrendingShow: CodableWireValue, Hashable {
  public var id: ID<Shows>
  public var artist: String
  public var venue: String
  public var startsAt: Double
  public var votes: Int
  public var weekVotes: Int
  public var rank: Int?
  public var rankBefore: Int?
}
