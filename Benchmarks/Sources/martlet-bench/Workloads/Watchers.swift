import FoundationEssentials
import Glibc

/// Connections that subscribe to accounts, and one that transfers between them; each transfer is followed until both of its updates have come.
///
/// Keeps its own books: every update's balance is compared with what the transfers so far must have made of it, and an update
/// that no transfer caused is a failure.
final class Watchers {
  struct Statistics: Decodable { var queryRuns: Double, subscriptions: Double }

  private(set) var failures: [String] = []
  private let server: MartletServer
  private let ids: [String]
  private var balances: [Double]
  private var isSubscribed: [Bool]
  private let watching: [BlockingConnection]
  private let transferring: BlockingConnection

  private static let openingBalance = 1_000_000.0

  init(server: MartletServer, accounts: Int, connections: Int) throws {
    self.server = server
    let bank = MartletBank(server: server)
    try bank.open(count: accounts, balance: Int(Self.openingBalance))
    ids = bank.ids
    balances = Array(repeating: Self.openingBalance, count: accounts)
    isSubscribed = Array(repeating: false, count: accounts)
    watching = try (0..<connections).map { _ in try BlockingConnection(port: server.process.port, patienceSeconds: 10) }
    transferring = try BlockingConnection(port: server.process.port)
  }

  func statistics() throws -> Statistics { try server.call("query", "_system:stats", as: Statistics.self) }

  /// Subscribes to accounts, spread over the connections, and waits for the first value of each.
  func subscribe(_ accounts: [Int]) throws {
    try forEachConnection(accounts) { connection, share in
      try connection.send(share.flatMap { Array("subscribe s\($0) accounts:get {\"id\":\"\(ids[$0])\"}\n".utf8) })
      var missing = Set(share)
      while !missing.isEmpty {
        if let (account, balance) = try update(connection.readLine()) {
          expect(balance, of: account)
          missing.remove(account)
        }
      }
    }
    for account in accounts { isSubscribed[account] = true }
  }

  func unsubscribe(_ accounts: [Int]) throws {
    try forEachConnection(accounts) { connection, share in
      try connection.send(share.flatMap { Array("unsubscribe s\($0)\n".utf8) })
      var missing = share.count
      while missing > 0 {
        let line = String(decoding: try connection.readLine(), as: UTF8.self)
        if line.hasPrefix("ok ") { missing -= 1 } else if !line.hasPrefix("synced ") { failures.append("unexpected: \(line)") }
      }
    }
    for account in accounts { isSubscribed[account] = false }
  }

  /// Transfers 1 at a time. The latency is that of the transfer's own answer; the next one goes out when the updates have come, too.
  func transfer(count: Int, _ pair: (Int) -> (from: Int, to: Int)) throws -> LoadResult {
    var result = LoadResult()
    let window = MeasuredWindow(startNanoseconds: Clock.nowNanoseconds(), serverProcess: server.process.id)
    for index in 0..<count {
      let (from, to) = pair(index)
      let request = Array("mutation t accounts:transferFunds {\"from\":\"\(ids[from])\",\"to\":\"\(ids[to])\",\"amount\":1}\n".utf8)
      let issuedAt = Clock.nowNanoseconds()
      try transferring.send(request)
      let answer = try transferring.readLine()
      result.latencies.record(Clock.nowNanoseconds() - issuedAt)
      guard answer.starts(with: Array("ok t ".utf8)) else {
        throw BenchmarkError("Martlet answered \(String(decoding: answer.prefix(500), as: UTF8.self))")
      }
      result.succeeded += 1
      balances[from] -= 1
      balances[to] += 1
      try awaitUpdates(of: [from, to].filter { isSubscribed[$0] })
    }
    window.close(into: &result, at: Clock.nowNanoseconds())
    result.requests = UInt64(count)
    return result
  }

  private func awaitUpdates(of accounts: [Int]) throws {
    for account in accounts {
      let connection = watching[account % watching.count]
      while true {
        let line: [UInt8]
        do {
          line = try connection.readLine()
        } catch {
          throw BenchmarkError("no update of account \(account) after a transfer between \(accounts): \(error)")
        }
        guard let (updated, balance) = try update(line) else { continue }
        expect(balance, of: updated)
        // Two accounts of one connection come in either order; the second one is then no surprise.
        if updated == account || accounts.contains(updated) && accounts.allSatisfy({ $0 % watching.count == account % watching.count }) {
          break
        }
        failures.append("account \(updated) was updated by a transfer between \(accounts)")
      }
    }
  }

  private func forEachConnection(_ accounts: [Int], _ body: (BlockingConnection, [Int]) throws -> Void) throws {
    let shares = Dictionary(grouping: accounts) { $0 % watching.count }
    for (index, connection) in watching.enumerated() {
      // In parts: a server that answers while it reads must find the socket drained.
      let share = shares[index] ?? []
      for start in stride(from: 0, to: share.count, by: 500) {
        try body(connection, Array(share[start..<min(start + 500, share.count)]))
      }
    }
  }

  /// Account and balance of an `update`; nil for a `synced`. Anything else ends the run.
  private func update(_ line: [UInt8]) throws -> (account: Int, balance: Double)? {
    let parts = line.split(separator: 32, maxSplits: 2)
    if line.starts(with: Array("synced ".utf8)) { return nil }
    guard parts.count == 3, line.starts(with: Array("update s".utf8)),
      let account = Int(String(decoding: parts[1].dropFirst(), as: UTF8.self)), ids.indices.contains(account)
    else { throw BenchmarkError("Martlet sent \(String(decoding: line.prefix(500), as: UTF8.self))") }
    let document = try server.decode(AccountDocument.self, from: Array(parts[2]))
    return (account, document.balance)
  }

  private func expect(_ balance: Double, of account: Int) {
    if balance != balances[account], failures.count < 10 {
      failures.append("account \(account) was shown with \(balance) instead of \(balances[account])")
    }
  }
}
