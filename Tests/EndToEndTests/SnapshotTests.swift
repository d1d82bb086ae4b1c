import Foundation
import MartletValues
import TestServers
import Testing

extension EndToEnd {
  @Suite("Snapshots")
  struct SnapshotTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func snapshotFile(_ name: String) -> String { folder.file("snapshots/\(name).martlet.sqlite") }

    @Test("A snapshot that is written while transfers go on is one moment of them, and a server restored from it has that moment's data")
    func whileWriting() throws {
      let server = try ServerProcess(folder, examples: ["bank", "store"])
      let setup = try server.connect()
      let accounts = try setup.openMany(5_000, 100)
      try setup.send((0..<3).map { #"mutation p\#($0) products:add {"name":"p","description":"","price":1,"stock":5,"category":"c"}"# })
      var snapshots: [Value] = []
      let writer = try server.connect()
      for round in 0..<3 {
        try setup.send(#"action s _system:snapshot {"name":"s\#(round)"}"#)
        try writer.send(
          (0..<400).map { index in
            let transfer = Bank.transfer(accounts[(index * 7) % 5_000], accounts[(index * 11 + 1) % 5_000], 0.25)
            return "mutation t\(index) accounts:transferFunds \(transfer.json)"
          })
        for index in 0..<400 { #expect(try writer.answer(to: "t\(index)").verb == .ok) }
        snapshots.append(try setup.answer(to: "s").okValue)
      }
      let timestamps = snapshots.compactMap { $0["timestamp"]?.number }
      #expect(timestamps.count == 3 && timestamps == timestamps.sorted())
      #expect(try setup.query("_system:snapshots").elements.map { $0["name"] } == ["s0", "s1", "s2"])
      // One more, of what is known.
      let expected = try CrashTests.accounts(setup)
      let last = try setup.request("action", "_system:snapshot", ["name": "last"]).okValue
      // The documents of the store's crons are among them.
      let documents = ["s0": snapshots[0], "s1": snapshots[1], "s2": snapshots[2], "last": last].compactMapValues { $0["documents"]?.number }
      #expect(documents.count == 4 && documents.values.allSatisfy { $0 >= 5_003 })
      #expect(try server.stop() == 0)

      for name in ["s0", "s1", "s2", "last"] {
        let restored = try ServerProcess(folder, examples: ["bank", "store"], data: "\(name).sqlite", arguments: ["--restore", snapshotFile(name)])
        let client = try restored.connect()
        #expect(Double(restored.documents) == documents[name])
        #expect(try client.total() == (5_000, 500_000))
        if name == "last" {
          #expect(try CrashTests.accounts(client) == expected)
          #expect(restored.timestamp == UInt64(last["timestamp"]?.number ?? 0))
        }
        // It goes on from there, after a restart too.
        let answer = try client.transfer(accounts[0], accounts[1], 1)
        #expect(answer.verb == .ok && answer.timestamp > restored.timestamp)
        let moved = try client.balance(accounts[0])
        restored.kill()
        let again = try ServerProcess(folder, examples: ["bank", "store"], data: "\(name).sqlite")
        #expect(try again.connect().balance(accounts[0]) == moved)
      }
    }

    @Test("A snapshot's name is taken once, and two that are asked for at the same time are both whole")
    func names() throws {
      let server = try ServerProcess(folder)
      let client = try server.connect()
      _ = try client.openMany(2_000, 1)
      try client.send(
        (0..<4).map { #"action same\#($0) _system:snapshot {"name":"same"}"# } + (0..<4).map { "action time\($0) _system:snapshot" })
      let same = try (0..<4).map { try client.answer(to: "same\($0)") }
      #expect(same.filter { $0.verb == .ok }.count == 1)
      for answer in same where answer.verb == .error {
        #expect(answer.code == "application")
        #expect(try answer.json["message"]?.text?.contains("same") == true)
      }
      var names = try (0..<4).map { try client.answer(to: "time\($0)").okValue["name"]?.text ?? "" }
      #expect(Set(names).count == 4)
      names.append("same")
      for name in names {
        let restored = try ServerProcess(folder, data: "\(name).sqlite", arguments: ["--restore", name])
        #expect(try restored.connect().total() == (2_000, 2_000))
      }
    }

    @Test("martlet restore makes the data of a stopped server, by name or by file, and never replaces data")
    func restoreCommand() throws {
      var server = try ServerProcess(folder)
      _ = try server.connect().openMany(100, 3)
      #expect(try server.connect().request("action", "_system:snapshot", ["name": "a"]).verb == .ok)
      #expect(try server.stop() == 0)

      let refused = try restore("a", to: "data.sqlite")
      #expect(refused.status == 1 && refused.output.isEmpty)
      #expect(refused.errors.contains("data.sqlite") && refused.errors.contains("--data"), "\(refused.errors)")
      for (index, snapshot) in ["a", snapshotFile("a")].enumerated() {
        let restored = try restore(snapshot, to: "fresh\(index).sqlite")
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(try Value(json: restored.output)["documents"] == 100)
        server = try ServerProcess(folder, data: "fresh\(index).sqlite")
        #expect(try server.connect().total() == (100, 300))
      }
      for missing in ["b", folder.file("nowhere.sqlite")] {
        let none = try restore(missing, to: "none.sqlite")
        #expect(none.status == 1 && !none.errors.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.file("none.sqlite")))
      }
      server = try ServerProcess(folder)
      #expect(try server.connect().total() == (100, 300))
    }

    @Test("A damaged snapshot is refused, wherever a byte of it was changed or cut off, and leaves no data file")
    func damaged() throws {
      let server = try ServerProcess(folder)
      let client = try server.connect()
      _ = try client.openMany(300, 3)
      #expect(try client.request("action", "_system:snapshot", ["name": "a"]).verb == .ok)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: snapshotFile("a")))
      let needle = try #require(bytes.range(of: Data("owner-77".utf8)))
      var changed = bytes
      changed[needle.upperBound - 1] ^= 1
      let half = bytes.prefix(bytes.count / 2)
      let empty = Data()
      let nonsense = Data(repeating: 7, count: 10_000)
      for (index, data) in [changed, half, empty, nonsense].enumerated() {
        let path = folder.file("damaged\(index).sqlite")
        try data.write(to: URL(fileURLWithPath: path))
        let refused = try restore(path, to: "fresh.sqlite")
        #expect(refused.status == 1 && !refused.errors.isEmpty, "damage \(index)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("fresh.sqlite")))
      }
      #expect(try restore("a", to: "fresh.sqlite").status == 0)
    }

    @Test("G7: scheduled jobs, crons and retried actions come back with a snapshot, and go on from there")
    func jobs() async throws {
      let peer = PlannedPeer(PeerPlan(seed: 1))
      try await LoopbackServer.with(peer.answer) { try jobs(asking: $0.url, peer) }
    }

    private func jobs(asking url: String, _ peer: PlannedPeer) throws {
      let allow = ["--fetch-allow", "127.0.0.1"]
      let server = try ServerProcess(folder, app: "HistoryApp", arguments: allow)
      let client = try server.connect()
      // Divisible by 13: a job that is an hour ahead, and its cancellation; the rest goes on while the snapshot is written.
      try client.send(
        (0..<60).map { "mutation p\($0) jobs:plan {\"number\":\($0),\"peer\":\"\(url)\"}" } + ["action s _system:snapshot {\"name\":\"jobs\"}"])
      #expect(try client.answer(to: "s").verb == .ok)
      let anchors = try client.anchors()
      #expect(try server.stop() == 0)

      let restart = Date().timeIntervalSince1970 * 1_000
      let restored = try ServerProcess(
        folder, app: "HistoryApp", data: "restored.sqlite", arguments: ["--restore", snapshotFile("jobs")] + allow)
      let again = try restored.connect()
      let watcher = try restored.connect()
      try watcher.send("subscribe progress jobs:progress")
      while try watcher.progress().left > 0 {}
      #expect(try again.anchors() == anchors)
      var records = try JobRecords(again, peer)
      records.areOfSnapshot = true
      let checks = try JobChecks(records)
      #expect(checks.plans.sorted() == Array(0..<60))
      let late = checks.jobs.filter { $0.completedTime ?? 0 > restart }
      #expect(late.contains { $0.run != nil } && late.contains { $0.function == "jobs:add" } && late.contains { $0.cron != nil })
      let problems = checks.problems()
      #expect(problems.isEmpty, "\(problems.count) problems, such as \(problems.prefix(5))")
      #expect(try restored.stop() == 0)
    }

    private func restore(_ snapshot: String, to data: String) throws -> (status: Int32, output: String, errors: String) {
      try Executable.run(
        ["restore", snapshot, "--data", folder.file(data), "--snapshots", folder.file("snapshots"), "--json"], in: folder)
    }
  }
}
