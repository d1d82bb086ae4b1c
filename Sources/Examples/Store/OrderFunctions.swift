import Martlet

public enum OrderFunctions: FunctionModule {
  public static let path = "orders"
  public static let functions: [any ServerFunction] = [
    createOrder, updateOrderStatus, cancelOrder, addOrderNote,
    getOrder, getMyOrders, getOrdersByStatus, getPaginatedOrders, getOrderStats,
  ]

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
    try ctx.move(ctx.db.getOrder(orderId), to: progress, trackingNumber: trackingNumber)
    return Success()
  }

  /// Cancels an order that has not been shipped, puts its items back into stock, and gives back what was paid for it.
  ///
  /// While a payment is under way nobody can say whether there is something to give back: the order can be cancelled when
  /// that is known.
  public static let cancelOrder = Mutation("cancelOrder", Arg("orderId", .id(Orders.self))) { ctx, orderId in
    let order = try ctx.requireOwn(ctx.db.getOrder(orderId))
    guard order.status == .pending || order.status == .confirmed else {
      throw ApplicationError("Cannot cancel order in current status")
    }
    guard order.payment?.state.isUnderWay != true else { throw ApplicationError("A payment of this order is under way") }
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
    try ctx.refundIfPaid(orderId)
    return Success()
  }

  /// For the shop's people: what happened to an order beside its status.
  public static let addOrderNote = Mutation(
    "addOrderNote", Arg("orderId", .id(Orders.self)), Arg("note", .string), visibility: .internal
  ) { ctx, orderId, note in
    try ctx.db.patch(orderId) { $0.notes = ($0.notes ?? []) + [OrderNote(text: note, createdAt: ctx.now)] }
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

  /// Moves an order on, with the time of it, and tells its user.
  func move(_ order: Document<Orders>, to progress: OrderProgress, trackingNumber: String? = nil) throws {
    try db.patch(order.id) {
      $0.status = progress.status
      switch progress {
      case .confirmed: $0.confirmedAt = now
      case .shipped:
        $0.shippedAt = now
        if let trackingNumber, !trackingNumber.isEmpty { $0.trackingNumber = trackingNumber }
      case .delivered: $0.deliveredAt = now
      case .cancelled: break
      }
    }
    try notify(
      order.userId, .info, "Order \(progress.rawValue)", "Your order has been \(progress.rawValue).",
      metadata: ["orderId": .string(order.id.description), "status": .string(progress.rawValue)])
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

extension ReadsDatabase {
  func getOrder(_ id: ID<Orders>) throws -> Document<Orders> {
    guard let order = try find(id) else { throw ApplicationError("Order not found") }
    return order
  }
}
