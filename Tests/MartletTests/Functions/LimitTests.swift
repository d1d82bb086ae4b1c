import MartletTesting
import Testing

@testable import Martlet

private enum Scans: FunctionModule {
  static let path = "scans"
  static let functions: [any ServerFunction] = [byTitle, byMoodAndCode, byMoodAndTitle, byAbsence, byClosure, loop, range, raised, writes]

  static let byTitle = Query("byTitle") { ctx in try ctx.db.query(Songs.self).filter(.field("title") == "Z").collect() }
  static let byMoodAndCode = Query("byMoodAndCode") { ctx in
    try ctx.db.query(Songs.self).filter(.field("mood") == "loud" && .field("code") > "x").collect()
  }
  static let byMoodAndTitle = Query("byMoodAndTitle") { ctx in
    try ctx.db.query(Songs.self).filter(.field("title") != "A").filter(.field("mood") == "loud").first()
  }
  static let byAbsence = Query("byAbsence") { ctx in try ctx.db.query(Songs.self).filter(.field("code") == "c").count() }
  static let byClosure = Query("byClosure") { ctx in try ctx.db.query(Songs.self).filter { $0.votes > 1 }.collect() }
  static let loop = Query("loop") { ctx in
    for _ in try ctx.db.query(Songs.self).documents() {}
  }
  static let range = Query("range") { ctx in
    try ctx.db.query(Songs.self).withIndex(\.byVotes) { $0.eq(\.votes, 0) }.collect()
  }
  /// Goes on where it may write no more.
  static let writes = Mutation("writes") { ctx in
    try ctx.db.query(Songs.self).forEach { song in
      do { try ctx.db.insert(Songs.self) { $0.title = "\(song.title) again" } } catch {}
    }
  }
  static let raised = Query("raised", limits: { $0.documentsRead += 1 }) { ctx in try ctx.db.query(Songs.self).collect().count }
}

@Suite("Limits")
struct LimitTests {
  static func server(_ change: (inout Limits) -> Void) throws -> (EngineHarness, InProcessClient) {
    var limits = Limits()
    change(&limits)
    let server = try EngineHarness.items(limits: limits)
    return (server, server.connect())
  }

