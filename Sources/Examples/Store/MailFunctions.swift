import Martlet

/// Mail, by a service with Resend's API. It is enqueued by the mutation that has something to tell, as a part of its
/// transaction: a mail goes out if, and only if, what it tells was committed.
public enum MailFunctions: FunctionModule {
  public static let path = "mail"
  public static let functions: [any ServerFunction] = [
    sendOrderConfirmation, confirmationEnded, sendDailyReport, confirmation, dailyReport,
  ]

  public static let pool = Workpool("mail", maxParallelism: 2, retry: RetryOptions(initialBackoff: .seconds(1), maxFailures: 6))

  public static let sendOrderConfirmation = Action(
    "sendOrderConfirmation", Arg("orderId", .id(Orders.self)), visibility: .internal, pool: "mail"
  ) { ctx, orderId in
    try await post(ctx.run(confirmation(orderId)), key: "confirmation-\(orderId)", ctx)
  }

  public static let sendDailyReport = Action("sendDailyReport", Arg("day", .string), visibility: .internal, pool: "mail") { ctx, day in
    let letter = try await ctx.run(dailyReport(day))
    guard !letter.to.isEmpty else { return "nobody wants it" }
    return try await post(letter, key: "report-\(day)", ctx)
  }

  /// A mail that can't be sent changes nothing of the order; the shop's people find it in the order's notes.
  public static let confirmationEnded = Mutation(
    "confirmationEnded", Arg("work", .id(WorkItems.self)), Arg("result", .workResult), visibility: .internal
  ) { ctx, work, result in
    guard case .failed(let error) = result else { return }
    let orderId = try ctx.db.get(work).argument("orderId", .id(Orders.self))
    guard try ctx.db.find(orderId) != nil else { return }
    try ctx.run(OrderFunctions.addOrderNote(orderId, "Confirmation not mailed: \(error)"))
  }

  static func confirm(_ order: ID<Orders>, _ ctx: MutationContext) throws {
    try ctx.workpools.enqueue(pool, sendOrderConfirmation(order), onComplete: confirmationEnded)
  }

  // MARK: Letters

  public static let confirmation = Query("confirmation", Arg("orderId", .id(Orders.self)), visibility: .internal) { ctx, orderId in
    let order = try ctx.db.getOrder(orderId)
    let user = try ctx.db.get(order.userId)
    let lines = order.items.map { "\($0.quantity) × \($0.name): $\(dollars($0.price * Double($0.quantity)))" }
    return Letter(
      to: [user.email], subject: "Order Confirmation",
      text: (["Dear \(user.name),", "your order #\(orderId) has been confirmed.", ""] + lines + ["", "Total: $\(dollars(order.total))"])
        .joined(separator: "\n"))
  }

  public static let dailyReport = Query("dailyReport", Arg("day", .string), visibility: .internal) { ctx, day -> Letter in
    guard let report = try ctx.db.query(Reports.self).withIndex(\.byDay, { $0.eq(\.day, day) }).first() else {
      throw ApplicationError("There is no report of \(day)")
    }
    let admins = try ctx.db.query(Users.self).withIndex(\.byRole) { $0.eq(\.role, .admin) }.take(50)
    let low = report.lowStock.isEmpty ? "Nothing is nearly gone." : "Nearly gone: \(report.lowStock.joined(separator: ", "))"
    return Letter(
      to: admins.map(\.email), subject: "Orders of \(day)",
      text: "\(report.orders) orders, $\(dollars(report.revenue)).\n\(low)\nPayments to look up: \(report.stuckPayments)")
  }

  /// Cents as dollars.
  static func dollars(_ cents: Double) -> String {
    let cents = Int(cents.rounded())
    let rest = cents % 100
    return "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  private static func post(_ letter: Letter, key: String, _ ctx: ActionContext) async throws -> String {
    let base = ctx.environment["RESEND_URL"] ?? "https://api.resend.com"
    let secret = try ctx.environment.require("RESEND_API_KEY")
    let response = try await ctx.fetch(
      "\(base)/emails", headers: ["authorization": "Bearer \(secret)", "idempotency-key": key],
      json: [
        "from": .string(ctx.environment["MAIL_FROM"] ?? "orders@example.com"), "to": .array(letter.to.map { .string($0) }),
        "subject": .string(letter.subject), "text": .string(letter.text),
      ], timeout: .seconds(10))
    if response.status == 409 { throw StillBusy() }
    return try response.requireSuccess().decode(as: Sent.self).id
  }

  private struct Sent: Decodable { var id: String }
}

public struct Letter: CodableWireValue {
  public var to: [String]
  public var subject: String
  public var text: String
}
