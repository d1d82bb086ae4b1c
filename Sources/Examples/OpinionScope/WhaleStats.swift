import Martlet

/// Writes down each hour what each whale's activity adds up to, so that whales can be ordered by it.
///
/// An index that counts and sums answers for a whale in O(log n), whatever it did; and whales are taken a page at a time, each a transaction that
/// has the next one run.
public enum WhaleStats: FunctionModule {
  public static let path = "whaleStats"
  public static let functions: [any ServerFunction] = [start, step]

  static let pageSize = 100

  public static let start = Mutation("start", visibility: .internal) { ctx -> ID<SyncLogs>? in
    guard let sync = try ctx.beginSync(.stats) else { return nil }
    try ctx.run(step(sync, nil))
    return sync
  }

  static let step: Mutation<Null, ID<SyncLogs>, String?> = Mutation(
    "step", Arg("sync", .id(SyncLogs.self)), Arg("cursor", .optional(.string)), visibility: .internal
  ) { ctx, sync, cursor -> Void in
    let page = try ctx.db.query(Whales.self).paginate(PaginationOptions(numItems: pageSize, cursor: cursor))
    for whale in page.documents {
      let activity = try ctx.db.query(WhaleActivity.self).withIndex(\.byWhaleTimestamp) { $0.eq(\.whale, whale.id) }
      let (volume, count, last) = (try activity.sum(\.amount), try activity.count(), try activity.max(\.timestamp))
      guard whale.totalVolume != volume || whale.tradeCount != count else { continue }
      try ctx.db.patch(whale.id) {
        $0.totalVolume = volume
        $0.tradeCount = count
        $0.lastActiveAt = last ?? whale.lastActiveAt
      }
    }
    try ctx.addToSync(sync, items: page.documents.count)
    if page.isDone { try ctx.endSync(sync) } else { try ctx.scheduler.run(after: .zero, step(sync, page.continueCursor)) }
  }
}
