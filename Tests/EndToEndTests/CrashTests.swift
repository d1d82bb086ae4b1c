import Foundation
import MartletValues
import TestSupport
import Testing

extension EndToEnd {
  @Suite("G8: crashes")
  struct CrashTests {
    /// What a crash must not lose, told by a load that knows what each of its requests was to do.
    ///
    /// Each connection opens accounts numbered 0, 1, 2 … of balance 1, and between them moves 1 from its first account to its
    /// second. So what is there afterwards can be held against what was acknowledged, and against the order it was sent in.
    struct Load {
      static let connections = 4
      static let requests = 120
      let round: Int
      let purses: [(from: String, to: String)]
      /// By connection: how many opens and transfers were acknowledged.
      var opens = [Int](repeating: 0, count: connections)
      var transfers = [Int](repeating: 0, count: connections)
      var ids: [String] = []
      var timestamps: [UInt64] = []

      func owner(_ connection: Int, _ index: Int) -> String { "\(round)/\(connection)/\(index)" }

      /// Sends everything, and kills the server when so many are acknowledged. What it said before it died counts.
      mutating func run(on server: ServerProcess, killAfter: Int) throws {
        let clients = try (0..<Self.connections).map { _ in try server.connect() }
        for (number, client) in clients.enumerated() {
          let transfer = Bank.transfer(purses[number].from, purses[number].to, 1).json
          try client.send(
            (0..<Self.requests).map { index in
              index.isMultiple(of: 2)
                ? #"mutation o\#(index / 2) accounts:open {"owner":"\#(owner(number, index / 2))","balance":1}"#
                : "mutation t\(index / 2) accounts:transferFunds \(transfer)"
            })
        }
        var acknowledged = 0
        while acknowledged < killAfter {
          try RawClient.wait(for: clients)
          for (number, client) in clients.enumerated() {
            while let line = client.takeLine() {
              try note(line, number)
              acknowledged += 1
            }
          }
        }
        server.sendKill()
        for (number, client) in clients.enumerated() {
          for line in client.wholeLinesToTheEnd() { try note(line, number) }
        }
        server.kill()
      }

      private mutating func note(_ line: String, _ number: Int) throws {
        let message = try ServerMessage(line)
        let value = try message.okValue
        let isOpen = message.id.hasPrefix("o")
        let expected = isOpen ? opens[number] : transfers[number]
        #expect(message.id.dropFirst() == "\(expected)", "the answers of one connection come in the order of its mutations")
        if isOpen { opens[number] += 1 } else { transfers[number] += 1 }
        if let id = value.text { ids.append(id) }
        timestamps.append(message.timestamp)
      }
    }

    /// All accounts.
    static func accounts(_ client: RawClient) throws -> [Value] { try client.allDocuments("accounts") }

    /// Holds what is there against what was acknowledged.
    /// - Parameter mayLack: whether acknowledged commits may be missing, because the file was cut.
    static func check(_ load: Load, _ client: RawClient, mayLack: Bool = false) throws {
      let accounts = try Self.accounts(client)
      let owners = accounts.compactMap { $0["owner"]?.text }
      #expect(Set(owners).count == owners.count, "a mutation was run twice")
      let ids = Set(accounts.compactMap { $0["_id"]?.text })
      #expect(ids.count == accounts.count)
      if !mayLack { #expect(ids.isSuperset(of: load.ids), "an acknowledged account is not there") }
      let there = Set(owners)
      for number in 0..<Load.connections {
        let opened = (0..<Load.requests / 2).map { there.contains(load.owner(number, $0)) }
        let count = opened.prefix { $0 }.count
        #expect(!opened[count...].contains(true), "what is there is no prefix of what was sent")
        #expect(mayLack || count >= load.opens[number])
        let moved = try Int(client.balance(load.purses[number].to))
        #expect(mayLack || moved >= load.transfers[number])
        #expect(moved == count || moved == count - 1, "\(moved) transfers between \(count) opens")
        #expect(try client.balance(load.purses[number].from) == Double(10_000 - moved), "half of a transfer")
      }
      let total = try client.total()
      #expect(total.count == accounts.count)
      #expect(total.sum == accounts.reduce(0) { $0 + ($1["balance"]?.number ?? .nan) })
    }

    /// `MARTLET_CRASH_CYCLES` asks for more of them. Each 20 have a data file of their own, so that a check doesn't take longer and longer.
    static let cycles = ProcessInfo.processInfo.environment["MARTLET_CRASH_CYCLES"].flatMap { Int($0) } ?? 20

    @Test("G8: after each of 20 kills under load everything acknowledged is there, nothing is half, and no id or timestamp comes again")
    func kills() throws {
      var folder = try TemporaryFolder()
      var random = TestRandom(seed: 8)
      var server = try ServerProcess(folder)
      var lastTimestamp = server.timestamp
      var ids: Set<String> = []
      for round in 0..<Self.cycles {
        if round > 0, round.isMultiple(of: 20) {
          server.kill()
          folder = try TemporaryFolder()
          server = try ServerProcess(folder)
          lastTimestamp = server.timestamp
        }
        let setup = try server.connect()
        let purses = try (0..<Load.connections).map { number in
          try (setup.open("\(round)/\(number)/from", 10_000), setup.open("\(round)/\(number)/to", 0))
        }
        var load = Load(round: round, purses: purses)
        load.ids = purses.flatMap { [$0.0, $0.1] }
        try load.run(on: server, killAfter: .random(in: 0..<Load.connections * Load.requests * 3 / 4, using: &random))
        server = try ServerProcess(folder)
        try Self.check(load, server.connect())
        #expect(ids.isDisjoint(with: load.ids), "an id was given twice")
        ids.formUnion(load.ids)
        #expect(load.timestamps.allSatisfy { $0 > lastTimestamp }, "a timestamp was given twice")
        #expect(server.timestamp >= load.timestamps.max() ?? 0)
        lastTimestamp = server.timestamp
      }
      #expect(ids.count > Self.cycles * 8)
    }

    @Test("G8: a log that was cut at any byte gives a prefix of the commit order, and the server goes on from there")
    func cutLogs() throws {
      let folder = try TemporaryFolder()
      var random = TestRandom(seed: 9)
      let server = try ServerProcess(folder)
      let setup = try server.connect()
      let purses = try (0..<Load.connections).map { _ in try (setup.open("from\(UUID())", 10_000), setup.open("to\(UUID())", 0)) }
      var load = Load(round: 0, purses: purses)
      let log = folder.file("data.sqlite-wal")
      let sizeAtStart = try Data(contentsOf: URL(fileURLWithPath: log)).count
      try load.run(on: server, killAfter: Load.connections * Load.requests)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: log))
      #expect(bytes.count > sizeAtStart)
      for cut in 0..<6 {
        let length = Int.random(in: sizeAtStart..<bytes.count, using: &random)
        let copy = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: folder.file("data.sqlite"), toPath: copy.file("data.sqlite"))
        // The last third is not cut but overwritten, as a torn write would be.
        let torn = cut < 4 ? Data() : Data((0..<64).map { _ in UInt8.random(in: 0...255, using: &random) })
        try (bytes.prefix(length) + torn).write(to: URL(fileURLWithPath: copy.file("data.sqlite-wal")))
        let restarted = try ServerProcess(copy)
        let client = try restarted.connect()
        try Self.check(load, client, mayLack: true)
        _ = try client.open("afterwards", 1)
        restarted.kill()
        let again = try ServerProcess(copy)
        #expect(try again.connect().query("accounts:byOwner", ["owner": "afterwards"]).elements.count == 1)
      }
    }
  }
}
