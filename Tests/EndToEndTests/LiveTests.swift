import Foundation
import MartletValues
import Testing

extension EndToEnd {
  @Suite("Promises 2 to 5: live queries")
  struct LiveTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder)
    }

    // MARK: Durable

    @Test("Promise 2: what an ok or an update has shown is there after a kill that comes at once")
    func shownIsDurable() throws {
      var server = self.server
      var shown = 0
      for round in 1...3 {
        let watcher = try server.connect()
        try watcher.send("subscribe total accounts:total")
        _ = try watcher.group()
        let client = try server.connect()
        try client.send((0..<40).map { #"mutation m\#($0) accounts:open {"owner":"round \#(round)","balance":1}"# })
        _ = try watcher.group()
        server.sendKill()
        var view = LiveView()
        for message in try watcher.rest() { _ = try view.take(message) }
        shown = max(shown, Int(view["total"]?["count"]?.number ?? 0))
        let answered = try client.rest().filter { $0.verb == .ok }.count
        server.kill()
        server = try ServerProcess(folder)
        #expect(try server.connect().total().count >= shown)
        #expect(try server.connect().query("accounts:byOwner", ["owner": .string("round \(round)")]).elements.count >= answered)
      }
    }

    // MARK: One snapshot

    @Test("Promise 3: two accounts that a transfer changes are told in one group, and what they hold together never changes")
    func transfersAreToldWhole() throws {
      let setup = try server.connect()
      let left = try setup.open("left", 500)
      let right = try setup.open("right", 500)
      let watcher = try server.connect()
      try watcher.send(
        #"subscribe left accounts:get {"id":"\#(left)"}"#, #"subscribe right accounts:get {"id":"\#(right)"}"#,
        #"subscribe richest accounts:richest {"limit":1}"#, "subscribe total accounts:total")
      let writers = try (0..<3).map { _ in try server.connect() }
      for (number, writer) in writers.enumerated() {
        try writer.send(
          (0..<150).map { index in
            let pair = (index + number).isMultiple(of: 2) ? (left, right) : (right, left)
            return "mutation w\(index) accounts:transferFunds \(Bank.transfer(pair.0, pair.1, Double(index % 7 + 1)).json)"
          })
      }
      var view = LiveView()
      func readGroup() throws {
        let group = try watcher.group()
        var ids = group.lines.map(\.id)
        #expect(Set(ids).count == ids.count, "a subscription is told once in a group")
        for line in group.lines { _ = try view.take(line) }
        ids = ids.filter { $0 == "left" || $0 == "right" }
        #expect(ids.count != 1, "a transfer changes both, or neither")
        _ = try view.take(ServerMessage("synced \(group.timestamp)"))
        guard view.values.count == 4 else { return }
        let left = try #require(view["left"]?["balance"]?.number)
        let right = try #require(view["right"]?["balance"]?.number)
        #expect(left + right == 1_000)
        #expect(view["richest"]?[0]?["balance"]?.number == max(left, right))
        #expect(view["total"]?["total"]?.number == 1_000)
      }
      for writer in writers {
        for index in 0..<150 { #expect(try writer.answer(to: "w\(index)").verb == .ok) }
      }
      // A last change, to know where the groups end.
      let last = try setup.transfer(left, right, 0.5).timestamp
      while view.timestamp < last { try readGroup() }
      #expect(try view["left"]?["balance"]?.number == setup.balance(left))
    }

    @Test("Promise 3: a query so long that it runs on another thread is told with the short ones, on one snapshot")
    func longQueriesToo() throws {
      let setup = try server.connect()
      _ = try setup.openMany(6_000, 1)
      let watcher = try server.connect()
      try watcher.send("subscribe total accounts:total", #"subscribe all accounts:richest {"limit":20000}"#)
      _ = try watcher.group()
      let owners = 12
      try setup.send((0..<owners).map { #"mutation m\#($0) accounts:open {"owner":"late","balance":\#($0)}"# })
      let last = try (0..<owners).map { try setup.answer(to: "m\($0)").timestamp }.max()!
      var view = LiveView()
      while view.timestamp < last {
        guard try view.take(watcher.next()), let all = view.values["all"], let total = view["total"] else { continue }
        let accounts = try #require(JSONSerialization.jsonObject(with: Data(all.rest.utf8)) as? [[String: Any]])
        #expect(Double(accounts.count) == total["count"]?.number)
        #expect(accounts.reduce(0) { $0 + ($1["balance"] as? Double ?? .nan) } == total["total"]?.number)
      }
      #expect(view["total"]?["count"]?.number == 6_012)
    }

    // MARK: Read your writes

    @Test("Promise 4: the ok of a mutation is followed by a synced of its timestamp or a later one, after the updates it caused")
    func okThenSynced() throws {
      let client = try server.connect()
      let account = try client.open("a", 100)
      let other = try client.open("b", 100)
      try client.send(#"subscribe s accounts:get {"id":"\#(account)"}"#)
      _ = try client.group()
      for amount in 1...20 {
        try client.send("mutation m accounts:transferFunds \(Bank.transfer(account, other, 1).json)")
        let messages = try client.messages { $0.verb == .synced }
        #expect(messages.map(\.verb) == [.ok, .update, .synced])
        #expect(messages[2].timestamp >= messages[0].timestamp)
        #expect(try messages[1].json["balance"]?.number == Double(100 - amount))
      }
    }

    @Test("Promise 4: the synced comes even where the mutation changed none of the connection's subscriptions")
    func syncedWithoutUpdate() throws {
      let client = try server.connect()
      let account = try client.open("a", 100)
      try client.send(#"subscribe s accounts:get {"id":"\#(account)"}"#)
      _ = try client.group()
      for _ in 0..<20 {
        try client.send(#"mutation m accounts:open {"owner":"b","balance":1}"#)
        let messages = try client.messages { $0.verb == .synced }
        #expect(messages.map(\.verb) == [.ok, .synced])
        #expect(messages[1].timestamp >= messages[0].timestamp)
      }
    }

    @Test("Promise 4: the synced comes also while a long query of the connection runs on another thread")
    func syncedDespiteLongQuery() throws {
      let client = try server.connect()
      let accounts = try client.openMany(6_000, 10)
      try client.send(#"subscribe long accounts:richest {"limit":5500}"#)
      _ = try client.group()
      for round in 1...15 {
        // The first has the long query run again; the second, poor, concerns nobody, and commits while it runs.
        try client.send("mutation m1 accounts:transferFunds \(Bank.transfer(accounts[0], accounts[1], 0.25).json)", "ping")
        _ = try client.messages { $0.verb == .pong }
        try client.send(#"mutation m2 accounts:open {"owner":"poor","balance":0}"#)
        var second: UInt64 = .max
        do {
          _ = try client.messages(Deadline(seconds: 10)) { message in
            if message.id == "m2" { second = message.timestamp }
            return message.verb == .synced && message.timestamp >= second
          }
        } catch {
          Issue.record("round \(round): no synced came at or after m2's timestamp \(second): \(error)")
          return
        }
      }
    }

    @Test("Promise 4: a query sent after the ok sees what the mutation did, on any connection")
    func queriesSeeWrites() throws {
      let writer = try server.connect()
      let reader = try server.connect()
      for count in 1...50 {
        let answer = try writer.request("mutation", "accounts:open", ["owner": "a", "balance": 1])
        let total = try reader.request("query", "accounts:total")
        #expect(total.timestamp >= answer.timestamp)
        #expect(try total.okValue["count"]?.number == Double(count))
      }
    }

    // MARK: Live

    @Test("Promise 5: the first update comes without waiting for a change")
    func firstUpdate() throws {
      let client = try server.connect()
      try client.send("subscribe s accounts:total")
      let first = try client.group()
      #expect(first.lines.map(\.line) == [#"update s {"count":0,"total":0}"#])
      // A second subscription to the same query is told at once too, and the first is not told again.
      try client.send("subscribe t accounts:total")
      #expect(try client.group().lines.map(\.id) == ["t"])
    }

    @Test("Promise 5: a query that gives an equal value again is not told")
    func equalValues() throws {
      let client = try server.connect()
      let accounts = try client.openMany(2, 100)
      try client.send("subscribe s accounts:total", #"subscribe richest accounts:richest {"limit":0}"#)
      _ = try client.group()
      let other = try server.connect()
      for _ in 0..<20 {
        #expect(try other.transfer(accounts[0], accounts[1], 1).verb == .ok)
      }
      #expect(try client.updatesUpToNow(account: accounts[0]).isEmpty)
      // The same subscription does tell what differs.
      _ = try other.open("new", 5)
      #expect(try client.updatesUpToNow(account: accounts[0]).map(\.line) == [#"update s {"count":3,"total":205}"#])
    }

    @Test("Promise 5: after the ok of unsubscribe no update of that id follows")
    func unsubscribed() throws {
      let client = try server.connect()
      let accounts = try client.openMany(2, 1_000)
      try client.send(#"subscribe a accounts:get {"id":"\#(accounts[0])"}"#, #"subscribe b accounts:get {"id":"\#(accounts[1])"}"#)
      _ = try client.group()
      let other = try server.connect()
      for round in 0..<20 {
        try other.send((0..<10).map { "mutation m\($0) accounts:transferFunds \(Bank.transfer(accounts[0], accounts[1], 1).json)" })
        try client.send("unsubscribe a")
        let ended = try client.messages { $0.verb != .update && $0.id == "a" }.last
        #expect(ended?.verb == .ok && ended?.rest == "null", "round \(round): \(String(describing: ended))")
        for index in 0..<10 { #expect(try other.answer(to: "m\(index)").verb == .ok) }
        #expect(try client.updatesUpToNow(account: accounts[0]).filter { $0.id == "a" }.isEmpty)
        try client.send(#"subscribe a accounts:get {"id":"\#(accounts[0])"}"#)
        _ = try client.messages { $0.verb == .update && $0.id == "a" }
      }
    }

    @Test("Promise 5: a subscription that ends while its long query runs does not hold up the connection's others")
    func unsubscribedWhileRunning() throws {
      let client = try server.connect()
      let accounts = try client.openMany(6_000, 10)
      try client.send("subscribe s accounts:total")
      _ = try client.group()
      let other = try server.connect()
      for round in 1...10 {
        try client.send(#"subscribe long accounts:richest {"limit":20000}"#, "ping")
        _ = try client.messages { $0.verb == .pong }
        try client.send("unsubscribe long")
        _ = try client.answer(to: "long")
        let answer = try other.request("mutation", "accounts:open", ["owner": "new", "balance": 1])
        do {
          _ = try client.messages(Deadline(seconds: 10)) { $0.verb == .synced && $0.timestamp >= answer.timestamp }
        } catch {
          Issue.record("round \(round): accounts:total changed at \(answer.timestamp), and its subscription was not told: \(error)")
          return
        }
      }
      #expect(accounts.count == 6_000)
    }

    @Test("Promise 5: a subscription whose query throws is told failed, and told the value when a change mends it")
    func failedAndMended() throws {
      let client = try server.connect()
      // One document more than a transaction may read.
      let first = try client.openMany(16_000, 1)
      _ = try client.openMany(16_000, 1)
      let last = try client.open("one too many", 1)
      try client.send(#"subscribe all accounts:richest {"limit":40000}"#, #"subscribe one accounts:get {"id":"\#(first[0])"}"#)
      var view = LiveView()
      while view.values.count < 2 { _ = try view.take(client.next()) }
      #expect(view.values["all"]?.code == "limit_exceeded")
      #expect(view.values["one"]?.verb == .update)

      try client.mutate("_system:delete", ["id": .string(last)])
      _ = try client.messages { try! view.take($0) && view.values["all"]?.verb == .update }
      let line = try #require(view.values["all"])
      let all = try #require(JSONSerialization.jsonObject(with: Data(line.rest.utf8)) as? [Any])
      #expect(all.count == 32_000)

      try client.mutate("_system:delete", ["id": .string(first[0])])
      _ = try client.messages { try! view.take($0) && view.values["one"]?.verb == .failed }
      #expect(view.values["one"]?.code == "not_found")
    }

    @Test("Promise 5: auth runs the connection's live queries again as the new identity")
    func identityChanges() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(folder, arguments: ["--admin-key", "key"])
      let client = try server.connect()
      let account = try client.open("a", 1)
      try client.send("subscribe s accounts:total", "auth a key", "subscribe tables _system:tables")
      var view = LiveView()
      while view["s"] == nil || view["tables"] == nil { _ = try view.take(client.next()) }
      try client.send("auth b")
      #expect(try client.answer(to: "b").verb == .ok)
      let other = try server.connect()
      _ = try other.open("b", 1)
      for message in try client.updatesUpToNow(account: account) { _ = try view.take(message) }
      _ = try view.take(ServerMessage("synced \(view.timestamp)"))
      #expect(view["s"]?["count"] == 2)
      #expect(view["tables"]?.elements.first { $0["name"] == "accounts" }?["documents"] != 2,
        "who is no admin any more is told nothing new of the server's own")
    }
  }
}
