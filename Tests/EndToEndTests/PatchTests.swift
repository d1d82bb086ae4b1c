import MartletClient
import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  @Suite("Patches")
  struct PatchTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder)
    }

    private func patching() throws -> RawClient {
      let client = try server.connect()
      try client.send(#"hello {"patches":true}"#)
      let welcome = try client.next()
      #expect(try welcome.verb == .welcome && welcome.json["patches"] == true)
      return client
    }

    @Test("One row of a live list of 1,000 changes: who asked for patches is sent 20 times fewer bytes, and shows the same")
    func oneRowOfMany() throws {
      let setup = try server.connect()
      let accounts = try setup.openMany(1_000, 1_000)
      let plain = try server.connect()
      let patched = try patching()
      var views = [LiveView(), LiveView()]
      var bytes = [0, 0]
      func read(upTo timestamp: UInt64) throws {
        for (number, client) in [plain, patched].enumerated() {
          while views[number].timestamp < timestamp {
            let message = try client.next()
            if timestamp > first { bytes[number] += message.line.utf8.count + 1 }
            _ = try views[number].take(message)
          }
        }
      }
      for client in [plain, patched] { try client.send(#"subscribe list accounts:richest {"limit":1000}"#) }
      let first = try setup.request("query", "accounts:total").timestamp
      try read(upTo: first)
      #expect(views.allSatisfy { $0["list"]?.elements.count == 1_000 })
      for change in 0..<20 {
        let fields: ObjectValue = ["id": .string(accounts[change * 37]), "fields": ["owner": .string("change \(change)")]]
        let answer = try setup.request("mutation", "_system:patch", .object(fields))
        #expect(answer.verb == .ok)
        try read(upTo: answer.timestamp)
        #expect(views[0]["list"] == views[1]["list"])
      }
      #expect(bytes[1] * 20 <= bytes[0], "\(bytes) bytes")
      #expect(try views[1]["list"] == setup.query("accounts:richest", ["limit": 1_000]))
    }

    @Test("Under random writes, clients with patches and without show the same at each synced, also one that reads slowly", arguments: [1, 2])
    func randomWrites(seed: UInt64) throws {
      var random = TestRandom(seed: seed)
      let setup = try server.connect()
      var accounts = try setup.openMany(300, 1_000)
      let slow = try server.connect(receiveBufferBytes: 4_096)
      try slow.send(#"hello {"patches":true}"#)
      let clients = [try server.connect(), try patching(), slow]
      for client in clients {
        try client.send(
          #"subscribe all accounts:richest {"limit":1000}"#, #"subscribe top accounts:richest {"limit":10}"#,
          #"subscribe page _system:documents {"table":"accounts","limit":50}"#, "subscribe total accounts:total")
      }
      var views = clients.map { _ in LiveView() }
      var history: [UInt64: [String: Value]] = [:]
      let ids = ["all", "top", "page", "total"]
      var compared = 0
      var patches = 0
      func take(_ number: Int, _ message: ServerMessage) throws {
        if message.verb == .patch { patches += 1 }
        guard try views[number].take(message) else { return }
        let timestamp = views[number].timestamp
        let values = Dictionary(uniqueKeysWithValues: ids.compactMap { id in views[number][id].map { (id, $0) } })
        if let others = history[timestamp] {
          #expect(values == others, "at \(timestamp)")
          compared += 1
        } else {
          history[timestamp] = values
        }
      }
      var last: UInt64 = 0
      for round in 0..<120 {
        let account = Int.random(in: 0..<accounts.count, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
          let answer = try setup.request("mutation", "accounts:open", ["owner": "new", "balance": .float64(Double(round))])
          accounts.append(try #require(answer.okValue.text))
          last = answer.timestamp
        case 1: last = try setup.request("mutation", "_system:delete", ["id": .string(accounts.remove(at: account))]).timestamp
        case 2:
          let fields: ObjectValue = ["id": .string(accounts[account]), "fields": ["owner": .string("round \(round)")]]
          last = try setup.request("mutation", "_system:patch", .object(fields)).timestamp
        default:
          let answer = try setup.transfer(accounts[account], accounts[(account + 7) % accounts.count], 1)
          if answer.verb == .ok { last = answer.timestamp }
        }
        // The slow one is not read from for long.
        for number in 0..<(round % 40 == 39 ? 3 : 2) {
          while views[number].timestamp < last { try take(number, clients[number].next()) }
        }
      }
      while views[2].timestamp < last { try take(2, clients[2].next()) }
      #expect(compared > 100 && patches > 100, "\(compared) compared, \(patches) patches")
      #expect(try views[2]["all"] == setup.query("accounts:richest", ["limit": 1_000]))
    }

    @Test("The Swift client shows what the query answers, with patches and without", arguments: [true, false])
    func client(accepts: Bool) async throws {
      let setup = try server.connect()
      let accounts = try setup.openMany(200, 1_000)
      var configuration = ClientConfiguration(port: server.port)
      configuration.acceptsPatches = accepts
      let client = try await MartletClient.connect(configuration)
      var updates = client.subscribe("accounts:richest", ["limit": 200]).updates.makeAsyncIterator()
      #expect(try await updates.next()?.value.elements.count == 200)
      for change in 0..<30 {
        let answer = try setup.transfer(accounts[change], accounts[199 - change], 5)
        var shown = try await updates.next()
        while let update = shown, update.timestamp < answer.timestamp { shown = try await updates.next() }
        #expect(try shown?.value == setup.query("accounts:richest", ["limit": 200]))
      }
      await client.close()
    }
  }
}
