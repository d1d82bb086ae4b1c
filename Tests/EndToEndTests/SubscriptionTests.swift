import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  @Suite("G5 and G6: many subscriptions")
  struct SubscriptionTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder, examples: ["bank", "store"])
    }

    /// A counter of `_system:stats`, asked for once: a subscription to it would count itself.
    private func counter(_ name: String, _ client: RawClient) throws -> Int {
      Int(try client.query("_system:stats")[name]?.number ?? .nan)
    }

    @Test("G6: with 10,000 live queries on as many accounts, a transfer runs the 2 that it touches, and nobody else is told a thing")
    func transferAmongMany() throws {
      let setup = try server.connect()
      let accounts = try setup.openMany(10_000, 1_000)
      let clients = try (0..<4).map { _ in try server.connect() }
      for (index, account) in accounts.enumerated() {
        // The requests of one connection are many: they are sent in pieces, and answers are taken in meanwhile.
        try clients[index % 4].send(#"subscribe \#(index) accounts:get {"id":"\#(account)"}"#)
      }
      for client in clients {
        var told = 0
        while told < accounts.count / 4 { told += try client.group().lines.count }
      }
      #expect(try counter("liveQueries", setup) == 10_000)
      #expect(try counter("subscriptions", setup) == 10_000)

      var random = TestRandom(seed: 6)
      for _ in 0..<20 {
        let from = Int.random(in: 0..<10_000, using: &random)
        let to = (from + Int.random(in: 1..<10_000, using: &random)) % 10_000
        let runs = try counter("queryRuns", setup)
        let answer = try setup.transfer(accounts[from], accounts[to], 1)
        #expect(answer.verb == .ok)
        let touched = Set([from % 4, to % 4])
        var told: [String] = []
        for number in touched {
          let group = try clients[number].group()
          #expect(group.timestamp >= answer.timestamp)
          told += group.lines.map(\.id)
        }
        #expect(Set(told) == ["\(from)", "\(to)"] && told.count == 2)
        // All that was to be told was told at once, so a pong that comes next says that nothing was.
        for client in clients {
          try client.send("ping")
          #expect(try client.readLine() == "pong")
        }
        #expect(try counter("queryRuns", setup) == runs + 2)
      }
    }

    @Test("Equal subscriptions are one live query, however their arguments are written, and all of them are told")
    func equalSubscriptionsAreShared() throws {
      let setup = try server.connect()
      let clients = try (0..<5).map { _ in try server.connect() }
      let spellings = [
        #"{"table":"accounts","limit":1}"#, #"{ "limit" : 1.0 , "table" : "accounts" }"#, #"{"limit":1e0,"table":"\u0061ccounts"}"#,
      ]
      for client in clients { try client.send((0..<60).map { "subscribe s\($0) _system:documents \(spellings[$0 % 3])" }) }
      func allAreTold() throws {
        for client in clients {
          var told: [String: String] = [:]
          while told.count < 60 { for line in try client.group().lines { told[line.id] = line.rest } }
          #expect(Set(told.values).count == 1)
        }
      }
      try allAreTold()
      #expect(try counter("liveQueries", setup) == 1)
      #expect(try counter("subscriptions", setup) == 300)
      let runs = try counter("queryRuns", setup)
      _ = try setup.open("first", 1)
      try allAreTold()
      #expect(try counter("queryRuns", setup) == runs + 1)
      // They are forgotten with the last who wants them.
      for client in clients {
        try client.send((0..<60).map { "unsubscribe s\($0)" } + ["bye"])
        _ = try client.rest()
      }
      #expect(try counter("liveQueries", setup) == 0)
      #expect(try counter("subscriptions", setup) == 0)
    }

    @Test("Connections that break take their subscriptions with them")
    func brokenConnections() throws {
      let setup = try server.connect()
      let account = try setup.open("a", 1)
      for _ in 0..<10 {
        let client = try server.connect()
        try client.send("subscribe s accounts:total", #"subscribe t accounts:get {"id":"\#(account)"}"#)
        _ = try client.group()
        client.close()
      }
      let deadline = Deadline()
      while try counter("subscriptions", setup) > 0, deadline.remainingMilliseconds > 0 {}
      #expect(try counter("subscriptions", setup) == 0)
      #expect(try counter("liveQueries", setup) == 0)
      #expect(try counter("connections", setup) == 1)
    }

    @Test("G5: whatever is written, what a subscription was last told is what its query answers", arguments: [1, 2] as [UInt64])
    func toldIsTrue(seed: UInt64) throws {
      var random = TestRandom(seed: seed)
      let writers = try (0..<2).map { _ in try server.connect() }
      let watcher = try server.connect()
      let barrier = try watcher.open("barrier", 5)
      var accounts = try writers[0].openMany(12, 100)
      let products = try (0..<3).map { number in
        try writers[0].mutate(
          "products:add",
          ["name": .string("p\(number)"), "description": "", "price": 5, "stock": 50, "category": .string("c\(number % 2)")])
      }
      var queries = accounts.map { #"accounts:get {"id":"\#($0)"}"# }
      queries += (1...4).map { #"accounts:byOwner {"owner":"owner-\#($0)"}"# }
      queries += [0, 1, 3, 100].map { #"accounts:richest {"limit":\#($0)}"# }
      queries += [
        "accounts:total", "products:list", #"products:list {"category":"c0","includeInactive":true}"#,
        #"orders:getOrdersByStatus {"status":"pending"}"#, #"orders:getOrdersByStatus {"status":"cancelled","limit":2}"#,
        #"_system:documents {"table":"accounts","index":"by_balance","range":{"gte":50,"lt":150}}"#,
        #"_system:documents {"table":"accounts","index":"by_balance","range":{"gt":100},"order":"desc","limit":2}"#,
        #"_system:documents {"table":"notifications","order":"desc","limit":3}"#, "_system:tables",
      ]
      try watcher.send(queries.enumerated().map { "subscribe s\($0.offset) \($0.element)" })
      var view = LiveView()
      var orders: [Value] = []

      /// A function with its arguments.
      func write() -> (function: String, arguments: Value) {
        func pick<Element>(_ elements: [Element]) -> Element { elements.randomElement(using: &random)! }
        let owner = Value.string("owner-\(Int.random(in: 1...6, using: &random))")
        switch Int.random(in: 0..<12, using: &random) {
        case 0...4:
          let amount = Double(Int.random(in: 1...60, using: &random))
          return ("accounts:transferFunds", Bank.transfer(pick(accounts), pick(accounts), amount))
        case 5: return ("accounts:open", ["owner": owner, "balance": 75])
        case 6: return ("_system:delete", ["id": .string(pick(accounts))])
        case 7: return ("_system:patch", ["id": .string(pick(accounts)), "fields": ["owner": owner]])
        case 8: return ("products:setActive", ["productId": pick(products), "isActive": .boolean(.random(using: &random))])
        case 9, 10:
          let lines: [Value] = (0..<2).map { _ in
            ["productId": pick(products), "quantity": .float64(Double(Int.random(in: 1...4, using: &random)))]
          }
          return ("orders:createOrder", ["items": .array(lines)])
        default: return ("orders:cancelOrder", ["orderId": orders.randomElement(using: &random) ?? "none yet"])
        }
      }

      for round in 0..<40 {
        for writer in writers {
          let lines = (0..<Int.random(in: 1...12, using: &random)).map { index in
            let call = write()
            return "mutation w\(round)-\(index) \(call.function) \(call.arguments.json)"
          }
          try writer.send(lines)
          for index in lines.indices {
            // Many fail, as they should: funds, stock, deleted accounts.
            let answer = try writer.answer(to: "w\(round)-\(index)")
            guard answer.verb == .ok else { continue }
            if let order = try answer.json["orderId"] { orders.append(order) }
            if let account = try answer.json.text { accounts.append(account) }
          }
        }
        for message in try watcher.updatesUpToNow(account: barrier) { _ = try view.take(message) }
        _ = try view.take(ServerMessage("synced \(view.timestamp)"))
        for (index, query) in queries.enumerated() {
          try watcher.send("query q \(query)")
          let now = try watcher.answer(to: "q")
          let told = try #require(view.values["s\(index)"], "\(query) was never told")
          #expect(told.verb == (now.verb == .ok ? .update : .failed) && told.rest == now.rest, "round \(round): \(query)")
        }
      }
    }
  }
}
