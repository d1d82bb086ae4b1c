import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite("G8: crash")
struct CrashTests {
  /// A client's mutations in the order in which it sent them, which is that of their commits: each of them commits.
  struct Commits {
    var operations: [CounterModel.Operation] = []
    /// How many of them were acknowledged, and how many a recovery had in its state.
    var acknowledged = 0

    mutating func send(_ count: Int, to client: InProcessClient, _ random: inout TestRandom) {
      for _ in 0..<count {
        let name = random.element(of: ["a", "b", "c"])
        let operation: CounterModel.Operation =
          random.oneIn(2) ? .add(name, Double(random.number(1..<9))) : .set(name, Double(random.number(0..<99)))
        client.send(operation.call(isSlow: false).replacing("ID", with: "\(operations.count)"))
        operations.append(operation)
      }
    }

    mutating func take(_ client: InProcessClient) {
      for line in client.take() where line.kind == .ok {
        #expect(Int(line.id) == acknowledged, "acknowledged in the order of the commits")
        acknowledged = Int(line.id)! + 1
      }
    }

    /// The state after a crash must be that after some number of commits, none that was acknowledged missing.
    mutating func expectPrefix(_ server: EngineHarness, first: UInt64) {
      let survived = Int(server.recovered.timestamp - first)
      #expect(survived >= acknowledged, "every acknowledged commit is there")
      #expect(survived <= operations.count)
      operations.removeLast(operations.count - survived)
      var model = CounterModel()
      for operation in operations { _ = model.run(operation) }
      let client = server.connect()
      client.send("query all counters:all", "query total counters:total")
      server.settle()
      #expect(client.answer("all") == model.all)
      #expect(client.answer("total") == model.run(.total), "the indexes and their sums were built anew")
      acknowledged = operations.count
    }
  }

  @Test("G8: after crashes at random places the state is a prefix of the commits that holds all acknowledged ones", arguments: 1...60)
  func random(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.counters(seed: seed, pace: .delayed)
    let first = server.inspect { $0.headTimestamp }
    var commits = Commits()
    for _ in 0..<4 {
      let client = server.connect()
      for _ in 0..<random.number(1..<25) {
        commits.send(random.number(0..<5), to: client, &random)
        for _ in 0..<random.number(0..<6) { server.host.step() }
        commits.take(client)
      }
      server.disk.crash(keepingUnsynced: random.number(0..<3))
      if random.oneIn(2) {
        // A checkpoint folds some of the log into the documents.
        let storage = MemoryStorage(server.disk)
        for _ in 0..<random.number(0..<10) { guard try storage.checkpointSlice() else { break } }
      }
      try server.restart()
      commits.expectPrefix(server, first: first)
    }
  }

  @Test(
    "G8: whichever step of the log a crash follows, written, synced or reported, nothing acknowledged is lost", arguments: 0..<24, 0...1)
  func everyStep(steps: Int, keepingUnsynced: Int) throws {
    var random = TestRandom(seed: 7)
    let server = try EngineHarness.counters(seed: 7, pace: .byHand)
    let first = server.inspect { $0.headTimestamp }
    var commits = Commits()
    let client = server.connect()
    commits.send(1, to: client, &random)
    server.run()
    for step in 0..<steps {
      if step % 2 == 0 { commits.send(2, to: client, &random) }
      server.log.step()
      server.run()
      commits.take(client)
    }
    try server.crash(keepingUnsynced: keepingUnsynced)
    commits.expectPrefix(server, first: first)
  }

  @Test("G8: a crash before the very first commit leaves an empty server that starts")
  func empty() throws {
    let server = try EngineHarness.counters(pace: .byHand)
    try server.crash()
    let client = server.connect()
    client.send("query 1 counters:all")
    server.settle()
    #expect(client.answer("1") == "[]")
  }

  @Test("Creation times go on growing after a restart, though the clock went back")
  func creationTimes() throws {
    let server = try EngineHarness.counters(["a": 1, "b": 2])
    let early = EngineHarness.self
    // A machine whose clock stands at the beginning again.
    let later = try early.init(tables: [Counters.self], modules: [CounterFunctions.self], seed: 9, disk: server.disk)
    let client = later.connect()
    for name in ["x", "y"] { client.send(#"mutation \#(name) counters:set {"name":"\#(name)","value":1}"#) }
    client.send(#"query 1 _system:documents {"table":"counters"}"#)
    later.settle()
    let page = client.answer("1")!
    let order = page.split(separator: #""name":""#).dropFirst().map { String($0.prefix(1)) }
    #expect(order == ["a", "b", "x", "y"])
  }
}
