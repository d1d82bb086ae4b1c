import Martlet

// Times are milliseconds since 1970. What is marked "kept" is written by the triggers of `Counters` and by nobody else.

public struct Artists: Table {
  public static let name = "artists"

  public let name = Field(.string)
  /// Kept: how many of its shows are still to come.
  public let upcomingShows = Field(.wholeNumber, default: 0)
  /// Kept: the votes of a week for these.
  public let weekVotes = Field(.double, default: 0)

  public let byWeekVotes = Index("by_weekVotes", \Artists.weekVotes)

  public init() {}
}

public struct Shows: Table {
  public static let name = "shows"

  public let artist = Field(.id(Artists.self))
  public let venue = Field(.string)
  public let startsAt = Field(.double)
  public let status = Field(.enumeration(ShowStatus.self))
  /// Kept: entries of its setlist.
  public let setlistCount = Field(.wholeNumber, default: 0)
  /// Kept: votes for them.
  public let voteCount = Field(.wholeNumber, default: 0)
  /// Kept: those that are not older than a week.
  public let weekVotes = Field(.double, default: 0)
  /// Kept: when the oldest of those becomes older than a week.
  public let agesAt = Field(.optional(.double))
  /// Its place among those that trend, and the one before that, as `Trending` noted them.
  public let rank = Field(.optional(.wholeNumber))
  public let rankBefore = Field(.optional(.wholeNumber))

  public let byArtistStatus = Index("by_artist_status", \Shows.artist, \Shows.status, summing: \Shows.weekVotes)
  public let byStatusStartsAt = Index("by_status_startsAt", \Shows.status, \Shows.startsAt)
  public let byStatusWeekVotes = Index("by_status_weekVotes", \Shows.status, \Shows.weekVotes)
  public let byAgesAt = Index("by_agesAt", \Shows.agesAt)
  public let byRank = Index("by_rank", \Shows.rank)

  public init() {}
}

public enum ShowStatus: String, CaseIterable, Sendable { case upcoming, completed }

/// A song of a show's setlist.
public struct Setlists: Table {
  public static let name = "setlists"

  public let show = Field(.id(Shows.self))
  public let song = Field(.string)
  /// Kept.
  public let voteCount = Field(.wholeNumber, default: 0)

  public let byShowVoteCount = Index("by_show_voteCount", \Setlists.show, \Setlists.voteCount)

  public init() {}
}

public struct Votes: Table {
  public static let name = "votes"

  public let show = Field(.id(Shows.self))
  public let setlist = Field(.id(Setlists.self))
  public let voter = Field(.string)
  public let castAt = Field(.double)

  /// Nobody votes twice for a song.
  public let bySetlistVoter = Index("by_setlist_voter", \Votes.setlist, \Votes.voter, unique: true)
  public let byShowCastAt = Index("by_show_castAt", \Votes.show, \Votes.castAt)

  public init() {}
}

/// What a recount found.
public struct Recounts: Table {
  public static let name = "recounts"

  public let startedAt = Field(.double)
  public let endedAt = Field(.optional(.double))
  public let documents = Field(.wholeNumber, default: 0)
  /// Documents of which a kept number was wrong, and the first of them.
  public let differences = Field(.wholeNumber, default: 0)
  public let first = Field(.optional(.string))

  public init() {}
}