  @Test("Documents read: the error names the function, the limit and its value; at the limit all is well")
  func documentsRead() throws {
    let (server, client) = try Self.server { $0.documentsRead = 20 }
    _ = client.ask(server, #"mutation items:writeMany {"count":20,"bytes":1}"#)
    #expect(client.ask(server, "query items:readMany") == "20")
    _ = client.ask(server, #"mutation items:writeMany {"count":1,"bytes":1}"#)
    #expect(client.ask(server, "query items:readMany").hasPrefix("limit_exceeded: items:readMany exceeded the limit of 20 documents read"))
    #expect(client.ask(server, #"query items:bare {"how":"count"}"#) == "21", "counting reads none")
    #expect(client.ask(server, #"query items:bare {"how":"list","limit":2}"#).hasPrefix("["))
  }

  @Test("Documents and bytes written: nothing is left of a mutation that goes beyond")
  func written() throws {
    let (server, client) = try Self.server {
      $0.documentsWritten = 5
      $0.bytesWritten = 2_000
    }
    #expect(
      client.ask(server, #"mutation items:writeMany {"count":6,"bytes":1}"#)
        .hasPrefix("limit_exceeded: items:writeMany exceeded the limit of 5 documents written"))
    #expect(
      client.ask(server, #"mutation items:writeMany {"count":3,"bytes":700}"#)
        .hasPrefix("limit_exceeded: items:writeMany exceeded the limit of 2000 bytes written"))
    #expect(client.ask(server, #"query items:bare {"how":"count"}"#) == "0")
    #expect(client.ask(server, #"mutation items:writeMany {"count":5,"bytes":1}"#) == "null")
  }

  @Test("The size of a document, through typed fields and without")
  func documentBytes() throws {
    let (server, client) = try Self.server { $0.documentBytes = 500 }
    let problem = "exceeded the limit of 500 bytes in a document"
    #expect(client.ask(server, #"mutation items:writeMany {"count":1,"bytes":600}"#).contains(problem))
    let text = String(repeating: "x", count: 600)
    #expect(
      client.ask(server, #"mutation _system:insert {"table":"items","document":{"category":"\#(text)","rank":1,"weight":1}}"#)
        .contains(problem))
  }

  @Test("The depth of a document")
  func documentDepth() throws {
    let (server, client) = try Self.server { $0.documentDepth = 6 }
    func insert(_ levels: Int) -> String {
      let extra = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
      return client.ask(server, #"mutation items:insert {"category":"a","rank":1,"weight":1,"extra":\#(extra)}"#)
    }
    #expect(insert(5).hasPrefix("\""))
    #expect(insert(6).hasPrefix("limit_exceeded: a document of table items exceeded the limit of 6 levels (documentDepth)"))
    let deep = client.ask(
      server, "query counters:value {\"name\":" + String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000) + "}")
    #expect(deep.hasPrefix("bad_request"))
  }

  @Test("From 80 % of a limit on a line of the function's log warns of it; the error has limit, value and what was reached as data")
  func warnings() throws {
    let (server, client) = try Self.server { $0.documentsRead = 20 }
    _ = client.ask(server, #"mutation items:writeMany {"count":15,"bytes":1}"#)
    func warnings() -> String { client.ask(server, #"query _system:logs {"limit":1}"#) }
    #expect(client.ask(server, "query items:readMany") == "15")
    #expect(warnings() == "[]")
    _ = client.ask(server, #"mutation items:writeMany {"count":1,"bytes":1}"#)
    #expect(client.ask(server, "query items:readMany") == "16")
    #expect(warnings().contains(#""function":"items:readMany","level":"warning","message":"16 documents read, of at most 20 (documentsRead)"#))
    _ = client.ask(server, #"mutation items:writeMany {"count":5,"bytes":1}"#)
    client.send("query q items:readMany")
    server.settle()
    #expect(client.take().last?.rest.contains(#""data":{"limit":"documentsRead","reached":21,"value":20}"#) == true)
  }

  @Test("A limit of one or two documents warns where it is reached, and not before")
  func warningsOfSmallLimits() throws {
    for limit in 1...2 {
      let (server, client) = try Self.server { $0.documentsWritten = limit }
      func warnings() -> String { client.ask(server, #"query _system:logs {"limit":1}"#) }
      _ = client.ask(server, #"mutation items:writeMany {"count":\#(limit - 1),"bytes":1}"#)
      #expect(warnings() == "[]")
      _ = client.ask(server, #"mutation items:writeMany {"count":\#(limit),"bytes":1}"#)
      #expect(warnings().contains("\(limit) documents written, of at most \(limit) (documentsWritten)"))
    }
  }

  @Test("Whoever wants no limit may write the largest number")
  func noLimits() throws {
    let (server, client) = try Self.server { limits in
      for limit in Limits.named where limit.name != "documentDepth" { limits[keyPath: limit.path] = .max }
    }
    #expect(client.ask(server, #"mutation items:writeMany {"count":5000,"bytes":1}"#) == "null", "more than the engine's thread does itself")
    #expect(client.ask(server, "query items:readMany") == "5000")
    let (small, other) = try Self.server { limits in for limit in Limits.named { limits[keyPath: limit.path] = -1 } }
    #expect(other.ask(small, "query items:readMany").hasPrefix("limit_exceeded"))
    #expect(other.ask(small, #"mutation items:writeMany {"count":1,"bytes":1}"#).hasPrefix("limit_exceeded"))
  }

  @Test("A scan that reads too much is told which index would have served it")
  func advice() throws {
    var limits = Limits()
    limits.documentsRead = 3
    limits.documentsWritten = 1
    var configuration = EngineConfiguration()
    configuration.limits = limits
    let server = try EngineHarness(tables: [Songs.self], modules: [Scans.self], configuration: configuration)
    let client = server.connect()
    for title in ["A", "B", "C", "D"] {
      _ = client.ask(server, #"mutation _system:insert {"table":"songs","document":{"title":"\#(title)"}}"#)
    }
    func advice(_ how: String) -> String {
      String(client.ask(server, "query scans:\(how)").split(separator: "(documentsRead, reached 4): ").last ?? "")
    }
    #expect(advice("byTitle") == "index by_title (title) of table songs would serve the filter: read a range of it, withIndex")
    #expect(advice("byMoodAndCode") == "index by_code (mood, code) of table songs would serve the filter: read a range of it, withIndex")
    #expect(advice("byMoodAndTitle") == "index by_code (mood, code) of table songs would serve the filter: read a range of it, withIndex")
    #expect(advice("byAbsence") == "no index of table songs serves the filter: declare one on (code), and read a range of it")
    let whole =
      "it went through the whole of table songs; read a range of one of its indexes, withIndex: by_title (title), by_code (mood, code), by_votes (votes)"
    #expect(advice("byClosure") == whole)
    #expect(advice("loop") == whole)
    #expect(advice("range") == "read an index range that holds fewer, or raise the limit")
    #expect(
      client.ask(server, "mutation scans:writes").hasPrefix("limit_exceeded: scans:writes exceeded the limit of 1 documents written"),
      "what ended the scan was no reading")
    #expect(client.ask(server, "query scans:raised") == "4", "a function's limits change the server's")
  }

  @Test("A handler that takes too long is ended, and says after which time")
  func time() throws {
    let server = try EngineHarness.counters(
      ["anchor": 0],
      configuration: {
        var configuration = EngineConfiguration()
        configuration.limits.handlerMilliseconds = 7
        return configuration
      }())
    let client = server.connect()
    #expect(client.ask(server, "query counters:slowTotal").hasPrefix("timeout: counters:slowTotal ran for longer than 7 ms"))
  }

  @Test("An action that takes too long is ended, with an error that says the limit, its value and the function")
  func actionTime() throws {
    let server = try EngineHarness(tables: [], modules: [Naps.self])
    let client = server.connect()
    client.send("action a naps:sleep")
    server.run()
    server.advance(milliseconds: 7)
    #expect(client.take().isEmpty)
    server.advance(milliseconds: 1)
    let error = try #require(client.take().last)
    #expect(
      error.rest
        == #"{"code":"timeout","message":"naps:sleep ran for longer than 8 ms; raise the limit actionMilliseconds","data":{"limit":"actionMilliseconds","value":8}}"#
    )
  }

  @Test("A function that calls itself without end is an error, not the end of the server")
  func recursion() throws {
    let (server, client) = try Self.server { _ in }
    #expect(client.ask(server, "mutation items:recurse {\"depth\":20}") == "20")
    #expect(
      client.ask(server, "mutation items:recurse {\"depth\":100000}").hasPrefix("limit_exceeded: items:recurse exceeded the limit of"))
  }
}

private enum Naps: FunctionModule {
  static let path = "naps"
  static let functions: [any ServerFunction] = [sleep]

  /// Until it is cancelled.
  static let sleep = Action("sleep", limits: { $0.actionMilliseconds = 8 }) { _ in try await Gate.waitForCancellation() }
}
