import Foundation
import Histories
import MartletClient
import TestServers
import TestSupport
import Testing

extension EndToEnd {
  /// Clients that write and watch through a network that breaks, on a server that is killed; a model of their mutations knows what every query gives
  /// at every timestamp, and each `synced` of each connection is held against it.
  ///
  /// `MARTLET_ORACLE_FACTOR` multiplies the length, `MARTLET_ORACLE_SEED` draws another run.
  @Suite("Promises 1 to 7, against a model")
  struct OracleTests {
    static let factor = ProcessInfo.processInfo.environment["MARTLET_ORACLE_FACTOR"].flatMap { Int($0) } ?? 1
    static let seed = ProcessInfo.processInfo.environment["MARTLET_ORACLE_SEED"].flatMap { UInt64($0) } ?? 1

    @Test("After every synced each subscriber shows what its queries give then: with patches, cut connections, kills and stops; each mutation ran once")
    func raw() throws {
      let trial = try LiveTrial(seed: Self.seed)
      let rounds = 6 * Self.factor
      let began = Date()
      for round in 0..<rounds {
        let anomalies = try trial.round(mutations: 800, round % 2 == 0 ? .kill : .stop)
        #expect(anomalies.isEmpty, "seed \(Self.seed), round \(round): \(anomalies.count): \(anomalies.prefix(3))")
        guard anomalies.isEmpty else { return }
      }
      if Self.factor > 1 { print("\(Int(Date().timeIntervalSince(began))) s: \(trial.summary)") }
      #expect(
        trial.checker.syncedCount > 300 * rounds && trial.cuts > 5 * rounds && trial.patchCount > 100 * rounds && trial.commits > 100 * rounds,
        "\(trial.summary)")
    }

    @Test("The Swift client through the same: typed values that are right at their timestamps, and each mutation exactly once across kills of the server")
    func swiftClient() async throws {
      let folder = try TemporaryFolder()
      var server = try ServerProcess(folder, app: "HistoryApp")
      try server.connect().mutate("lists:prepare")
      let proxy = try FaultyProxy(seed: Self.seed)
      defer { try? proxy.stop() }
      proxy.lead(to: server.port)
      var workload = ItemsWorkload(seed: Self.seed)
      let calls: [ItemsModel.Call] =
        (0..<12).map { _ in workload.call() } + [.statistics(group: 1), .top(8), .guarded(group: 2, limit: 300), .slow(group: 3)]
      let history = SwiftClientsHistory(calls)
      var clients: [MartletClient] = []
      for number in 0..<4 {
        var configuration = ClientConfiguration(port: proxy.port)
        configuration.acceptsPatches = number % 2 == 0
        configuration.backoff = Backoff(initialMilliseconds: 4, maximumMilliseconds: 60)
        clients.append(try await MartletClient.connect(configuration))
      }
      proxy.set(.init(bytesUntilCut: 15_000))

      let (writers, mutations, restarts) = (8, 240 * Self.factor, 6 * Self.factor)
      var random = TestRandom(seed: Self.seed)
      let moments = (1...restarts).map { $0 * writers * mutations / (restarts + 1) + random.number(-20..<20) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, call) in calls.enumerated() {
          let client = clients[number % clients.count]
          group.addTask { try await client.watch(call) { history.note(number, $0, $1) } }
        }
        for writer in 0..<writers {
          let client = clients[writer % clients.count]
          let seed = Self.seed &* 100 &+ UInt64(writer)
          group.addTask {
            var workload = ItemsWorkload(seed: seed)
            for number in 0..<mutations {
              let operation = workload.operation()
              let answer = try await client.run(operation)
              history.note(.init(client: writer, number: number, operation, timestamp: answer.timestamp, answer.text))
            }
          }
        }
        for (number, moment) in moments.enumerated() {
          try #require(await history.wait(forAnswers: moment), "\(server.lastWords)")
          proxy.lead(to: nil)
          if number % 2 == 0 {
            server.sendKill()
            server.kill()
          } else {
            #expect(try server.stop() == 0)
          }
          server = try ServerProcess(folder, app: "HistoryApp")
          proxy.lead(to: server.port)
        }
        try #require(await history.wait(forAnswers: writers * mutations), "\(server.lastWords)")
        proxy.set(nil)
        #expect(await history.waitUntilSettled(), "\(server.lastWords)")
        for client in clients { await client.close() }
        try await group.waitForAll()
      }
      var checker = LiveChecker(ItemsModel())
      let anomalies = checker.check(history.history())
      #expect(anomalies.isEmpty, "seed \(Self.seed): \(anomalies.count): \(anomalies.prefix(3))")
      if Self.factor > 1 { print("Swift client: \(checker.syncedCount) values, \(restarts) restarts, \(proxy.cuts) connections cut") }
      #expect(proxy.cuts > 5 * Self.factor && checker.syncedCount > 300 * Self.factor, "\(proxy.cuts) cuts, \(checker.syncedCount) values")
    }
  }
}
