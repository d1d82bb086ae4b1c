import Martlet

extension OrderFunctions {
  /// The order's fields, and its `user`'s name and email.
  public static let getOrder = Query("getOrder", Arg("orderId", .id(Orders.self))) { ctx, orderId in
    let order = try ctx.db.getOrder(orderId)
    let user = try ctx.db.find(order.userId)
    return order.adding(["user": .object(fields(("name", user?.name), ("email", user?.email)))])
  }

  /// The newest orders of who is signed in, or of the guest.
  public static let getMyOrders = Query("getMyOrders", Arg("limit", .wholeNumber, default: 100)) { ctx, limit -> [Document<Orders>] in
    guard let user = try ctx.customer() else { return [] }
    return try ctx.db.query(Orders.self).withIndex(\.byUserId) { $0.eq(\.userId, user.id) }.order(.descending).take(limit)
  }

  /// The newest orders of a status, each with its `userName` and `userEmail`.
  public static let getOrdersByStatus = Query(
    "getOrdersByStatus", Arg("status", .enumeration(OrderStatus.self)), Arg("limit", .optional(.wholeNumber))
  ) { ctx, status, limit in
    try ctx.db.query(Orders.self)
      .withIndex(\.byStatus) { $0.eq(\.status, status) }
      .order(.descending)
      .take(limit ?? 50)
      .map { order in
        let user = try ctx.db.find(order.userId)
        return order.adding(fields(("userName", user?.name), ("userEmail", user?.email)))
      }
  }

  /// All orders, newest first, page by page.
  public static let getPaginatedOrders = Query("getPaginatedOrders", Arg("paginationOpts", .pagination)) { ctx, page in
    try ctx.db.query(Orders.self).order(.descending).paginate(page)
  }

  /// What the last days brought, for a dashboard that watches it.
  ///
  /// No order is read: indexes count, and add up, in O(log n). The window begins at the time of the run. It moves when the
  /// query runs again, and not because time passes: with each order, and with each that changes its status.
  public static let getOrderStats = Query("getOrderStats", Arg("days", .wholeNumber, default: 30)) { ctx, days in
    guard (1...3_650).contains(days) else { throw ApplicationError("days must be between 1 and 3650") }
    return try ctx.db.orderStats(from: ctx.now - Double(days) * 86_400_000)
  }

  /// The fields that are there: the user of an order may have been deleted.
  private static func fields(_ fields: (name: String, text: String?)...) -> ObjectValue {
    ObjectValue(uniqueFields: fields.compactMap { name, text in text.map { (name, .string($0)) } })
  }
}

/// The answer of `orders:getOrderStats`.
public struct OrderStats: ValidatedValue, Hashable {
  public var total: Int
  public var revenue: Double
  public var byStatus: [String: Int]
  public var averageOrderValue: Double

  public static let validator = Validator<OrderStats>.object(
    Property("total", \OrderStats.total, .wholeNumber),
    Property("revenue", \OrderStats.revenue, .double),
    Property("byStatus", \OrderStats.byStatus, .record(.wholeNumber)),
    Property("averageOrderValue", \OrderStats.averageOrderValue, .double)
  ) {
    OrderStats(total: $0, revenue: $1, byStatus: $2, averageOrderValue: $3)
  }
}

extension ReadsDatabase {
  /// Of the orders that were created in a span of time, its end excluded.
  func orderStats(from start: Double, to end: Double = .infinity) throws -> OrderStats {
    let orders = try query(Orders.self).withIndex(\.byCreatedAt) { $0.gte(\.createdAt, start).lt(\.createdAt, end) }
    let total = try orders.count()
    let revenue = try orders.sum(\.total)
    var byStatus: [String: Int] = [:]
    for status in OrderStatus.allCases {
      byStatus[status.rawValue] = try query(Orders.self)
        .withIndex(\.byStatusCreatedAt) { $0.eq(\.status, status).gte(\.createdAt, start).lt(\.createdAt, end) }
        .count()
    }
    return OrderStats(total: total, revenue: revenue, byStatus: byStatus, averageOrderValue: total == 0 ? 0 : revenue / Double(total))
  }
}
