import MartletTesting
import MartletValues

@testable import Martlet

/// A table for every form of a query: ranges under a prefix, fields that documents lack, values of all kinds.
struct Posts: Table {
  static let name = "posts"
  let channel = Field(.string)
  let score = Field(.wholeNumber)
  let likes = Field(.optional(.double))
  let detail = Field(.optional(.any))

  let byScore = Index("by_score", \Posts.score)
  let byChannelScore = Index("by_channel_score", \Posts.channel, \Posts.score)
  let byChannelLikes = Index("by_channel_likes", \Posts.channel, \Posts.likes)
  let byDetailScore = Index("by_detail_score", \Posts.detail, \Posts.score)
}

enum PostFunctions: FunctionModule {
  static let path = "posts"
  static let functions: [any ServerFunction] = [
    write, list, page, slowPage, twoPages, figures, rehearse, rank, total, lowest, tops, skipped, loop, failingLoop, nestedLoop, eager,
    limitedLoop, writingLoop, forEach, takeBack, matching, filtered, keptLoop,
  ]

  /// `{"index":"by_channel_score","channel":"a","gte":1,"lt":9,"order":"desc","even":true,"where":…}`, each but the index
  /// optional.
  static func query(_ db: some ReadsDatabase, _ spec: Value) throws -> TableQuery<Posts> {
    var query = try db.query(Posts.self)
    func bounds(_ range: IndexRange<Posts>) -> IndexRange<Posts> {
      var range = range
      if case .float64(let low)? = spec["gte"] { range = range.gte(\.score, Int(low)) }
      if case .float64(let high)? = spec["lt"] { range = range.lt(\.score, Int(high)) }
      return range
    }
    switch spec["index"] {
    case "by_score": query = try query.withIndex(\.byScore) { bounds($0) }
    case "by_channel_score":
      query = try query.withIndex(\.byChannelScore) {
        guard case .string(let channel)? = spec["channel"] else { return $0 }
        return bounds($0.eq(\.channel, channel))
      }
    case "by_channel_likes":
      query = try query.withIndex(\.byChannelLikes) {
        guard case .string(let channel)? = spec["channel"] else { return $0 }
        return $0.eq(\.channel, channel)
      }
    case "by_detail_score":
      query = try query.withIndex(\.byDetailScore) {
        guard let detail = spec["detail"] else { return $0 }
        return bounds($0.eq(\.detail, detail == "none" ? nil : detail))
      }
    default: break
    }
    if spec["order"] == "desc" { query = query.order(.descending) }
    if spec["even"] == true { query = query.filter { $0.score % 2 == 0 } }
    return query
  }

  static func carryOut(_ operations: [Value], _ db: DatabaseWriter) throws -> [ID<Posts>] {
    var inserted: [ID<Posts>] = []
    for operation in operations {
      if case .string(let text)? = operation["delete"], let id = ID<Posts>(text) {
        try db.delete(id)
      } else if case .string(let text)? = operation["move"], let id = ID<Posts>(text), case .float64(let score)? = operation["score"] {
        try db.patch(id) { $0.score = Int(score) }
      } else if case .string(let channel)? = operation["channel"], case .float64(let score)? = operation["score"] {
        inserted.append(
          try db.insert(Posts.self) {
            $0.channel = channel
            $0.score = Int(score)
            if case .float64(let likes)? = operation["likes"] { $0.likes = likes }
            $0.detail = operation["detail"]
          })
      } else {
        throw ApplicationError("no operation: \(operation)")
      }
    }
    return inserted
  }

  static let write = Mutation("write", Arg("operations", .array(.any))) { ctx, operations in try carryOut(operations, ctx.db) }

  static let list = Query("list", Arg("query", .any)) { ctx, spec in try query(ctx.db, spec).collect().map(\.id) }

  // MARK: Pages

  static let page = Query("page", Arg("query", .any), Arg("page", .pagination)) { ctx, spec, options in
    try query(ctx.db, spec).paginate(options).map(\.id)
  }

