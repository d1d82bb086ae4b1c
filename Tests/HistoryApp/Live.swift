import MartletCommands

struct Items: Table {
  static let name = "items"
  let key = Field(.wholeNumber)
  let group = Field(.wholeNumber)
  let score = Field(.double)
  let note = Field(.string)
  let byKey = Index("by_key", \Items.key, unique: true)
  let byGroup = Index("by_group", \Items.group, \Items.score, summing: \Items.score)
  let byScore = Index("by_score", \Items.score)
}

struct Titles: Table {
  static let name = "titles"
  let group = Field(.wholeNumber)
  let title = Field(.string)
  let byGroup = Index("by_group", \Titles.group)
}

/// What live queries are watched over: each kind of reading once, and writes whose answers follow from what was there.
enum LiveFunctions: FunctionModule {
  static let path = "live"
  static let functions: [any ServerFunction] = [
    put, adjust, transfer, regroup, remove, entitle, touch, item, get, range, page, wholePage, statistics, top, joined, guarded, slow,
    bulky,
  ]

  // MARK: Writes

  /// - Returns: the document as it is then.
  static let put = Mutation(
    "put", Arg("key", .wholeNumber), Arg("group", .wholeNumber), Arg("score", .double), Arg("note", .string)
  ) { ctx, key, group, score, note in
    if let item = try ctx.db.query(Items.self).withIndex(\.byKey, { $0.eq(\.key, key) }).unique() {
      try ctx.db.patch(item.id) {
        $0.group = group
        $0.score = score
        $0.note = note
      }
      return try ctx.db.get(item.id)
    }
    let id = try ctx.db.insert(Items.self) {
      $0.key = key
      $0.group = group
      $0.score = score
      $0.note = note
    }
    return try ctx.db.get(id)
  }

  static let adjust = Mutation("adjust", Arg("key", .wholeNumber), Arg("by", .double)) { ctx, key, amount in
    let item = try existing(key, ctx.db)
    try ctx.db.patch(item.id) { $0.score += amount }
    return item.score + amount
  }

  /// - Returns: what both have then.
  static let transfer = Mutation(
    "transfer", Arg("from", .wholeNumber), Arg("to", .wholeNumber), Arg("amount", .double), Arg("isLong", .boolean)
  ) { ctx, from, to, amount, isLong in
    let (source, target) = (try existing(from, ctx.db), try existing(to, ctx.db))
    if isLong { try ctx.db.takeTime() }
    guard source.score >= amount else { throw ApplicationError("too little", data: .float64(source.score)) }
    try ctx.db.patch(source.id) { $0.score -= amount }
    try ctx.db.patch(target.id) { $0.score += amount }
    return [source.score - amount, target.score + amount]
  }

  /// - Returns: how many items went over.
  static let regroup = Mutation(
    "regroup", Arg("from", .wholeNumber), Arg("to", .wholeNumber), Arg("most", .wholeNumber), Arg("isLong", .boolean)
  ) { ctx, from, to, most, isLong in
    if isLong { try ctx.db.takeTime() }
    let items = try ctx.db.query(Items.self).withIndex(\.byGroup) { $0.eq(\.group, from) }.take(most)
    for item in items { try ctx.db.patch(item.id) { $0.group = to } }
    return items.count
  }

  static let remove = Mutation("remove", Arg("key", .wholeNumber)) { ctx, key in try ctx.db.delete(existing(key, ctx.db).id) }

  static let entitle = Mutation("entitle", Arg("group", .wholeNumber), Arg("title", .string)) { ctx, group, title in
    if let found = try ctx.db.query(Titles.self).withIndex(\.byGroup, { $0.eq(\.group, group) }).unique() {
      try ctx.db.patch(found.id) { $0.title = title }
    } else {
      try ctx.db.insert(Titles.self) {
        $0.group = group
        $0.title = title
      }
    }
  }

  /// Writes nothing.
  static let touch = Mutation("touch") { _ in }

  private static func existing(_ key: Int, _ db: DatabaseWriter) throws -> Document<Items> {
    guard let item = try db.query(Items.self).withIndex(\.byKey, { $0.eq(\.key, key) }).unique() else {
      throw ApplicationError("there is no item \(key)")
    }
    return item
  }

  // MARK: Reads

  static let item = Query("item", Arg("key", .wholeNumber)) { ctx, key in
    try ctx.db.query(Items.self).withIndex(\.byKey) { $0.eq(\.key, key) }.unique()
  }

  static let get = Query("get", Arg("id", .id(Items.self))) { ctx, id in try ctx.db.get(id) }

  static let range = Query("range", Arg("group", .wholeNumber), Arg("from", .double), Arg("until", .double)) { ctx, group, from, until in
    try ctx.db.query(Items.self).withIndex(\.byGroup) { $0.eq(\.group, group).gte(\.score, from).lt(\.score, until) }.collect()
  }

  static let page = Query("page", Arg("page", .pagination)) { ctx, page in
    try ctx.db.query(Items.self).withIndex(\.byKey).paginate(page).documents
  }

  /// For its cursor.
  static let wholePage = Query("wholePage", Arg("page", .pagination)) { ctx, page in
    try ctx.db.query(Items.self).withIndex(\.byKey).paginate(page)
  }

  static let statistics = Query("statistics", Arg("group", .wholeNumber)) { ctx, group -> [Double] in
    let items = try ctx.db.query(Items.self).withIndex(\.byGroup) { $0.eq(\.group, group) }
    return [Double(try items.count()), try items.sum(\.score), try items.min(\.score) ?? -1, try items.max(\.score) ?? -1]
  }

  static let top = Query("top", Arg("count", .wholeNumber)) { ctx, count in
    try ctx.db.query(Items.self).withIndex(\.byScore).order(.descending).take(count)
  }

  /// Of two tables.
  static let joined = Query("joined", Arg("group", .wholeNumber)) { ctx, group -> [Value] in
    let title = try ctx.db.query(Titles.self).withIndex(\.byGroup) { $0.eq(\.group, group) }.unique()?.title
    let items = try ctx.db.query(Items.self).withIndex(\.byGroup) { $0.eq(\.group, group) }.collect()
    return [title.map { .string($0) } ?? .null] + items.map { .array([.float64(Double($0.key)), .float64($0.score)]) }
  }

  /// Throws while the sum is above a limit.
  static let guarded = Query("guarded", Arg("group", .wholeNumber), Arg("limit", .double)) { ctx, group, limit in
    let sum = try ctx.db.query(Items.self).withIndex(\.byGroup) { $0.eq(\.group, group) }.sum(\.score)
    guard sum <= limit else { throw ApplicationError("too much", data: .float64(sum)) }
    return sum
  }

  /// Runs beside the engine's thread.
  static let slow = Query("slow", Arg("group", .wholeNumber)) { ctx, group in
    let items = try ctx.db.query(Items.self).withIndex(\.byGroup) { $0.eq(\.group, group) }.collect()
    try ctx.db.takeTime()
    return items
  }

  static let bulkyBytes = 100_000

  /// A long answer, so that who doesn't read has no room for many.
  static let bulky = Query("bulky", Arg("group", .wholeNumber)) { ctx, group -> [Value] in
    let sum = try ctx.db.query(Items.self).withIndex(\.byGroup) { $0.eq(\.group, group) }.sum(\.score)
    return [.float64(sum), .string(String(repeating: "x", count: bulkyBytes))]
  }
}
