import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

private struct Ticks: Table {
  static let name = "ticks"
  let number = Field(.double)
  let byNumber = Index("by_number", \Ticks.number)
}

private enum Clockwork: FunctionModule {
  static let path = "clockwork"
  static let functions: [any ServerFunction] = [tick, remove, read, figures, page, times, misused]

  static let tick = Mutation("tick", Arg("number", .double)) { ctx, number in try ctx.db.insert(Ticks.self) { $0.number = number } }

  static let remove = Mutation("remove", Arg("number", .double)) { ctx, number in
    guard let tick = try ctx.db.query(Ticks.self).withIndex("by_number", { $0.eq("number", .float64(number)) }).unique() else { return }
    try ctx.db.delete(tick.id)
  }

  /// `{"gt"|"gte":…,"lt"|"lte":…}`
  static func range(_ db: some ReadsDatabase, _ bounds: [String: Double]) throws -> TableQuery<Ticks> {
    try db.query(Ticks.self).withIndex("by_creation_time") { range in
      var range = range
      if let time = bounds["gt"] { range = range.gt("_creationTime", .float64(time)) }
      if let time = bounds["gte"] { range = range.gte("_creationTime", .float64(time)) }
      if let time = bounds["lt"] { range = range.lt("_creationTime", .float64(time)) }
      if let time = bounds["lte"] { range = range.lte("_creationTime", .float64(time)) }
      if let time = bounds["eq"] { range = range.eq("_creationTime", .float64(time)) }
      return range
    }
  }

  static let read = Query("read", Arg("bounds", .record(.double)), Arg("isDescending", .boolean)) { ctx, bounds, isDescending in
    try range(ctx.db, bounds).order(isDescending ? .descending : .ascending).collect().map(\.number)
  }

  static let figures = Query("figures", Arg("bounds", .record(.double))) { ctx, bounds in
    let range = try range(ctx.db, bounds)
    return [Double(try range.count()), try range.sum(\.number), try range.min(\.number) ?? -1, try range.max(\.number) ?? -1]
  }

  static let page = Query("page", Arg("bounds", .record(.double)), Arg("page", .pagination)) { ctx, bounds, page in
    try range(ctx.db, bounds).paginate(page).map { $0.number }
  }

  static let times = Query("times") { ctx in try ctx.db.query(Ticks.self).collect().map(\.creationTime) }

  static let misused = Query("misused", Arg("how", .string)) { ctx, how in
    let ticks = try ctx.db.query(Ticks.self)
    return switch how {
    case "byID": try ticks.withIndex("by_id").count()
    case "range of by_id": try ticks.withIndex("by_id") { $0.eq("_id", "x") }.count()
    case "another field": try ticks.withIndex("by_creation_time") { $0.eq(\.number, 1) }.count()
    case "a text": try ticks.withIndex("by_creation_time") { $0.gt("_creationTime", "x") }.count()
    case "two bounds": try ticks.withIndex("by_creation_time") { $0.gt("_creationTime", 1).gte("_creationTime", 1) }.count()
    default: try ticks.withIndex("by_nothing").count()
    }
  }
}

