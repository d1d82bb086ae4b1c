import Martlet

public enum SetlistFunctions: FunctionModule {
  public static let path = "setlists"
  public static let functions: [any ServerFunction] = [add, ofShow]

  public static let add = Mutation("add", Arg("show", .id(Shows.self)), Arg("song", .string)) { ctx, show, song in
    guard try ctx.db.get(show).status == .upcoming else { throw ApplicationError("The show is over") }
    return try ctx.db.insert(Setlists.self) {
      $0.show = show
      $0.song = song
    }
  }

  /// What most want to hear first.
  public static let ofShow = Query("ofShow", Arg("show", .id(Shows.self)), Arg("limit", .wholeNumber, default: 50)) { ctx, show, limit in
    try ctx.db.query(Setlists.self).withIndex(\.byShowVoteCount) { $0.eq(\.show, show) }.order(.descending).take(limit)
  }
}
