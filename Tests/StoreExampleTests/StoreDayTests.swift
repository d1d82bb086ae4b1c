import Martlet
import MartletClient
import MartletTesting
import StoreExample
import Synchronization
import TestSupport
import Testing

/// A day and a half of a busy shop in seconds: customers who order, pay with good and bad cards, cancel and come back, services that fail in every
/// way, a server that loses power, and all crons. Everything that is drawn follows from the seed.
@Suite("A day of the store", .timeLimit(.minutes(3)))
struct StoreDayTests {
  @Test("Whatever goes wrong on a day, its books balance", arguments: [UInt64(1), 2, 3])
  func day(_ seed: UInt64) async throws {
    let day = try await StoreDay(seed: seed)
    try await day.run()
    try await day.checkStock()
    try await day.checkPayments()
    try await day.checkNotifications()
    try await day.checkSessions()
    try await day.checkReports()
    try await day.checkCrons()
    try await day.checkStatistics()
    day.checkThatEverythingHappened()
  }

  @Test("The same seed gives the same day, document by document, and another one another")
  func determinism() async throws {
    func digest(_ seed: UInt64) async throws -> [String] {
      let day = try await StoreDay(seed: seed, hours: 12)
      try await day.run()
      return try await day.digest()
    }
    let first = try await digest(9)
    #expect(try await digest(9) == first)
    #expect(try await digest(10) != first)
  }
}

/// `@unchecked Sendable`: one task uses it, apart from what has a lock.
private final class StoreDay: @unchecked Sendable {
  let store: TestStore
  private let hours: Int
  private var random: TestRandom
  private var products: [String] = []
  private var customers: [(client: MartletClient, email: String)] = []

  // What the shop should have come to.
  private var initialStock: [String: Int] = [:]
  private var sold: [String: Int] = [:]
  private var returned: [String: Int] = [:]
  private var refusedOrders = 0
  private var restarts = 0
  private var liveOrders: [ID<Orders>] = []

  /// A dashboard of another client, and all that it was shown.
  private var dashboard: Subscription<OrderStats>.Iterator?
  private var shown: [OrderStats] = []

  init(seed: UInt64, hours: Int = 34) async throws {
    self.hours = hours
    random = TestRandom(seed: seed)
    // Faults have a generator of their own; each kind comes now and then. The lost card's payments never get an answer.
    let faults = Mutex(TestRandom(seed: seed &+ 1_000))
    let kinds = StandIns.Fault.allCases.filter { $0 != .none && $0 != .unauthorized }
    let isDown = Mutex<[String: Int]>([:])
    let standIns = StandIns { service, request, before in
      if request.body.contains("pm_lost") { return .serverError }
      // Half an hour without any answer now and then: what is asked meanwhile stays unclear.
      if before == 0, faults.withLock({ $0.oneIn(40) }) { isDown.withLock { $0[request.headers["idempotency-key"]!] = 6 } }
      if let down = isDown.withLock({ $0[request.headers["idempotency-key"]!] }), before < down { return .silence }
      return faults.withLock { $0.oneIn(4) ? $0.element(of: kinds) : .none }
    }
    store = try await TestStore(standIns, seed: seed)
  }

  private var random100: Int { random.number(0..<100) }

  // MARK: The day

