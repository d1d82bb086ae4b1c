import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("Aggregates and offsets")
struct AggregateTests {
  struct Post {
    var id: Value
    var channel: String
    var score: Double
    var likes: Double?
    var detail: Value?
    var birth: Int
  }

  /// Posts as an array: what every figure is held against.
  struct Model {
    var posts: [Post] = []
    var births = 0

    func read(_ spec: Value) -> [Post] {
      var found = posts
      if case .string(let channel)? = spec["channel"] { found.removeAll { $0.channel != channel } }
      if let detail = spec["detail"] { found.removeAll { $0.detail != (detail == "none" ? nil : detail) } }
      if case .float64(let low)? = spec["gte"] { found.removeAll { $0.score < low } }
      if case .float64(let high)? = spec["lt"] { found.removeAll { $0.score >= high } }
      func order(_ value: Value?) -> [Value] { value.map { [$0] } ?? [] }
      func key(_ post: Post) -> [[Value]] {
        let birth = [Value.float64(Double(post.birth))]
        return switch spec["index"] {
        case "by_score": [[.float64(post.score)], birth]
        case "by_channel_score": [[.string(post.channel)], [.float64(post.score)], birth]
        case "by_channel_likes": [[.string(post.channel)], order(post.likes.map { .float64($0) }), birth]
        case "by_detail_score": [order(post.detail), [.float64(post.score)], birth]
        default: [birth]
        }
      }
      found.sort { key($0).lexicographicallyPrecedes(key($1)) { $0.lexicographicallyPrecedes($1) } }
      if spec["order"] == "desc" { found.reverse() }
      if spec["even"] == true { found.removeAll { Int($0.score) % 2 != 0 } }
      return found
    }

    func figures(_ spec: Value) -> Value {
      let found = read(spec)
      let likes = found.compactMap(\.likes)
      var answer: ObjectValue = [
        "count": .float64(Double(found.count)),
        "minScore": found.map(\.score).min().map { .float64($0) } ?? .null,
        "maxScore": found.map(\.score).max().map { .float64($0) } ?? .null,
        "minLikes": likes.min().map { .float64($0) } ?? .null,
        "maxLikes": likes.max().map { .float64($0) } ?? .null,
        "minChannel": found.map(\.channel).min().map { .string($0) } ?? .null,
        "ranks": .array(
          posts.sorted { $0.birth < $1.birth }.map { post in
            found.firstIndex { $0.id == post.id }.map { .float64(Double($0)) } ?? .null
          }),
      ]
      for offset in [0, 1, 4, 50] {
        let rest = found.dropFirst(offset).map(\.id)
        answer["offset\(offset)"] = .array(rest)
        answer["taken\(offset)"] = .array(Array(rest.prefix(2)))
        answer["first\(offset)"] = rest.first ?? .null
      }
      return .object(answer)
    }
  }

  static let details: [Value?] = [
    nil, .null, 1, .int64(7), .int64(-300), .int64(70_000), .int64(.min), .int64(0), true, "text", "a\0b", "", .bytes([0, 255]),
    .array([1, "x", .null, .array([])]), .object(["a": 1, "b": .array(["\0"])]), .object([:]), .float64(.nan),
  ]

  static func specs(_ random: inout TestRandom) -> Value {
    var spec: ObjectValue = [:]
    switch random.number(0..<6) {
    case 0: break
    case 1: spec["index"] = "by_score"
    case 2: spec["index"] = "by_channel_likes"
    case 3: spec["index"] = "by_detail_score"
    default: spec["index"] = "by_channel_score"
    }
    if spec["index"] == "by_detail_score", !random.oneIn(4) { spec["detail"] = random.element(of: details) ?? "none" }
    if spec["index"] == "by_channel_score" || spec["index"] == "by_channel_likes", !random.oneIn(4) {
      spec["channel"] = .string(random.element(of: ["a", "b", "a\0", "c"]))
    }
    let isBounded = spec["index"] == "by_score" || spec["index"] == "by_channel_score" && spec["channel"] != nil
      || spec["index"] == "by_detail_score" && spec["detail"] != nil
    if isBounded, random.oneIn(2) { spec["gte"] = .float64(Double(random.number(-2..<8))) }
    if isBounded, random.oneIn(2) { spec["lt"] = .float64(Double(random.number(-2..<8))) }
    if random.oneIn(2) { spec["order"] = "desc" }
    if random.oneIn(4) { spec["even"] = true }
    return .object(spec)
  }

