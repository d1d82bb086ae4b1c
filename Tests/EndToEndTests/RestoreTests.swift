import Foundation
import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  @Suite("Restoring")
  struct RestoreTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func martlet(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
      try Executable.run(arguments, in: folder)
    }

    private func url(_ server: ServerProcess) -> String { "martlet://127.0.0.1:\(server.port)" }

    @Test("A running server is restored while transfers go on: each is answered, each update is of one moment, and ids are the same")
    func running() throws {
      let server = try ServerProcess(folder)
      let client = try server.connect()
      let accounts = try client.openMany(3_000, 100)
      #expect(try client.request("action", "_system:snapshot", ["name": "s"]).verb == .ok)
      let then = try CrashTests.accounts(client)
      let extra = try client.openMany(500, 100)
      let watcher = try server.connect()
      try watcher.send("subscribe total accounts:total")
      let writer = try server.connect()
      for round in 0..<3 {
        try client.send(#"action r _system:restore {"snapshot":"s"}"#)
        try writer.send(
          (0..<300).map { index in
            "mutation t\(index) accounts:transferFunds \(Bank.transfer(accounts[(index * 7) % 3_000], accounts[(index * 11 + 1) % 3_000], 0.25).json)"
          })
        var timestamps: [UInt64] = []
        for index in 0..<300 {
          let answer = try writer.answer(to: "t\(index)")
          #expect(answer.verb == .ok)
          timestamps.append(answer.timestamp)
        }
        let report = try client.answer(to: "r").okValue
        #expect(timestamps == timestamps.sorted() && Set(timestamps).count == 300)
        #expect(report["documents"] == 3_000)
        #expect(try client.total() == (3_000, 300_000))
        // What was there before is a snapshot of its own, with the accounts that came since, and no transfer half.
        let before = try #require(report["before"]?.text)
        let verified = try martlet("snapshot", "verify", before, "--snapshots", folder.file("snapshots"), "--json")
        #expect(verified.status == 0, "\(verified.errors)")
        #expect(try Value(json: verified.output)["tables"]?.elements.contains(["table": "accounts", "documents": round == 0 ? 3_500 : 3_000]) == true)
      }
      // Nothing in flight: then exactly what it was.
      #expect(try client.request("action", "_system:restore", ["snapshot": "s"]).verb == .ok)
      #expect(try CrashTests.accounts(client) == then)
      #expect(try client.request("query", "accounts:get", ["id": .string(extra[0])]).verb == .error)
      try watcher.send("query end accounts:total")
      var last: UInt64 = 0
      for message in try watcher.messages(until: { $0.id == "end" }) {
        if message.verb == .update { #expect(try message.json["total"] == .float64((message.json["count"]?.number ?? 0) * 100)) }
        if message.verb == .synced {
          #expect(message.timestamp > last)
          last = message.timestamp
        }
      }
      server.kill()
      let again = try ServerProcess(folder)
      #expect(try CrashTests.accounts(again.connect()) == then)
    }

    @Test("A server that is killed while it restores, or writes a snapshot, has restored all or nothing, and no half of a snapshot", arguments: 1...2)
    func killed(seed: UInt64) throws {
      var random = TestRandom(seed: seed)
      let rounds = 6 * (ProcessInfo.processInfo.environment["MARTLET_ORACLE_FACTOR"].flatMap { Int($0) } ?? 1)
      var server = try ServerProcess(folder)
      var client = try server.connect()
      _ = try client.openMany(2_000, 1)
      #expect(try client.request("action", "_system:snapshot", ["name": "small"]).verb == .ok)
      _ = try client.openMany(2_000, 1)
      #expect(try client.request("action", "_system:snapshot", ["name": "large"]).verb == .ok)
      var count = 4_000
      for round in 0..<rounds {
        let target = count == 4_000 ? ("small", 2_000) : ("large", 4_000)
        try client.send(#"action r _system:restore {"snapshot":"\#(target.0)"}"#, #"action s _system:snapshot {"name":"s\#(round)"}"#)
        let other = try server.connect()
        for _ in 0..<Int.random(in: 0..<120, using: &random) { _ = try other.query("accounts:total") }
        server.sendKill()
        let isAcknowledged = client.wholeLinesToTheEnd().contains { $0.hasPrefix("ok r ") }
        server.kill()
        server = try ServerProcess(folder)
        client = try server.connect()
        let total = try client.total()
        #expect(total.count == target.1 || !isAcknowledged && total.count == count)
        #expect(total.sum == Double(total.count))
        count = total.count
        for snapshot in try client.query("_system:snapshots").elements {
          let name = try #require(snapshot["name"]?.text)
          let answer = try client.request("action", "_system:verifySnapshot", ["name": .string(name)])
          #expect(answer.verb == .ok, "\(name)")
        }
      }
    }

    @Test("With a kept log the data go back to any commit, by timestamp or time, stopped or running, and forth again")
    func pointInTime() throws {
      let keep = ["--keep-log", "7d"]
      var server = try ServerProcess(folder, arguments: keep)
      var client = try server.connect()
      var states: [(timestamp: UInt64, accounts: [Value])] = []
      var ids = try client.openMany(50, 10)
      for round in 0..<20 {
        _ = try client.transfer(ids[round], ids[round + 7], 1)
        if round % 5 == 4 { ids += try client.openMany(20, Double(round)) }
        let timestamp = try client.request("query", "accounts:total").timestamp
        states.append((timestamp, try CrashTests.accounts(client)))
        if round % 7 == 6 {
          // Stopping folds the log.
          #expect(try server.stop() == 0)
          server = try ServerProcess(folder, arguments: keep)
          client = try server.connect()
        }
      }
      for state in [states[3], states[19], states[11]] {
        let restored = try martlet("restore", "--at", "\(state.timestamp)", "--url", url(server), "--json")
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(try Value(json: restored.output)["restored"] == .float64(Double(state.timestamp)))
        #expect(try CrashTests.accounts(client) == state.accounts)
      }
      let used = try martlet("restore", "--at", "5", "--data", folder.file("data.sqlite"))
      #expect(used.status == 1 && used.errors.contains("--url"), "\(used.errors)")

      // By time: that of the commit of state 6, as the log tells it. After it the server was started anew, so the next one was made milliseconds later.
      let log = try martlet("log", "--limit", "200", "--table", "accounts", "--url", url(server), "--json")
      let commits = try log.output.split(separator: "\n").map { try Value(json: String($0)) }
      #expect(commits.first?["function"] == "_system:restore")
      let commit = try #require(commits.first { $0["timestamp"] == .float64(Double(states[6].timestamp)) })
      #expect(commit["function"]?.text?.hasPrefix("accounts:") == true)
      #expect(commit["documents"]?.elements.contains { $0["table"] == "accounts" && $0["op"] == "put" } == true)
      #expect(try server.stop() == 0)
      let time = Date(timeIntervalSince1970: try #require(commit["at"]?.number) / 1_000 + 0.003)
      let text = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
      for (at, state) in [(text, states[6]), ("\(states[14].timestamp)", states[14]), ("\(states[2].timestamp)", states[2])] {
        let restored = try martlet("restore", "--at", at, "--data", folder.file("data.sqlite"))
        #expect(restored.status == 0, "\(restored.errors)")
        server = try ServerProcess(folder, arguments: keep)
        #expect(try CrashTests.accounts(server.connect()) == state.accounts)
        #expect(try server.stop() == 0)
      }
      let beyond = try martlet("restore", "--at", "1999-01-01", "--data", folder.file("data.sqlite"))
      #expect(beyond.status == 1 && beyond.errors.contains("first commit that the log has kept"), "\(beyond.errors)")

      // Without the option the log goes once it is folded.
      server = try ServerProcess(folder)
      #expect(try server.stop() == 0)
      let gone = try martlet("restore", "--at", "\(states[2].timestamp)", "--data", folder.file("data.sqlite"))
      #expect(gone.status == 1 && gone.errors.contains("leads back to timestamp"), "\(gone.errors)")
      server = try ServerProcess(folder)
      #expect(try CrashTests.accounts(server.connect()) == states[2].accounts)
    }

    @Test("The commands of snapshots: create, list, verify, delete, and restore into a server by name or file")
    func commands() throws {
      let server = try ServerProcess(folder, arguments: ["--snapshot-every", "1h", "--keep", "2"])
      let client = try server.connect()
      _ = try client.openMany(40, 2)
      let address = ["--url", url(server)]
      #expect(try Executable.run(["snapshot", "create", "mine"] + address, in: folder).output.contains("mine"))
      _ = try client.openMany(2, 2)
      let listed = try Executable.run(["snapshot", "list"] + address, in: folder)
      #expect(listed.output.contains("mine") && listed.output.contains("scheduled-"))
      let file = folder.file("snapshots/mine.martlet.sqlite")
      for name in ["mine", file] {
        let restored = try Executable.run(["restore", name] + address, in: folder)
        #expect(restored.status == 0 && restored.output.contains("before-restore-"), "\(restored.errors)")
        #expect(try client.total() == (40, 80))
        _ = try client.openMany(2, 2)
      }
      let verified = try martlet("snapshot", "verify", file)
      #expect(verified.status == 0 && verified.output.contains("All of it is right"))
      var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      let place = try #require(bytes.range(of: Data("owner-7".utf8)))
      bytes[place.upperBound - 1] ^= 1
      try bytes.write(to: URL(fileURLWithPath: file))
      #expect(try martlet("snapshot", "verify", file).status == 1)
      let damaged = try Executable.run(["restore", "mine"] + address, in: folder)
      #expect(damaged.status == 1 && damaged.errors.contains("nothing was restored"), "\(damaged.errors)")
      #expect(try client.total() == (42, 84))
      #expect(try Executable.run(["snapshot", "delete", "mine"] + address, in: folder).status == 0)
      #expect(!FileManager.default.fileExists(atPath: file))
      #expect(try Executable.run(["snapshot", "delete", "mine"] + address, in: folder).status == 1)
      for wrong in [["restore"], ["restore", "a", "--at", "3"], ["restore", "--at", "yesterday"], ["log", "--since", "soon"]] {
        #expect(try Executable.run(wrong, in: folder).status == 64)
      }
    }
  }
}