@Suite("Ranges of creation times")
struct CreationTimeTests {
  @Test("A range of by_creation_time gives what an array of all documents gives, in every form, and over a restart", arguments: 1...3)
  func model(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness(tables: [Ticks.self], modules: [Clockwork.self], seed: seed)
    var client = server.connect()
    for number in 0..<40 {
      if random.oneIn(2) { server.advance(milliseconds: random.number(0..<3)) }
      _ = client.ask(server, #"mutation clockwork:tick {"number":\#(number)}"#)
    }
    var left = Array(0..<40)
    guard case .array(let values) = try Value(json: client.ask(server, "query clockwork:times")) else { throw ApplicationError("no times") }
    let times = values.compactMap { if case .float64(let time) = $0 { time } else { nil } }
    #expect(times == times.sorted() && Set(times).count == 40)
    for round in 0..<60 {
      if random.oneIn(6), let gone = left.randomElement(using: &random) {
        _ = client.ask(server, #"mutation clockwork:remove {"number":\#(gone)}"#)
        left.removeAll { $0 == gone }
      }
      if round == 30 {
        try server.crash()
        client = server.connect()
      }
      var bounds: [(String, Double)] = []
      func time(_ random: inout TestRandom) -> Double { times[random.number(0..<40)] + Double(random.number(-1..<2)) / 1_000 }
      if random.oneIn(8) {
        bounds = [("eq", time(&random))]
      } else {
        if random.oneIn(2) { bounds.append((random.element(of: ["gt", "gte"]), time(&random))) }
        if random.oneIn(2) { bounds.append((random.element(of: ["lt", "lte"]), time(&random))) }
      }
      let expected = left.filter { number in
        bounds.allSatisfy { bound, time in
          switch bound {
          case "gt": times[number] > time
          case "gte": times[number] >= time
          case "lt": times[number] < time
          case "lte": times[number] <= time
          default: times[number] == time
          }
        }
      }
      let json = "{" + bounds.map { "\"\($0)\":\(Value.float64($1).json)" }.joined(separator: ",") + "}"
      for isDescending in [false, true] {
        let answer = client.ask(server, #"query clockwork:read {"bounds":\#(json),"isDescending":\#(isDescending)}"#)
        #expect(answer == Value.array((isDescending ? expected.reversed() : expected).map { .float64(Double($0)) }).json, "\(json)")
      }
      #expect(
        client.ask(server, #"query clockwork:figures {"bounds":\#(json)}"#)
          == "[\(expected.count),\(expected.reduce(0, +)),\(expected.first ?? -1),\(expected.last ?? -1)]")
      var paged: [Value] = []
      var cursor: String?
      while true {
        let page = try PageTests.Answer(
          client.ask(server, #"query clockwork:page {"bounds":\#(json),"page":\#(PageTests.options(7, cursor))}"#))
        paged += page.ids
        if page.isDone { break }
        cursor = page.cursor
      }
      #expect(paged == expected.map { .float64(Double($0)) })
    }
  }

  @Test("A live count of a time that is over doesn't run for what comes later")
  func live() throws {
    let server = try EngineHarness(tables: [Ticks.self], modules: [Clockwork.self])
    let (client, writer) = (server.connect(), server.connect())
    for number in 0..<3 { _ = writer.ask(server, #"mutation clockwork:tick {"number":\#(number)}"#) }
    let until = SimulatedClock.epochMilliseconds + 1
    client.send(#"subscribe s clockwork:read {"bounds":{"lt":\#(until)},"isDescending":false}"#)
    server.settle()
    #expect(client.take().first?.rest == "[0,1,2]")
    server.advance(milliseconds: 5)
    let runs = server.statistic("queryRuns")
    _ = writer.ask(server, #"mutation clockwork:tick {"number":3}"#)
    #expect(server.statistic("queryRuns") == runs)
    _ = writer.ask(server, #"mutation clockwork:remove {"number":1}"#)
    #expect(client.take().first?.rest == "[0,2]")
  }

  @Test("What can't be asked of an index by its name is said")
  func misuse() throws {
    let server = try EngineHarness(tables: [Ticks.self], modules: [Clockwork.self])
    let client = server.connect()
    func ask(_ how: String) -> String { client.ask(server, #"query clockwork:misused {"how":"\#(how)"}"#) }
    #expect(ask("byID") == "0")
    #expect(ask("range of by_id").hasSuffix("by_id has no ranges; ctx.db.find reads a document by its id"))
    #expect(ask("another field").hasSuffix(#"eq("number"): field "_creationTime" is due, the index is on (_creationTime)"#))
    #expect(ask("a text").hasSuffix(#"gt("_creationTime"): expected number, found string"#))
    #expect(ask("two bounds").hasSuffix("the range has a lower bound already"))
    #expect(ask("nothing") == #"function_failed: withIndex: table ticks has no index "by_nothing"; it has by_id, by_creation_time, by_number"#)
  }
}
