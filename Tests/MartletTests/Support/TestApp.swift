import MartletTesting
import MartletValues

@testable import Martlet

/// Named numbers: what most tests count, add up and compare.
struct Counters: Table {
  static let name = "counters"
  let name = Field(.string)
  let amount = Field("value", .double)
  let byName = Index("by_name", \Counters.name)
  let byValue = Index("by_value", \Counters.amount, summing: \Counters.amount)
}

/// Functions over counters. Those that begin with `slow` read so much that they run beside the engine's thread.
enum CounterFunctions: FunctionModule {
  static let path = "counters"
  static let functions: [any ServerFunction] = [
    set, add, get, value, between, count, sum, top, all, addThenFail, transfer, total, delete, log,
    slowAdd, slowTransfer, slowValue, slowTotal, slowClaim, slowSwap, claim, slowFail, slowAnchored,
  ]

  static func find(_ db: some ReadsDatabase, _ name: String) throws -> Document<Counters>? {
    try db.query(Counters.self).withIndex(\.byName) { $0.eq(\.name, name) }.unique()
  }

  /// Goes over the budget of the engine's thread, reading nothing but one document.
  static func spend(_ db: some ReadsDatabase, on id: ID<Counters>) throws {
    for _ in 0...LoopBudget.documents { _ = try db.find(id) }
  }

  /// The same on a document that no test changes.
  static func spend(_ db: some ReadsDatabase) throws {
    guard let anchor = try find(db, "anchor") else { throw ApplicationError("the test needs an anchor") }
    try spend(db, on: anchor.id)
  }

  @discardableResult
  static func add(_ db: DatabaseWriter, _ name: String, _ amount: Double) throws -> Double {
    guard let counter = try find(db, name) else {
      try db.insert(Counters.self) {
        $0.name = name
        $0.amount = amount
      }
      return amount
    }
    try db.patch(counter.id) { $0.amount += amount }
    return counter.amount + amount
  }

  static func move(_ db: DatabaseWriter, _ from: String, _ to: String, _ amount: Double) throws {
    guard let source = try find(db, from), source.amount >= amount else { throw ApplicationError("Insufficient funds") }
    try add(db, from, -amount)
    try add(db, to, amount)
  }

  // MARK: Short

  static let set = Mutation("set", Arg("name", .string), Arg("value", .double)) { ctx, name, value in
    if let counter = try find(ctx.db, name) {
      try ctx.db.patch(counter.id) { $0.amount = value }
      return counter.id
    }
    return try ctx.db.insert(Counters.self) {
      $0.name = name
      $0.amount = value
    }
  }

  static let add = Mutation("add", Arg("name", .string), Arg("amount", .double)) { ctx, name, amount in
    try add(ctx.db, name, amount)
  }

  static let addThenFail = Mutation("addThenFail", Arg("name", .string), Arg("amount", .double)) { ctx, name, amount in
    throw ApplicationError("added up to \(try add(ctx.db, name, amount))")
  }

  static let transfer = Mutation(
    "transfer", Arg("from", .string), Arg("to", .string), Arg("amount", .double)
  ) { ctx, from, to, amount in try move(ctx.db, from, to, amount) }

  static let delete = Mutation("delete", Arg("name", .string)) { ctx, name in
    guard let counter = try find(ctx.db, name) else { throw ApplicationError("there is no \(name)") }
    try ctx.db.delete(counter.id)
  }

  static let log = Query("log", Arg("message", .string)) { ctx, message in
    ctx.log.info(message)
  }

  static let get = Query("get", Arg("id", .id(Counters.self))) { ctx, id in try ctx.db.find(id) }

  static let value = Query("value", Arg("name", .string)) { ctx, name in try find(ctx.db, name)?.amount }

  static let between = Query("between", Arg("from", .double), Arg("to", .double)) { ctx, from, to in
    try ctx.db.query(Counters.self).withIndex(\.byValue) { $0.gte(\.amount, from).lt(\.amount, to) }.collect().map(\.name)
  }

  static let count = Query("count", Arg("from", .double), Arg("to", .double)) { ctx, from, to in
    Double(try ctx.db.query(Counters.self).withIndex(\.byValue) { $0.gte(\.amount, from).lt(\.amount, to) }.count())
  }

