import MartletTesting
import MartletValues

@testable import Martlet

/// A table with a field of each kind, and indexes of one field and of several.
struct Items: Table {
  static let name = "items"
  let category = Field(.string)
  let rank = Field(.wholeNumber)
  let weight = Field(.double)
  let tag = Field(.optional(.string))
  let kind = Field(.optional(.literal("item")))
  let colour = Field(.optional(.enumeration(Colour.self)))
  let owner = Field(.optional(.id(Counters.self)))
  let notes = Field(.optional(.record(.double)))
  let extra = Field(.optional(.any))
  let serial = Field(.optional(.int64))
  let data = Field(.optional(.bytes))
  let isDone = Field("done", .optional(.boolean))
  let size = Field(.optional(Size.validator))

  let byCategoryRank = Index("by_category_rank", \Items.category, \Items.rank)
  let byTag = Index("by_tag", \Items.tag, \Items.weight)
  let byWeight = Index(\Items.weight, summing: \Items.weight)
  let byCategoryWeight = Index(\Items.category, \Items.weight, summing: \Items.weight)
  let byExtra = Index("by_extra", \Items.extra)
}

/// An object that doesn't take every number.
struct Size: Sendable, Equatable {
  var width: Double

  static let validator = Validator<Size>.object(Property("width", \Size.width, .double)) { width in
    guard width > 0 else { throw ApplicationError("a width is more than 0") }
    return Size(width: width)
  }
}

enum Colour: String, CaseIterable, Sendable { case red, green, blue }

enum ItemFunctions: FunctionModule {
  static let path = "items"
  static let functions: [any ServerFunction] = [
    insert, update, remove, ranked, tagged, weighed, bare, whole, wholes, nestedWhole, setKind, setNote, setRank, kinds,
    owned, ownedDeep, recurse, readMany, writeMany, typed, uniqueTag, misranged, extras, unsetField, rankOver, sizes, shrink, bumpRank, byExtra,
  ]

  static let insert = Mutation(
    "insert", Arg("category", .string), Arg("rank", .wholeNumber), Arg("weight", .double), Arg("tag", .optional(.string)),
    Arg("extra", .optional(.any))
  ) { ctx, category, rank, weight, tag, extra in
    try ctx.db.insert(Items.self) {
      $0.category = category
      $0.rank = rank
      $0.weight = weight
      $0.tag = tag
      $0.extra = extra
    }
  }

  static let update = Mutation("update", Arg("id", .id(Items.self)), Arg("rank", .wholeNumber), Arg("tag", .optional(.string))) {
    ctx, id, rank, tag in
    try ctx.db.patch(id) {
      $0.rank = rank
      $0.tag = tag
    }
  }

  static let remove = Mutation("remove", Arg("id", .id(Items.self))) { ctx, id in try ctx.db.delete(id) }

  static let shrink = Mutation("shrink", Arg("id", .id(Items.self))) { ctx, id in try ctx.db.patch(id) { $0.size = Size(width: 0) } }

  /// How a range is read: the ids, or one of the short forms.
  static func read(_ query: TableQuery<Items>, _ how: String, _ limit: Int?) throws -> Value {
    let query = query.order(how.hasSuffix("Desc") ? .descending : .ascending)
    switch how {
    case "count": return .float64(Double(try query.count()))
    case "sum": return .float64(try query.sum(\.weight))
    case "first", "firstDesc": return try query.first().map { .string($0.id.description) } ?? .null
    case "filtered": return .array(try query.filter { $0.weight >= 5 }.collect().map { .string($0.id.description) })
    case "filteredCount": return .float64(Double(try query.filter { $0.weight >= 5 }.count()))
    default:
      let found = if let limit { try query.take(limit) } else { try query.collect() }
      return .array(found.map { .string($0.id.description) })
    }
  }

