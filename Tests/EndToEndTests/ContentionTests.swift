import MartletValues
import Testing

extension EndToEnd {
  @Suite("G4: contention")
  struct ContentionTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder, examples: ["bank", "store"])
    }

    @Test("G4: 64 connections that add 1 to one document 1,000 times each add exactly 64,000, and none of them meets an error")
    func hotDocument() throws {
      let connections = 64
      let each = 1_000
      let setup = try server.connect()
      let hot = try setup.open("hot", 0)
      let sources = try setup.openMany(connections, Double(each))
      let before = try #require(try setup.query("_system:stats")["commits"]?.number)
      let clients = try sources.map { _ in try server.connect() }
      for (source, client) in zip(sources, clients) {
        let transfer = "accounts:transferFunds \(Bank.transfer(source, hot, 1).json)"
        try client.send(bytes: Array((0..<each).map { "mutation \($0) \(transfer)\n" }.joined().utf8))
      }
      var answered = [Int](repeating: 0, count: connections)
      let deadline = Deadline(seconds: 60)
      while answered.contains(where: { $0 < each }) {
        try RawClient.wait(for: clients, deadline)
        for (number, client) in clients.enumerated() {
          while let line = client.takeLine() {
            guard line.utf8.starts(with: "ok \(answered[number]) ".utf8) else {
              throw Failure("connection \(number) was to be answered \(answered[number]): \(line)")
            }
            answered[number] += 1
          }
        }
      }
      #expect(try setup.balance(hot) == Double(connections * each))
      #expect(try setup.total() == (connections + 1, Double(connections * each)))
      let stats = try setup.query("_system:stats")
      #expect(stats["commits"]?.number == before + Double(connections * each))
    }

    @Test("G4: a long mutation whose documents others change all the time is run until it fits, and its caller meets no error")
    func longMutation() throws {
      let setup = try server.connect()
      let product = try setup.mutate(
        "products:add", ["name": "p", "description": "", "price": 1, "stock": 100_000, "category": "c"])
      // So many lines are more than the engine's own thread does at once: it runs on another, on a snapshot.
      let lines = 2_500
      let line: Value = ["productId": product, "quantity": 1]
      let order = "orders:createOrder \(Value.object(["items": .array(Array(repeating: line, count: lines))]).json)"
      let longs = try (0..<2).map { _ in try server.connect() }
      let orders = 3
      for client in longs { try client.send((0..<orders).map { "mutation o\($0) \(order)" }) }
      let restock = "products:restock \(Value.object(["productId": product, "quantity": 1]).json)"
      let short = try server.connect()
      var restocks = 0
      var done = 0
      while done < longs.count * orders {
        try short.send("mutation r \(restock)")
        #expect(try short.answer(to: "r").verb == .ok)
        restocks += 1
        for client in longs {
          client.takeIn()
          while let line = client.takeLine() {
            let answer = try ServerMessage(line)
            #expect(try answer.okValue["total"]?.number == Double(lines))
            done += 1
          }
        }
      }
      let stock = try setup.query("products:list")[0]?["stock"]?.number
      #expect(stock == Double(100_000 + restocks - longs.count * orders * lines))
      #expect(try setup.query("_system:stats")["conflicts"]?.number ?? 0 > 0, "they did meet")
    }
  }
}