  /// So long that it runs beside the engine's thread: see `CounterFunctions`.
  static let slowPage = Query("slowPage", Arg("query", .any), Arg("page", .pagination)) { ctx, spec, options in
    for _ in 0..<48 { _ = try ctx.db.query(Counters.self).count() }
    return try query(ctx.db, spec).paginate(options).map(\.id)
  }

  /// The same page twice, and one of another query between them.
  static let twoPages = Query("twoPages", Arg("page", .pagination)) { ctx, options in
    let first = try ctx.db.query(Posts.self).withIndex(\.byScore).paginate(options)
    let other = try ctx.db.query(Posts.self).withIndex(\.byScore).order(.descending).paginate(options)
    let again = try ctx.db.query(Posts.self).withIndex(\.byScore).filter { $0.score % 2 == 0 }.paginate(options)
    return [first, other, again].map { $0.documents.map(\.score) }
  }

  // MARK: Figures

  static func figures(_ db: some ReadsDatabase, _ spec: Value) throws -> Value {
    let query = try query(db, spec)
    let ids = try db.query(Posts.self).collect()
    var answer: ObjectValue = [
      "count": .float64(Double(try query.count())),
      "minScore": try query.min(\.score).map { .float64(Double($0)) } ?? .null,
      "maxScore": try query.max(\.score).map { .float64(Double($0)) } ?? .null,
      "minLikes": try query.min(\.likes).map { .float64($0) } ?? .null,
      "maxLikes": try query.max(\.likes).map { .float64($0) } ?? .null,
      "minChannel": try query.min(\.channel).map { .string($0) } ?? .null,
      "ranks": .array(try ids.map { try query.rank(of: $0).map { .float64(Double($0)) } ?? .null }),
    ]
    for offset in [0, 1, 4, 50] {
      answer["offset\(offset)"] = .array(try query.offset(offset).collect().map { .string("\($0.id)") })
      answer["taken\(offset)"] = .array(try query.offset(offset).take(2).map { .string("\($0.id)") })
      answer["first\(offset)"] = try query.offset(offset).first().map { .string("\($0.id)") } ?? .null
    }
    return .object(answer)
  }

  static let figures = Query("figures", Arg("query", .any)) { ctx, spec in try figures(ctx.db, spec) }

  /// Figures over writes that are not committed.
  static let rehearse = Mutation("rehearse", Arg("operations", .array(.any)), Arg("query", .any)) { ctx, operations, spec in
    _ = try carryOut(operations, ctx.db)
    return ["figures": try figures(ctx.db, spec), "list": .array(try query(ctx.db, spec).collect().map { .string("\($0.id)") })] as Value
  }

  static let rank = Query("rank", Arg("id", .id(Posts.self))) { ctx, id in
    try ctx.db.query(Posts.self).withIndex(\.byScore).rank(of: id)
  }

  static let total = Query("total") { ctx in try ctx.db.query(Posts.self).withIndex(\.byScore) { $0.gte(\.score, -5) }.count() }

  static let lowest = Query("lowest", Arg("channel", .string)) { ctx, channel in
    try ctx.db.query(Posts.self).withIndex(\.byChannelScore) { $0.eq(\.channel, channel) }.min(\.score)
  }

  static let tops = Query("tops", Arg("count", .wholeNumber)) { ctx, count in
    try ctx.db.query(Posts.self).withIndex(\.byScore).take(count).map(\.score)
  }

  static let skipped = Query("skipped", Arg("offset", .wholeNumber), Arg("count", .wholeNumber)) { ctx, offset, count in
    try ctx.db.query(Posts.self).withIndex(\.byScore).offset(offset).take(count).map(\.score)
  }

  // MARK: Loops

  static let loop = Query("loop", Arg("until", .wholeNumber), Arg("query", .any)) { ctx, until, spec in
    var scores: [Int] = []
    for post in try query(ctx.db, spec).documents() {
      scores.append(post.score)
      if post.score >= until { break }
    }
    return scores
  }

