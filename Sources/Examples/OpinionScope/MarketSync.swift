import Martlet

/// Keeps the markets as the exchange has them.
///
/// The action stores what it fetched by a mutation of its own, rather than handing it to `onComplete` as its answer: the answers of retried runs
/// are kept for a week. Storing twice is the same as once, so an attempt that is repeated does no harm.
public enum MarketSync: FunctionModule {
  public static let path = "marketSync"
  public static let functions: [any ServerFunction] = [start, fetch, store, ended]

  public static let start = Mutation("start", visibility: .internal) { ctx -> ID<SyncLogs>? in
    guard let sync = try ctx.beginSync(.markets) else { return nil }
    let run = try ctx.retrier.run(
      fetch(sync), options: RetryOptions(initialBackoff: .milliseconds(500), maxFailures: 3), onComplete: ended)
    try ctx.db.patch(sync) { $0.run = run }
    return sync
  }

  static let fetch = Action("fetch", Arg("sync", .id(SyncLogs.self)), visibility: .internal) { ctx, sync in
    let listings = try await Exchange(ctx).markets()
    try await ctx.run(store(sync, listings))
  }

  /// Inserts and changes in one transaction; what has stayed as it was isn't written, so that nobody is told of it.
  static let store = Mutation(
    "store", Arg("sync", .id(SyncLogs.self)), Arg("listings", .array(.codable(MarketListing.self))), visibility: .internal
  ) { ctx, sync, listings in
    for listing in listings {
      let known = try ctx.db.query(Markets.self)
        .withIndex(\.byExternalId) { $0.eq(\.platform, .opinionTrade).eq(\.externalId, listing.marketId) }
        .unique()
      if let known {
        if !listing.isShown(by: known) { try ctx.db.patch(known.id) { listing.fill(&$0, at: ctx.now) } }
      } else {
        try ctx.db.insert(Markets.self) { listing.fill(&$0, at: ctx.now) }
      }
    }
    try ctx.db.patch(sync) { $0.itemCount = listings.count }
  }

  static let ended = Mutation(
    "ended", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult), visibility: .internal
  ) { ctx, run, result in
    guard let sync = try ctx.sync(waitingFor: run) else { return }
    try ctx.addToSync(sync.id, result)
    try ctx.endSync(sync.id)
  }
}

extension MarketListing {
  /// Nobody has traded: both sides are as likely.
  private static let openingPrice = 0.5

  private var category: String { labels?.first ?? "other" }
  private var price: Double { yesPrice ?? Self.openingPrice }

  fileprivate func fill(_ market: inout Draft<Markets>, at now: Double) {
    market.platform = .opinionTrade
    market.externalId = marketId
    market.title = title
    market.category = category
    market.yesPrice = price
    market.noPrice = 1 - price
    market.volume = volume
    market.volume24h = volume24h
    market.endDate = cutoffAt
    market.url = "https://opinion.trade/market/\(marketId)"
    market.updatedAt = now
  }

  fileprivate func isShown(by market: Document<Markets>) -> Bool {
    market.title == title && market.category == category && market.yesPrice == price && market.volume == volume
      && market.volume24h == volume24h && market.endDate == cutoffAt
  }
}
