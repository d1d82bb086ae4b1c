import MartletValues
import Testing

extension EndToEnd {
  /// The example store, as its clients see it.
  @Suite("The store")
  struct StoreTests {
    let folder: TemporaryFolder
    let server: ServerProcess
    let client: RawClient

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder, examples: ["bank", "store"])
      client = try server.connect()
    }

    private func add(_ name: String, price: Double, stock: Double) throws -> Value {
      try client.mutate(
        "products:add",
        ["name": .string(name), "description": "", "price": .float64(price), "stock": .float64(stock), "category": "c"])
    }

    private func line(_ product: Value, _ quantity: Double) -> Value { ["productId": product, "quantity": .float64(quantity)] }

    private func order(_ lines: Value...) throws -> ServerMessage {
      try client.request("mutation", "orders:createOrder", ["items": .array(lines)])
    }

    private func documents(_ table: String) throws -> [Value] {
      try client.query("_system:documents", ["table": .string(table), "limit": 1_000])["page"]?.elements ?? []
    }

    private func stock() throws -> [String: Double] {
      Dictionary(uniqueKeysWithValues: try documents("products").map { ($0["name"]?.text ?? "", $0["stock"]?.number ?? .nan) })
    }

    @Test("An order is stored with its products' names and prices, its items leave the stock, and its user is notified, all at once")
    func createOrder() throws {
      let cup = try add("cup", price: 250, stock: 10)
      let pot = try add("pot", price: 1_999, stock: 3)
      let before = try documents("products")
      let answer = try order(line(cup, 4), line(pot, 1))
      let receipt = try answer.okValue
      #expect(receipt["total"] == 2_999)
      let id = try #require(receipt["orderId"])
      #expect(try stock() == ["cup": 6, "pot": 2])

      let stored = try client.query("orders:getOrder", ["orderId": id])
      #expect(stored["_id"] == id && stored["status"] == "pending" && stored["total"] == 2_999)
      #expect(
        stored["items"]?.elements == [
          ["productId": cup, "quantity": 4, "price": 250, "name": "cup"], ["productId": pot, "quantity": 1, "price": 1_999, "name": "pot"],
        ])
      #expect(stored["user"] == ["name": "Guest", "email": "guest@example.com"])
      let createdAt = try #require(stored["createdAt"]?.number)
      for (old, new) in zip(before, try documents("products")) {
        #expect(new["updatedAt"]?.number == createdAt && old["createdAt"] == new["createdAt"])
      }
      let notifications = try documents("notifications")
      #expect(notifications.count == 1)
      #expect(notifications[0]["title"] == "Order Created" && notifications[0]["type"] == "success")
      #expect(notifications[0]["message"]?.text == "Your order #\(id.text!) has been created successfully.")
      #expect(notifications[0]["isRead"] == false && notifications[0]["userId"] == stored["userId"])
    }

    @Test("An order that can't be had whole is an application error that says why, and nothing of it has happened")
    func refusedOrders() throws {
      let cup = try add("cup", price: 250, stock: 10)
      let pot = try add("pot", price: 1_999, stock: 3)
      let gone = try add("gone", price: 1, stock: 5)
      try client.mutate("products:setActive", ["productId": gone, "isActive": false])
      let tables = ["products", "orders", "notifications", "users"]
      let before = try tables.map(documents)
      let refusals: [(ServerMessage, String)] = [
        (try order(line(cup, 1), line(pot, 4)), "Insufficient stock for pot"),
        (try order(line(cup, 6), line(cup, 5)), "Insufficient stock for cup"),
        (try order(line(cup, 1), line("no-id", 1)), "Product no-id not found"),
        (try order(line(cup, 1), line(gone, 1)), "Product gone is not available"),
      ]
      for (answer, message) in refusals {
        #expect(answer.code == "application")
        #expect(try answer.json["message"]?.text == message)
      }
      #expect(try tables.map(documents) == before)
      for quantity in [0, -1, 1.5] { #expect(try order(line(cup, quantity)).code == "invalid_arguments") }
      #expect(try tables.map(documents) == before)
      // What is left can still be had, to the last.
      #expect(try order(line(cup, 10), line(pot, 3)).verb == .ok)
      #expect(try stock() == ["cup": 0, "pot": 0, "gone": 5])
      #expect(try order(line(cup, 1)).code == "application")
    }

    @Test("Cancelling puts the items back, once, and only while the order has not been shipped")
    func cancelOrder() throws {
      let cup = try add("cup", price: 250, stock: 10)
      let first = try #require(try order(line(cup, 4)).okValue["orderId"])
      let second = try #require(try order(line(cup, 3)).okValue["orderId"])
      #expect(try stock() == ["cup": 3])
      #expect(try client.mutate("orders:cancelOrder", ["orderId": first]) == ["success": true])
      #expect(try stock() == ["cup": 7])
      #expect(try client.query("orders:getOrder", ["orderId": first])["status"] == "cancelled")
      let told = try documents("notifications").last
      #expect(told?["title"] == "Order Cancelled" && told?["type"] == "info")
      #expect(told?["message"] == "Your order has been cancelled. Stock has been restored.")

      try client.mutate("orders:updateOrderStatus", ["orderId": second, "status": "shipped"])
      let count = try documents("notifications").count
      for order in [first, second] {
        let again = try client.request("mutation", "orders:cancelOrder", ["orderId": order])
        #expect(again.code == "application")
        #expect(try again.json["message"]?.text == "Cannot cancel order in current status")
      }
      #expect(try stock() == ["cup": 7])
      #expect(try documents("notifications").count == count)
    }

    @Test("Each status has its time, a shipped order its tracking number, and each change a notification with the order in its metadata")
    func updateOrderStatus() throws {
      let cup = try add("cup", price: 250, stock: 10)
      let id = try #require(try order(line(cup, 1)).okValue["orderId"])
      for (status, time) in [("confirmed", "confirmedAt"), ("shipped", "shippedAt"), ("delivered", "deliveredAt")] {
        let arguments: Value = ["orderId": id, "status": .string(status), "trackingNumber": "T-1"]
        #expect(try client.mutate("orders:updateOrderStatus", arguments) == ["success": true])
        let stored = try client.query("orders:getOrder", ["orderId": id])
        #expect(stored["status"] == .string(status))
        #expect(stored[time]?.number ?? 0 > 0)
        #expect(stored["trackingNumber"] == (status == "confirmed" ? Value?.none : "T-1"))
        let told = try #require(try documents("notifications").last)
        #expect(told["title"]?.text == "Order \(status)" && told["message"]?.text == "Your order has been \(status).")
        #expect(told["metadata"] == ["orderId": id, "status": .string(status)])
      }
      #expect(try client.request("mutation", "orders:updateOrderStatus", ["orderId": id, "status": "pending"]).code == "invalid_arguments")
      try client.mutate("_system:delete", ["id": id])
      for function in ["orders:cancelOrder", "orders:updateOrderStatus"] {
        let arguments: Value = function == "orders:cancelOrder" ? ["orderId": id] : ["orderId": id, "status": "shipped"]
        let answer = try client.request("mutation", function, arguments)
        #expect(answer.code == "application")
        #expect(try answer.json["message"]?.text == "Order not found")
      }
      #expect(try client.request("query", "orders:getOrder", ["orderId": id]).code == "application")
    }

    @Test("A live list of pending orders shows each order as it comes and goes, newest first, with its user's name and email")
    func liveOrders() throws {
      let cup = try add("cup", price: 250, stock: 10)
      let watcher = try server.connect()
      try watcher.send(
        #"subscribe s orders:getOrdersByStatus {"status":"pending"}"#,
        #"subscribe two orders:getOrdersByStatus {"status":"pending","limit":2}"#)
      var view = LiveView()
      func shown(_ id: String) throws -> [Value] { try #require(view[id]).elements.compactMap { $0["_id"] } }
      while view.values.count < 2 { _ = try view.take(watcher.next()) }
      #expect(try shown("s").isEmpty)
      var orders: [Value] = []
      for _ in 0..<4 {
        let answer = try order(line(cup, 1))
        orders.insert(try #require(try answer.okValue["orderId"]), at: 0)
        while view.timestamp < answer.timestamp { _ = try view.take(watcher.next()) }
        #expect(try shown("s") == orders)
        #expect(try shown("two") == Array(orders.prefix(2)))
      }
      #expect(view["s"]?[0]?["userName"] == "Guest" && view["s"]?[0]?["userEmail"] == "guest@example.com")
      let cancelled = try client.request("mutation", "orders:cancelOrder", ["orderId": orders[1]])
      orders.remove(at: 1)
      while view.timestamp < cancelled.timestamp { _ = try view.take(watcher.next()) }
      #expect(try shown("s") == orders)
      // A refused order changes nothing, so nothing is told.
      #expect(try order(line(cup, 99)).code == "application")
      try watcher.send("ping")
      #expect(try watcher.readLine() == "pong")
    }

    @Test("However many order at once, the stock never goes below zero, and what was sold is what left it")
    func crowd() throws {
      let cup = try add("cup", price: 1, stock: 300)
      let clients = try (0..<8).map { _ in try server.connect() }
      for client in clients {
        try client.send((0..<60).map { #"mutation \#($0) orders:createOrder \#(Value.object(["items": [line(cup, 1)]]).json)"# })
      }
      var sold = 0
      for client in clients {
        for index in 0..<60 {
          let answer = try client.answer(to: "\(index)")
          if answer.verb == .ok { sold += 1 } else { #expect(answer.code == "application") }
        }
      }
      #expect(sold == 300)
      #expect(try stock() == ["cup": 0])
      #expect(try documents("orders").count == 300)
      #expect(try documents("notifications").count == 300)
      #expect(try documents("users").count == 1)
    }
  }
}