  static let sum = Query("sum", Arg("from", .double), Arg("to", .double)) { ctx, from, to in
    try ctx.db.query(Counters.self).withIndex(\.byValue) { $0.gte(\.amount, from).lt(\.amount, to) }.sum(\.amount)
  }

  static let top = Query("top", Arg("count", .wholeNumber)) { ctx, count in
    try ctx.db.query(Counters.self).withIndex(\.byValue).order(.descending).take(count).map(\.name)
  }

  static let all = Query("all") { ctx in
    try ctx.db.query(Counters.self).withIndex(\.byName).collect().map { "\($0.name)=\(Int($0.amount))" }
  }

  static let total = Query("total") { ctx in try ctx.db.query(Counters.self).withIndex(\.byValue).sum(\.amount) }

  static let claim = Mutation("claim", Arg("name", .string)) { ctx, name in
    guard try find(ctx.db, name) == nil else { return false }
    try add(ctx.db, name, 1)
    return true
  }

  // MARK: Long

  static let slowAdd = Mutation("slowAdd", Arg("name", .string), Arg("amount", .double)) { ctx, name, amount in
    try spend(ctx.db)
    return try add(ctx.db, name, amount)
  }

  static let slowTransfer = Mutation(
    "slowTransfer", Arg("from", .string), Arg("to", .string), Arg("amount", .double)
  ) { ctx, from, to, amount in
    try spend(ctx.db)
    try move(ctx.db, from, to, amount)
  }

  /// Makes a counter if there is none: what it read is an absence.
  static let slowClaim = Mutation("slowClaim", Arg("name", .string)) { ctx, name in
    try spend(ctx.db)
    guard try find(ctx.db, name) == nil else { return false }
    try add(ctx.db, name, 1)
    return true
  }

  /// Sets one counter if a range of values is empty: two of these on each other's range are the write skew of the books.
  static let slowSwap = Mutation(
    "slowSwap", Arg("ifNone", .double), Arg("name", .string), Arg("value", .double)
  ) { ctx, bound, name, value in
    try spend(ctx.db)
    let others = try ctx.db.query(Counters.self).withIndex(\.byValue) { $0.gte(\.amount, bound) }.count()
    guard others == 0 else { return false }
    guard let counter = try find(ctx.db, name) else { throw ApplicationError("there is no \(name)") }
    try ctx.db.patch(counter.id) { $0.amount = value }
    return true
  }

  static let slowFail = Mutation("slowFail", Arg("name", .string)) { ctx, name in
    try add(ctx.db, name, 1)
    try spend(ctx.db)
    throw ApplicationError("never")
  }

  static let slowAnchored = Query("slowAnchored") { ctx in
    try spend(ctx.db)
    return true
  }

  static let slowValue = Query("slowValue", Arg("name", .string)) { ctx, name in
    let value = try find(ctx.db, name)?.amount
    try spend(ctx.db)
    return value
  }

  static let slowTotal = Query("slowTotal") { ctx in
    try spend(ctx.db)
    return try ctx.db.query(Counters.self).withIndex(\.byValue).sum(\.amount)
  }
}

extension EngineHarness {
  static func counters(
    seed: UInt64 = 1, _ values: [String: Double] = [:], disk: MemoryStorage.Disk = .init(),
    configuration: EngineConfiguration = EngineConfiguration(), pace: SimulatedLogWriter.Pace = .immediate
  ) throws -> EngineHarness {
    let server = try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self], seed: seed, disk: disk, configuration: configuration,
      pace: pace)
    if !values.isEmpty {
      let client = server.connect()
      for (name, value) in values.sorted(by: { $0.key < $1.key }) {
        client.send(#"mutation x counters:set {"name":"\#(name)","value":\#(value)}"#)
        server.settle()
      }
      client.disconnect()
    }
    return server
  }
}

extension InProcessClient {
  /// What came since the last call, as text.
  func takeText() -> [String] { take().map(\.description) }

  /// The answer of a request, which must have come.
  func answer(_ id: String) -> String? { lines.last { $0.id == id && ($0.kind == .ok || $0.kind == .error) }?.rest }
}