  @Test(
    "Counts, least and greatest values, ranks and offsets are those of a sorted array, over uncommitted writes too", arguments: 1...16)
  func model(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.posts(seed: seed)
    let client = server.connect()
    var model = Model()
    func insertion() -> (operation: Value, post: Post) {
      model.births += 1
      let post = Post(
        id: .null, channel: random.element(of: ["a", "b", "a\0"]), score: Double(random.number(-2..<8)),
        likes: random.oneIn(3) ? nil : Double(random.number(0..<5)) / 2, detail: random.element(of: Self.details),
        birth: model.births)
      var operation: ObjectValue = ["channel": .string(post.channel), "score": .float64(post.score)]
      operation["likes"] = post.likes.map { .float64($0) }
      operation["detail"] = post.detail
      return (.object(operation), post)
    }
    func operations(_ count: Int) -> (operations: [Value], inserted: [Post]) {
      var operations: [Value] = []
      var inserted: [Post] = []
      for _ in 0..<count {
        switch random.number(0..<4) {
        case 0 where !model.posts.isEmpty:
          let post = model.posts.remove(at: random.number(0..<model.posts.count))
          operations.append(["delete": post.id])
        case 1 where !model.posts.isEmpty:
          let index = random.number(0..<model.posts.count)
          model.posts[index].score = Double(random.number(-2..<8))
          operations.append(["move": model.posts[index].id, "score": .float64(model.posts[index].score)])
        default:
          let (operation, post) = insertion()
          operations.append(operation)
          inserted.append(post)
        }
      }
      return (operations, inserted)
    }
    for _ in 0..<12 {
      let (written, inserted) = operations(random.number(1..<6))
      let answer = client.ask(server, #"mutation posts:write {"operations":\#(Value.array(written).json)}"#)
      guard case .array(let ids) = try Value(json: answer) else { return }
      for (index, var post) in inserted.enumerated() {
        post.id = ids[index]
        model.posts.append(post)
      }
      for _ in 0..<4 {
        let spec = Self.specs(&random)
        let figures = try Value(json: client.ask(server, #"query posts:figures {"query":\#(spec.json)}"#))
        #expect(figures == model.figures(spec), "\(spec)")
      }
      // In a transaction that deletes and moves: what it inserts has ids that are not known here.
      let moves = operations(3).operations.filter { $0["channel"] == nil }
      let spec = Self.specs(&random)
      let rehearsed = try Value(
        json: client.ask(server, #"mutation posts:rehearse {"operations":\#(Value.array(moves).json),"query":\#(spec.json)}"#))
      #expect(rehearsed["figures"] == model.figures(spec), "\(spec) after \(moves)")
      #expect(rehearsed["list"] == .array(model.read(spec).map(\.id)))
    }
  }

  @Test("A rank is asked for documents of its own table only, and of one that isn't there it is null")
  func strangers() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    let ids = try client.insert(server, [5, 3, 4])
    #expect(ids.map { client.ask(server, #"query posts:rank {"id":\#($0.json)}"#) } == ["2", "0", "1"])
    _ = client.ask(server, #"mutation posts:write {"operations":[{"delete":\#(ids[1].json)}]}"#)
    #expect(ids.map { client.ask(server, #"query posts:rank {"id":\#($0.json)}"#) } == ["1", "null", "0"])
  }

  @Test("take and offset of a negative number are errors that say so")
  func negative() throws {
    let server = try EngineHarness.posts()
    let client = server.connect()
    #expect(
      client.ask(server, "query posts:takeBack")
        == "application: take(-1) of table posts: the number of documents can't be negative")
    #expect(
      client.ask(server, #"query posts:skipped {"offset":-2,"count":1}"#)
        == "application: offset(-2) of table posts: the number of documents can't be negative")
  }

  /// How often a live query runs again for one inserted post.
  private func runs(
    _ subscription: String, after scores: [(channel: String, score: Int)], writing: [(channel: String, score: Int)]
  ) throws -> [Int] {
    let server = try EngineHarness.posts()
    let writer = server.connect()
    func write(_ channel: String, _ score: Int) {
      _ = writer.ask(server, #"mutation posts:write {"operations":[{"channel":"\#(channel)","score":\#(score)}]}"#)
    }
    for (channel, score) in scores { write(channel, score) }
    var id = Value.null
    if subscription.contains("ID") { id = try PageTests.list(server, writer, #"{"index":"by_score"}"#)[1] }
    let client = server.connect()
    client.send("subscribe s \(subscription.replacing("ID", with: id.json))")
    server.settle()
    return writing.map { channel, score in
      let before = server.statistic("queryRuns")
      write(channel, score)
      server.settle()
      return server.statistic("queryRuns") - before
    }
  }

  @Test("G6: a live least value runs again for what comes before it, and for nothing behind it or of another prefix")
  func minimumReads() throws {
    let runs = try runs(
      #"posts:lowest {"channel":"b"}"#, after: [("a", 1), ("b", 5), ("b", 9), ("c", 3)],
      writing: [("b", 7), ("a", 0), ("c", 0), ("b", 4), ("b", 4), ("b", 5)])
    #expect(runs == [0, 0, 0, 1, 0, 0])
  }

  @Test("G6: a live rank runs again for what comes before the document, and not for what comes behind it")
  func rankReads() throws {
    let runs = try runs(
      #"posts:rank {"id":ID}"#, after: [("a", 1), ("a", 5), ("a", 9)], writing: [("a", 7), ("a", 5), ("a", 4), ("a", 0), ("a", 6)])
    #expect(runs == [0, 0, 1, 1, 0])
  }

  @Test("G6: a live offset runs again for what it skips and what it shows, and not for what is behind that")
  func offsetReads() throws {
    let runs = try runs(
      #"posts:skipped {"offset":2,"count":2}"#, after: (0..<8).map { ("a", $0 * 10) },
      writing: [("a", 75), ("a", 35), ("a", 5), ("a", 45), ("a", 12)])
    #expect(runs == [0, 0, 1, 0, 1])
  }

  @Test("G6: a live count, rank or least value doesn't run again for fields that its index doesn't have; a list does")
  func positionsOnly() throws {
    let server = try EngineHarness.posts()
    let writer = server.connect()
    let ids = try writer.insert(server, [1, 2, 3])
    let figures = [
      #"posts:rank {"id":\#(ids[2].json)}"#, #"posts:lowest {"channel":"a"}"#, "posts:total", "_system:tables",
      #"posts:list {"query":{"index":"by_score"}}"#,
    ]
    let runs = figures.enumerated().map { number, figure in
      let client = server.connect()
      client.send("subscribe s \(figure)")
      server.settle()
      func runs(_ operation: String) -> Int {
        let before = server.statistic("queryRuns")
        _ = writer.ask(server, operation)
        server.settle()
        return server.statistic("queryRuns") - before
      }
      defer { client.disconnect() }
      return [
        runs(#"mutation _system:patch {"id":\#(ids[0].json),"fields":{"likes":\#(server.statistic("commits"))}}"#),
        runs(#"mutation _system:insert {"table":"posts","document":{"channel":"a","score":\#(-number)}}"#),
      ]
    }
    #expect(runs == [[0, 1], [0, 1], [0, 1], [0, 1], [1, 1]])
  }

  @Test("An offset over many documents reads none of those that it skips")
  func offsetIsCheap() throws {
    var limits = Limits()
    limits.documentsRead = 3
    let server = try EngineHarness.posts(limits: limits)
    let client = server.connect()
    try client.insert(server, 0..<500)
    #expect(client.ask(server, #"query posts:skipped {"offset":400,"count":3}"#) == "[400,401,402]")
    #expect(client.ask(server, #"query posts:skipped {"offset":499,"count":3}"#) == "[499]")
    #expect(client.ask(server, #"query posts:skipped {"offset":9000000000000000,"count":3}"#) == "[]")
  }
}
