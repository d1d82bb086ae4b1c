import Martlet

/// What the shop asks of the payment service, in the words of Stripe's API.
///
/// Each request carries an idempotency key: asked again under the same key, the service answers what it did the first
/// time, and does nothing twice. So a request may be sent until an answer comes, whatever became of those before it.
///
/// An answer is a fact (`ChargeOutcome`), or an error that leaves open what happened: a timeout, a broken connection, 429,
/// 500, half of an answer. Those are thrown, for the workpool to try again.
struct Stripe {
  private let ctx: ActionContext
  private let base: String
  private let key: String

  /// - Throws: `MissingVariable`
  init(_ ctx: ActionContext) throws {
    self.ctx = ctx
    base = ctx.environment["STRIPE_URL"] ?? "https://api.stripe.com"
    key = try ctx.environment.require("STRIPE_SECRET_KEY")
  }

  func charge(_ order: ChargeRequest) async throws -> ChargeOutcome {
    let response = try await post(
      "payment_intents", key: "charge-\(order.orderId)-\(order.attempt)",
      [
        "amount": "\(order.amount)", "currency": "usd", "payment_method": order.method, "confirm": "true",
        "metadata[orderId]": order.orderId.description, "metadata[userId]": order.userId.description,
      ])
    if response.status == 402 { return ChargeOutcome(failure: try response.decode(as: Refusal.self).error.message) }
    let intent = try response.requireSuccess().decode(as: PaymentIntent.self)
    guard intent.status == "succeeded" else {
      return ChargeOutcome(failure: "The card needs a confirmation that this shop can't ask for (\(intent.status))")
    }
    guard intent.amount == order.amount, intent.currency == "usd" else { throw UnexpectedAnswer() }
    return ChargeOutcome(paymentId: intent.id)
  }

  /// Gives back all that was charged, and answers the refund's id.
  func refund(_ paymentId: String, of order: ID<Orders>) async throws -> String {
    let response = try await post("refunds", key: "refund-\(order)-\(paymentId)", ["payment_intent": paymentId])
    let refund = try response.requireSuccess().decode(as: Refund.self)
    guard refund.status == "succeeded" || refund.status == "pending" else { throw UnexpectedAnswer() }
    return refund.id
  }

  private func post(_ path: String, key idempotencyKey: String, _ form: KeyValuePairs<String, String>) async throws -> Response {
    var request = Request(
      "\(base)/v1/\(path)", method: .post,
      headers: ["authorization": "Bearer \(key)", "idempotency-key": idempotencyKey, "stripe-version": "2023-10-16"],
      timeout: .seconds(10))
    request.setForm(form)
    let response = try await ctx.fetch(request)
    if response.status == 409 { throw StillBusy() }
    return response
  }

  private struct PaymentIntent: Decodable {
    var id: String
    var status: String
    var amount: Int
    var currency: String
  }

  private struct Refund: Decodable {
    var id: String
    var status: String
  }

  private struct Refusal: Decodable {
    struct Reason: Decodable { var message: String }
    var error: Reason
  }

  /// Success, but not with what was asked for. Asking again gives the same; a person has to look.
  private struct UnexpectedAnswer: RetryDecision {
    var isRetryable: Bool { false }
  }
}

/// An earlier request under the same idempotency key has not ended: 409, which is otherwise nothing to try again.
struct StillBusy: RetryDecision {
  var isRetryable: Bool { true }
}

/// What is to be charged for an order, in cents.
public struct ChargeRequest: CodableWireValue {
  public var orderId: ID<Orders>
  public var userId: ID<Users>
  public var amount: Int
  public var method: String
  public var attempt: Int
}

/// A payment that was made, or was refused: one of the two is there.
public struct ChargeOutcome: CodableWireValue {
  public var paymentId: String?
  public var failure: String?
}
