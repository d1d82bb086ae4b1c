import Martlet

public enum OrderFunctions: FunctionModule {
  public static let path = "orders"
  public static let functions: [any ServerFunction] = [
    createOrder, getOrder, getOrdersByStatus, updateOrderStatus, cancelOrder,
  ]

  // MARK: Reading

  /// The order's fields, and its `user`'s name and email.
  public static let getOrder = Query("getOrder", Arg("orderId", .id(Orders.self))) { ctx, orderId in
    guard let order = try ctx.db.find(orderId) else { throw ApplicationError("Order not found") }
    let user = try ctx.db.find(order.userId)
    return order.adding(["user": .object(fields(("name", user?.name), ("email", user?.email)))])
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

  /// The fields that are there: the user of an order may have been deleted.
  private static func fields(_ fields: (name: String, text: String?)...) -> ObjectValue {
    ObjectValue(uniqueFields: fields.compactMap { name, text in text.map { (name, .string($0)) } })
  }

  // MARK: Ordering

  /// Orders for who is signed in, or for the guest.
  public static let createOrder = Mutation(
    "createOrder", Arg("items", .array(OrderLine.validator))
  ) { ctx, lines in
    try ctx.placeOrder(lines, for: try ctx.currentUser())
  }

  /// Says how far an order has come. It doesn't touch the stock, not even where the status is `cancelled`: who wants
  /// the goods back on the shelf calls `cancelOrder`.
  public static let updateOrderStatus = Mutation(
    "updateOrderStatus", Arg("orderId", .id(Orders.self)),
    Arg("status", .enumeration(OrderProgress.self)), Arg("trackingNumber", .optional(.string))
  ) { ctx, orderId, progress, trackingNumber in
    guard let order = try ctx.db.find(orderId) else { throw ApplicationError("Order not found") }
    try ctx.db.patch(orderId) {
      $0.status = progress.status
      switch progress {
      case .confirmed: $0.confirmedAt = ctx.now
      case .shipped:
        $0.shippedAt = ctx.now
        if let trackingNumber, !trackingNumber.isEmpty { $0.trackingNumber = trackingNumber }
      case .delivered: $0.deliveredAt = ctx.now
      case .cancelled: break
      }
    }
    try ctx.notify(
      order.userId, .info, "Order \(progress.rawValue)", "Your order has been \(progress.rawValue).",
      metadata: ["orderId": .string(orderId.description), "status": .string(progress.rawValue)])
    return Success()
  }

  /// Cancels an order that has not been shipped, and puts its items back into stock.
  public static let cancelOrder = Mutation("cancelOrder", Arg("orderId", .id(Orders.self))) { ctx, orderId in
    guard let order = try ctx.db.find(orderId) else { throw ApplicationError("Order not found") }
    guard order.status == .pending || order.status == .confirmed else {
      throw ApplicationError("Cannot cancel order in current status")
    }
    try ctx.db.patch(orderId) { $0.status = .cancelled }
    for item in order.items {
      guard let product = try ctx.db.findProduct(item.productId) else { continue }
      try ctx.db.patch(product.id) {
        $0.stock += item.quantity
        $0.updatedAt = ctx.now
      }
    }
    try ctx.notify(
      order.userId, .info, "Order Cancelled", "Your order has been cancelled. Stock has been restored.")
    return Success()
  }
}

/// What an order can become: `pending` is only how it begins.
public enum OrderProgress: String, CaseIterable, Sendable {
  case confirmed, shipped, delivered, cancelled

  var status: OrderStatus {
    switch self {
    case .confirmed: .confirmed
    case .shipped: .shipped
    case .delivered: .delivered
    case .cancelled: .cancelled
    }
  }
}

extension MutationContext {
  /// Checks the lines of an order, takes them from the stock, stores the order and notifies its user.
  func placeOrder(_ lines: [OrderLine], for user: ID<Users>) throws -> OrderReceipt {
    // Each line is taken from the stock as it is checked. So a product that is named twice is checked against what the
    // first line left, and a line that fails takes everything back.
    let items = try lines.map { line in
      let product = try db.getProduct(line.productId)
      guard product.stock >= line.quantity else { throw ApplicationError("Insufficient stock for \(product.name)") }
      guard product.isActive else { throw ApplicationError("Product \(product.name) is not available") }
      try db.patch(product.id) {
        $0.stock -= line.quantity
        $0.updatedAt = now
      }
      return OrderItem(
        productId: line.productId, quantity: line.quantity, price: product.price, name: product.name)
    }
    let total = items.reduce(0) { $0 + $1.price * Double($1.quantity) }
    let orderId = try db.insert(Orders.self) {
      $0.userId = user
      $0.status = .pending
      $0.items = items
      $0.total = total
      $0.createdAt = now
    }
    try notify(user, .success, "Order Created", "Your order #\(orderId) has been created successfully.")
    return OrderReceipt(orderId: orderId, total: total)
  }

  /// The user who is signed in. Connections without a sign-in (a person with `nc`) share one guest.
  func currentUser() throws -> ID<Users> {
    let email = identity.email ?? "guest@example.com"
    if let user = try db.query(Users.self).withIndex(\.byEmail, { $0.eq(\.email, email) }).first() { return user.id }
    guard identity.email == nil else { throw ApplicationError("User not found") }
    return try db.insert(Users.self) {
      $0.name = "Guest"
      $0.email = email
      $0.role = .user
      $0.createdAt = now
    }
  }

  func notify(
    _ user: ID<Users>, _ type: NotificationType, _ title: String, _ message: String, metadata: Value? = nil
  ) throws {
    try db.insert(Notifications.self) {
      $0.userId = user
      $0.title = title
      $0.message = message
      $0.type = type
      $0.isRead = false
      $0.createdAt = now
      $0.metadata = metadata
    }
  }
}
