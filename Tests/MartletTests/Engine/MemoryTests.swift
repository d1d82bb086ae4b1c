import MartletTesting
import MartletValues
import Synchronization
import Testing

@testable import Martlet

/// Says that so much is used as a test wants, and how often it was asked.
private final class FakeMeter: MemoryMeter {
  private let state: Mutex<(used: Int, asked: Int)>

  init(_ used: Int) { state = Mutex((used, 0)) }

  func usedBytes(limit: Int) -> Int {
    state.withLock {
      $0.asked += 1
      return $0.used
    }
  }

  var used: Int {
    get { state.withLock { $0.used } }
    set { state.withLock { $0.used = newValue } }
  }
  var asked: Int { state.withLock { $0.asked } }
}

@Suite("The limit of memory")
struct MemoryTests {
  private static let limit = 1 << 20

  private static func start(
    _ meter: FakeMeter?, seed: UInt64 = 1, limit: Int? = limit, snapshots: MemorySnapshots? = nil
  ) throws -> (EngineHarness, InProcessClient) {
    var configuration = EngineConfiguration()
    configuration.maxMemoryBytes = limit
    let server = try EngineHarness(
      tables: [Counters.self, Items.self], modules: [CounterFunctions.self, ItemFunctions.self, Jobs.self], seed: seed, configuration: configuration,
      snapshots: snapshots, memory: meter)
    return (server, server.connect())
  }

  private static let insert = #"mutation items:insert {"category":"a","rank":1,"weight":1}"#

