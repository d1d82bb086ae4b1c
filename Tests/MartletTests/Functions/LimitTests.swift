import MartletTesting
import Testing

@testable import Martlet

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

  @Test("A query that reads too much is told which index would have served it")
  func advice() throws {
    var configuration = EngineConfiguration()
    configuration.limits.documentsRead = 20
    let server = try EngineHarness(
      tables: [Counters.self, Items.self], modules: [ItemFunctions.self, Scans.self], configuration: configuration)
    let client = server.connect()
    for _ in 0..<21 { _ = client.ask(server, #"mutation items:insert {"category":"a","rank":1,"weight":2}"#) }
    func problem(_ how: String) -> String {
      let error = client.ask(server, #"query scans:scan {"how":"\#(how)"}"#)
      return error.replacing("limit_exceeded: scans:scan exceeded the limit of 20 documents read (documentsRead, reached 21): ", with: "")
    }
    let some = "it scans table items; read a range of one of the table's indexes: by_category_rank (category, rank), by_tag (tag, weight), "
    for how in ["closure", "count", "loop", "forEach"] { #expect(problem(how).hasPrefix(some)) }
    #expect(
      problem("expression")
        == "it scans table items; what it looks for is a range of index items.by_category_rank (category, rank), or raise the limit")
    #expect(problem("bound").contains("a range of index items.byWeight (weight), or raise the limit"))
    #expect(problem("unindexed").contains("declare an index that begins with \"serial\", and read a range of it, or raise the limit"))
    #expect(problem("range") == "it reads a range of index items.by_category_rank (category, rank); narrow the range, or raise the limit")
    #expect(
      problem("rangeAndFilter").hasPrefix(
        "it reads a range of index items.by_category_rank (category, rank); what it looks for is a range of index items.byCategoryWeight"))
    #expect(problem("caught") == problem("closure"), "it is the first query that was too much")
    #expect(client.ask(server, #"query scans:scan {"how":"none"}"#).contains("it scans table items; read a range of one"))
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

  @Test("A function that calls itself without end is an error, not the end of the server")
  func recursion() throws {
    let (server, client) = try Self.server { _ in }
    #expect(client.ask(server, "mutation items:recurse {\"depth\":20}") == "20")
    #expect(
      client.ask(server, "mutation items:recurse {\"depth\":100000}").hasPrefix("limit_exceeded: items:recurse exceeded the limit of"))
  }
}

/// Queries that read a table from its beginning to its end.
private enum Scans: FunctionModule {
  static let path = "scans"
  static let functions: [any ServerFunction] = [scan]

  static let scan = Query("scan", Arg("how", .string)) { ctx, how in
    let all = try ctx.db.query(Items.self)
    let ofA = try all.withIndex(\.byCategoryRank) { $0.eq(\.category, "a") }
    switch how {
    case "closure": return try all.filter { $0.category == "b" }.collect().count
    case "count": return try all.filter { $0.category == "b" }.count()
    case "loop":
      var count = 0
      for item in try all.documents() where item.category == "b" { count += 1 }
      return count
    case "forEach":
      try all.forEach { _ in }
      return 0
    case "expression": return try all.filter(.field("rank") > 3 && .field("category") == "b").collect().count
    case "bound": return try all.filter(3 < .field("weight")).filter(.field("rank") != 2).first() == nil ? 0 : 1
    case "unindexed": return try all.filter(.field("serial") == .literal(.int64(4))).filter(.field("rank") == .field("weight")).collect().count
    case "range": return try ofA.collect().count
    case "rangeAndFilter": return try ofA.filter(.field("weight") == 5 && .field("category") == "a").collect().count
    case "caught":
      do { return try all.filter { $0.rank == 2 }.collect().count } catch {
        return try ctx.db.query(Counters.self).collect().count
      }
    default: return try all.withIndex(\.byWeight).collect().count
    }
  }
}
