import Martlet

/// What changes about the trending shows as time passes, and not by what anybody does: votes become older than a week.
///
/// Each show says when that will next happen to it. So the cron reads the shows to which it has happened, however many there are beside them; on a
/// day without votes, none.
public enum Trending: FunctionModule {
  public static let path = "trending"
  public static let functions: [any ServerFunction] = [update, noteRanks]

  static let batchSize = 100
  /// How many have a rank.
  static let ranked = 50

  public static let update: Mutation<Int> = Mutation("update", visibility: .internal) { ctx in
    let aged = try ctx.db.query(Shows.self).withIndex(\.byAgesAt) { $0.gt(\.agesAt, 0).lte(\.agesAt, ctx.now) }.take(batchSize)
    for show in aged {
      let week = try ctx.db.weekVotes(of: show.id, at: ctx.now)
      try ctx.db.patch(show.id) {
        $0.weekVotes = week.count
        $0.agesAt = week.agesAt
      }
    }
    try ctx.scheduler.run(after: .zero, aged.count == batchSize ? update() : noteRanks())
    return aged.count
  }

  /// Notes the places of the first fifty, and what they were before, so that people see what rises.
  static let noteRanks: Mutation<Int> = Mutation("noteRanks", visibility: .internal) { ctx in
    let before = try ctx.db.query(Shows.self).withIndex(\.byRank) { $0.gte(\.rank, 1) }.collect()
    let first = try ctx.db.query(Shows.self).withIndex(\.byStatusWeekVotes) { $0.eq(\.status, .upcoming).gt(\.weekVotes, 0) }
      .order(.descending).take(ranked)
    let ranks = Dictionary(uniqueKeysWithValues: first.enumerated().map { ($1.id, $0 + 1) })
    for show in before where ranks[show.id] == nil {
      try ctx.db.patch(show.id) {
        $0.rank = nil
        $0.rankBefore = show.rank
      }
    }
    for show in first where show.rank != ranks[show.id] || show.rankBefore != show.rank {
      try ctx.db.patch(show.id) {
        $0.rank = ranks[show.id]
        $0.rankBefore = show.rank
      }
    }
    return first.count
  }
}
