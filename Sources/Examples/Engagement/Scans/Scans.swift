import Martlet

/// Each number by reading everything that it could depend on.
public enum Scans: FunctionModule {
  public static let path = "scans"
  public static let functions: [any ServerFunction] = [
    updateEngagementCounts, updateArtistShowCounts, updateShowTrending, updateArtistTrending, checkCompletedShows,
  ]

  /// All setlists, all votes, all shows.
  public static let updateEngagementCounts = Mutation("updateEngagementCounts", visibility: .internal) { ctx in
    let setlists = Dictionary(grouping: try ctx.db.query(Setlists.self).collect(), by: \.show)
    let votes = try ctx.db.query(Votes.self).collect()
    let votesOfShow = Dictionary(grouping: votes, by: \.show).mapValues(\.count)
    let votesOfEntry = Dictionary(grouping: votes, by: \.setlist).mapValues(\.count)
    for show in try ctx.db.query(Shows.self).collect() {
      let (entries, count) = (setlists[show.id] ?? [], votesOfShow[show.id] ?? 0)
      if show.setlistCount != entries.count || show.voteCount != count {
        try ctx.db.patch(show.id) {
          $0.setlistCount = entries.count
          $0.voteCount = count
        }
      }
      for entry in entries where entry.voteCount != votesOfEntry[entry.id] ?? 0 {
        try ctx.db.patch(entry.id) { $0.voteCount = votesOfEntry[entry.id] ?? 0 }
      }
    }
  }

  /// All artists, and a query for each of them.
  public static let updateArtistShowCounts = Mutation("updateArtistShowCounts", visibility: .internal) { ctx in
    for artist in try ctx.db.query(Artists.self).collect() {
      let upcoming = try ctx.db.upcoming(of: artist.id).collect().count
      if artist.upcomingShows != upcoming { try ctx.db.patch(artist.id) { $0.upcomingShows = upcoming } }
    }
  }

  /// All shows to come, and their votes of a week.
  public static let updateShowTrending = Mutation("updateShowTrending", visibility: .internal) { ctx in
    let upcoming = try ctx.db.query(Shows.self).withIndex(\.byStatusStartsAt) { $0.eq(\.status, .upcoming) }.collect()
    for show in upcoming {
      let votes = try ctx.db.query(Votes.self)
        .withIndex(\.byShowCastAt) { $0.eq(\.show, show.id).gt(\.castAt, ctx.now - Counters.week) }.collect().count
      if show.weekVotes != Double(votes) { try ctx.db.patch(show.id) { $0.weekVotes = Double(votes) } }
    }
  }

  /// All artists again, and their shows again.
  public static let updateArtistTrending = Mutation("updateArtistTrending", visibility: .internal) { ctx in
    for artist in try ctx.db.query(Artists.self).collect() {
      let votes = try ctx.db.upcoming(of: artist.id).collect().reduce(0) { $0 + $1.weekVotes }
      if artist.weekVotes != votes { try ctx.db.patch(artist.id) { $0.weekVotes = votes } }
    }
  }

  /// All shows to come, filtered.
  public static let checkCompletedShows = Mutation("checkCompletedShows", visibility: .internal) { ctx in
    let upcoming = try ctx.db.query(Shows.self).withIndex(\.byStatusStartsAt) { $0.eq(\.status, .upcoming) }
    for show in try upcoming.filter({ $0.startsAt <= ctx.now - ShowFunctions.length }).collect() {
      try ctx.db.patch(show.id) { $0.status = .completed }
    }
  }
}