  /// Lets the server look at the memory again.
  private static func look(_ server: EngineHarness, _ client: InProcessClient) {
    server.advance(milliseconds: 150)
    _ = client.ask(server, #"mutation jobs:add {"name":"look","amount":1}"#)
    server.settle()
  }

  @Test("Beyond it inserts, documents that grow, jobs and work are refused, and told what is used; deletes, what shrinks, queries and subscriptions go on")
  func refused() throws {
    let meter = FakeMeter(0)
    let (server, client) = try Self.start(meter)
    let ids = try (0..<3).map { _ in try Value(json: client.ask(server, Self.insert)) }
    let long = client.ask(server, #"mutation items:insert {"category":"aaaaaaaaaaaaaaaaaaaaaaaaaaaa","rank":1234567,"weight":1,"tag":"ttttttttttttt"}"#)
    client.send(#"subscribe live items:bare {"how":"count"}"#)
    server.settle()
    meter.used = Self.limit + 5
    Self.look(server, client)

    let error = client.ask(server, Self.insert)
    #expect(error.hasPrefix("limit_exceeded: items:insert would make the server use more memory than it may (memory, 1048576 bytes, of which 1048581 are used)"))
    #expect(error.contains("--max-memory") && error.contains("delete documents"))
    #expect(client.ask(server, #"mutation items:update {"id":\#(ids[0].json),"rank":1000,"tag":"more"}"#).hasPrefix("limit_exceeded"))
    #expect(client.ask(server, #"mutation jobs:later {"after":1,"function":"add","args":{"name":"x","amount":1}}"#).hasPrefix("limit_exceeded"))

    #expect(client.ask(server, #"mutation items:update {"id":\#(long),"rank":1}"#) == "null", "what becomes smaller")
    #expect(client.ask(server, #"query items:bare {"how":"count"}"#) == "4")
    _ = client.take()
    client.send(#"mutation gone items:remove {"id":\#(ids[0].json)}"#)
    server.settle()
    #expect(client.take().contains { $0.id == "live" && $0.rest == "3" }, "a subscription is told of the delete")
  }

  @Test("Deleting makes room, once the meter says so; it is asked while memory is scarce, and not when nobody commits")
  func room() throws {
    let meter = FakeMeter(Self.limit)
    let (server, client) = try Self.start(meter)
    Self.look(server, client)
    #expect(client.ask(server, Self.insert).hasPrefix("limit_exceeded"))
    meter.used = 0
    server.advance(milliseconds: 250)
    #expect(client.ask(server, Self.insert).first == "\"")
    server.advance(milliseconds: 1_000)
    server.settle()
    let asked = meter.asked
    server.advance(milliseconds: 10_000)
    #expect(meter.asked == asked)
  }

  @Test("Between two looks no more is written than there was room for", arguments: 1...5 as ClosedRange<UInt64>)
  func between(seed: UInt64) throws {
    var random = TreeGenerator(seed: seed)
    let meter = FakeMeter(0)
    let (server, client) = try Self.start(meter, seed: seed)
    Self.look(server, client)
    var written = 0
    // No time passes, so nobody looks.
    for _ in 0..<2_000 {
      let bytes = Int.random(in: 1..<20_000, using: &random)
      guard client.ask(server, #"mutation items:writeMany {"count":2,"bytes":\#(bytes)}"#) == "null" else { break }
      written += 2 * bytes
    }
    #expect(written > Self.limit / 2 && written < Self.limit)
    #expect(meter.asked <= 4)
  }

  @Test("The server goes on with its own work: a job that was there runs, its end is noted, and what it deletes makes room")
  func ownWork() throws {
    let meter = FakeMeter(0)
    let (server, client) = try Self.start(meter)
    _ = client.ask(server, #"mutation jobs:later {"after":5000,"function":"add","args":{"name":"look","amount":1}}"#)
    let jobs = "query _system:scheduled {}"
    #expect(client.ask(server, jobs).contains("pending"))
    meter.used = 2 * Self.limit
    Self.look(server, client)
    server.advance(milliseconds: 6_000)
    server.settle()
    #expect(!client.ask(server, jobs).contains("pending"))
    #expect(client.ask(server, jobs).contains("success"), "a counter that stays as long is written")
  }

  @Test("A session's mutation that deletes is answered, and keeps its answer; one that is refused runs when it is sent again later")
  func sessions() throws {
    let meter = FakeMeter(0)
    let (server, client) = try Self.start(meter)
    let id = client.ask(server, Self.insert)
    let session = server.connect()
    session.send(#"hello {"session":"one"}"#)
    server.settle()
    meter.used = 2 * Self.limit
    Self.look(server, client)
    func send(_ line: String) -> String {
      session.send(line)
      server.settle()
      return session.take().last.map(\.description) ?? ""
    }
    let insert = #"mutation 1 items:insert {"category":"a","rank":1,"weight":1}"#
    #expect(send(insert).contains("limit_exceeded"))
    let removed = send(#"mutation 2 items:remove {"id":\#(id)}"#)
    #expect(removed.hasPrefix("ok 2"))
    #expect(send(#"mutation 2 items:remove {"id":\#(id)}"#) == removed)
    meter.used = 0
    server.advance(milliseconds: 250)
    #expect(send(insert).hasPrefix("ok 1"))
  }

  @Test("An import's documents count while they wait; one that is too large is refused and let go, and nothing is changed", arguments: [true, false])
  func imports(isRefusedAtItsEnd: Bool) throws {
    let meter = FakeMeter(0)
    let (server, client) = try Self.start(meter)
    Self.look(server, client)
    #expect(client.ask(server, Self.insert).first == "\"")
    func stage(_ count: Int) throws -> [String] {
      let begun = try Value(json: client.ask(server, #"action _system:importBegin {"tables":["items"],"mode":"replace"}"#))
      let handle = try #require(begun["import"])
      let documents = [String](repeating: #"{"category":"a","rank":1,"weight":1}"#, count: 500).joined(separator: ",")
      let calls = (0..<count).map { _ in client.ask(server, #"action _system:importDocuments {"import":\#(handle.json),"table":"items","documents":[\#(documents)]}"#) }
      return calls + [client.ask(server, #"action _system:importCommit {"import":\#(handle.json)}"#)]
    }
    // A document is about 130 bytes, and needs some 250 in its table.
    let answers = try stage(isRefusedAtItsEnd ? 7 : 20)
    let refused = try #require(answers.first { $0.hasPrefix("limit_exceeded: nothing was changed: the import would make the server use more memory than it may") })
    #expect(refused.contains("--max-memory"))
    #expect(isRefusedAtItsEnd ? answers.last == refused : answers.last?.hasPrefix("not_found") == true, "\(answers)")
    #expect(client.ask(server, #"query items:bare {"how":"count"}"#) == "1")

    server.advance(milliseconds: 250)
    Self.look(server, client)
    #expect(try stage(1).last?.contains(#""inserted":500"#) == true, "there is room again")
    #expect(client.ask(server, #"query items:bare {"how":"count"}"#) == "500")
  }

  @Test("A snapshot that is read to be restored counts: beyond the limit it is refused, and nothing is changed")
  func restores() throws {
    let meter = FakeMeter(0)
    let (server, client) = try Self.start(meter, snapshots: MemorySnapshots())
    for _ in 0..<20 { _ = client.ask(server, Self.insert) }
    #expect(client.ask(server, #"action _system:snapshot {"name":"s"}"#).contains(#""name":"s""#))
    meter.used = Self.limit - 1_000
    Self.look(server, client)
    let restore = client.ask(server, #"action _system:restore {"snapshot":"s"}"#)
    #expect(restore.hasPrefix("limit_exceeded: nothing was restored") && restore.contains("--max-memory"), "\(restore)")
    meter.used = 0
    Self.look(server, client)
    #expect(client.ask(server, #"query items:bare {"how":"count"}"#) == "20")
    #expect(client.ask(server, #"action _system:restore {"snapshot":"s"}"#).contains(#""restored""#))
  }

  @Test("Without a limit nothing is measured; with one, _system:stats tells both")
  func statistics() throws {
    let meter = FakeMeter(1_000)
    let (free, client) = try Self.start(meter, limit: nil)
    for _ in 0..<5 { Self.look(free, client) }
    #expect(meter.asked == 0)
    let none = try Value(json: client.ask(free, "query _system:stats {}"))
    #expect(none["memoryLimit"] == .null && none["memoryUsed"] == .float64(1_000))
    let (server, other) = try Self.start(meter)
    let stats = try Value(json: other.ask(server, "query _system:stats {}"))
    #expect(stats["memoryLimit"] == .float64(Double(Self.limit)) && stats["memoryUsed"] == .float64(1_000))
  }
}
