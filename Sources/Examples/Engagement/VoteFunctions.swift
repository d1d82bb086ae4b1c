import Martlet

public enum VoteFunctions: FunctionModule {
  public static let path = "votes"
  public static let functions: [any ServerFunction] = [cast, takeBack]

  /// A second vote of the same voter for a song is refused by the index, as `not_unique`.
  public static let cast = Mutation("cast", Arg("setlist", .id(Setlists.self)), Arg("voter", .string)) { ctx, setlist, voter in
    let show = try ctx.db.get(setlist).show
    guard try ctx.db.get(show).status == .upcoming else { throw ApplicationError("The show is over") }
    return try ctx.db.insert(Votes.self) {
      $0.show = show
      $0.setlist = setlist
      $0.voter = voter
      $0.castAt = ctx.now
    }
  }

  public static let takeBack = Mutation("takeBack", Arg("setlist", .id(Setlists.self)), Arg("voter", .string)) { ctx, setlist, voter in
    let vote = try ctx.db.query(Votes.self).withIndex(\.bySetlistVoter) { $0.eq(\.setlist, setlist).eq(\.voter, voter) }.unique()
    guard let vote else { throw ApplicationError("There is no such vote") }
    try ctx.db.delete(vote.id)
  }
}
