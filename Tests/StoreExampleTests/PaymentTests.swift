import Martlet
import MartletClient
import MartletTesting
import StoreExample
import Testing

/// Paying, whatever the payment service does. An order is charged once, or the store knows that it wasn't.
@Suite("The store's payments and mail", .timeLimit(.minutes(1)))
struct PaymentTests {
  /// An order of ten dollars, paid for; what became of it when everything has been tried that is tried at once.
  private struct Paid {
    let store: TestStore
    let order: ID<Orders>

    init(_ standIns: StandIns, method: String = "pm_card_visa", environment: [String: String] = TestStore.keys) async throws {
      store = try await TestStore(standIns, environment: environment)
      let cup = try await store.add("cup")
      let ada = try await store.customer("ada")
      order = try await ada.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])).orderId
      try await ada.run(PaymentFunctions.processPayment(order, method))
      await store.server.advance(by: .seconds(240))
    }

    var document: Value { get async throws { try await store.admin.run(OrderFunctions.getOrder(order)) } }

    var notes: [String] {
      get async throws {
        guard case .array(let notes)? = try await document["notes"] else { return [] }
        return notes.compactMap { $0["text"]?.text }
      }
    }
  }

  @Test("A payment confirms the order, notes what was charged, tells the customer and mails the confirmation")
  func paid() async throws {
    let paid = try await Paid(StandIns())
    let order = try await paid.document
    #expect(order["status"] == "confirmed" && order["paymentId"] == "pi_1" && order["payment"]?["state"] == "paid")
    #expect(order["confirmedAt"]?.number ?? 0 > TestStore.midnight)
    #expect(paid.store.standIns.charges == [.init(id: "pi_1", order: paid.order.description, amount: 1_000, key: "charge-\(paid.order)-1")])
    let letters = paid.store.standIns.letters
    #expect(letters.count == 1 && letters[0].to == ["ada@example.com"] && letters[0].subject == "Order Confirmation")
    #expect(letters[0].text.hasSuffix("1 × cup: $10.00\n\nTotal: $10.00"))
    #expect(try await paid.store.documents("notifications").map { $0["title"] } == ["Order Created", "Order confirmed"])
    #expect(paid.store.standIns.unexpected.isEmpty)
    let again = await #expect(throws: MartletError.self) { try await paid.store.admin.run(PaymentFunctions.processPayment(paid.order, "x")) }
    #expect(again?.message == "Order is not in pending status")
  }

  @Test(
    "What goes wrong once is tried again under the same key, and charged once",
    arguments: [StandIns.Fault.tooManyRequests, .serverError, .noConnection, .busy, .slow, .silence, .malformed, .empty])
  func onceWrong(_ fault: StandIns.Fault) async throws {
    let paid = try await Paid(StandIns { _, _, before in before == 0 ? fault : .none })
    #expect(try await paid.document["status"] == "confirmed")
    #expect(paid.store.standIns.charges.count == 1)
    #expect(paid.store.standIns.letters.count == 1)
    #expect(paid.store.standIns.unexpected.isEmpty)
    #expect(paid.store.standIns.faults[fault] == 2, "the payment's first request, and the mail's")
    let isDone: Set<StandIns.Fault> = [.silence, .malformed, .empty]
    #expect(paid.store.standIns.replays == (isDone.contains(fault) ? 2 : 0))
  }

  @Test("A service that asks for patience gets it: the next request comes after its Retry-After")
  func retryAfter() async throws {
    let standIns = StandIns { service, _, before in service == .stripe && before == 0 ? .tooManyRequests : .none }
    let store = try await TestStore(standIns)
    let cup = try await store.add("cup")
    let client = try await store.server.client()
    let order = try await client.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])).orderId
    try await client.run(PaymentFunctions.processPayment(order, "pm_card_visa"))
    await store.server.advance(by: .milliseconds(1_000))
    #expect(store.standIns.charges.isEmpty && store.standIns.faults[.tooManyRequests] == 1)
    await store.server.advance(by: .milliseconds(1_000))
    #expect(store.standIns.charges.count == 1)
  }

  @Test("A card that is declined leaves the order pending, and another may be tried, under a key of its own")
  func declined() async throws {
    let paid = try await Paid(StandIns(), method: "pm_card_chargeDeclined")
    let order = try await paid.document
    #expect(order["status"] == "pending" && order["payment"]?["state"] == "declined" && order["payment"]?["error"] == "Your card was declined.")
    #expect(try await paid.notes == ["Payment failed: Your card was declined."])
    let told = try #require(try await paid.store.documents("notifications").last)
    #expect(told["title"] == "Payment failed" && told["type"] == "error" && told["message"] == "Your card was declined.")
    try await paid.store.admin.run(PaymentFunctions.processPayment(paid.order, "pm_card_authenticationRequired"))
    await paid.store.server.advance(by: .seconds(1))
    #expect(try await paid.document["payment"]?["error"] == "The card needs a confirmation that this shop can't ask for (requires_action)")
    try await paid.store.admin.run(PaymentFunctions.processPayment(paid.order, "pm_card_visa"))
    await paid.store.server.advance(by: .seconds(1))
    #expect(try await paid.document["status"] == "confirmed")
    #expect(paid.store.standIns.charges.map(\.key) == ["charge-\(paid.order)-3"])
    #expect(paid.store.standIns.unexpected.isEmpty)
  }

  @Test("Who tries one card after another is asked to wait")
  func tooManyCards() async throws {
    let paid = try await Paid(StandIns(), method: "pm_card_chargeDeclined")
    for _ in 2...5 {
      try await paid.store.admin.run(PaymentFunctions.processPayment(paid.order, "pm_card_chargeDeclined"))
      await paid.store.server.advance(by: .seconds(1))
    }
    let error = await #expect(throws: MartletError.self) { try await paid.store.admin.run(PaymentFunctions.processPayment(paid.order, "pm_card_visa")) }
    #expect(error?.data?["code"] == "rate_limited")
    #expect(try await paid.document["payment"]?["attempt"] == 5, "the refused call has changed nothing")
    await paid.store.server.advance(by: .seconds(3_600))
    try await paid.store.admin.run(PaymentFunctions.processPayment(paid.order, "pm_card_visa"))
  }

  @Test("A wrong or missing key is nobody's charge; the customer learns no more than that, and the key is nowhere")
  func keys() async throws {
    for environment in [[:], ["STRIPE_SECRET_KEY": "sk_wrong_1234567"]] as [[String: String]] {
      let paid = try await Paid(StandIns(), environment: environment)
      let order = try await paid.document
      #expect(order["status"] == "pending" && order["payment"]?["state"] == "declined")
      #expect(order["payment"]?["error"] == "The shop can't take payments now")
      #expect(paid.store.standIns.charges.isEmpty)
      for table in ["orders", "notifications", "_workpool_items", "_scheduled_functions"] {
        #expect(try await !paid.store.documents(table).contains { $0.json.contains("sk_wrong") })
      }
    }
  }

  @Test("A payment that nobody knows the outcome of stays open: no second one begins, and the hourly check finds out")
  func unclear() async throws {
    // The charge is made with the first request; no answer comes before the seventh.
    let paid = try await Paid(StandIns { service, _, before in service == .stripe && before < 6 ? .silence : .none })
    var order = try await paid.document
    #expect(order["status"] == "pending" && order["payment"]?["state"] == "unclear")
    #expect(try await paid.notes.count == 1)
    for body in [
      { try await paid.store.admin.run(PaymentFunctions.processPayment(paid.order, "pm_other")) },
      { try await paid.store.admin.run(OrderFunctions.cancelOrder(paid.order)) },
    ] as [() async throws -> Void] {
      let error = await #expect(throws: MartletError.self) { try await body() }
      #expect(error?.message == "A payment of this order is under way")
    }
    await paid.store.server.advance(by: .seconds(3_600))
    order = try await paid.document
    #expect(order["status"] == "confirmed" && order["payment"]?["state"] == "paid")
    #expect(paid.store.standIns.charges.count == 1 && paid.store.standIns.replays == 6)
  }

  @Test("When the service has been down for as long as it remembers keys, a person has to look, and the report says so")
  func stuck() async throws {
    let paid = try await Paid(StandIns { service, _, _ in service == .stripe ? .serverError : .none })
    await paid.store.server.advance(by: .seconds(22 * 3_600))
    #expect(["unclear", "processing"].contains(try await paid.document["payment"]?["state"]))
    await paid.store.server.advance(by: .seconds(2 * 3_600))
    #expect(try await paid.document["payment"]?["state"] == "stuck")
    #expect(try await paid.notes.last == "Payment stuck: look it up at the payment service")
    let asked = paid.store.standIns.faults[.serverError]
    await paid.store.server.advance(by: .seconds(11 * 3_600))
    #expect(paid.store.standIns.faults[.serverError] == asked, "it is asked no more")
    #expect(try await paid.store.admin.run(ReportFunctions.list(1))[0].stuckPayments == 1)
  }

  @Test("A server that dies while a card is charged goes on with it after its start, and charges once")
  func restart() async throws {
    let standIns = StandIns { service, _, before in service == .stripe && before == 0 ? .slow : .none }
    let store = try await TestStore(standIns)
    let cup = try await store.add("cup")
    let order = try await store.admin.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])).orderId
    try await store.admin.run(PaymentFunctions.processPayment(order, "pm_card_visa"))
    await store.server.advance(by: .seconds(3))
    #expect(store.standIns.charges.count == 1, "the service has the request, and hasn't answered")
    try await store.server.restart()
    await store.server.advance(by: .seconds(60))
    #expect(try await store.admin.run(OrderFunctions.getOrder(order))["status"] == "confirmed")
    #expect(store.standIns.charges.count == 1 && store.standIns.replays == 1 && store.standIns.letters.count == 1)
  }

  @Test("Cancelling a paid order gives the money back, once, and tries again until it is")
  func refund() async throws {
    let standIns = StandIns { _, request, before in request.path == "/v1/refunds" && before < 7 ? [.serverError, .silence, .malformed][before % 3] : .none }
    let paid = try await Paid(standIns)
    try await paid.store.admin.run(OrderFunctions.cancelOrder(paid.order))
    #expect(try await paid.document["payment"]?["state"] == "refunding")
    await paid.store.server.advance(by: .seconds(300))
    #expect(try await paid.document["payment"]?["state"] == "unrefunded")
    await paid.store.server.advance(by: .seconds(3_900))
    let order = try await paid.document
    #expect(order["status"] == "cancelled" && order["payment"]?["state"] == "refunded" && order["payment"]?["refundId"] == "re_1")
    #expect(paid.store.standIns.refunds == ["pi_1"] && paid.store.standIns.unexpected.isEmpty)
    #expect(try await paid.store.documents("notifications").last?["title"] == "Payment refunded")
    #expect(try await paid.store.documents("products")[0]["stock"] == 10)
  }

  @Test("An order that the shop's people cancel while its payment is under way is paid back when the answer comes")
  func cancelledMeanwhile() async throws {
    let store = try await TestStore()
    let cup = try await store.add("cup")
    let order = try await store.admin.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])).orderId
    try await store.admin.run(PaymentFunctions.processPayment(order, "pm_card_visa"))
    try await store.admin.run(OrderFunctions.updateOrderStatus(order, .cancelled, nil))
    await store.server.advance(by: .seconds(5))
    let document = try await store.admin.run(OrderFunctions.getOrder(order))
    #expect(document["status"] == "cancelled" && document["payment"]?["state"] == "refunded")
    #expect(store.standIns.charges.count == 1 && store.standIns.refunds.count == 1 && store.standIns.letters.isEmpty)
  }

  @Test("A confirmation that can't be mailed is a note on the order, and changes nothing else of it")
  func mailFails() async throws {
    let paid = try await Paid(StandIns { service, _, _ in service == .mail ? .serverError : .none })
    #expect(try await paid.document["status"] == "confirmed")
    #expect(try await paid.notes.count == 1)
    #expect(try await paid.notes[0].hasPrefix("Confirmation not mailed: "))
    #expect(paid.store.standIns.faults[.serverError] == 7, "once, and six times again")
  }
}
