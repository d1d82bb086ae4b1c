import Martlet

public enum ArtistFunctions: FunctionModule {
  public static let path = "artists"
  public static let functions: [any ServerFunction] = [add, get, trending]

  public static let add = Mutation("add", Arg("name", .string)) { ctx, name in
    try ctx.db.insert(Artists.self) { $0.name = name }
  }

  public static let get = Query("get", Arg("artist", .id(Artists.self))) { ctx, artist in try ctx.db.get(artist) }

  /// Whose shows to come were voted for most within a week.
  public static let trending = Query("trending", Arg("limit", .wholeNumber, default: 20)) { ctx, limit in
    try ctx.db.query(Artists.self).withIndex(\.byWeekVotes).order(.descending).take(limit)
  }
}
