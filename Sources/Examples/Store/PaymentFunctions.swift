import Martlet

/// Paying for an order.
///
///     processPayment ──▶ charge (an action, in a workpool) ──▶ settled ──▶ confirmed, and a mail
///       a mutation:        asks the payment service,             a mutation:
///       marks the order    until it answers                      moves the order on, exactly once
///
/// An action by itself runs at most once: if the server died in the middle of it, nobody would know whether the card was
/// charged. So that a payment is begun stands in the order, and the work that goes on with it in the database; whatever
/// dies, it goes on after the next start, under the same idempotency key. The order's status is moved by mutations only.
///
/// What is still not known when the workpool gives up is `unclear`, and asked again hourly for as long as the service
/// remembers keys; no other payment of the order can begin meanwhile.
public enum PaymentFunctions: FunctionModule {
  public static let path = "payments"
  public static let functions: [any ServerFunction] = [
    processPayment, chargeRequest, charge, settled, refund, refunded, recheck,
  ]

  /// At most four requests at a time are with the payment service.
  public static let pool = Workpool(
    "payments", maxParallelism: 4, retry: RetryOptions(initialBackoff: .milliseconds(500), maxFailures: 5))

  /// Who tries one card after another is no customer.
  static let tries = RateLimit("payments", .fixedWindow(5, per: .seconds(3_600)))

  // MARK: Paying

  /// Begins to pay for a pending order. How it ends is seen in the order: `status` and `payment`.
  public static let processPayment = Mutation(
    "processPayment", Arg("orderId", .id(Orders.self)), Arg("paymentMethodId", .string)
  ) { ctx, orderId, method in
    let order = try ctx.requireOwn(ctx.db.getOrder(orderId))
    guard order.status == .pending else { throw ApplicationError("Order is not in pending status") }
    guard order.payment?.state.isUnderWay != true else { throw ApplicationError("A payment of this order is under way") }
    guard order.total > 0 else { throw ApplicationError("There is nothing to pay") }
    try ctx.rateLimiter.require(tries, key: orderId.description)
    try ctx.db.patch(orderId) {
      $0.payment = Payment(state: .processing, attempt: (order.payment?.attempt ?? 0) + 1, method: method, startedAt: ctx.now)
    }
    return try ctx.workpools.enqueue(pool, charge(orderId), onComplete: settled)
  }

  /// What the action has to know.
  public static let chargeRequest = Query("chargeRequest", Arg("orderId", .id(Orders.self)), visibility: .internal) { ctx, orderId in
    let order = try ctx.db.getOrder(orderId)
    guard let payment = order.payment else { throw ApplicationError("No payment of this order was begun") }
    return ChargeRequest(
      orderId: orderId, userId: order.userId, amount: Int(order.total.rounded()), method: payment.method, attempt: payment.attempt)
  }

  /// Charges the card, or finds out that it was. What it answers is certain; what isn't, it throws.
  public static let charge = Action(
    "charge", Arg("orderId", .id(Orders.self)), visibility: .internal, pool: "payments"
  ) { ctx, orderId -> ChargeOutcome in
    let request = try await ctx.run(chargeRequest(orderId))
    do { return try await Stripe(ctx).charge(request) } catch let error as MissingVariable {
      return refused(error, ctx)
    } catch let error as HTTPStatusError where !error.isRetryable {
      return refused(error, ctx)
    }
  }

  /// Nothing was charged, and it isn't the card: the customer isn't told more.
  private static func refused(_ error: any Error, _ ctx: ActionContext) -> ChargeOutcome {
    ctx.log.error("a payment can't be made: \(error)")
    return ChargeOutcome(failure: "The shop can't take payments now")
  }

  public static let settled = Mutation(
    "settled", Arg("work", .id(WorkItems.self)), Arg("result", .workResult), visibility: .internal
  ) { ctx, work, result in
    let orderId = try ctx.db.get(work).argument("orderId", .id(Orders.self))
    guard let order = try ctx.db.find(orderId), let payment = order.payment, payment.state == .processing else { return }
    switch result {
    case .success(let value): try ctx.settle(order, payment, value.decode(as: ChargeOutcome.self))
    case .failed(let error):
      try ctx.change(orderId) {
        $0.state = .unclear
        $0.error = "It isn't known yet whether the payment succeeded"
      }
      // What the service said is for the shop's eyes, and not for the customer's.
      ctx.log.warning("whether order \(orderId) is paid is unclear: \(error)")
      try ctx.run(OrderFunctions.addOrderNote(orderId, "Payment unclear: it is asked for again each hour"))
    case .canceled: try ctx.change(orderId) { $0.state = .unclear }
    }
  }