  static let ranked = Query(
    "ranked", Arg("how", .string), Arg("limit", .optional(.wholeNumber)), Arg("category", .optional(.string)),
    Arg("gt", .optional(.wholeNumber)), Arg("gte", .optional(.wholeNumber)), Arg("lt", .optional(.wholeNumber)),
    Arg("lte", .optional(.wholeNumber))
  ) { ctx, how, limit, category, gt, gte, lt, lte in
    let query = try ctx.db.query(Items.self).withIndex(\.byCategoryRank) { range in
      guard let category else { return range }
      var range = range.eq(\.category, category)
      if let gt { range = range.gt(\.rank, gt) }
      if let gte { range = range.gte(\.rank, gte) }
      if let lt { range = range.lt(\.rank, lt) }
      if let lte { range = range.lte(\.rank, lte) }
      return range
    }
    return try read(query, how, limit)
  }

  /// By an optional field: documents without it come first.
  static let tagged = Query(
    "tagged", Arg("how", .string), Arg("limit", .optional(.wholeNumber)), Arg("tag", .optional(.string)),
    Arg("gt", .optional(.double)), Arg("lte", .optional(.double))
  ) { ctx, how, limit, tag, gt, lte in
    let query = try ctx.db.query(Items.self).withIndex(\.byTag) { range in
      var range = range.eq(\.tag, tag)
      if let gt { range = range.gt(\.weight, gt) }
      if let lte { range = range.lte(\.weight, lte) }
      return range
    }
    return try read(query, how, limit)
  }

  static let weighed = Query(
    "weighed", Arg("how", .string), Arg("limit", .optional(.wholeNumber)), Arg("gte", .optional(.double)),
    Arg("lt", .optional(.double))
  ) { ctx, how, limit, gte, lt in
    let query = try ctx.db.query(Items.self).withIndex(\.byWeight) { range in
      var range = range
      if let gte { range = range.gte(\.weight, gte) }
      if let lt { range = range.lt(\.weight, lt) }
      return range
    }
    return try read(query, how, limit)
  }

  /// Without an index: in the order of creation.
  static let bare = Query("bare", Arg("how", .string), Arg("limit", .optional(.wholeNumber))) { ctx, how, limit in
    try read(try ctx.db.query(Items.self), how, limit)
  }

  static let extras = Query("extras") { ctx in
    try ctx.db.query(Items.self).withIndex(\.byExtra).collect().map { $0.extra ?? "missing" }
  }

  static let uniqueTag = Query("uniqueTag", Arg("tag", .string)) { ctx, tag in
    try ctx.db.query(Items.self).withIndex(\.byTag) { $0.eq(\.tag, tag) }.unique()?.weight
  }

  static let misranged = Query("misranged", Arg("how", .wholeNumber)) { ctx, how in
    try ctx.db.query(Items.self).withIndex(\.byCategoryRank) { range in
      switch how {
      case 0: range.eq(\.rank, 1)
      case 1: range.gt(\.rank, 1)
      case 2: range.eq(\.category, "a").gt(\.rank, 1).gte(\.rank, 1)
      case 3: range.gt(\.category, "a").eq(\.rank, 1)
      case 4: range.eq(\.category, "a").eq(\.rank, 1).eq(\.weight, 1)
      default: range.eq(\.category, "a").eq(\.category, "a")
      }
    }.count()
  }

  // MARK: Values that don't fit

  static let whole = Query("whole", Arg("power", .wholeNumber), Arg("plus", .wholeNumber)) { _, power, plus in
    (1 << power) + plus
  }

  static let wholes = Query("wholes") { _ in [1, 2, Int.max] }

  static let nestedWhole = Mutation("nestedWhole") { ctx in
    do { return Double(try ctx.run(whole(60, 0))) } catch { return -1 }
  }

  static let rankOver = Query("rankOver") { ctx in
    try ctx.db.query(Items.self).withIndex(\.byCategoryRank) { $0.eq(\.category, "a").gt(\.rank, (1 << 53) + 1) }.count()
  }

  static let setRank = Mutation("setRank", Arg("id", .id(Items.self)), Arg("power", .wholeNumber), Arg("plus", .wholeNumber)) {
    ctx, id, power, plus in try ctx.db.patch(id) { $0.rank = (1 << power) + plus }
  }

  static let bumpRank = Mutation("bumpRank", Arg("id", .id(Items.self))) { ctx, id in
    try ctx.db.patch(id) {
      $0.rank = Int.max
      $0.rank -= 1
      $0.rank = Int.max
    }
  }

  static let setKind = Mutation("setKind", Arg("id", .id(Items.self)), Arg("kind", .string)) { ctx, id, kind in
    try ctx.db.patch(id) { $0.kind = kind }
  }

