import Martlet

/// What whales did, and who sees it when: those who pay most at once, others half a minute or a quarter of an hour later.
public enum ActivityFunctions: FunctionModule {
  public static let path = "activity"
  public static let functions: [any ServerFunction] = [feed, record, reveal]

  /// The newest first, of what the caller may see already.
  public static let feed = Query("feed", Arg("limit", .wholeNumber, default: 50)) { ctx, limit in
    let activity = try ctx.db.query(WhaleActivity.self)
    let visible =
      switch Tier(of: ctx.identity) {
      case .proPlus: try activity.withIndex(\.byTimestamp)
      case .pro: try activity.withIndex(\.byVisibleToPro) { $0.eq(\.isVisibleToPro, true) }
      case .free: try activity.withIndex(\.byVisibleToFree) { $0.eq(\.isVisibleToFree, true) }
      }
    return try visible.order(.descending).take(limit)
  }

  /// Stores the trades of a batch of wallets that aren't known yet, and counts them and the batch's errors in its sync, all at once.
  ///
  /// A trade on a market that isn't known is left out: a later sync finds it again, when there is the market.
  static let record = Mutation(
    "record", Arg("sync", .id(SyncLogs.self)), Arg("batch", .array(.codable(WalletTrades.self))), Arg("errors", .array(.string)),
    visibility: .internal
  ) { ctx, sync, batch, errors in
    var count = 0
    for wallet in batch {
      guard let whale = try ctx.db.whale(wallet.address) else { continue }
      for trade in wallet.trades where try ctx.record(trade, of: whale.id) { count += 1 }
    }
    try ctx.addToSync(sync, items: count, errors: errors)
  }

  /// Shows an activity to a tier whose time has come.
  static let reveal = Mutation(
    "reveal", Arg("activity", .id(WhaleActivity.self)), Arg("tier", .enumeration(Tier.self)), visibility: .internal
  ) { ctx, activity, tier in
    guard try ctx.db.find(activity) != nil else { return }
    try ctx.db.patch(activity) {
      switch tier {
      case .proPlus: break
      case .pro: $0.isVisibleToPro = true
      case .free: $0.isVisibleToFree = true
      }
    }
  }
}

/// What a caller pays for. It is the claim `tier` of who has signed in; others are `free`.
public enum Tier: String, CaseIterable, Sendable {
  case proPlus = "pro_plus"
  case pro, free

  init(of identity: Identity) {
    guard case .string(let name)? = identity.claims["tier"] else {
      self = .free
      return
    }
    self = Tier(rawValue: name) ?? .free
  }

  /// After a trade, in milliseconds.
  var delay: Double {
    switch self {
    case .proPlus: 0
    case .pro: 30_000
    case .free: 900_000
    }
  }
}

extension MutationContext {
  /// False where the trade is known, or its market isn't.
  fileprivate func record(_ trade: Trade, of whale: ID<Whales>) throws -> Bool {
    let known = try db.query(WhaleActivity.self)
      .withIndex(\.byTradeId) { $0.eq(\.platform, .opinionTrade).eq(\.tradeId, trade.tradeId) }
      .count()
    guard known == 0, let market = try run(MarketFunctions.get(trade.marketId)) else { return false }
    let proAt = trade.timestamp + Tier.pro.delay
    let freeAt = trade.timestamp + Tier.free.delay
    let activity = try db.insert(WhaleActivity.self) {
      $0.whale = whale
      $0.market = market.id
      $0.platform = .opinionTrade
      $0.tradeId = trade.tradeId
      $0.action = trade.action
      $0.amount = trade.amount
      $0.price = trade.price
      $0.timestamp = trade.timestamp
      $0.visibleToProAt = proAt
      $0.visibleToFreeAt = freeAt
      $0.isVisibleToPro = proAt <= now
      $0.isVisibleToFree = freeAt <= now
    }
    if proAt > now { try scheduler.run(at: proAt, ActivityFunctions.reveal(activity, .pro)) }
    if freeAt > now { try scheduler.run(at: freeAt, ActivityFunctions.reveal(activity, .free)) }
    return true
  }
}