  func run() async throws {
    for number in 0..<8 {
      let stock = 40 + 10 * number
      let product = try await store.add("product \(number)", price: Double(500 + 250 * number), stock: stock)
      products.append(product)
      initialStock[product] = stock
    }
    let mira = try await store.admin.run(UserFunctions.register("mira", "mira@example.com"))
    _ = try await store.admin.mutation("_system:patch", ["id": .string(mira.description), "fields": ["role": "admin"]])
    for number in 0..<6 {
      let email = "c\(number)@example.com"
      try await store.admin.run(UserFunctions.register("c\(number)", email))
      // Some sessions end within the day, before it is swept or after.
      try await signIn(email, hours: [200, 200, 1, 20, 30, 60][number])
    }
    customers.append((try await store.server.client(), "guest@example.com"))
    dashboard = try await store.server.client().subscribe(OrderFunctions.getOrderStats(30)).makeAsyncIterator()
    try await watch()

    let slots = hours * 6
    for slot in 0..<slots {
      for _ in 0..<random.number(0..<5) { try await something() }
      if slot == 3 { try await payWithLostCard() }
      if slot % 50 == 20 {
        try await losePower()
      }
      await store.server.advance(by: .seconds(600))
      try await watch()
    }
    // What is still on its way arrives: the services are asked hourly.
    await store.server.advance(by: .seconds(4 * 3_600))
    try await watch()
  }