  static let sizes = Query("sizes") { ctx in try ctx.db.query(Items.self).collect().map { $0.size?.width ?? 0 } }

  static let byExtra = Query("byExtra", Arg("levels", .wholeNumber)) { ctx, levels in
    var extra = Value.null
    for _ in 0..<levels { extra = .array([extra]) }
    return try ctx.db.query(Items.self).withIndex(\.byExtra) { $0.eq(\.extra, extra) }.count()
  }

  static let setNote = Mutation("setNote", Arg("id", .id(Items.self)), Arg("name", .string)) { ctx, id, name in
    try ctx.db.patch(id) { $0.notes = [name: 1] }
  }

  static let kinds = Query("kinds") { ctx in try ctx.db.query(Items.self).collect().map { $0.kind ?? "none" } }

  /// Leaves a required field out.
  static let unsetField = Mutation("unsetField") { ctx in try ctx.db.insert(Items.self) { $0.category = "a" } }

  static let owned = Query("owned", Arg("owner", .id(Counters.self))) { ctx, owner in try ctx.db.find(owner)?.name }

  static let ownedDeep = Query("ownedDeep", Arg("owners", .array(.optional(.id(Counters.self))))) { _, owners in owners.count }

  static let typed = Mutation("typed", Arg("owner", .id(Counters.self))) { ctx, owner in
    let id = try ctx.db.insert(Items.self) {
      $0.category = "typed"
      $0.rank = 1
      $0.weight = -0.0
      $0.tag = "\"\\\n é 👩‍🚀"
      $0.kind = "item"
      $0.colour = .green
      $0.owner = owner
      $0.notes = ["a": .infinity, "b c": 2]
      $0.extra = ["list": [1, nil, true], "text": "x"]
      $0.serial = .min
      $0.data = [0, 255, 10]
      $0.isDone = true
    }
    let item = try ctx.db.get(id)
    guard item.weight.sign == .minus, item.tag == "\"\\\n é 👩‍🚀", item.kind == "item", item.colour == .green,
      item.owner == owner, item.notes == ["a": .infinity, "b c": 2], item.extra == ["list": [1, nil, true], "text": "x"],
      item.serial == .min, item.data == [0, 255, 10], item.isDone == true
    else { throw ApplicationError("a field is not what was set") }
    try ctx.db.patch(id) {
      $0.tag = nil
      $0.isDone = nil
    }
    guard try ctx.db.get(id).tag == nil else { throw ApplicationError("a field is there") }
    return try ctx.db.get(id)
  }

  // MARK: Limits

  static let recurse: Mutation<Double, Double> = Mutation("recurse", Arg("depth", .double)) { ctx, depth in
    depth == 0 ? 0 : 1 + (try ctx.run(recurse(depth - 1)))
  }

  static let readMany = Query("readMany") { ctx in try ctx.db.query(Items.self).collect().count }

  static let writeMany = Mutation("writeMany", Arg("count", .wholeNumber), Arg("bytes", .wholeNumber)) { ctx, count, bytes in
    for number in 0..<count {
      try ctx.db.insert(Items.self) {
        $0.category = String(repeating: "x", count: bytes)
        $0.rank = number
        $0.weight = 1
      }
    }
  }
}

extension EngineHarness {
  static func items(
    seed: UInt64 = 1, disk: MemoryStorage.Disk = .init(), limits: Limits = Limits()
  ) throws -> EngineHarness {
    var configuration = EngineConfiguration()
    configuration.limits = limits
    return try EngineHarness(
      tables: [Counters.self, Items.self], modules: [CounterFunctions.self, ItemFunctions.self], seed: seed, disk: disk,
      configuration: configuration)
  }
}

extension InProcessClient {
  /// Sends one request, and gives its answer: the value's JSON, or the error's code and message.
  func ask(_ server: EngineHarness, _ call: String) -> String {
    let words = call.split(separator: " ", maxSplits: 1)
    send("\(words[0]) ask \(words[1])")
    server.settle()
    guard let line = take().last(where: { $0.id == "ask" }) else { return "no answer" }
    return line.kind == .ok ? line.rest : "\(line.code): \(line.message)"
  }
}
