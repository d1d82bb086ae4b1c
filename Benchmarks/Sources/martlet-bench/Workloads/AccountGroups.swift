/// Accounts in groups of 5,000: those of group g hold 1,000 · g + 500 each, and so lie in the range from 1,000 · g to 1,000 · (g + 1).
final class AccountGroups {
  /// Groups from `first` up to and without `end`.
  struct Range {
    var first: Int
    var end: Int

    var request: String { #" accounts:totalBetween {"atLeast":\#(first * width),"below":\#(end * width)}"# }
  }

  struct Total: Decodable, Equatable { var count: Double, total: Double }

  let server: MartletServer
  let count: Int
  /// The ids of the first accounts of each group.
  private var ids: [[String]] = []

  private static let size = 5_000
  /// Transfers within a group are of 1, so that it takes hundreds, all one way, to leave it.
  private static let kept = 1_000

  var documents: Int { count * Self.size }

  init(server: MartletServer, documents: Int) throws {
    self.server = server
    count = (documents + Self.size - 1) / Self.size
    for group in 0..<count {
      let opened = try server.call(
        "mutation", "accounts:openMany", #"{"count":\#(Self.size),"balance":\#(group * width + width / 2)}"#, as: [String].self)
      ids.append(Array(opened.prefix(Self.kept)))
    }
  }

  /// From one group to nearly all of them.
  func randomRange(using generator: inout SeededGenerator) -> Range {
    let first = Int.random(in: 0..<count, using: &generator)
    return Range(first: first, end: Int.random(in: (first + 1)...count, using: &generator))
  }

  func check(_ range: Range, _ report: inout Report) throws {
    let parts = range.request.split(separator: " ")
    let total = try server.call("query", String(parts[0]), String(parts[1]), as: Total.self)
    let accounts = Double((range.end - range.first) * Self.size)
    let mean = Double(range.first + range.end) / 2 * Double(width)
    if total != Total(count: accounts, total: accounts * mean) {
      report.failures.append("groups \(range.first) to \(range.end) add up to \(total), instead of \(accounts) accounts with \(accounts * mean)")
    }
  }

  // MARK: Load

  /// Asks with 64 requests in flight on one connection.
  func ask(_ requests: [String], _ length: Load.Length) throws -> LoadResult {
    let parts = RequestParts(requests.map { Array(($0 + "\n").utf8) })
    return try LoadGenerator.run(
      Load(connections: 1, inFlight: 64, length: length), Requests(verb: "query ", parts: parts), port: server.process.port,
      serverProcess: server.process.id)
  }

  /// Transfers of 1 between the accounts of a group, on one connection: each account gives as often as it receives.
  func transfer(within group: Int, inFlight: Int, _ length: Load.Length) throws -> LoadResult {
    let ids = ids[group]
    let parts = RequestParts(ids.indices.map { Array((Self.transfer(ids[$0], ids[($0 + 1) % ids.count]) + "\n").utf8) })
    return try LoadGenerator.run(
      Load(connections: 1, inFlight: inFlight, length: length), Requests(verb: "mutation ", parts: parts), port: server.process.port,
      serverProcess: server.process.id)
  }

  /// Moves 1 from one group to another; between other accounts for each `number`, so that none leaves its group's range.
  func transferOne(_ number: Int, from: Int, to: Int) throws {
    let account = number % Self.kept
    let parts = Self.transfer(ids[from][account], ids[to][account]).split(separator: " ")
    _ = try server.raw([("mutation", String(parts[0]), String(parts[1]))])
  }

  private static func transfer(_ from: String, _ to: String) -> String {
    #" accounts:transferFunds {"from":"\#(from)","to":"\#(to)","amount":1}"#
  }

  private struct Requests: Conversation {
    typealias Format = MartletLines
    let verb: StaticString
    let parts: RequestParts
    var position = 0

    @inline(__always)
    mutating func appendRequest(slot: Int, to output: inout OutputBuffer) {
      output.append(verb)
      output.append(decimal: slot)
      output.append(parts[position])
      position += 1
      if position == parts.count { position = 0 }
    }

    @inline(__always)
    func judge(_ reply: Reply) -> Outcome { reply.isError ? .failed : .succeeded }
  }

  // MARK: Counters

  struct Measured<Value> {
    var value: Value
    /// Live queries that ran again, and batches that were committed, meanwhile.
    var runs: Int
    var batches: Int
  }

  private struct Statistics: Decodable { var queryRuns: Double, batches: Double }

  func measured<Value>(_ body: () throws -> Value) throws -> Measured<Value> {
    let before = try server.call("query", "_system:stats", as: Statistics.self)
    let value = try body()
    let after = try server.call("query", "_system:stats", as: Statistics.self)
    return Measured(value: value, runs: Int(after.queryRuns - before.queryRuns), batches: Int(after.batches - before.batches))
  }
}

/// How far apart the groups' balances are.
private let width = 1_000

/// A subscription to the total of one group.
final class LiveTotal {
  private let server: MartletServer
  private let connection: BlockingConnection
  private var first: AccountGroups.Total

  init(_ groups: AccountGroups, _ group: Int) throws {
    server = groups.server
    connection = try BlockingConnection(port: groups.server.process.port, patienceSeconds: 10)
    first = AccountGroups.Total(count: 0, total: 0)
    try connection.send(Array("subscribe live\(AccountGroups.Range(first: group, end: group + 1).request)\n".utf8))
    first = try next()
  }

  /// Awaits an update, which must say that the group holds this much more than at first.
  func expect(more: Double, _ report: inout Report) throws {
    let total = try next()
    if total != AccountGroups.Total(count: first.count, total: first.total + more), report.failures.count < 10 {
      report.failures.append("a live total was shown as \(total), \(more) commits after \(first)")
    }
  }

  private func next() throws -> AccountGroups.Total {
    while true {
      let line = try connection.readLine()
      if line.starts(with: Array("synced ".utf8)) { continue }
      guard line.starts(with: Array("update live ".utf8)) else {
        throw BenchmarkError("Martlet sent \(String(decoding: line.prefix(500), as: UTF8.self))")
      }
      return try server.decode(AccountGroups.Total.self, from: Array(line.dropFirst("update live ".utf8.count)))
    }
  }
}
