import Foundation
import Histories
import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  /// Transactions that clients make up, from many connections at once; afterwards, a checker looks for what no serial order
  /// explains. Some take so long that they run beside the engine's thread, on a snapshot, and are validated when they come back.
  ///
  /// `MARTLET_HISTORY_FACTOR` multiplies the length: 10 or 100 for a soak.
  @Suite("G4: histories of concurrent clients")
  struct HistoryTests {
    let folder: TemporaryFolder
    let server: ServerProcess
    private let factor: Int
    private let seed: UInt64

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder, app: "HistoryApp")
      let environment = ProcessInfo.processInfo.environment
      factor = environment["MARTLET_HISTORY_FACTOR"].flatMap { Int($0) } ?? 1
      seed = environment["MARTLET_HISTORY_SEED"].flatMap { UInt64($0) } ?? 1
      try server.connect().mutate("lists:prepare")
    }

    private var deadline: Deadline { Deadline(seconds: Deadline.usualSeconds * Double(factor)) }

    // MARK: Lists

    enum Contention: String, CaseIterable { case high, low }

    @Test("G4: no anomaly in transactions over lists: 4 keys, and 1,000 keys", arguments: Contention.allCases)
    func lists(_ contention: Contention) throws {
      let transactions = 3_000 * factor
      var workload = ListWorkload(seed: seed, contention: contention)
      var pending: [Int: ListWorkload.Drawn] = [:]
      var history: [ListTransaction] = []
      var sent = 0
      let clients = try ConcurrentClients(server, count: 12)
      try clients.run(deadline) { client, time in
        guard sent < transactions else { return nil }
        sent += 1
        let drawn = workload.draw(client, time)
        pending[client] = drawn
        return ("mutation", drawn.call)
      } take: { client, time, message in
        guard let drawn = pending.removeValue(forKey: client) else { throw Failure("nothing was asked: \(message)") }
        history.append(try drawn.transaction(answered: message, at: time))
      }
      let final = try workload.readAll(server.connect(), after: clients.time)
      let committed = history.count { $0.outcome == .committed }
      #expect(history.count == transactions && committed > transactions * 8 / 10)
      let anomalies = ListAppendChecker.check(history + final)
      #expect(anomalies.isEmpty, "seed \(seed): \(anomalies.prefix(5))")
      #expect(workload.longCount > transactions / 50)
      let conflicts = try server.connect().query("_system:stats")["conflicts"]?.number ?? 0
      if contention == .high { #expect(conflicts > 0, "long transactions met short ones, and ran again") }
    }

    // MARK: Bank

    @Test("G4, G5: while money moves, every read and every live update shows all of it, and nobody has less than nothing")
    func bank() throws {
      let (accounts, amount) = (8, 100.0)
      let operations = 3_000 * factor
      let setup = try server.connect()
      try setup.mutate("bank:open", ["accounts": .float64(Double(accounts)), "amount": .float64(amount)])
      let watcher = try server.connect()
      try watcher.send("subscribe live bank:balances {\"isLong\":false}")
      var random = TestRandom(seed: seed)
      var reading: Set<Int> = []
      var reads: [[Double]] = []
      var sent = 0
      var moved = 0
      let clients = try ConcurrentClients(server, count: 12)
      try clients.run(deadline) { client, _ in
        watcher.takeIn()
        guard sent < operations else { return nil }
        sent += 1
        let isLong = Int.random(in: 0..<20, using: &random) == 0
        if Int.random(in: 0..<3, using: &random) == 0 {
          reading.insert(client)
          return ("query", "bank:balances {\"isLong\":\(isLong)}")
        }
        let from = Int.random(in: 0..<accounts, using: &random)
        let to = (from + Int.random(in: 1..<accounts, using: &random)) % accounts
        let arguments: Value = [
          "from": .float64(Double(from)), "to": .float64(Double(to)), "amount": .float64(Double(Int.random(in: 1...60, using: &random))),
          "isLong": .boolean(isLong),
        ]
        return ("mutation", "bank:transfer \(arguments.json)")
      } take: { client, _, message in
        if reading.remove(client) != nil {
          reads.append(try message.okValue.elements.compactMap(\.number))
        } else if try message.isDone {
          moved += 1
        }
      }
      let last = try setup.query("bank:balances", ["isLong": false]).elements.compactMap(\.number)
      var updates: [[Double]] = []
      while updates.last != last {
        for message in try watcher.group().lines { updates.append(try message.json.elements.compactMap(\.number)) }
      }
      #expect(reads.count > operations / 5 && moved > operations / 3 && updates.count > 10)
      for shown in [reads, updates, [last]] {
        #expect(shown.allSatisfy { $0.count == accounts })
        let anomalies = BankChecker.check(total: Double(accounts) * amount, reads: shown)
        #expect(anomalies.isEmpty, "seed \(seed): \(anomalies.prefix(5))")
      }
    }

    // MARK: Set

    @Test("G2, G8: what was acknowledged is in every later read, also after a kill; what was refused is in none")
    func set() throws {
      var workload = SetWorkload(seed: seed)
      // One transaction reads 32,000 documents at most.
      let additions = min(2_000 * factor, 20_000)
      try workload.run(ConcurrentClients(server, count: 8), upTo: additions / 2, deadline)
      // Of what is under way now, some was answered, some was done and some wasn't: nobody knows which.
      let open = try (0..<8).map { _ in try server.connect() }
      let times = workload.time
      for client in open { try client.send((0..<50).map { "mutation \($0) \(workload.add(isToFail: false, index: $0, of: client))" }) }
      for line in try open[0].messages(until: { $0.id == "5" }) { workload.acknowledge(line, of: open[0], at: times + 1) }
      server.sendKill()
      for client in open {
        for line in client.wholeLinesToTheEnd() { workload.acknowledge(try ServerMessage(line), of: client, at: times + 1) }
      }
      server.kill()
      workload.time = times + 2

      let again = try ServerProcess(folder, app: "HistoryApp")
      try workload.run(ConcurrentClients(again, count: 8), upTo: additions, deadline)
      workload.readLast(try again.connect().query("set:read"))
      #expect(workload.reads.count > additions / 20 && workload.additions.contains { $0.outcome == .unknown || $0.outcome == .aborted })
      let anomalies = SetChecker.check(additions: workload.additions, reads: workload.reads)
      #expect(anomalies.isEmpty, "seed \(seed): \(anomalies.prefix(5))")
      _ = try again.stop()
    }
  }
}
