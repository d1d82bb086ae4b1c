import Foundation
import MartletValues
import Testing

extension EndToEnd {
  @Suite("Stopping, starting, and who owns the files")
  struct StoppingTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("SIGTERM ends the server with status 0, and the next one has all data, and goes on where it was")
    func restart() throws {
      var server = try ServerProcess(folder)
      var expected = 0
      for round in 0..<5 {
        let client = try server.connect()
        _ = try client.openMany(500, 1)
        try client.send((0..<100).map { #"mutation m\#($0) accounts:open {"owner":"r\#(round)","balance":2}"# })
        let answers = try (0..<100).map { try client.answer(to: "m\($0)") }
        expected += 600
        let before = try CrashTests.accounts(client)
        #expect(before.count == expected)
        #expect(try server.stop() == 0)
        server = try ServerProcess(folder)
        #expect(server.documents == expected)
        #expect(server.timestamp >= answers.map(\.timestamp).max()!)
        #expect(try CrashTests.accounts(server.connect()) == before)
      }
    }

    @Test("What is in flight at SIGTERM is answered, closing comes last, and what was answered is there")
    func inFlight() throws {
      var server = try ServerProcess(folder)
      let clients = try (0..<4).map { _ in try server.connect() }
      for client in clients {
        // The first takes long; the others wait behind it. The pong tells that all of them have arrived.
        try client.send(
          ["subscribe s accounts:total", #"mutation long accounts:openMany {"count":9000,"balance":1}"#]
            + (0..<20).map { #"mutation m\#($0) accounts:open {"owner":"after","balance":1}"# } + ["ping arrived"])
      }
      var early: [[ServerMessage]] = []
      for client in clients { early.append(try client.messages { $0.verb == .pong }) }
      server.sendTerminate()
      for (client, early) in zip(clients, early) {
        let messages = try early + client.rest()
        let answers = messages.filter { $0.verb == .ok || $0.verb == .error }
        #expect(answers.map(\.id) == ["long"] + (0..<20).map { "m\($0)" })
        for answer in answers { #expect(answer.verb == .ok, "\(answer)") }
        #expect(messages.last?.verb == .closing)
        #expect(messages.last?.code == "shutting_down")
      }
      #expect(try server.waitForExit() == 0)
      server = try ServerProcess(folder)
      #expect(try server.connect().total() == (4 * 9_020, 4 * 9_020))
    }

    @Test("While a server stops it takes no new connections, and each line that it still reads is refused or not answered at all")
    func linesAfterTerminate() throws {
      let server = try ServerProcess(folder)
      let busy = try server.connect()
      try busy.send(#"mutation long accounts:openMany {"count":16000,"balance":1}"#, "ping")
      _ = try busy.messages { $0.verb == .pong }
      server.sendTerminate()
      let lines = (0..<50).map { #"mutation late\#($0) accounts:open {"owner":"late","balance":1}"# }
      do { try busy.send(lines) } catch {}  // It may be closed already.
      let messages = try busy.rest()
      #expect(messages.contains { $0.id == "long" && $0.verb == .ok })
      #expect(messages.last?.code == "shutting_down")
      let acknowledged = messages.filter { $0.verb == .ok && $0.id != "long" }.count
      #expect(try server.waitForExit() == 0)
      let again = try ServerProcess(folder)
      #expect(try again.connect().query("accounts:byOwner", ["owner": "late"]).elements.count == acknowledged)
    }

    @Test("A second server on the same data is refused with an error that says so, and leaves the first alone")
    func secondServer() throws {
      let server = try ServerProcess(folder)
      let client = try server.connect()
      _ = try client.openMany(100, 1)
      let second = try Executable.run(
        ["serve", "--example", "bank", "--port", "0", "--data", folder.file("data.sqlite"), "--snapshots", folder.file("snapshots")],
        in: folder)
      #expect(second.status == 1)
      #expect(second.output.isEmpty)
      #expect(second.errors.contains("data.sqlite") && second.errors.contains("another process, number \(server.processID);"), "\(second.errors)")
      #expect(second.errors.contains("stop that server") && second.errors.contains("--data"), "\(second.errors)")
      _ = try client.openMany(100, 1)
      #expect(try client.total().count == 200)
      server.kill()
      let again = try ServerProcess(folder)
      #expect(try again.connect().total().count == 200)
    }

    @Test("A port that is taken is an error that names it, and the data are let go of")
    func takenPort() throws {
      let server = try ServerProcess(folder)
      let arguments = ["serve", "--example", "bank", "--port", "\(server.port)", "--data", folder.file("other.sqlite")]
      let second = try Executable.run(arguments, in: folder)
      #expect(second.status == 1)
      #expect(second.errors.contains("127.0.0.1:\(server.port)") && second.errors.contains("--port"), "\(second.errors)")
      #expect(try server.stop() == 0)
      let other = try ServerProcess(folder, data: "other.sqlite")
      #expect(try other.connect().total().count == 0)
    }

    @Test("A disk that gets full is storage_failed: reads and subscriptions stay alive, a restart has everything acknowledged")
    func fullDisk() throws {
      let server = try ServerProcess(folder, fileBlocks: 1_000)
      let reader = try server.connect()
      try reader.send("subscribe total accounts:total")
      _ = try reader.group()
      let writer = try server.connect()
      var ids: [String] = []
      var failure: ServerMessage?
      // Half a megabyte takes some hundred accounts of 2 KB; before them and after them the server is asked more than it can hold.
      let owner = String(repeating: "o", count: 2_000)
      for round in 0..<100 where failure == nil {
        try writer.send((0..<20).map { #"mutation m\#(round)-\#($0) accounts:open {"owner":"\#(owner)","balance":1}"# })
        for index in 0..<20 {
          let answer = try writer.answer(to: "m\(round)-\(index)")
          if answer.verb == .ok {
            #expect(failure == nil, "nothing commits after the disk has failed")
            ids.append(try answer.okValue.text ?? "")
          } else {
            failure = answer
          }
        }
      }
      #expect(failure?.code == "storage_failed", "\(String(describing: failure))")
      #expect(ids.count > 20)
      // Reads go on, and show what is on disk and nothing else; so does the subscription.
      #expect(try writer.total().count == ids.count)
      #expect(try writer.request("mutation", "accounts:open", ["owner": "a", "balance": 1]).code == "storage_failed")
      #expect(try writer.query("_system:stats")["storage"] == "failed")
      try reader.send("subscribe new accounts:total")
      var view = LiveView()
      while view["new"] == nil || view["total"]?["count"] != view["new"]?["count"] { _ = try view.take(reader.next()) }
      #expect(view["new"]?["count"]?.number == Double(ids.count))
      #expect(server.standardError.contains("commit log failed"))
      server.sendTerminate()
      #expect(try server.waitForExit() == 0)

      let again = try ServerProcess(folder)
      let client = try again.connect()
      let there = Set(try CrashTests.accounts(client).compactMap { $0["_id"]?.text })
      #expect(there.isSuperset(of: ids))
      // What was not acknowledged may be there; as a whole.
      #expect(try client.total().count == there.count)
      _ = try client.open("goes on", 1)
    }
  }
}
