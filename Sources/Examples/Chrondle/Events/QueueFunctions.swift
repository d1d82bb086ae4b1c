import Martlet

/// What players suggest waits in a queue, so that suggesting is one cheap insert, whoever suggests at the same time, and looking at it comes in batches.
public enum QueueFunctions: FunctionModule {
  public static let path = "queue"
  public static let functions: [any ServerFunction] = [suggest, processBatch, sweep]

  static let batchSize = 10
  /// A suggestion is left alone for so long, milliseconds.
  static let restingTime = 30_000.0
  static let suggesting = RateLimit("suggestions", .tokenBucket(20, per: .seconds(60), capacity: 40))

  public static let suggest = Mutation(
    "suggest", Arg("player", .string), Arg("year", .wholeNumber), Arg("event", .string)
  ) { ctx, player, year, event in
    try ctx.rateLimiter.require(suggesting, key: player)
    guard event.utf8.count <= 1_000 else { throw ApplicationError("the suggestion is too long") }
    return try ctx.db.insert(EventQueue.self) {
      $0.event = event
      $0.year = year
      $0.status = .pending
      $0.createdAt = ctx.now
    }
  }

  /// The cron of every minute: the oldest first. Where more is waiting, the next batch comes at once, as a transaction of its own.
  static let processBatch: Mutation<Int> = Mutation("processBatch", visibility: .internal) { ctx in
    let waiting = try ctx.db.query(EventQueue.self)
      .withIndex(\.byStatusTime) { $0.eq(\.status, .pending).lt(\.createdAt, ctx.now - restingTime) }
      .take(batchSize)
    let thisYear = Day.year(of: ctx.now)
    for item in waiting {
      let event = NewEvent(year: item.year, event: item.event)
      if let problem = event.problem(thisYear: thisYear) {
        try ctx.db.patch(item.id) {
          $0.status = .rejected
          $0.reason = problem
        }
      } else {
        _ = try ctx.store(event, from: .suggested)
        try ctx.db.delete(item.id)
      }
    }
    if waiting.count == batchSize { try ctx.scheduler.run(after: .zero, processBatch()) }
    return waiting.count
  }

  /// The hourly cron: forgets what was rejected a week ago, a bounded number at a time.
  static let sweep = Mutation("sweep", visibility: .internal) { ctx in
    let old = try ctx.db.query(EventQueue.self)
      .withIndex(\.byStatusTime) { $0.eq(\.status, .rejected).lt(\.createdAt, ctx.now - 7 * 86_400_000) }
      .take(100)
    for item in old { try ctx.db.delete(item.id) }
    return old.count
  }
}
