import ArgumentParser

/// W2: a document of 200 bytes by its id, against `GET` of a value of the same size.
///
/// 50 connections read documents picked evenly, with 1 and with 16 requests in flight each. Every reply's size is checked as it
/// comes, and a hundred documents are read and compared with what was written after the last run.
struct W2Reads: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "w2", abstract: "Documents of 200 bytes by id; the peer is Redis GET.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Documents.")
  var documents = 10_000

  @Option(help: "Connections.")
  var clients = 50

  @Option(help: "Requests in flight on each connection; repeat for more runs. (default: 1 and 16)")
  var inFlight: [Int] = []

  func validate() throws {
    guard (1...1_000_000).contains(documents), (1...10_000).contains(clients), inFlight.allSatisfy({ (1...10_000).contains($0) })
    else { throw ValidationError("documents 1 to 1000000, clients 1 to 10000, in flight 1 to 10000") }
  }

  func run() throws {
    var report = Report(workload: "W2 reads")
    let arena = try Arena(common, report: &report)
    defer { arena.stop() }
    var shelves: [(name: String, shelf: any Shelf)] = []
    if let martlet = arena.martlet { shelves.append(("martlet", MartletShelf(server: martlet))) }
    if let redis = arena.redis { shelves.append(("redis", RedisShelf(server: redis))) }
    for (name, shelf) in shelves {
      Report.progress("\(name): writing \(documents) documents")
      try shelf.fill(count: documents)
    }

    let depths = inFlight.isEmpty ? [1, 16] : inFlight
    for round in 1...common.roundCount {
      for depth in depths {
        let load = Load(connections: clients, inFlight: depth, length: common.length)
        var generator = SeededGenerator(seed: common.seed &+ UInt64(round))
        let picks = (0..<(1 << 18)).map { _ in UInt32.random(in: 0..<UInt32(documents), using: &generator) }
        for (name, shelf) in round.isMultiple(of: 2) ? shelves.reversed() : shelves {
          try shelf.whileOthersPause(shelves.map(\.shelf)) {
            report.add(try shelf.read(load, picks: picks), server: name, run: "\(clients) × \(depth)", round: round)
          }
        }
      }
    }
    for (name, shelf) in shelves {
      for index in stride(from: 0, to: documents, by: max(1, documents / 100)) where try !shelf.holds(index) {
        report.failures.append("\(name): document \(index) isn't what was written")
      }
    }
    report.summarize()
    for depth in depths {
      report.compare(run: "\(clients) × \(depth)", atLeast: depth == 1 ? 1.0 : depth == 16 ? 0.5 : nil)
    }
    try report.finish(common)
  }
}

/// A server that holds documents of about 200 bytes under ids.
private protocol Shelf: Contender {
  func fill(count: Int) throws
  func read(_ load: Load, picks: [UInt32]) throws -> LoadResult
  /// Whether a document is the one that was written.
  func holds(_ index: Int) throws -> Bool
}

/// Reads by requests that stand complete, in two parts around the slot's number where the protocol has one.
private struct Reads<Format: WireFormat>: Conversation {
  let head: StaticString
  let namesSlot: Bool
  let tails: RequestParts
  let picks: [UInt32]
  let sizes: ClosedRange<Int>
  var position = 0

  @inline(__always)
  mutating func appendRequest(slot: Int, to output: inout OutputBuffer) {
    if namesSlot {
      output.append(head)
      output.append(decimal: slot)
    }
    output.append(tails[Int(picks[position])])
    position += 1
    if position == picks.count { position = 0 }
  }

  @inline(__always)
  func judge(_ reply: Reply) -> Outcome {
    !reply.isError && sizes.contains(reply.payload.count) ? .succeeded : .failed
  }
}

/// The size of a document's JSON, system fields included, and so of the peer's value.
private let documentSize = 200

private final class MartletShelf: Shelf {
  let server: MartletServer
  var process: ServerProcess { server.process }
  private var ids: [String] = []
  private var owners: [String] = []
  private var requests = RequestParts([])

  init(server: MartletServer) { self.server = server }

  func fill(count: Int) throws {
    // How long the owner must be for the whole to have 200 bytes is found out with a first document.
    let probe = try insert(["x"])[0]
    let size = try server.raw([("query", "accounts:get", #"{"id":"\#(probe)"}"#)])[0].count
    guard size < documentSize - 8 else { throw BenchmarkError("an account takes \(size) bytes even with a short owner") }
    owners = (0..<count).map { index in
      let number = "owner \(index) "
      return number + String(repeating: "x", count: max(0, documentSize - size + 1 - number.utf8.count))
    }
    for start in stride(from: 0, to: count, by: 1_000) {
      ids += try insert(Array(owners[start..<min(start + 1_000, count)]))
    }
    requests = RequestParts(ids.map { Array(" accounts:get {\"id\":\"\($0)\"}\n".utf8) })
  }

  private func insert(_ owners: [String]) throws -> [String] {
    let values = try server.raw(
      owners.map { ("mutation", "_system:insert", #"{"table":"accounts","document":{"owner":"\#($0)","balance":1000}}"#) })
    return try values.map { value in
      // The id itself, or the document with it.
      struct Inserted: Decodable { var _id: String }
      if let id = try? server.decode(String.self, from: value) { return id }
      return try server.decode(Inserted.self, from: value)._id
    }
  }

  func read(_ load: Load, picks: [UInt32]) throws -> LoadResult {
    // The digits of `_creationTime` vary by a few.
    let talk = Reads<MartletLines>(
      head: "query ", namesSlot: true, tails: requests, picks: picks, sizes: (documentSize - 8)...(documentSize + 8))
    return try LoadGenerator.run(load, talk, port: process.port, serverProcess: process.id)
  }

  func holds(_ index: Int) throws -> Bool {
    let account = try server.call("query", "accounts:get", #"{"id":"\#(ids[index])"}"#, as: AccountDocument.self)
    return account._id == ids[index] && account.owner == owners[index] && account.balance == 1_000
  }
}

private final class RedisShelf: Shelf {
  let server: RedisServer
  var process: ServerProcess { server.process }
  private var values: [String] = []
  private var requests = RequestParts([])

  init(server: RedisServer) { self.server = server }

  func fill(count: Int) throws {
    values = (0..<count).map { index in
      let number = "value \(index) "
      return number + String(repeating: "x", count: documentSize - number.utf8.count)
    }
    for start in stride(from: 0, to: count, by: 1_000) {
      _ = try server.commands((start..<min(start + 1_000, count)).map { ["SET", "document:\($0)", values[$0]] })
    }
    requests = RequestParts((0..<count).map { RESP.command(["GET", "document:\($0)"]) })
  }

  func read(_ load: Load, picks: [UInt32]) throws -> LoadResult {
    let talk = Reads<RESP>(head: "", namesSlot: false, tails: requests, picks: picks, sizes: documentSize...documentSize)
    return try LoadGenerator.run(load, talk, port: process.port, serverProcess: process.id)
  }

  func holds(_ index: Int) throws -> Bool { try server.command("GET", "document:\(index)") == values[index] }
}
