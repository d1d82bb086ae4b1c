import Martlet

/// The numbers that documents keep, changed in the transaction of what they count.
///
/// A trigger sees every write, whoever makes it, so no function has to think of a counter, and none can forget it. Two ways are used, each where it is
/// the plainer one:
///
/// - **by the difference:** a vote more is one more. It reads what it changes, and nothing else.
/// - **by asking an index:** it counts and sums in O(log n), so a number can be had anew from what it is about. That can't drift, and needs no case for
///   each way in which it could change.
///
///     votes ─▶ setlist.voteCount, show.voteCount ±1; show.weekVotes, agesAt ─▶ artist.weekVotes
///     setlists ─▶ show.setlistCount ±1
///     shows ─▶ artist.upcomingShows, weekVotes
enum Counters {
  static let triggers = [countVotes, countSetlists, sumShows]

  static let countVotes = Trigger.onChange(of: Votes.self) { ctx, change in
    if let old = change.old { try ctx.count(old, by: -1) }
    if let new = change.new { try ctx.count(new, by: 1) }
  }

  static let countSetlists = Trigger.onChange(of: Setlists.self) { ctx, change in
    guard change.old?.show != change.new?.show else { return }
    if let old = change.old { try ctx.db.patch(old.show) { $0.setlistCount -= 1 } }
    if let new = change.new { try ctx.db.patch(new.show) { $0.setlistCount += 1 } }
  }

  static let sumShows = Trigger.onChange(of: Shows.self) { ctx, change in
    let (old, new) = (change.old, change.new)
    guard old?.artist != new?.artist || old?.status != new?.status || old?.weekVotes != new?.weekVotes else { return }
    for artist in Set([old?.artist, new?.artist].compactMap { $0 }) { try ctx.sumShows(of: artist) }
  }

  static let week = 7 * 86_400_000.0
}

extension MutationContext {
  fileprivate func count(_ vote: Document<Votes>, by difference: Int) throws {
    try db.patch(vote.setlist) { $0.voteCount += difference }
    let week = try db.weekVotes(of: vote.show, at: now)
    try db.patch(vote.show) {
      $0.voteCount += difference
      $0.weekVotes = week.count
      $0.agesAt = week.agesAt
    }
  }

  fileprivate func sumShows(of artist: ID<Artists>) throws {
    let upcoming = try db.upcoming(of: artist)
    let (count, votes) = (try upcoming.count(), try upcoming.sum(\.weekVotes))
    try db.patch(artist) {
      $0.upcomingShows = count
      $0.weekVotes = votes
    }
  }
}

extension ReadsDatabase {
  /// The votes for a show that are not older than a week, and when the first of them will be. O(log n).
  func weekVotes(of show: ID<Shows>, at now: Double) throws -> (count: Double, agesAt: Double?) {
    let votes = try query(Votes.self).withIndex(\.byShowCastAt) { $0.eq(\.show, show).gt(\.castAt, now - Counters.week) }
    return (Double(try votes.count()), try votes.min(\.castAt).map { $0 + Counters.week })
  }

  func upcoming(of artist: ID<Artists>) throws -> TableQuery<Shows> {
    try query(Shows.self).withIndex(\.byArtistStatus) { $0.eq(\.artist, artist).eq(\.status, .upcoming) }
  }
}