  /// The dashboard comes to show what a query answers, without being asked.
  private func watch() async throws {
    let current = try await store.admin.run(OrderFunctions.getOrderStats(30))
    while shown.last != current { shown.append(try #require(try await dashboard?.next())) }
  }

  /// The server starts anew, and clients are back when a few seconds have passed.
  private func losePower() async throws {
    restarts += 1
    try await store.server.restart()
    await store.server.advance(by: .seconds(10))
  }

  private func signIn(_ email: String, hours: Double) async throws {
    let client = try await store.server.client(token: try await store.admin.run(SessionFunctions.open(email, hours)))
    customers.append((client, email))
  }

  private func something() async throws {
    let customer = random.element(of: customers).client
    switch random100 {
    case 0..<40: try await order(customer)
    case 40..<55: try await shopByCart(customer)
    case 55..<65: try await cancel()
    case 65..<80: try await moveOn()
    case 80..<88: try await customer.run(NotificationFunctions.markAllRead())
    case 88..<92: try await restock()
    case 92..<96: try await signIn("c\(random.number(0..<6))@example.com", hours: Double(random.number(1..<40)))
    default: _ = try await customer.run(NotificationFunctions.list(20))
    }
  }

  private func order(_ customer: MartletClient) async throws {
    let lines = (0..<random.number(1..<4)).map { _ in OrderLine(productId: random.element(of: products), quantity: random.number(1..<6)) }
    try await place(lines) { try await customer.run(OrderFunctions.createOrder(lines)) }
  }

  private func shopByCart(_ customer: MartletClient) async throws {
    // What an earlier try left in the cart is ordered with it.
    try await customer.run(CartFunctions.addItem(random.element(of: products), random.number(1..<4)))
    let lines = try await customer.run(CartFunctions.getCart()).items.map { OrderLine(productId: $0.productId, quantity: $0.quantity) }
    if random.oneIn(5) {
      try await customer.run(CartFunctions.removeItem(lines[0].productId))
      return
    }
    try await place(lines) { try await customer.run(CartFunctions.checkout()) }
  }

  private func place(_ lines: [OrderLine], _ body: () async throws -> OrderReceipt) async throws {
    do {
      let receipt = try await body()
      for line in lines { sold[line.productId, default: 0] += line.quantity }
      liveOrders.append(receipt.orderId)
      let card = random.element(of: ["pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired"])
      if !random.oneIn(6) { try await store.admin.run(PaymentFunctions.processPayment(receipt.orderId, card)) }
      // The power goes while the card is charged.
      if random.oneIn(40) {
        await store.server.advance(by: .milliseconds(50))
        try await losePower()
      }
    } catch let error as MartletError where error.message.hasPrefix("Insufficient stock") {
      refusedOrders += 1
    }
  }

  private func payWithLostCard() async throws {
    let product = try await store.add("the last one", price: 100, stock: 1)
    initialStock[product] = 1
    sold[product] = 1
    let order = try await store.admin.run(OrderFunctions.createOrder([OrderLine(productId: product, quantity: 1)])).orderId
    try await store.admin.run(PaymentFunctions.processPayment(order, "pm_lost"))
  }

  private func cancel() async throws {
    guard !liveOrders.isEmpty else { return }
    let order = random.element(of: liveOrders)
    let before = try await store.admin.run(OrderFunctions.getOrder(order))
    do {
      try await store.admin.run(OrderFunctions.cancelOrder(order))
      guard case .array(let items)? = before["items"] else { return }
      for item in items { returned[item["productId"]!.text!, default: 0] += Int(item["quantity"]!.number!) }
    } catch let error as MartletError {
      #expect(["Cannot cancel order in current status", "A payment of this order is under way"].contains(error.message))
    }
  }

  private func moveOn() async throws {
    guard !liveOrders.isEmpty else { return }
    let order = random.element(of: liveOrders)
    switch try await store.admin.run(OrderFunctions.getOrder(order))["status"] {
    case "confirmed": try await store.admin.run(OrderFunctions.updateOrderStatus(order, .shipped, "T-1"))
    case "shipped": try await store.admin.run(OrderFunctions.updateOrderStatus(order, .delivered, nil))
    // A declined card is tried again with another.
    case "pending":
      do { try await store.admin.run(PaymentFunctions.processPayment(order, "pm_card_visa")) } catch let error as MartletError {
        #expect(error.message == "A payment of this order is under way" || error.data?["code"] == "rate_limited")
      }
    default: break
    }
  }

  private func restock() async throws {
    let product = random.element(of: products)
    try await store.admin.run(ProductFunctions.restock(product, 20))
    initialStock[product, default: 0] += 20
  }

  // MARK: The books

  func digest() async throws -> [String] {
    var lines: [String] = []
    for table in ["users", "products", "orders", "notifications", "sessions", "carts", "reports", "_cron_runs", "_workpool_items"] {
      lines += try await store.documents(table).map { "\(table) \($0.json)" }
    }
    return lines + store.standIns.charges.map { "\($0)" } + store.standIns.letters.map { "\($0)" }
  }

  func checkStock() async throws {
    for product in try await store.documents("products") {
      let id = try #require(product["_id"]?.text)
      let stock = try #require(product["stock"]?.number)
      #expect(stock >= 0)
      #expect(Int(stock) == initialStock[id, default: 0] - sold[id, default: 0] + returned[id, default: 0], "\(product["name"]!)")
    }
    #expect(refusedOrders > 0, "something was sold out once")
  }

  func checkPayments() async throws {
    let standIns = store.standIns
    #expect(standIns.unexpected.isEmpty)
    let charges = Dictionary(grouping: standIns.charges, by: \.order)
    var states: [String: Int] = [:]
    for order in try await store.documents("orders") {
      let id = try #require(order["_id"]?.text)
      let state = order["payment"]?["state"]?.text ?? "none"
      states[state, default: 0] += 1
      let made = charges[id] ?? []
      switch state {
      case "paid", "refunded":
        #expect(made.count == 1)
        #expect(made.first.map { Double($0.amount) } == order["total"]?.number && made.first?.id == order["paymentId"]?.text)
        #expect(standIns.refunds.filter { $0 == made.first?.id }.count == (state == "refunded" ? 1 : 0))
        #expect(order["status"] == "cancelled" ? state == "refunded" : order["confirmedAt"] != nil)
      case "declined", "none", "stuck": #expect(made.isEmpty && order["confirmedAt"] == nil)
      default: Issue.record("a payment is still \(state)")
      }
    }
    for state in ["paid", "refunded", "declined", "none", "stuck"] { #expect(states[state, default: 0] > 0, "no order is \(state)") }
    #expect(states["stuck"] == 1)
    // One confirmation for each order that was paid while it was wanted.
    let confirmed = try await store.documents("orders").filter { $0["confirmedAt"] != nil }.compactMap { $0["_id"]?.text }
    #expect(Set(standIns.letters.map(\.key)).count == standIns.letters.count)
    let failed = try await store.documents("orders").filter { $0["notes"]?.json.contains("Confirmation not mailed") == true }.count
    #expect(standIns.letters.filter { $0.subject == "Order Confirmation" }.count >= confirmed.count - failed)
    #expect(standIns.letters.filter { $0.subject == "Order Confirmation" }.allSatisfy { confirmed.contains(String($0.key.dropFirst("confirmation-".count))) })
  }

  func checkNotifications() async throws {
    let orders = try await store.documents("orders")
    var expected: [String: Int] = ["Order Created": orders.count]
    for (title, field) in [("Order confirmed", "confirmedAt"), ("Order shipped", "shippedAt"), ("Order delivered", "deliveredAt")] {
      expected[title] = orders.filter { $0[field] != nil }.count
    }
    expected["Order Cancelled"] = orders.filter { $0["status"] == "cancelled" }.count
    expected["Payment refunded"] = store.standIns.refunds.count
    expected["Payment failed"] = store.standIns.declined
    let told = Dictionary(grouping: try await store.documents("notifications")) { $0["title"]!.text! }.mapValues(\.count)
    #expect(told.filter { $0.key != "Low stock" } == expected.filter { $0.value > 0 })
    #expect(told["Low stock", default: 0] > 0)
  }

  func checkSessions() async throws {
    let sweep = TestStore.midnight + 86_400_000
    let left = try await store.documents("sessions")
    #expect(left.allSatisfy { $0["expiresAt"]!.number! > sweep })
    #expect(left.contains { $0["expiresAt"]!.number! > store.server.now })
  }

  func checkReports() async throws {
    let orders = try await store.documents("orders")
    let reports = try await store.documents("reports")
    #expect(reports.map { $0["day"]?.text } == ["2026-11-17", "2026-11-18"])
    for (report, start) in zip(reports, [TestStore.midnight - 86_400_000, TestStore.midnight]) {
      let created = orders.filter { (start..<(start + 86_400_000)).contains($0["createdAt"]!.number!) }
      #expect(report["orders"]?.number == Double(created.count))
      #expect(report["revenue"]?.number == created.reduce(0) { $0 + $1["total"]!.number! })
    }
    let letters = store.standIns.letters.filter { $0.key.hasPrefix("report-") }
    #expect(letters.map(\.key) == ["report-2026-11-17", "report-2026-11-18"] && letters.allSatisfy { $0.to == ["mira@example.com"] })
  }

  func checkCrons() async throws {
    let runs = Dictionary(grouping: try await store.documents("_cron_runs")) { $0["name"]!.text! }
    #expect(Set(runs.keys) == ["delete-old-sessions", "daily-report", "recheck-payments"])
    for (name, runs) in runs { #expect(runs.allSatisfy { $0["status"] == "success" }, "\(name)") }
    #expect(runs["daily-report"]?.count == 2 && runs["delete-old-sessions"]?.count == 1 && runs["recheck-payments"]?.count == 20)
  }

  func checkStatistics() async throws {
    let orders = try await store.documents("orders")
    let stats = try await store.admin.run(OrderFunctions.getOrderStats(30))
    #expect(stats.total == orders.count && stats.revenue == orders.reduce(0) { $0 + $1["total"]!.number! })
    for (status, count) in stats.byStatus { #expect(count == orders.filter { $0["status"]?.text == status }.count) }
    #expect(shown.count > 50 && shown.first?.total == 0)
    #expect(zip(shown, shown.dropFirst()).allSatisfy { $0.total <= $1.total }, "orders come, and none goes")
  }

  func checkThatEverythingHappened() {
    let faults = store.standIns.faults
    for fault in StandIns.Fault.allCases where fault != .unauthorized { #expect(faults[fault, default: 0] > 0, "no \(fault)") }
    #expect(store.standIns.replays > 0 && restarts > 3)
  }
}
