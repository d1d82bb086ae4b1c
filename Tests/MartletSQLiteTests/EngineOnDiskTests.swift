import MartletTesting
import SimulatedDisk
import TestSupport
import Testing

@testable import Martlet
@testable import MartletSQLite

/// The whole server over the real storage, on a disk that loses power, refuses and fills up.
@Suite("A server on a simulated disk")
struct EngineOnDiskTests {
  /// A server, the client that writes to it, and what it was told.
  final class Trial {
    let disk: SimulatedDisk
    let server: EngineHarness
    var client: InProcessClient
    var operations: [ThingsModel.Operation] = []
    var acknowledged = 0
    let first: UInt64
    private let current: Current
    private var weight = 0.0

    /// The storage that is open: a power cut doesn't close it.
    final class Current { var storage: SQLiteStorage? }

    init(seed: UInt64, pace: SimulatedLogWriter.Pace = .delayed) throws {
      let disk = SimulatedDisk(seed: seed)
      let current = Current()
      var options = smallOptions
      options.vfs = disk.name
      options.walBytes = 128 << 10
      options.unfoldedBytes = 3 << 10
      let usual = options
      server = try EngineHarness(tables: [Things.self], modules: [ThingFunctions.self], seed: seed, pace: pace) {
        let storage = try SQLiteStorage(path: CrashTrial.path, options: usual)
        current.storage = storage
        return storage
      }
      self.disk = disk
      self.current = current
      client = server.connect()
      first = server.inspect { $0.headTimestamp }
    }

    deinit { if let storage = current.storage { CrashTrial.letGo(storage) } }

    func send(_ count: Int, _ random: inout TestRandom) {
      for _ in 0..<count {
        weight += 1
        let number = random.number(0..<30)
        // One that removes nothing would be no commit.
        let operation: ThingsModel.Operation =
          random.oneIn(3) && ThingsModel(operations).has(number) ? .remove(number) : .put(number, random.element(of: ["a", "b", "c"]), Double((Int(weight) * 37) % 997) / 8)
        client.send("mutation \(operations.count) \(operation.call)")
        operations.append(operation)
      }
    }

    /// Answers with the codes of errors.
    func take() -> [String] {
      var codes: [String] = []
      for line in client.take() {
        if line.kind == .ok { acknowledged = max(acknowledged, Int(line.id)! + 1) } else { codes.append(line.code) }
      }
      return codes
    }

    func fold() throws { _ = try current.storage!.checkpointSlice() }

    /// Power is back.
    func restart(_ survival: SimulatedDisk.Survival) throws {
      disk.cut()
      if let storage = current.storage { CrashTrial.letGo(storage) }
      disk.restart(survival)
      try server.restart()
      client = server.connect()
    }

    /// Everything that the server shows is what it was told up to some operation, with indexes, counts and sums.
    func expectPrefix() {
      let survived = Int(server.recovered.timestamp) - Int(first)
      #expect(survived >= acknowledged && survived <= operations.count, "\(survived) of \(operations.count), \(acknowledged) acknowledged")
      operations.removeLast(operations.count - survived)
      acknowledged = survived
      expectAnswers(of: operations)
    }

    func expectAnswers(of operations: [ThingsModel.Operation]) {
      let model = ThingsModel(operations)
      let reader = server.connect()
      reader.send("query all things:all", "query sums things:sums", "query light things:light")
      server.run()
      let answers = reader.take()
      #expect(answers.map(\.rest) == [model.all, model.sums, model.light].map { "\"\($0)\"" }, "\(answers)")
    }
  }

  @Test("G8: after crashes the indexes, counts and sums are those of the documents, and the documents a prefix", arguments: 1...40)
  func crashes(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let trial = try Trial(seed: seed)
    for _ in 0..<4 {
      // One of four lives ends between operations.
      if !random.oneIn(4) { trial.disk.plan(.crash, after: random.number(0..<160)) }
      for _ in 0..<random.number(2..<40) where !trial.disk.isDead {
        trial.send(random.number(0..<5), &random)
        for _ in 0..<random.number(0..<8) { trial.server.host.step() }
        if random.oneIn(2), !trial.disk.isDead { try? trial.fold() }
        _ = trial.take()
      }
      try trial.restart(random.element(of: SimulatedDisk.Survival.allCases))
      trial.expectPrefix()
      // Indexes that were built from documents, and then written to.
      trial.send(5, &random)
      trial.server.settle()
      #expect(trial.take().isEmpty)
      trial.expectAnswers(of: trial.operations)
    }
  }

  enum Fault: CaseIterable { case full, write, sync, folding }

  @Test("When the disk fails, clients get storage_failed, reads and subscriptions go on, and a restart has all that was acknowledged",
    arguments: Fault.allCases, 1...6)
  func faults(_ fault: Fault, seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let trial = try Trial(seed: seed, pace: .immediate)
    let watcher = trial.server.connect()
    watcher.send("subscribe all things:all")
    trial.server.run()
    for _ in 0..<random.number(1..<20) {
      trial.send(2, &random)
      trial.server.run()
      try trial.fold()
    }
    #expect(trial.take().isEmpty)
    switch fault {
    case .full: trial.disk.capacity = trial.disk.fileNames.reduce(0) { $0 + trial.disk.contents($1).count } + random.number(0..<60_000)
    case .write, .folding: trial.disk.plan(.failure, after: random.number(0..<6), kinds: [.write])
    case .sync: trial.disk.plan(.failure, after: random.number(0..<3), kinds: [.sync])
    }
    while fault == .folding, trial.disk.hits[.failure] == nil, (try? trial.fold()) != nil {
      trial.send(1, &random)
      trial.server.run()
    }
    var codes: [String] = []
    for _ in 0..<400 where codes.isEmpty {
      trial.send(3, &random)
      trial.server.run()
      codes = trial.take()
    }
    #expect(!codes.isEmpty && codes.allSatisfy { $0 == "storage_failed" }, "\(codes)")
    let hits = trial.disk.hits[fault == .full ? .full : .failure, default: [:]]
    #expect(hits.values.reduce(0, +) > 0, "the fault hit nothing")

    // Nothing is accepted any more, though the disk would take it: after a failed sync nobody knows what it has.
    trial.disk.capacity = .max
    let writes = trial.disk.operations.filter { $0.key.kind == .write || $0.key.kind == .sync }.values.reduce(0, +)
    trial.client.send(#"mutation late things:put {"number":1,"kind":"a","weight":1}"#)
    trial.server.run()
    #expect(trial.take() == ["storage_failed"])
    #expect(trial.disk.operations.filter { $0.key.kind == .write || $0.key.kind == .sync }.values.reduce(0, +) == writes)

    // Reads show what was acknowledged, and so do subscriptions: the old one, and a new one.
    let durable = Array(trial.operations.prefix(trial.acknowledged))
    trial.expectAnswers(of: durable)
    let late = trial.server.connect()
    late.send("subscribe new things:all")
    trial.server.run()
    let expected = "\"\(ThingsModel(durable).all)\""
    #expect(late.take().first { $0.kind == .update }?.rest == expected)
    #expect(watcher.lines.last { $0.kind == .update }?.rest == expected)

    try trial.restart(random.element(of: SimulatedDisk.Survival.allCases))
    trial.expectPrefix()
    trial.send(5, &random)
    trial.server.settle()
    #expect(trial.take().isEmpty)
  }
}
