import Martlet

public enum MarketFunctions: FunctionModule {
  public static let path = "markets"
  public static let functions: [any ServerFunction] = [trending, inCategory, get]

  /// What was traded most within a day, of the markets that are open.
  public static let trending = Query("trending", Arg("limit", .wholeNumber, default: 20)) { ctx, limit in
    try ctx.db.query(Markets.self).withIndex(\.byVolume24h).order(.descending).filter { $0.endDate > ctx.now }.take(limit)
  }

  /// The same within a category.
  public static let inCategory = Query(
    "inCategory", Arg("category", .string), Arg("limit", .wholeNumber, default: 20)
  ) { ctx, category, limit in
    try ctx.db.query(Markets.self).withIndex(\.byCategoryVolume24h) { $0.eq(\.category, category) }
      .order(.descending).filter { $0.endDate > ctx.now }.take(limit)
  }

  public static let get = Query("get", Arg("externalId", .string)) { ctx, externalId in
    try ctx.db.query(Markets.self).withIndex(\.byExternalId) { $0.eq(\.platform, .opinionTrade).eq(\.externalId, externalId) }.unique()
  }
}
