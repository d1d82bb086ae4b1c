import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("Pages")
struct PageTests {
  /// A page's answer.
  struct Answer {
    let ids: [Value]
    let cursor: String
    let isDone: Bool
    let status: Value?
    let splitCursor: String?

    init(_ json: String) throws {
      let value = try Value(json: json)
      guard case .array(let ids)? = value["page"], case .string(let cursor)? = value["continueCursor"] else { throw Unexpected(json) }
      self.ids = ids
      self.cursor = cursor
      isDone = value["isDone"] == true
      status = value["pageStatus"]
      if case .string(let split)? = value["splitCursor"] { splitCursor = split } else { splitCursor = nil }
    }
  }

  struct Unexpected: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }

  static func options(_ numItems: Int, _ cursor: String? = nil, _ more: String = "") -> String {
    #"{"numItems":\#(numItems),"cursor":\#(cursor.map { "\"\($0)\"" } ?? "null")\#(more)}"#
  }

  static func call(_ query: String, _ options: String) -> String { #"query posts:page {"query":\#(query),"page":\#(options)}"# }

  static func list(_ server: EngineHarness, _ client: InProcessClient, _ query: String) throws -> [Value] {
    guard case .array(let ids) = try Value(json: client.ask(server, #"query posts:list {"query":\#(query)}"#)) else { return [] }
    return ids
  }

  static let queries = [
    "{}", #"{"order":"desc"}"#, #"{"index":"by_score"}"#, #"{"index":"by_score","order":"desc","gte":3,"lt":15}"#,
    #"{"index":"by_channel_score","channel":"a","gte":2}"#, #"{"index":"by_channel_score","channel":"a","order":"desc","even":true}"#,
    #"{"index":"by_score","even":true}"#,
  ]

  @Test("Pages of every index, in both orders and with filters, hold each document once, also over a restart", arguments: queries)
  func concatenation(query: String) throws {
    let server = try EngineHarness.posts()
    var client = server.connect()
    var random = TestRandom(seed: 4)
    try client.insert(server, (0..<30).map { _ in random.number(0..<20) })
    let whole = try Self.list(server, client, query)
    var found: [Value] = []
    var cursor: String?
    var sizes: [Int] = []
    while true {
      let page = try Answer(client.ask(server, Self.call(query, Self.options(4, cursor))))
      found += page.ids
      sizes.append(page.ids.count)
      cursor = page.cursor
      if page.isDone { break }
      if sizes.count == 2 {
        try server.crash()
        client = server.connect()
      }
    }
    #expect(found == whole)
    #expect(sizes.dropLast().allSatisfy { $0 == 4 }, "numItems counts what the filter leaves")
    let beyond = try Answer(client.ask(server, Self.call(query, Self.options(4, cursor))))
    #expect(beyond.ids.isEmpty && beyond.isDone && beyond.cursor == cursor, "the last cursor is valid, and gives an empty page")
  }

  @Test("A page's answer has its members in the order of their names, and holds documents as they stand")
  func wireForm() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    let ids = try client.insert(server, [1])
    let answer = client.ask(server, Self.call("{}", Self.options(1)))
    #expect(answer.hasPrefix(#"{"continueCursor":""#))
    #expect(answer.hasSuffix(#","isDone":false,"page":[\#(ids[0].json)]}"#))
  }

  @Test("A client decodes a page of documents, of what they were mapped to, and of a newer server")
  func decoding() throws {
    let id = DocumentID(tableNumber: 10_001, high: 1, low: 2)
    let document = #"{"_creationTime":5,"_id":"\#(id)","channel":"a","score":7}"#
    func read<Element>(_ json: String) throws -> Page<Element> {
      var json = json
      return try json.withUTF8 {
        var reader = JSONReader(UnsafeRawBufferPointer($0))
        return try Page<Element>.decode(from: &reader)
      }
    }
    let page: Page<Document<Posts>> = try read(
      #"{"continueCursor":"c","isDone":true,"page":[\#(document)],"pageStatus":"SplitRequired","splitCursor":"s","later":[1]}"#)
    #expect(page.documents.map(\.score) == [7])
    #expect(page.continueCursor == "c" && page.isDone && page.status == .splitRequired && page.splitCursor == "s")
    var writer = JSONWriter()
    page.encode(to: &writer)
    let text = writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    #expect(text == #"{"continueCursor":"c","isDone":true,"page":[\#(document)],"pageStatus":"SplitRequired","splitCursor":"s"}"#)
    let names: Page<String> = try read(#"{"continueCursor":"c","isDone":false,"page":["x"],"pageStatus":null,"splitCursor":null}"#)
    #expect(names == page.map { _ in "x" }.with { $0.isDone = false; $0.status = nil; $0.splitCursor = nil })
    #expect(throws: ValidationError.self) { let _: Page<String> = try read(#"{"page":[]}"#) }
  }

  @Test("A cursor of another query, and what is none, is an error that says to begin again")
  func invalidCursors() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    try client.insert(server, 0..<10)
    let cursor = try Answer(client.ask(server, Self.call(#"{"index":"by_score","gte":2}"#, Self.options(3)))).cursor
    let others = [
      #"{"index":"by_score","gte":3}"#, #"{"index":"by_score","gte":2,"order":"desc"}"#, "{}", #"{"index":"by_score","gte":2,"lt":9}"#,
      #"{"index":"by_channel_score"}"#,
    ]
    for query in others {
      let answer = client.ask(server, Self.call(query, Self.options(3, cursor)))
      #expect(answer.hasPrefix("invalid_arguments: InvalidCursor"), "\(query): \(answer)")
      #expect(answer.contains("null cursor"))
    }
    let fingerprint = cursor.prefix(16)
    for garbage in ["", "x", "-", "\(cursor)0", "\(fingerprint)-", "\(fingerprint)-00", "\(fingerprint)", "ÿ-end", cursor.uppercased() + "g"] {
      let answer = client.ask(server, Self.call(#"{"index":"by_score","gte":2}"#, Self.options(3, garbage)))
      #expect(answer.contains("InvalidCursor"), "\(garbage): \(answer)")
      let end = client.ask(server, Self.call(#"{"index":"by_score","gte":2}"#, Self.options(3, nil, #","endCursor":"\#(garbage)""#)))
      #expect(end.contains("InvalidCursor"), "\(garbage): \(end)")
    }
  }

  @Test("A cursor is of no use once its index has other fields")
  func changedIndex() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    try client.insert(server, 0..<10)
    let cursor = try Answer(client.ask(server, Self.call(#"{"index":"by_score"}"#, Self.options(3)))).cursor
    func ask(_ server: EngineHarness, _ cursor: String?) -> String {
      server.connect().ask(server, #"query later:page {"page":\#(Self.options(3, cursor))}"#)
    }
    let later = try EngineHarness(tables: [LaterPosts.self], modules: [Later.self], disk: server.disk)
    #expect(ask(later, cursor).hasPrefix("invalid_arguments: InvalidCursor: cursor is a cursor of another query"))
    #expect(try Answer(ask(later, nil)).ids.count == 3)
    let same = try EngineHarness(tables: [Posts.self], modules: [PostFunctions.self], disk: server.disk)
    #expect(try Answer(same.connect().ask(same, Self.call(#"{"index":"by_score"}"#, Self.options(3, cursor)))).ids.count == 3)
  }

  @Test("A cursor that a client made up reads nothing that the query's range doesn't hold")
  func forgedCursor() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    try client.insert(server, 0..<10)
    for (query, count) in [(#"{"index":"by_score","gte":4,"lt":7}"#, 3), (#"{"index":"by_score","gte":4,"lt":7,"order":"desc"}"#, 3)] {
      let cursor = try Answer(client.ask(server, Self.call(query, Self.options(1)))).cursor
      let lowest = "\(cursor.prefix(17))0000000000000000"
      let highest = "\(cursor.prefix(17))ffff0000000000000000"
      let from = query.contains("desc") ? highest : lowest
      let to = query.contains("desc") ? lowest : highest
      let page = try Answer(client.ask(server, Self.call(query, Self.options(9, from, #","endCursor":"\#(to)""#))))
      #expect(page.ids.count == count)
    }
  }

  @Test("A page of no documents, or of too many, is an error that says how many there may be", arguments: [0, -1, 32_001])
  func sizes(numItems: Int) throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    #expect(
      client.ask(server, Self.call("{}", Self.options(numItems)))
        == "invalid_arguments: paginate: numItems: expected 1 to 32000, found \(numItems)")
    #expect(client.ask(server, Self.call("{}", Self.options(32_000, nil, #","id":7"#))).contains(#""isDone":true"#))
    #expect(client.ask(server, Self.call("{}", Self.options(1, nil, #","maximumRowsRead":0"#))).contains("maximumRowsRead: expected 1 or more"))
  }

  @Test("With an endCursor a page is all up to there, whatever its number", arguments: ["asc", "desc"])
  func endCursor(order: String) throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    try client.insert(server, (0..<20).map { $0 * 2 })
    let query = #"{"index":"by_score","order":"\#(order)"}"#
    let first = try Answer(client.ask(server, Self.call(query, Self.options(5))))
    let second = try Answer(client.ask(server, Self.call(query, Self.options(5, first.cursor))))
    try client.insert(server, (0..<20).map { $0 * 2 + 1 })
    let whole = try Self.list(server, client, query)
    let one = try Answer(client.ask(server, Self.call(query, Self.options(5, nil, #","endCursor":"\#(first.cursor)""#))))
    let two = try Answer(client.ask(server, Self.call(query, Self.options(1, first.cursor, #","endCursor":"\#(second.cursor)""#))))
    #expect(one.ids.count > 5 && two.ids.count > 5)
    #expect(one.cursor == first.cursor && two.cursor == second.cursor && !one.isDone && !two.isDone)
    #expect(one.ids + two.ids == Array(whole.prefix(one.ids.count + two.ids.count)))
    #expect(two.splitCursor != nil, "it has more than it was asked for")
    let halves = try [(first.cursor, two.splitCursor!), (two.splitCursor!, two.cursor)].map { from, to in
      try Answer(client.ask(server, Self.call(query, Self.options(5, from, #","endCursor":"\#(to)""#)))).ids
    }
    #expect(halves[0] + halves[1] == two.ids)
    #expect(abs(halves[0].count - halves[1].count) <= 1)
  }

  @Test("A page that would pass more rows than it may ends there, says so, and the next one goes on", arguments: ["asc", "desc"])
  func maximumRowsRead(order: String) throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    try client.insert(server, 0..<30)
    let query = #"{"index":"by_score","even":true,"order":"\#(order)"}"#
    var found: [Value] = []
    var cursor: String?
    for _ in 0..<100 {
      let page = try Answer(client.ask(server, Self.call(query, Self.options(10, cursor, #","maximumRowsRead":7"#))))
      found += page.ids
      cursor = page.cursor
      if page.isDone { break }
      #expect(page.status == "SplitRequired" && page.splitCursor != nil && page.ids.count <= 4)
    }
    #expect(found == (try Self.list(server, client, query)))
    let bytes = try Answer(client.ask(server, Self.call(query, Self.options(10, nil, #","maximumBytesRead":300"#))))
    #expect(bytes.status == "SplitRequired" && !bytes.isDone && bytes.ids.count < 4)
  }

  @Test("A page ends where its function may read no more, instead of failing")
  func readLimit() throws {
    var limits = Limits()
    limits.documentsRead = 8
    let server = try EngineHarness.posts(limits: limits)
    let client = server.connect()
    try client.insert(server, 0..<12)
    let page = try Answer(client.ask(server, Self.call("{}", Self.options(10))))
    #expect(page.ids.count == 8 && page.status == "SplitRequired" && !page.isDone)
    let rest = try Answer(client.ask(server, Self.call("{}", Self.options(10, page.cursor))))
    #expect(rest.ids.count == 4 && rest.isDone && rest.status == nil)
    let large = try Answer(client.ask(server, Self.call("{}", Self.options(7))))
    #expect(large.status == "SplitRecommended" && large.splitCursor != nil)
  }

  @Test("A function reads as many pages as it likes, also of one query")
  func several() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    try client.insert(server, 0..<10)
    #expect(client.ask(server, #"query posts:twoPages {"page":{"numItems":3,"cursor":null}}"#) == "[[0,1,2],[9,8,7],[0,2,4]]")
  }

  @Test("_system:documents pages by any index with a filter, and knows whether there is more")
  func systemDocuments() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    try client.insert(server, 0..<10)
    for index in ["by_id", "by_creation_time", "by_score"] {
      for order in ["asc", "desc"] {
        var found: [Value] = []
        var cursor = ""
        while true {
          let answer = client.ask(
            server,
            #"query _system:documents {"table":"posts","index":"\#(index)","order":"\#(order)","limit":2,"where":{"$lt":[{"$field":"score"},6]}\#(cursor)}"#)
          let page = try Answer(answer)
          found += page.ids.map { $0["score"]! }
          cursor = #","cursor":"\#(page.cursor)""#
          if page.isDone { break }
        }
        #expect(Set(found) == Set((0..<6).map { Value.float64(Double($0)) }) && found.count == 6)
        if index == "by_score" { #expect(found == (order == "asc" ? found.sorted() : found.sorted().reversed())) }
      }
    }
    let first = try Answer(client.ask(server, #"query _system:documents {"table":"posts","limit":9}"#))
    #expect(!first.isDone && first.ids.count == 9)
    let exact = try Answer(client.ask(server, #"query _system:documents {"table":"posts","limit":10}"#))
    #expect(exact.isDone, "one more is looked for")
    let bounded = try Answer(client.ask(server, #"query _system:documents {"table":"posts","limit":2,"endCursor":"\#(first.cursor)"}"#))
    #expect(bounded.ids == first.ids)
    let broken = client.ask(server, #"query _system:documents {"table":"posts","where":{"$lt":[1]}}"#)
    #expect(broken == "invalid_arguments: args.where.$lt: expected array of 2 expressions, found array of 1")
    let untrue = client.ask(server, #"query _system:documents {"table":"posts","where":{"$field":"channel"}}"#)
    #expect(untrue.hasPrefix("invalid_arguments: args.where: document") && untrue.contains(#"expected boolean, found string in field "channel""#))
    #expect(client.ask(server, #"query _system:documents {"table":"posts","cursor":"0011223344556677"}"#).contains("InvalidCursor"))
  }
}

extension Page {
  fileprivate func with(_ change: (inout Page) -> Void) -> Page {
    var page = self
    change(&page)
    return page
  }
}

/// The posts with another field in their index, and no other index.
private struct LaterPosts: Table {
  static let name = "posts"
  let channel = Field(.string)
  let score = Field(.wholeNumber)
  let likes = Field(.optional(.double))
  let detail = Field(.optional(.any))

  let byScore = Index("by_score", \LaterPosts.channel, \LaterPosts.score)
}

private enum Later: FunctionModule {
  static let path = "later"
  static let functions: [any ServerFunction] = [page]

  static let page = Query("page", Arg("page", .pagination)) { ctx, page in
    try ctx.db.query(LaterPosts.self).withIndex(\.byScore).paginate(page)
  }
}
