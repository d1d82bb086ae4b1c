import Foundation
import MartletValues
import TestServers
import TestSupport
import Testing

extension EndToEnd {
  /// Scheduled mutations, and scheduled and retried actions that ask another server, which fails by plan, while theirs is killed again and again.
  /// Afterwards everything that was done is held against what was asked for.
  ///
  /// `MARTLET_JOBS_FACTOR` multiplies the length, `MARTLET_JOBS_SEED` is another run.
  @Suite("G7: jobs across kills")
  struct JobTests {
    let folder: TemporaryFolder
    private let factor: Int
    private let seed: UInt64

    init() throws {
      folder = try TemporaryFolder()
      let environment = ProcessInfo.processInfo.environment
      factor = environment["MARTLET_JOBS_FACTOR"].flatMap { Int($0) } ?? 1
      seed = environment["MARTLET_JOBS_SEED"].flatMap { UInt64($0) } ?? 1
    }

    private var deadline: Deadline { Deadline(seconds: Deadline.usualSeconds * Double(2 + factor)) }

    @Test("G7: after kills at random moments each job ran exactly once, each attempt at most once, and each run of the retrier was told of once")
    func kills() async throws {
      let peer = PlannedPeer(PeerPlan(seed: seed))
      try await LoopbackServer.with(peer.answer) { try kills(asking: $0.url, peer) }
    }

    private func kills(asking url: String, _ peer: PlannedPeer) throws {
      func start() throws -> ServerProcess { try ServerProcess(folder, app: "HistoryApp", arguments: ["--fetch-allow", "127.0.0.1"]) }
      let (rounds, numbers) = (6, 150 * factor)
      var random = TestRandom(seed: seed)
      var acknowledged: [(number: Int, jobs: [String])] = []
      var anchors: Set<Value> = []
      for round in 0..<rounds {
        let server = try start()
        anchors.insert(try server.connect().anchors())
        let clients = try (0..<4).map { _ in try server.connect() }
        let watcher = try server.connect()
        try watcher.send("subscribe progress jobs:progress")
        // Each number makes at least an element, most of them, and a completion. Counted from before they are asked for: on a slow machine
        // most of it may be done when the next value comes.
        let enough = try watcher.progress(deadline).done + Double.random(in: 0..<Double(numbers * 2), using: &random)
        for (index, client) in clients.enumerated() {
          let own = (round * numbers..<(round + 1) * numbers).filter { $0 % clients.count == index }
          try client.send(own.map { "mutation \($0) jobs:plan {\"number\":\($0),\"peer\":\"\(url)\"}" })
        }
        func note(_ message: ServerMessage) throws {
          acknowledged.append((Int(message.id) ?? -1, try message.okValue.elements.compactMap(\.text)))
        }
        while try watcher.progress(deadline).done < enough {
          for client in clients {
            client.takeIn()
            while let line = client.takeLine() { try note(ServerMessage(line)) }
          }
        }
        server.sendKill()
        for client in clients {
          for line in client.wholeLinesToTheEnd() { try note(ServerMessage(line)) }
        }
        server.kill()
      }
      let server = try start()
      let client = try server.connect()
      let watcher = try server.connect()
      try watcher.send("subscribe progress jobs:progress")
      while try watcher.progress(deadline).left > 0 {}
      let checks = try JobChecks(JobRecords(client, peer))
      anchors.insert(try client.anchors())
      #expect(anchors.count == 1, "a restart moves no interval")
      #expect(checks.plans.count > numbers && checks.jobs.count > checks.plans.count * 3 && peer.exchanges.count > checks.plans.count)
      #expect(checks.jobs.count { $0.cron != nil } > 10)
      #expect(checks.interrupted > 0, "no kill met an action; seed \(seed)")
      var problems = checks.problems()
      let (plans, jobs) = (Set(checks.plans), Set(checks.jobs.map(\.id)))
      for (number, ids) in acknowledged where !plans.contains(number) || !jobs.isSuperset(of: ids) {
        problems.append("\(number) was acknowledged, and is not there")
      }
      #expect(acknowledged.count > numbers)
      #expect(problems.isEmpty, "seed \(seed): \(problems.count) problems, such as \(problems.prefix(5))")
      #expect(try server.stop() == 0)
    }
  }
}

extension RawClient {
  /// The next value of `jobs:progress`.
  func progress(_ deadline: Deadline = Deadline()) throws -> (done: Double, left: Double) {
    guard let update = try group(deadline).lines.last else { throw Failure("a group without an update") }
    let numbers = try update.json.elements.compactMap(\.number)
    guard numbers.count == 2 else { throw Failure("no progress: \(update)") }
    return (numbers[0], numbers[1])
  }

  /// Where the intervals of the crons begin.
  func anchors() throws -> Value {
    let crons = try query("_system:crons").elements
    guard crons.count == 2 else { throw Failure("two crons are declared, found \(crons)") }
    return .array(crons.map { ["name": $0["name"] ?? .null, "anchor": $0["anchor"] ?? .null] })
  }
}
