import Martlet

/// Removes what is older than 90 days, 500 documents in a transaction, until nothing is left of it.
public enum Cleanup: FunctionModule {
  public static let path = "cleanup"
  public static let functions: [any ServerFunction] = [start, step]

  static let retention = 90 * 86_400_000.0
  static let batchSize = 500

  public static let start = Mutation("start", visibility: .internal) { ctx -> ID<SyncLogs>? in
    guard let sync = try ctx.beginSync(.cleanup) else { return nil }
    try ctx.run(step(sync, ctx.now - retention))
    return sync
  }

  /// - Parameter before: the first time that stays. It is the same for all batches, so that they come to an end.
  static let step: Mutation<Null, ID<SyncLogs>, Double> = Mutation(
    "step", Arg("sync", .id(SyncLogs.self)), Arg("before", .double), visibility: .internal
  ) { ctx, sync, before -> Void in
    let activity = try ctx.db.query(WhaleActivity.self).withIndex(\.byTimestamp) { $0.lt(\.timestamp, before) }.take(batchSize)
    for old in activity { try ctx.db.delete(old.id) }
    let logs = try ctx.db.query(SyncLogs.self).withIndex(\.byStartedAt) { $0.lt(\.startedAt, before) }.take(batchSize - activity.count)
    for old in logs { try ctx.db.delete(old.id) }
    let removed = activity.count + logs.count
    try ctx.addToSync(sync, items: removed)
    if removed < batchSize { try ctx.endSync(sync) } else { try ctx.scheduler.run(after: .zero, step(sync, before)) }
  }
}
