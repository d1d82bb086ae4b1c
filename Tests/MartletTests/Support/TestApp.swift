import MartletTesting
import MartletValues
import Synchronization

@testable import Martlet

/// Named numbers: what most tests count, add up and compare.
struct Counters: Table {
  static let name = "counters"
  let name = Field(.string)
  let amount = Field("value", .double)
  let byName = Index("by_name", \Counters.name)
  let byValue = Index("by_value", \Counters.amount, summing: \Counters.amount)
}

/// Functions over counters. Those that begin with `slow` take so long that they run beside the engine's thread: in these
/// tests 4 ms pass with each look at the clock, and a transaction looks once in 16 calls.
enum CounterFunctions: FunctionModule {
  static let path = "counters"
  static let functions: [any ServerFunction] = [
    set, add, get, value, between, count, sum, top, all, addThenFail, transfer, total, delete, log,
    slowAdd, slowTransfer, slowValue, slowTotal, slowClaim, slowSwap, claim, slowFail, slowAnchored,
    must, mustAll, rehearse, catching, catchingLimit, logging, slowLogging, relay, dice, isAdmin, lowest, slowOracle,
  ]

  static func find(_ db: some ReadsDatabase, _ name: String) throws -> Document<Counters>? {
    try db.query(Counters.self).withIndex(\.byName) { $0.eq(\.name, name) }.unique()
  }

  /// Goes over the budget of the engine's thread, reading nothing but one document.
  static func spend(_ db: some ReadsDatabase, on id: ID<Counters>) throws {
    for _ in 0..<48 { _ = try db.find(id) }
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

  static let lowest = Query("lowest", Arg("count", .wholeNumber)) { ctx, count in
    try ctx.db.query(Counters.self).withIndex(\.byValue).take(count).map { "\($0.name)=\(Int($0.amount))" }
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

  static let must = Query("must", Arg("name", .string)) { ctx, name in
    guard let counter = try find(ctx.db, name) else { throw ApplicationError("there is no \(name)") }
    return counter.amount
  }

  static let mustAll = Query("mustAll") { ctx in
    try ctx.db.query(Counters.self).withIndex(\.byName).collect().map { counter in
      guard counter.amount >= 0 else { throw ApplicationError("\(counter.name) is below 0") }
      return "\(counter.name)=\(Int(counter.amount))"
    }
  }

  /// Writes, and tells after each write what it reads.
  static let rehearse = Mutation("rehearse") { ctx in
    var seen: [String] = []
    func look() throws {
      let byValue = try ctx.db.query(Counters.self).withIndex(\.byValue)
      seen.append(try byValue.collect().map(\.name).joined(separator: " "))
      seen.append("count \(try byValue.count())")
      seen.append("sum \(Int(try byValue.sum(\.amount)))")
    }
    try look()
    try add(ctx.db, "z", 100)
    seen.append("inserted")
    try look()
    let id = try find(ctx.db, "z")!.id
    try ctx.db.patch(id) { $0.amount = -2 }
    seen.append("patched")
    try look()
    seen.append("found \(Int(try ctx.db.get(id).amount))")
    try ctx.db.delete(try find(ctx.db, "a")!.id)
    seen.append("deleted")
    try look()
    seen.append(try find(ctx.db, "a") == nil ? "gone" : "there")
    return seen
  }

  static let catching = Mutation("catching") { ctx in
    var seen: [String] = []
    do {
      // The first that touches the table.
      try ctx.run(addThenFail("early", 5))
    } catch {
      seen.append("early failed")
    }
    seen.append("outer=\(Int(try add(ctx.db, "outer", 1)))")
    do {
      try ctx.run(addThenFail("inner", 5))
    } catch {
      seen.append("inner failed")
    }
    do {
      try ctx.run(transfer("a", "inner", 1))
      throw ApplicationError("a handler's own")
    } catch {
      // It was the handler that threw: what the nested mutation wrote stays.
      try ctx.run(transfer("inner", "a", 1))
      try ctx.db.delete(find(ctx.db, "inner")!.id)
      seen.append("a \(Int(try find(ctx.db, "a")!.amount))")
    }
    seen.append(try find(ctx.db, "inner") == nil ? "inner gone" : "inner there")
    seen.append("outer=\(Int(try add(ctx.db, "outer", 1)))")
    return seen
  }

  static let catchingLimit = Mutation(
    "catchingLimit",
    limits: { $0.documentsWritten = 2 }
  ) { ctx in
    try add(ctx.db, "x", 1)
    for name in ["y", "z"] { _ = try? add(ctx.db, name, 1) }
    return "caught"
  }

  static let logging = Mutation("logging", Arg("name", .string)) { ctx, name in
    ctx.log.info("adding to \(name)")
    try add(ctx.db, name, 1)
    ctx.log.warning("added")
  }

  static let slowLogging = Query("slowLogging") { ctx in
    ctx.log.debug("before")
    try spend(ctx.db)
    ctx.log.error("after")
  }

  static let relay = Action("relay", Arg("name", .string)) { ctx, name in
    try await ctx.run(logging(name))
    return try await ctx.run(value(name))
  }

  static let isAdmin = Mutation("isAdmin") { ctx in ctx.identity.isAdmin }

  /// Everything that a handler may know of time and chance, told to the test in each run.
  static let slowOracle = Mutation("slowOracle") { ctx in
    let seen = ["\(ctx.now)", "\(UInt64.random(in: 0 ... .max, using: &ctx.random))", ctx.uuid, ctx.uuid]
    Oracle.note(seen)
    _ = try find(ctx.db, "oracle")
    try spend(ctx.db)
    return seen
  }

  static let dice = Mutation("dice") { ctx in
    try spend(ctx.db)
    return try add(ctx.db, "dice", Double(Int.random(in: 1...6, using: &ctx.random)))
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

/// What the runs of `slowOracle` saw.
enum Oracle {
  private static let seen = Mutex<[[String]]>([])
  static var all: [[String]] { seen.withLock { $0 } }
  static func note(_ run: [String]) { seen.withLock { $0.append(run) } }
  static func forget() { seen.withLock { $0 = [] } }
}

extension EngineHarness {
  static func counters(
    seed: UInt64 = 1, _ values: [String: Double] = [:], disk: MemoryStorage.Disk = .init(),
    configuration: EngineConfiguration = EngineConfiguration(), pace: SimulatedLogWriter.Pace = .immediate
  ) throws -> EngineHarness {
    let server = try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self], seed: seed, disk: disk, configuration: configuration,
      pace: pace)
    server.clock.nanosecondsPerReading = 4_000_000
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
