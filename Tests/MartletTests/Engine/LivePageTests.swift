import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("G5: live pages")
struct LivePageTests {
  /// Pages that a client watches, one behind the other.
  struct Book {
    let server: EngineHarness
    let client: InProcessClient
    let function: String
    let query: String
    private(set) var pages: [String] = []
    private var values: [String: PageTests.Answer] = [:]
    private var lastID = 0

    init(_ server: EngineHarness, _ function: String, _ query: String) {
      self.server = server
      self.function = function
      self.query = query
      client = server.connect()
    }

    mutating func take() throws {
      server.settle()
      for line in client.take() {
        switch line.kind {
        case .update: values[line.id] = try PageTests.Answer(line.rest)
        case .failed, .error: Issue.record("\(line)")
        default: break
        }
      }
    }

    mutating func open(_ numItems: Int, _ cursor: String?, endCursor: String? = nil) throws {
      lastID += 1
      let options = PageTests.options(numItems, cursor, endCursor.map { #","endCursor":"\#($0)""# } ?? "")
      client.send(#"subscribe p\#(lastID) \#(function) {"query":\#(query),"page":\#(options)}"#)
      pages.append("p\(lastID)")
      try take()
    }

    /// Opens pages until there are `count`, or no more.
    mutating func turn(_ numItems: Int, to count: Int) throws {
      if pages.isEmpty { try open(numItems, nil) }
      while pages.count < count, let last = values[pages.last!], !last.isDone { try open(numItems, last.cursor) }
    }

    /// As after a reconnect: every page again, each with the end that it had.
    mutating func reopen(_ numItems: Int) throws {
      let known = pages.map { values[$0]! }
      for page in pages { client.send("unsubscribe \(page)") }
      pages = []
      try take()
      var cursor: String?
      for page in known {
        try open(numItems, cursor, endCursor: page.cursor)
        cursor = page.cursor
      }
    }

    var ids: [Value] { pages.flatMap { values[$0]!.ids } }
    var isWhole: Bool { values[pages.last!]!.isDone }
    /// Each page's end is where the next one began.
    var cursors: [String] { pages.map { values[$0]!.cursor } }
  }

  @Test(
    "Pages that a client watches are together the whole range at each step, whatever is written around their ends",
    arguments: ["posts:page", "posts:slowPage"], 1...8)
  func model(function: String, seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.posts(seed: seed)
    let writer = server.connect()
    var ids = try writer.insert(server, (0..<20).map { _ in random.number(0..<30) })
    let query = random.element(of: PageTests.queries)
    var book = Book(server, function, query)
    try book.turn(4, to: 9)
    for step in 0..<60 {
      let score = random.number(0..<30)
      switch random.number(0..<3) {
      case 0 where !ids.isEmpty:
        let id = ids.remove(at: random.number(0..<ids.count))
        _ = writer.ask(server, #"mutation posts:write {"operations":[{"delete":\#(id.json)}]}"#)
      case 1 where !ids.isEmpty:
        _ = writer.ask(server, #"mutation posts:write {"operations":[{"move":\#(random.element(of: ids).json),"score":\#(score)}]}"#)
      default: ids += try writer.insert(server, (0..<random.number(1..<4)).map { _ in random.number(0..<30) })
      }
      try book.take()
      if random.oneIn(10) { try book.reopen(4) }
      let whole = try PageTests.list(server, writer, query)
      #expect(book.ids == (book.isWhole ? whole : Array(whole.prefix(book.ids.count))), "step \(step) of \(query)")
      // Pages that reached the end grow; the others lead to it.
      if !book.isWhole { try book.turn(4, to: 30) }
      #expect(book.ids == whole, "step \(step) of \(query)")
    }
  }

  @Test("A live page keeps its end: it grows and shrinks within it, and its cursor stays")
  func keepsItsEnd() throws {
    let server = try EngineHarness.posts()
    let writer = server.connect()
    let ids = try writer.insert(server, (0..<10).map { $0 * 10 })
    var book = Book(server, "posts:page", #"{"index":"by_score"}"#)
    try book.turn(3, to: 2)
    let cursors = book.cursors
    #expect(book.ids == Array(ids[0..<6]))
    let inserted = try writer.insert(server, [5, 15, 25])
    try book.take()
    #expect(book.ids == [ids[0], inserted[0], ids[1], inserted[1], ids[2], inserted[2], ids[3], ids[4], ids[5]])
    for id in ids[0..<6] { _ = writer.ask(server, #"mutation posts:write {"operations":[{"delete":\#(id.json)}]}"#) }
    try book.take()
    #expect(book.ids == inserted)
    #expect(book.cursors == cursors)
    // A query that is asked once has no such memory.
    let once = try PageTests.Answer(writer.ask(server, PageTests.call(#"{"index":"by_score"}"#, PageTests.options(3))))
    #expect(once.cursor != cursors[0])
  }

  @Test("A live page that fails for a while shows what lies up to its end when it doesn't any more")
  func failing() throws {
    let server = try EngineHarness(tables: [Posts.self], modules: [PostFunctions.self, Moody.self])
    let writer = server.connect()
    try writer.insert(server, (0..<10).map { $0 * 10 })
    let client = server.connect()
    func take() -> InProcessClient.Line? {
      server.settle()
      return client.take().first { $0.id == "p" }
    }
    client.send(#"subscribe p moody:page {"page":\#(PageTests.options(3))}"#)
    let first = try PageTests.Answer(#require(take()).rest)
    let stop = try writer.insert(server, [-1])
    #expect(take()?.kind == .failed)
    try writer.insert(server, [5, 15, 35])
    #expect(take() == nil, "it fails still")
    _ = writer.ask(server, #"mutation posts:write {"operations":[{"delete":\#(stop[0].json)}]}"#)
    let again = try PageTests.Answer(#require(take()).rest)
    #expect(again.cursor == first.cursor && again.ids.count == 5)
  }

  @Test("A live page keeps its end when its caller signs in")
  func signIn() throws {
    let server = try EngineHarness.posts(adminKey: "key")
    let writer = server.connect()
    try writer.insert(server, (0..<10).map { $0 * 10 })
    var book = Book(server, "posts:page", #"{"index":"by_score"}"#)
    try book.turn(3, to: 2)
    try writer.insert(server, [5, 35])
    try book.take()
    let (ids, cursors) = (book.ids, book.cursors)
    #expect(ids.count == 8)
    book.client.send("auth a key")
    try book.take()
    #expect(book.ids == ids && book.cursors == cursors)
    try writer.insert(server, [15])
    try book.take()
    #expect(book.ids.count == 9 && book.cursors == cursors)
  }

  @Test("Two pages of one query in one function keep an end each")
  func repeated() throws {
    let server = try EngineHarness.posts()
    let writer = server.connect()
    try writer.insert(server, 0..<10)
    let client = server.connect()
    client.send(#"subscribe s posts:twoPages {"page":{"numItems":3,"cursor":null}}"#)
    server.settle()
    #expect(client.take().first?.rest == "[[0,1,2],[9,8,7],[0,2,4]]")
    try writer.insert(server, [-2, 3, 12])
    server.settle()
    #expect(client.take().first { $0.kind == .update }?.rest == "[[-2,0,1,2],[12,9,8,7],[-2,0,2,4]]")
  }

  @Test("G6: a commit runs a live page again where it touches what the page covers, and not beyond its end")
  func readSet() throws {
    let server = try EngineHarness.posts()
    let writer = server.connect()
    try writer.insert(server, (0..<10).map { $0 * 10 })
    for order in ["asc", "desc"] {
      var book = Book(server, "posts:page", #"{"index":"by_score","order":"\#(order)"}"#)
      try book.turn(3, to: 2)
      try book.take()
      func runs(_ score: Int) throws -> Int {
        let before = server.statistic("queryRuns")
        try writer.insert(server, [score])
        server.settle()
        return server.statistic("queryRuns") - before
      }
      // The pages cover 0…20 and 30…50, or 90…70 and 60…40.
      let (first, second, beyond) = order == "asc" ? (15, 45, 55) : (75, 55, 35)
      #expect(try runs(first) == 1)
      #expect(try runs(second) == 1)
      #expect(try runs(beyond) == 0)
      #expect(try runs(order == "asc" ? 25 : 65) == 1, "between two pages belongs to the second one")
      #expect(try runs(beyond) == 0, "and so it is after a run within kept ends")
      for page in book.pages { book.client.send("unsubscribe \(page)") }
      server.settle()
      for id in try PageTests.list(server, writer, #"{"index":"by_score"}"#) {
        _ = writer.ask(server, #"mutation posts:write {"operations":[{"delete":\#(id.json)}]}"#)
      }
      try writer.insert(server, (0..<10).map { $0 * 10 })
    }
  }

  @Test("A subscription to _system:documents shows the first ones that there are, without a memory")
  func systemDocuments() throws {
    let server = try EngineHarness.posts()
    let writer = server.connect()
    try writer.insert(server, 0..<5)
    let client = server.connect()
    client.send(
      #"subscribe s _system:documents {"table":"posts","index":"by_score","order":"desc","limit":2,"where":{"$gte":[{"$field":"score"},0]}}"#)
    server.settle()
    func scores() throws -> [Value]? {
      try client.take().last { $0.kind == .update }.map { try PageTests.Answer($0.rest).ids.map { $0["score"]! } }
    }
    #expect(try scores() == [4, 3])
    try writer.insert(server, [9])
    server.settle()
    #expect(try scores() == [9, 4])
  }
}

/// Fails while there is a post of a negative score.
private enum Moody: FunctionModule {
  static let path = "moody"
  static let functions: [any ServerFunction] = [page]

  static let page = Query("page", Arg("page", .pagination)) { ctx, page in
    guard try ctx.db.query(Posts.self).withIndex(\.byScore, { $0.lt(\.score, 0) }).count() == 0 else { throw ApplicationError("not now") }
    return try ctx.db.query(Posts.self).withIndex(\.byScore).paginate(page)
  }
}