  static let failingLoop = Query("failingLoop", Arg("at", .wholeNumber)) { ctx, score in
    var scores: [Int] = []
    for post in try ctx.db.query(Posts.self).withIndex(\.byScore).filter({ post in
      if post.score == score { throw ApplicationError("not this one", data: .float64(Double(score))) }
      return true
    }).documents() { scores.append(post.score) }
    return scores
  }

  /// A nested loop that fails, and its caller, which catches that.
  static let nestedLoop = Mutation("nestedLoop") { ctx in
    var seen: [String] = []
    do {
      try ctx.run(failingLoop(2))
      seen.append("no error")
    } catch let error as ApplicationError {
      seen.append(error.message)
    }
    seen.append("\(try ctx.db.query(Posts.self).count())")
    return seen
  }

  /// Goes on after its loop has failed.
  static let eager = Mutation("eager") { ctx in
    for _ in try ctx.db.query(Posts.self).filter({ _ in throw ApplicationError("never mind") }).documents() {}
    _ = try? ctx.db.insert(Posts.self) {
      $0.channel = "eager"
      $0.score = 0
    }
    return "done"
  }

  static let limitedLoop = Query(
    "limitedLoop",
    limits: { $0.documentsRead = 2 }
  ) { ctx in
    var count = 0
    for _ in try ctx.db.query(Posts.self).documents() { count += 1 }
    return count
  }

  /// Writes into the range that it goes through.
  static let writingLoop = Mutation("writingLoop") { ctx in
    var scores: [Int] = []
    for post in try ctx.db.query(Posts.self).withIndex(\.byScore).documents() {
      scores.append(post.score)
      try ctx.db.patch(post.id) { $0.score += 100 }
      try ctx.db.insert(Posts.self) {
        $0.channel = "new"
        $0.score = post.score
      }
    }
    return scores + (try ctx.db.query(Posts.self).withIndex(\.byScore).collect().map(\.score))
  }

  /// A loop that goes on after the end has come, and two more over the same documents.
  static let keptLoop = Query("keptLoop") { ctx in
    let documents = try ctx.db.query(Posts.self).documents()
    var posts = documents.makeIterator()
    while posts.next() != nil {}
    return posts.next() == nil && posts.next() == nil && documents.map(\.id) == documents.map(\.id)
  }

  static let forEach = Query("forEach", Arg("query", .any)) { ctx, spec in
    var scores: [Int] = []
    try query(ctx.db, spec).forEach { scores.append($0.score) }
    return scores
  }

  static let takeBack = Query("takeBack") { ctx in try ctx.db.query(Posts.self).take(-1).count }

  // MARK: Filters

  static let matching = Query("matching", Arg("where", .filter)) { ctx, filter in
    try ctx.db.query(Posts.self).withIndex(\.byScore).filter(filter).collect().map(\.score)
  }

  static let filtered = Query("filtered", Arg("channel", .string), Arg("likes", .double)) { ctx, channel, likes in
    try ctx.db.query(Posts.self).withIndex(\.byScore)
      .filter(.field("channel") == .value(channel) && .field("likes") * 2 >= .value(likes) && .field("detail.a.b") != nil)
      .collect().map(\.score)
  }
}

extension EngineHarness {
  static func posts(seed: UInt64 = 1, limits: Limits = Limits(), adminKey: String? = nil) throws -> EngineHarness {
    var configuration = EngineConfiguration()
    configuration.adminKey = adminKey
    configuration.limits = limits
    let server = try EngineHarness(
      tables: [Counters.self, Posts.self], modules: [CounterFunctions.self, PostFunctions.self], seed: seed,
      configuration: configuration)
    server.clock.nanosecondsPerReading = 4_000_000
    return server
  }
}

extension InProcessClient {
  /// Inserts posts of these scores into channel `a`, in one mutation, and gives their ids as JSON.
  @discardableResult
  func insert(_ server: EngineHarness, _ scores: some Sequence<Int>) throws -> [Value] {
    let operations = scores.map { #"{"channel":"a","score":\#($0)}"# }.joined(separator: ",")
    guard case .array(let ids) = try Value(json: ask(server, #"mutation posts:write {"operations":[\#(operations)]}"#)) else { return [] }
    return ids
  }
}