  // MARK: Giving back

  public static let refund = Action(
    "refund", Arg("orderId", .id(Orders.self)), Arg("paymentId", .string), visibility: .internal, pool: "payments"
  ) { ctx, orderId, paymentId in
    try await Stripe(ctx).refund(paymentId, of: orderId)
  }

  public static let refunded = Mutation(
    "refunded", Arg("work", .id(WorkItems.self)), Arg("result", .workResult), visibility: .internal
  ) { ctx, work, result in
    let orderId = try ctx.db.get(work).argument("orderId", .id(Orders.self))
    guard let order = try ctx.db.find(orderId), order.payment?.state == .refunding else { return }
    switch result {
    case .success(let id):
      try ctx.change(orderId) {
        $0.state = .refunded
        $0.refundId = try id.decode(as: String.self)
        $0.error = nil
      }
      try ctx.notify(order.userId, .success, "Payment refunded", "What you paid for order #\(orderId) is on its way back to you.")
    case .failed(let error):
      try ctx.change(orderId) {
        $0.state = .unrefunded
        $0.error = error
      }
    case .canceled: try ctx.change(orderId) { $0.state = .unrefunded }
    }
  }

  // MARK: What is left open

  /// How long the payment service remembers an idempotency key, less an hour.
  static let keyLifetime = 23 * 3_600_000.0
  static let batch = 50

  /// Asks again how unclear payments stand, and for refunds that failed. The same key can't charge or refund twice.
  public static let recheck: Mutation<Int> = Mutation("recheck", visibility: .internal) { ctx -> Int in
    let unclear = try ctx.db.orders(paid: .unclear, atMost: batch)
    for order in unclear {
      let isRemembered = ctx.now - order.payment!.startedAt < keyLifetime
      try ctx.change(order.id) { $0.state = isRemembered ? .processing : .stuck }
      if isRemembered {
        try ctx.workpools.enqueue(pool, charge(order.id), onComplete: settled)
      } else {
        try ctx.run(OrderFunctions.addOrderNote(order.id, "Payment stuck: look it up at the payment service"))
      }
    }
    let unrefunded = try ctx.db.orders(paid: .unrefunded, atMost: batch)
    for order in unrefunded { try ctx.startRefund(order.id, order.paymentId!) }
    if unclear.count == batch || unrefunded.count == batch { try ctx.scheduler.run(after: .seconds(60), recheck()) }
    return unclear.count + unrefunded.count
  }
}

extension ReadsDatabase {
  func orders(paid state: PaymentState, atMost count: Int) throws -> [Document<Orders>] {
    try query(Orders.self).withIndex(\.byPayment) { $0.eq("payment.state", .string(state.rawValue)) }.take(count)
  }
}

extension MutationContext {
  fileprivate func change(_ order: ID<Orders>, _ change: (inout Payment) throws -> Void) throws {
    guard var payment = try db.get(order).payment else { return }
    try change(&payment)
    try db.patch(order) { $0.payment = payment }
  }

  fileprivate func settle(_ order: Document<Orders>, _ payment: Payment, _ outcome: ChargeOutcome) throws {
    guard let paymentId = outcome.paymentId else {
      let reason = outcome.failure ?? "declined"
      try change(order.id) {
        $0.state = .declined
        $0.error = reason
      }
      try run(OrderFunctions.addOrderNote(order.id, "Payment failed: \(reason)"))
      return try notify(
        order.userId, .error, "Payment failed", reason, metadata: ["orderId": .string(order.id.description)])
    }
    try db.patch(order.id) { $0.paymentId = paymentId }
    try change(order.id) {
      $0.state = .paid
      $0.error = nil
    }
    switch order.status {
    case .pending:
      try move(order, to: .confirmed)
      try MailFunctions.confirm(order.id, self)
    // The shop's people have been faster.
    case .cancelled: try refundIfPaid(order.id)
    case .confirmed, .shipped, .delivered: break
    }
  }

  func refundIfPaid(_ order: ID<Orders>) throws {
    let order = try db.get(order)
    guard order.payment?.state == .paid, let paymentId = order.paymentId else { return }
    try startRefund(order.id, paymentId)
  }

  fileprivate func startRefund(_ order: ID<Orders>, _ paymentId: String) throws {
    try change(order) { $0.state = .refunding }
    try workpools.enqueue(
      PaymentFunctions.pool, PaymentFunctions.refund(order, paymentId), onComplete: PaymentFunctions.refunded)
  }
}
