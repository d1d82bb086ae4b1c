import MartletValues
import Testing

extension EndToEnd {
  @Suite("G9: what a server grants its clients")
  struct LimitTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Connects when there is room again: the server sees that another has gone a moment after it has.
    private func connectWhenThereIsRoom(_ server: ServerProcess) throws -> RawClient {
      let deadline = Deadline()
      while true {
        let client = try server.connect()
        try client.send("ping")
        if try client.readLine(deadline) == "pong" { return client }
      }
    }

    @Test("G9: a connection too many is told which limit it met, although it has sent something, and closed; the others go on, and one that ends makes room")
    func connections() throws {
      let server = try ServerProcess(folder, arguments: ["--max-connections", "3"])
      let clients = try (0..<3).map { _ in try server.connect() }
      for client in clients { #expect(try client.request("query", "accounts:total").verb == .ok) }
      let refused = try server.connect()
      try refused.send(#"hello {"patches":true}"#, "subscribe s accounts:total", "mutation 1 accounts:open {\"owner\":\"a\",\"balance\":1}")
      let said = try refused.rest()
      #expect(said.map(\.verb) == [.closing] && said.first?.code == "limit_exceeded" && said.first?.rest.contains("--max-connections") == true, "\(said)")

      // More than may linger at a time.
      let crowd = try (0..<200).map { _ in try server.connect() }
      for client in crowd {
        let lines = client.wholeLinesToTheEnd()
        #expect(lines.count <= 1 && lines.allSatisfy { $0.hasPrefix("closing ") && $0.contains("limit_exceeded") })
      }
      for client in clients { #expect(try client.total().count == 0) }
      #expect(try clients[0].query("_system:stats")["connectionsRefused"]?.number == 201)
      clients[2].close()
      let late = try connectWhenThereIsRoom(server)
      #expect(try late.total().count == 0)
      #expect(try server.stop() == 0)
    }

    @Test("G9: subscriptions of a connection are limited by --max-subscriptions; the others stay live")
    func subscriptions() throws {
      let server = try ServerProcess(folder, arguments: ["--max-subscriptions", "2"])
      let client = try server.connect()
      try client.send("subscribe 1 accounts:total", "subscribe 2 accounts:richest {\"limit\":1}", "subscribe 3 accounts:total")
      #expect(try client.answer(to: "3").code == "limit_exceeded")
      _ = try client.group()
      _ = try client.open("ada", 5)
      #expect(try client.group().lines.map(\.id) == ["1", "2"])
    }

    @Test("Promise 7: a connection that takes nothing is ended after --stall-limit, and is counted; who reads isn't")
    func stalled() throws {
      let server = try ServerProcess(folder, arguments: ["--stall-limit", "0.5"])
      let setup = try server.connect()
      let accounts = try setup.openMany(2_000, 1_000)
      let reader = try server.connect()
      let stalled = try server.connect(receiveBufferBytes: 4_096)
      let subscription = #"subscribe s accounts:richest {"limit":2000}"#
      try stalled.send(bytes: Array("\(subscription)\n".utf8), isReading: false)
      try reader.send(subscription)
      _ = try reader.group()
      let watcher = try server.connect()
      try watcher.send("subscribe stats _system:stats")
      func stats() throws -> Value { try watcher.messages { $0.verb == .update }.last!.json }
      // Some 200 KB each, until the socket has taken what it takes.
      var seen = try stats()
      var change = 0
      while seen["connectionsBlocked"]?.number == 0, seen["slowConsumers"]?.number == 0 {
        for _ in 0..<20 {
          _ = try setup.transfer(accounts[change % 1_000], accounts[1_000 + change % 1_000], 1)
          change += 1
          _ = try reader.group()
        }
        seen = try stats()
      }
      var wasBlocked = false
      while seen["slowConsumers"]?.number == 0 {
        wasBlocked = wasBlocked || (seen["connectionsBlocked"]?.number == 1 && (seen["heldBytes"]?.number ?? 0) > 500_000)
        seen = try stats()
      }
      #expect(wasBlocked)
      #expect(seen["slowConsumers"]?.number == 1 && seen["connectionsBlocked"]?.number == 0 && seen["connections"]?.number == 3, "\(seen)")
      let last = try setup.transfer(accounts[0], accounts[1], 1)
      #expect(try reader.group().timestamp >= last.timestamp)
      // What had left before arrives, and then the connection is over.
      #expect(!stalled.wholeLinesToTheEnd().isEmpty)
    }
  }
}
