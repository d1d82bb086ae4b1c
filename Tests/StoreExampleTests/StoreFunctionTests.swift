import Martlet
import MartletClient
import MartletTesting
import StoreExample
import Testing

/// What the store's functions do, one by one. (What a client with a socket sees of orders is in `EndToEndTests/StoreTests.swift`.)
@Suite("The store's functions", .timeLimit(.minutes(1)))
struct StoreFunctionTests {
  private func expect(_ message: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void) async {
    let error = await #expect(throws: MartletError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.message == message, sourceLocation: sourceLocation)
  }

  // MARK: Who calls

  @Test("Who signs in has orders of their own, and who doesn't shares the guest's")
  func myOrders() async throws {
    let store = try await TestStore()
    let cup = try await store.add("cup")
    let ada = try await store.customer("ada")
    let bob = try await store.customer("bob")
    let guest = try await store.server.client()
    #expect(try await guest.run(OrderFunctions.getMyOrders(10)).isEmpty, "nobody was here yet")
    for client in [ada, ada, bob, guest] { try await client.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])) }
    #expect(try await ada.run(OrderFunctions.getMyOrders(10)).count == 2)
    let other = try await store.server.client()
    #expect(try await other.run(OrderFunctions.getMyOrders(10)).map(\.id) == guest.run(OrderFunctions.getMyOrders(10)).map(\.id))
    #expect(try await ada.run(UserFunctions.me())?.email == "ada@example.com")
    #expect(try await guest.run(UserFunctions.me()) == nil)

    let mine = try await ada.run(OrderFunctions.getMyOrders(1))[0]
    await expect("This is somebody else's order") { try await bob.run(OrderFunctions.cancelOrder(mine.id)) }
    await expect("This is somebody else's order") { try await bob.run(PaymentFunctions.processPayment(mine.id, "pm_card_visa")) }
    try await ada.run(OrderFunctions.cancelOrder(mine.id))
    #expect(try await store.stock(cup) == 7)
  }

  @Test("An address has one customer, and each has to look like one")
  func register() async throws {
    let store = try await TestStore()
    try await store.admin.run(UserFunctions.register("Ada", "Ada@Example.com"))
    let error = await #expect(throws: MartletError.self) { try await store.admin.run(UserFunctions.register("Another", "ada@example.com")) }
    #expect(error?.data?["code"] == "not_unique" && error?.data?["index"] == "by_email")
    for wrong in ["", "ada", "a@b@c", "a b@c"] {
      await expect("email must be an address") { try await store.admin.run(UserFunctions.register("Ada", wrong)) }
    }
    await expect("User not found") { _ = try await store.admin.run(SessionFunctions.open("nobody@example.com", 1)) }
  }

  @Test("Only who holds the admin key gives out tokens, made-up tokens lead nowhere, and signing out ends a token at once, also for live queries")
  func sessions() async throws {
    let store = try await TestStore()
    let guest = try await store.server.client()
    let refused = await #expect(throws: MartletError.self) { _ = try await guest.run(SessionFunctions.open("guest@example.com", 1)) }
    #expect(refused?.code == .forbidden)
    for forged in ["x", "1.2.3", "0.99999999999999", "\(String(repeating: "a", count: 36)).later"] {
      let error = await #expect(throws: MartletError.self) { _ = try await store.server.client(token: forged) }
      #expect(error?.code == .unauthenticated)
    }
    let forger = try await store.server.client(token: "\(String(repeating: "a", count: 36)).99999999999999")
    await expect("The session is over; sign in again") { _ = try await forger.run(OrderFunctions.getMyOrders(10)) }

    let ada = try await store.customer("ada")
    let token = try await store.admin.run(SessionFunctions.open("ada@example.com", 5))
    let second = try await store.server.client(token: token)
    #expect(try await second.run(SessionFunctions.mine()) == [5, 100].map { TestStore.midnight + $0 * 3_600_000 })
    // The same session with a later end is none.
    let stretched = try await store.server.client(token: token.split(separator: ".")[0] + ".99999999999999")
    await expect("The session is over; sign in again") { _ = try await stretched.run(UserFunctions.me()) }

    var live = second.subscribe(UserFunctions.me()).results.makeAsyncIterator()
    #expect(try await live.next()?.get()?.name == "ada")
    try await second.run(SessionFunctions.signOut())
    let ended = try await live.next()
    guard case .failure(let error)? = ended else { throw error("the live query goes on: \(String(describing: ended))") }
    #expect(error.data?["code"] == "signed_out")
    #expect(try await ada.run(UserFunctions.me())?.name == "ada", "the other session goes on")
  }

  private func error(_ text: String) -> MartletError { MartletError(.unexpectedAnswer, text) }

  @Test("A token ends at its time: the connection is the guest's from then on")
  func tokenEnds() async throws {
    let store = try await TestStore()
    let ada = try await store.customer("ada", hours: 2)
    var live = ada.subscribe(UserFunctions.me()).makeAsyncIterator()
    #expect(try await live.next()??.name == "ada")
    await store.server.advance(by: .seconds(7_199))
    #expect(try await ada.run(UserFunctions.me())?.name == "ada")
    await store.server.advance(by: .seconds(1))
    let ended = try #require(try await live.next())
    #expect(ended == nil)
    #expect(try await ada.run(UserFunctions.me()) == nil)
  }

  @Test("Expired sessions are deleted once a day, a batch in each transaction, and no others")
  func cleanUp() async throws {
    let store = try await TestStore()
    for number in 0..<3 { try await store.admin.run(UserFunctions.register("u", "u\(number)@example.com")) }
    for number in 0..<250 { _ = try await store.admin.run(SessionFunctions.open("u\(number % 3)@example.com", 1 + Double(number) / 1_000)) }
    for _ in 0..<7 { _ = try await store.admin.run(SessionFunctions.open("u0@example.com", 48)) }
    await store.server.advance(by: .seconds(86_399))
    #expect(try await store.documents("sessions").count == 257)
    await store.server.advance(by: .seconds(1))
    #expect(try await store.documents("sessions").count == 7)
    let runs = try await store.documents("_scheduled_functions").filter { $0["name"] == "sessions:deleteExpired" && $0["state"]?["kind"] == "success" }
    #expect(runs.count == 3, "100, 100 and 50")
  }

  // MARK: Cart

  @Test("A cart adds up, is shown before the server has answered, and becomes an order with nothing left in it")
  func cart() async throws {
    let store = try await TestStore()
    let cup = try await store.add("cup", price: 250, stock: 10)
    let pot = try await store.add("pot", price: 2_000, stock: 1)
    let ada = try await store.customer("ada")
    var live = ada.subscribe(CartFunctions.getCart()).updates.makeAsyncIterator()
    #expect(try await live.next()?.value.items.isEmpty == true)
    await store.server.disconnectClients()
    async let added: Void = {
      try await ada.run(CartFunctions.addItem(cup, 2)) { local in
        local.update(CartFunctions.getCart()) { $0.items.append(CartItem(productId: cup, quantity: 2, name: "cup", price: 250)) }
      }
    }()
    let shown = try #require(try await live.next())
    #expect(try shown.isOptimistic && shown.value.total == 500)
    await store.server.advance(by: .seconds(2))
    try await added
    try await ada.run(CartFunctions.addItem(cup, 1))
    try await ada.run(CartFunctions.addItem(pot, 2))
    #expect(try await ada.run(CartFunctions.getCart()).total == 4_750)
    await expect("Insufficient stock for pot") { _ = try await ada.run(CartFunctions.checkout()) }
    #expect(try await store.stock(cup) == 10, "all or nothing")
    try await ada.run(CartFunctions.removeItem(pot))
    let receipt = try await ada.run(CartFunctions.checkout())
    #expect(receipt.total == 750)
    #expect(try await ada.run(CartFunctions.getCart()).items.isEmpty)
    await expect("The cart is empty") { _ = try await ada.run(CartFunctions.checkout()) }
    #expect(try await store.stock(cup) == 7)
  }

  // MARK: Notifications, statistics, pages

  @Test("Notifications are counted while they are unread, and read one by one or all at once")
  func notifications() async throws {
    let store = try await TestStore()
    let cup = try await store.add("cup", stock: 1_000)
    let ada = try await store.customer("ada")
    var unread = ada.subscribe(NotificationFunctions.unreadCount()).makeAsyncIterator()
    #expect(try await unread.next() == 0)
    let order = try await ada.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])).orderId
    #expect(try await unread.next() == 1)
    try await store.admin.run(OrderFunctions.updateOrderStatus(order, .shipped, "T"))
    #expect(try await unread.next() == 2)
    let newest = try await ada.run(NotificationFunctions.list(50))
    #expect(newest.map(\.title) == ["Order shipped", "Order Created"])
    try await ada.run(NotificationFunctions.markRead(newest[0].id))
    #expect(try await unread.next() == 1)
    let bob = try await store.customer("bob")
    await expect("Notification not found") { try await bob.run(NotificationFunctions.markRead(newest[1].id)) }
    for _ in 0..<450 { try await ada.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])) }
    try await ada.run(NotificationFunctions.markAllRead())
    await store.server.settle()
    #expect(try await ada.run(NotificationFunctions.unreadCount()) == 0)
    #expect(try await ada.run(NotificationFunctions.list(1_000)).allSatisfy(\.isRead))
  }

  @Test("Statistics count and add up the orders of their window, and of no other time")
  func stats() async throws {
    let store = try await TestStore()
    let cup = try await store.add("cup", price: 100, stock: 1_000)
    let client = try await store.server.client()
    for quantity in 1...3 {
      let order = try await client.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: quantity)])).orderId
      if quantity == 2 { try await client.run(OrderFunctions.cancelOrder(order)) }
      await store.server.advance(by: .seconds(86_400))
    }
    let all = try await client.run(OrderFunctions.getOrderStats(30))
    #expect(all.total == 3 && all.revenue == 600 && all.averageOrderValue == 200)
    #expect(all.byStatus == ["pending": 2, "confirmed": 0, "shipped": 0, "delivered": 0, "cancelled": 1])
    let last = try await client.run(OrderFunctions.getOrderStats(1))
    #expect(last.total == 1 && last.revenue == 300)
    await store.server.advance(by: .milliseconds(1))
    #expect(try await client.run(OrderFunctions.getOrderStats(1)).averageOrderValue == 0)
    await expect("days must be between 1 and 3650") { _ = try await client.run(OrderFunctions.getOrderStats(0)) }
  }

  @Test("Pages of orders that are watched side by side show every order once, also new ones")
  func pages() async throws {
    let store = try await TestStore()
    let cup = try await store.add("cup", stock: 1_000)
    let client = try await store.server.client()
    var orders: [ID<Orders>] = []
    func order() async throws {
      orders.insert(try await client.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])).orderId, at: 0)
    }
    for _ in 0..<25 { try await order() }
    var first = client.subscribe(OrderFunctions.getPaginatedOrders(PaginationOptions(numItems: 10))).makeAsyncIterator()
    var newest = try #require(try await first.next())
    #expect(newest.documents.map(\.id) == Array(orders.prefix(10)) && !newest.isDone)
    let next = PaginationOptions(numItems: 20, cursor: newest.continueCursor)
    var second = client.subscribe(OrderFunctions.getPaginatedOrders(next)).makeAsyncIterator()
    let rest = try #require(try await second.next())
    #expect(rest.isDone)
    try await order()
    newest = try #require(try await first.next())
    #expect((newest.documents + rest.documents).map(\.id) == orders)
  }

  // MARK: Products

  @Test("An admin is told when a product becomes scarce, once, whoever made it so")
  func lowStock() async throws {
    let store = try await TestStore()
    try await store.admin.run(Demo.fill())
    let mira = try await store.server.client(token: try await store.admin.run(SessionFunctions.open("mira@example.com", 1)))
    let before = try await mira.run(NotificationFunctions.list(1_000)).filter { $0.title == "Low stock" }.count
    let cup = try await store.add("cup", stock: 6)
    let client = try await store.server.client()
    try await client.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)]))
    #expect(try await mira.run(NotificationFunctions.list(1_000)).filter { $0.title == "Low stock" }.count == before)
    for _ in 0..<2 { try await client.run(OrderFunctions.createOrder([OrderLine(productId: cup, quantity: 1)])) }
    let told = try await mira.run(NotificationFunctions.list(1_000)).filter { $0.title == "Low stock" }
    #expect(told.count == before + 1 && told[0].message == "4 left of cup" && told[0].type == .warning)
  }

  @Test("A job that goes page by page changes each price once")
  func prices() async throws {
    let store = try await TestStore()
    for number in 0..<230 { _ = try await store.add("p\(number)", price: 200, category: number % 2 == 0 ? "even" : "odd") }
    _ = try await store.admin.run(ProductFunctions.adjustPrices(10, nil, nil))
    await store.server.settle()
    #expect(try await store.documents("products").allSatisfy { $0["price"] == 220 })
    _ = try await store.admin.run(ProductFunctions.adjustPrices(-50, "odd", nil))
    await store.server.settle()
    #expect(try await store.documents("products").allSatisfy { $0["price"] == ($0["category"] == "odd" ? 110 : 220) })
  }

  @Test("A day has one report, however often it is made, and its mail goes to the admins")
  func report() async throws {
    let store = try await TestStore()
    try await store.admin.run(Demo.fill())
    await store.server.advance(by: .seconds(86_400))
    #expect(try await store.admin.run(ReportFunctions.generateDaily()) == "2026-11-18")
    #expect(try await store.admin.run(ReportFunctions.generateDaily()) == "2026-11-18")
    await store.server.advance(by: .seconds(60))
    // The cron made the one of the 17th, at nine of the 18th.
    let reports = try await store.admin.run(ReportFunctions.list(10))
    #expect(reports.map(\.day) == ["2026-11-18", "2026-11-17"])
    #expect(reports[0].orders == Demo.orderCount && reports[1].orders == 0)
    #expect(reports[0].lowStock.contains("Maps of Imaginary Coasts"))
    #expect(store.standIns.letters.map(\.key) == ["report-2026-11-17", "report-2026-11-18"])
    #expect(store.standIns.letters.allSatisfy { $0.to == ["mira@example.com"] })
  }
}
