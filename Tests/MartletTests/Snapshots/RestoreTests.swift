import MartletTesting
import MartletValues
import Testing
import TestSupport

@testable import Martlet

@Suite("Restoring into a running server")
struct RestoreTests {
  static func server(
    seed: UInt64 = 1, _ snapshots: MemorySnapshots, disk: MemoryStorage.Disk = .init(), pace: SimulatedLogWriter.Pace = .immediate, crons: [Cron] = [],
    durability: Durability = .full
  ) throws -> EngineHarness {
    var configuration = EngineConfiguration()
    configuration.durability = durability
    let server = try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self, Jobs.self], crons: crons, seed: seed, disk: disk, configuration: configuration, pace: pace,
      snapshots: snapshots)
    server.clock.nanosecondsPerReading = 40_000
    return server
  }

  /// All documents of all tables, the list of tables apart.
  static func contents(_ server: EngineHarness) -> [String: String] {
    server.inspect { engine in
      var contents: [String: String] = [:]
      for table in engine.catalog.tables where table.layout.number != Recovery.catalogNumber {
        table.assumeIsolated { $0.snapshot }.forEachDocument { contents["\($0.id)"] = String(decoding: $0.json, as: UTF8.self) }
      }
      return contents
    }
  }

  static func contents(_ snapshots: MemorySnapshots, _ name: String) -> [String: String] {
    var contents: [String: String] = [:]
    for document in snapshots.documents(of: name) where document.id.tableNumber != Recovery.catalogNumber {
      contents["\(document.id)"] = String(decoding: document.json, as: UTF8.self)
    }
    return contents
  }

  static func checkInvariants(_ server: EngineHarness) throws {
    try server.inspect { engine in
      for table in engine.catalog.tables { try table.assumeIsolated { try $0.checkInvariants() } }
    }
  }

  @discardableResult
  static func ask(_ server: EngineHarness, _ client: InProcessClient, _ line: String) -> String {
    client.send(line)
    server.settle()
    return client.answer("q") ?? "nothing"
  }

  @Test("Documents are as they were, whenever and however often a snapshot is restored; who watches is told, in order, and only what is new")
  func restored() throws {
    let snapshots = MemorySnapshots()
    let server = try Self.server(snapshots)
    let client = server.connect()
    for name in ["a", "b", "c"] { Self.ask(server, client, #"mutation q counters:set {"name":"\#(name)","value":5}"#) }
    Self.ask(server, client, #"action q _system:snapshot {"name":"s"}"#)
    let then = Self.contents(server)
    #expect(Self.contents(snapshots, "s") == then)
    Self.ask(server, client, #"mutation q counters:set {"name":"a","value":7}"#)
    Self.ask(server, client, #"mutation q counters:delete {"name":"b"}"#)
    Self.ask(server, client, #"mutation q counters:set {"name":"d","value":1}"#)
    let replaced = Self.contents(server)

    let watcher = server.connect()
    watcher.send("subscribe all counters:all", #"subscribe c counters:value {"name":"c"}"#)
    server.settle()
    #expect(watcher.takeText() == [#"update all ["a=7","c=5","d=1"]"#, "update c 5", "synced 7"])
    client.send(#"action q _system:restore {"snapshot":"s"}"#)
    server.settle()
    #expect(client.answer("q") == #"{"before":"before-restore-2","documents":3,"restored":4,"timestamp":8,"writes":3}"#)
    #expect(watcher.takeText() == [#"update all ["a=5","b=5","c=5"]"#, "synced 8"])
    #expect(Self.contents(server) == then)
    try Self.checkInvariants(server)
    // Nothing differs, so nothing is committed.
    #expect(Self.ask(server, client, #"action q _system:restore {"snapshot":"s"}"#).contains(#""timestamp":8,"writes":0"#))
    // And there again.
    Self.ask(server, client, #"action q _system:restore {"snapshot":"before-restore-2"}"#)
    #expect(Self.contents(server) == replaced)
    #expect(watcher.takeText() == [#"update all ["a=7","c=5","d=1"]"#, "synced 9"])
    // A new document is later than all of them.
    Self.ask(server, client, #"mutation q counters:set {"name":"e","value":1}"#)
    try server.crash()
    #expect(Self.contents(server).count == replaced.count + 1)
    try Self.checkInvariants(server)
  }

  @Test("G2: nothing of a restore leaves before it is on disk, and a disk that refuses takes it back as a whole")
  func durableFirst() throws {
    for failure in [false, true] {
      let snapshots = MemorySnapshots()
      let server = try Self.server(snapshots)
      let client = server.connect()
      Self.ask(server, client, #"mutation q counters:set {"name":"a","value":1}"#)
      Self.ask(server, client, #"action q _system:snapshot {"name":"s"}"#)
      Self.ask(server, client, #"mutation q counters:set {"name":"a","value":2}"#)
      let before = Self.contents(server)
      let watcher = server.connect()
      watcher.send(#"subscribe a counters:value {"name":"a"}"#)
      server.settle()
      _ = (watcher.take(), client.take())
      server.log.pace = .byHand
      client.send(#"action r _system:restore {"snapshot":"s"}"#)
      server.run()
      // It waits for its batch; and a mutation waits for it.
      #expect(server.log.writing != nil && client.take().isEmpty && watcher.take().isEmpty)
      let other = server.connect()
      other.send(#"mutation q counters:add {"name":"a","amount":10}"#)
      server.run()
      #expect(other.take().isEmpty)
      if failure { server.disk.fail(.append) }
      server.completeBatch()
      if failure {
        #expect(client.answer("r")?.contains("storage_failed") == true)
        #expect(other.answer("q")?.contains("storage_failed") == true)
        #expect(Self.contents(server) == before)
        try server.crash()
        #expect(Self.contents(server) == before)
      } else {
        #expect(watcher.takeText() == ["update a 1", "synced 4"])
        server.completeBatch()
        #expect(other.answer("q") == "11")
        #expect(client.answer("r")?.contains(#""writes":1"#) == true)
      }
    }
  }

  @Test("Under relaxed durability a restore begins when the log has been given every commit: it is read for the way back")
  func relaxed() throws {
    let snapshots = MemorySnapshots()
    let server = try Self.server(snapshots, durability: .relaxed)
    let client = server.connect()
    server.settle()
    server.log.pace = .byHand
    for name in ["a", "b"] {
      client.send(#"mutation \#(name) counters:set {"name":"\#(name)","value":1}"#)
      server.run()
    }
    #expect(server.log.writing != nil)
    #expect(client.take().count { $0.kind == .ok } == 2)
    client.send(#"action r _system:restore {"timestamp":1}"#)
    server.run()
    #expect(snapshots.names.isEmpty, "the second commit waits behind the first one's batch")
    server.completeBatch()
    server.run()
    #expect(snapshots.names.count == 1)
  }

  @Test("Between transactions of all kinds, crashes and restores, the state is always the model's", arguments: 1...12)
  func model(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let snapshots = MemorySnapshots()
    let server = try Self.server(seed: seed, snapshots, pace: .delayed)
    var names: [String] = []
    for round in 0..<30 {
      let client = server.connect()
      for index in 0..<Int.random(in: 1...6, using: &random) {
        let name = "n\(Int.random(in: 0..<6, using: &random))"
        client.send(#"mutation m\#(index) counters:add {"name":"\#(name)","amount":\#(round)}"#)
        if Bool.random(using: &random) { client.send(#"mutation d\#(index) counters:delete {"name":"\#(name)"}"#) }
      }
      if Int.random(in: 0..<3, using: &random) == 0 {
        server.settle()
        client.send(#"action s _system:snapshot {"name":"s\#(round)"}"#)
        server.settle()
        names.append("s\(round)")
        #expect(Self.contents(snapshots, "s\(round)") == Self.contents(server))
      } else if let name = names.randomElement(using: &random) {
        server.settle()
        let before = Self.contents(server)
        client.send(#"action r _system:restore {"snapshot":"\#(name)"}"#)
        if Bool.random(using: &random) {
          // Loss of power at any moment: all of it has happened, or nothing.
          server.advance(milliseconds: Int.random(in: 0...12, using: &random))
          let isAnswered = client.answer("r") != nil
          try server.crash(keepingUnsynced: Int.random(in: 0...1, using: &random))
          let after = Self.contents(server)
          #expect(after == Self.contents(snapshots, name) || !isAnswered && after == before)
        } else {
          server.settle()
          #expect(client.answer("r")?.contains(#""restored""#) == true)
          #expect(Self.contents(server) == Self.contents(snapshots, name))
        }
        try Self.checkInvariants(server)
      }
    }
    #expect(names.count > 3)
  }

  @Test("A mutation that has read what was replaced runs again, after the restore")
  func besides() throws {
    let snapshots = MemorySnapshots()
    let server = try Self.server(snapshots)
    let client = server.connect()
    for (name, value) in [("anchor", 0), ("a", 1)] { Self.ask(server, client, #"mutation q counters:set {"name":"\#(name)","value":\#(value)}"#) }
    Self.ask(server, client, #"action q _system:snapshot {"name":"s"}"#)
    Self.ask(server, client, #"mutation q counters:set {"name":"a","value":100}"#)
    server.clock.nanosecondsPerReading = 4_000_000
    let slow = server.connect()
    client.send(#"action q _system:restore {"snapshot":"s"}"#)
    slow.send(#"mutation q counters:slowAdd {"name":"a","amount":10}"#)
    server.settle()
    let value = Self.ask(server, client, #"query q counters:value {"name":"a"}"#)
    // Before the restore it is lost with what it added to; after it, it is added to what was restored.
    #expect(["1", "11"].contains(value))
    let before = Self.contents(snapshots, snapshots.names.first { $0.hasPrefix("before") }!).values.joined()
    #expect(before.contains(value == "1" ? #""value":110"# : #""value":100"#))
  }

  @Test("Jobs and crons come with the snapshot: what waits is run, what was running is over, what the app declares is there")
  func jobs() throws {
    let snapshots = MemorySnapshots()
    let server = try Self.server(snapshots, crons: [Cron("tick", .interval(.seconds(1_000)), Jobs.add("ticks", 1))])
    let client = server.connect()
    Self.ask(server, client, #"mutation q jobs:later {"after":5000,"function":"add","args":{"name":"late","amount":3}}"#)
    Self.ask(server, client, #"mutation q jobs:later {"after":0,"function":"waitAction","args":{"name":"waited"}}"#)
    #expect(Self.ask(server, client, "query q jobs:states") == #"["add pending","waitAction inProgress"]"#)
    Self.ask(server, client, #"action q _system:snapshot {"name":"s"}"#)
    server.advance(milliseconds: 6_000)
    server.settle()
    #expect(Self.ask(server, client, #"query q counters:value {"name":"late"}"#) == "3")
    Self.ask(server, client, #"action q _system:restore {"snapshot":"s"}"#)
    server.settle()
    // The action still runs, so its job is in progress still; the other is overdue.
    #expect(Self.ask(server, client, "query q jobs:states") == #"["add success","waitAction inProgress"]"#)
    #expect(Self.ask(server, client, #"query q counters:value {"name":"late"}"#) == "3")
    try server.crash()
    let again = server.connect()
    let failed = Self.ask(server, again, "query q jobs:states")
    #expect(failed.contains("waitAction failed: the server stopped"))
    Self.ask(server, again, #"action q _system:restore {"snapshot":"s"}"#)
    server.settle()
    #expect(Self.ask(server, again, "query q jobs:states").contains("waitAction failed: the database was restored to a moment"))
    #expect(Self.ask(server, again, "query q _system:crons").contains(#""name":"tick""#))
    #expect(Self.ask(server, again, #"query q counters:value {"name":"waited"}"#) == "1")
  }

  @Test("A table that the snapshot lacks becomes empty, and keeps its number")
  func newerTable() throws {
    let snapshots = MemorySnapshots()
    let server = try Self.server(snapshots)
    let client = server.connect()
    let id = Self.ask(server, client, #"mutation q counters:set {"name":"a","value":1}"#)
    snapshots.add("early", timestamp: 1, [])
    #expect(Self.ask(server, client, #"action q _system:restore {"snapshot":"early"}"#).contains(#""documents":0"#))
    #expect(Self.ask(server, client, "query q counters:all") == "[]" && Self.contents(server).isEmpty)
    let again = Self.ask(server, client, #"mutation q counters:set {"name":"a","value":1}"#)
    #expect(again != id && DocumentID(String(again.dropFirst().dropLast()))?.tableNumber == DocumentID(String(id.dropFirst().dropLast()))?.tableNumber)
    try server.crash()
    try Self.checkInvariants(server)
  }

  @Test("What can't be restored changes nothing, and says why")
  func refusals() throws {
    let snapshots = MemorySnapshots()
    let server = try Self.server(snapshots)
    let client = server.connect()
    Self.ask(server, client, #"mutation q counters:set {"name":"a","value":1}"#)
    Self.ask(server, client, #"action q _system:snapshot {"name":"s"}"#)
    Self.ask(server, client, #"mutation q counters:set {"name":"a","value":2}"#)
    let before = Self.contents(server)
    var documents = snapshots.documents(of: "s")
    let index = try #require(documents.firstIndex { String(decoding: $0.json, as: UTF8.self).contains(#""name":"a""#) })
    documents[index].json = Array(#"{"name":"a","value":"much"}"#.utf8)
    snapshots.add("misfit", timestamp: 2, documents)
    documents.remove(at: index)
    let catalog = try #require(documents.firstIndex { $0.id.tableNumber == Recovery.catalogNumber })
    documents[catalog].json = Array(#"{"name":"counters","number":10007}"#.utf8)
    snapshots.add("elsewhere", timestamp: 2, documents)
    documents[catalog].json = Array(#"{"name":"others","number":10007}"#.utf8)
    snapshots.add("unknown", timestamp: 2, documents)

    func refusal(_ arguments: String) -> String { Self.ask(server, client, "action q _system:restore \(arguments)") }
    #expect(refusal(#"{"snapshot":"none"}"#).contains(#"there is no snapshot \"none\""#))
    let misfit = refusal(#"{"snapshot":"misfit"}"#)
    #expect(misfit.contains("nothing is restored") && misfit.contains("value: expected number, found string"))
    #expect(refusal(#"{"snapshot":"elsewhere"}"#).contains("counters (number 10007, here 10001)"))
    #expect(refusal(#"{"snapshot":"unknown"}"#).contains("others (not here)"))
    #expect(refusal(#"{"timestamp":1}"#).contains("does not lead back"))
    #expect(refusal("{}").contains("invalid_arguments"))
    #expect(refusal(#"{"snapshot":"s","timestamp":1}"#).contains("invalid_arguments"))
    snapshots.refuseWriting("the disk is full")
    #expect(refusal(#"{"snapshot":"s"}"#).contains("the disk is full"))
    #expect(Self.ask(server, client, #"action q _system:snapshot {"name":"t"}"#).contains("the disk is full"))
    #expect(Self.contents(server) == before)
    // None of it keeps anybody waiting.
    #expect(Self.ask(server, client, #"mutation q counters:add {"name":"a","amount":1}"#) == "3")
  }

  @Test("Snapshots are written every so often, the newest stay, others too; one that fails is counted, and tried again")
  func scheduled() throws {
    let snapshots = MemorySnapshots()
    let server = try Self.server(snapshots)
    let client = server.connect()
    Self.ask(server, client, #"action q _system:snapshot {"name":"mine"}"#)
    server.inspect { $0.scheduleSnapshots(every: 10_000, keep: 2) }
    for _ in 0..<50 {
      server.advance(milliseconds: 1_000)
      server.settle()
    }
    #expect(snapshots.names.count == 3 && snapshots.names.contains("mine"))
    let last = try #require(snapshots.names.filter { $0.hasPrefix("scheduled-") }.compactMap { Int($0.dropFirst(10)) }.max())
    #expect((5...7).contains(last))
    #expect(server.statistic("snapshots") == 3 && server.statistic("snapshotsFailed") == 0)
    snapshots.refuseWriting("the disk is full")
    for _ in 0..<25 {
      server.advance(milliseconds: 1_000)
      server.settle()
    }
    #expect(server.statistic("snapshotsFailed") >= 2)
    snapshots.refuseWriting(nil)
    for _ in 0..<11 {
      server.advance(milliseconds: 1_000)
      server.settle()
    }
    #expect(snapshots.names.contains("scheduled-\(last + 1)"))
    #expect(snapshots.names.count == 3)
    // One by hand with such a name would be removed like them.
    #expect(Self.ask(server, client, #"action q _system:snapshot {"name":"scheduled-mine"}"#).contains("choose another"))
  }

  @Test("A snapshot is deleted by its name, and is gone from the list")
  func deleting() throws {
    let snapshots = MemorySnapshots()
    let server = try Self.server(snapshots)
    let client = server.connect()
    Self.ask(server, client, #"action q _system:snapshot {"name":"s"}"#)
    #expect(Self.ask(server, client, #"action q _system:verifySnapshot {"name":"s"}"#).contains(#""name":"s""#))
    #expect(Self.ask(server, client, #"action q _system:deleteSnapshot {"name":"s"}"#) == "null")
    #expect(Self.ask(server, client, "query q _system:snapshots") == "[]" && snapshots.names.isEmpty)
    #expect(Self.ask(server, client, #"action q _system:deleteSnapshot {"name":"s"}"#).contains("there is no snapshot"))
  }
}
