import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

/// Entries of groups, with a total for each group that triggers keep. No group has more than five entries.
private struct Entries: Table {
  static let name = "entries"
  let key = Field(.string)
  let group = Field(.string)
  let size = Field(.double)
  /// The trigger's own: what the entry was when it last changed.
  let label = Field(.optional(.string))

  let byKey = Index("by_key", \Entries.key, unique: true)
  let byGroup = Index("by_group", \Entries.group, summing: \Entries.size)
}

private struct Totals: Table {
  static let name = "totals"
  let group = Field(.string)
  let count = Field(.double)
  let size = Field(.double)

  let byGroup = Index("by_group", \Totals.group, unique: true)
  let byCount = Index("by_count", \Totals.count, \Totals.group)
}

/// A step of a mutation; in JSON `["put","a","g",3]`, `["drop","a"]`, `["nest",fails,[…]]`.
private indirect enum GroupStep {
  case put(String, String, Double)
  case drop(String)
  case nest(fails: Bool, [GroupStep])

  var value: Value {
    switch self {
    case .put(let key, let group, let size): ["put", .string(key), .string(group), .float64(size)]
    case .drop(let key): ["drop", .string(key)]
    case .nest(let fails, let steps): ["nest", .boolean(fails), .array(steps.map(\.value))]
    }
  }

  init(_ value: Value) throws {
    guard case .array(let parts) = value else { throw ApplicationError("no step") }
    switch (parts[0], parts.count) {
    case ("put", 4):
      guard case .string(let key) = parts[1], case .string(let group) = parts[2], case .float64(let size) = parts[3] else { fallthrough }
      self = .put(key, group, size)
    case ("drop", 2):
      guard case .string(let key) = parts[1] else { fallthrough }
      self = .drop(key)
    case ("nest", 3):
      guard case .boolean(let fails) = parts[1], case .array(let steps) = parts[2] else { fallthrough }
      self = .nest(fails: fails, try steps.map(GroupStep.init))
    default: throw ApplicationError("no step")
    }
  }
}

private enum Groups: FunctionModule {
  static let path = "groups"
  static let functions: [any ServerFunction] = [carryOut, all, totals]

  /// Carries steps out, each of which may fail without the others, and then may fail itself. Answers what each group looked like after each of them.
  static let carryOut: Mutation<Value, Value, Bool, Bool> = Mutation(
    "carryOut", Arg("steps", .any), Arg("beside", .boolean, default: false), Arg("fails", .boolean, default: false)
  ) { ctx, steps, beside, fails in
    if beside { for _ in 0..<5_000 { _ = try ctx.db.find(ID<Totals>(DocumentID(tableNumber: 1, high: 0, low: 0))) } }
    guard case .array(let steps) = steps else { throw ApplicationError("no steps") }
    var seen: [Value] = []
    for step in steps {
      do { try takeStep(try GroupStep(step), ctx, &seen) } catch let error as ApplicationError {
        seen.append(.string(error.data?["code"] == "not_unique" ? "taken" : error.message))
      }
      seen.append(try look(ctx))
    }
    if fails { throw ApplicationError("failed on purpose") }
    return .array(seen)
  }

  private static func takeStep(_ step: GroupStep, _ ctx: MutationContext, _ seen: inout [Value]) throws {
    switch step {
    case .put(let key, let group, let size):
      if let known = try ctx.db.query(Entries.self).withIndex(\.byKey, { $0.eq(\.key, key) }).unique(), size >= 0 {
        try ctx.db.patch(known.id) {
          $0.group = group
          // Read before it is set, and inside the closure another document is written.
          $0.size += size
        }
      } else {
        try ctx.db.insert(Entries.self) {
          $0.key = key
          $0.group = group
          $0.size = size
        }
      }
    case .drop(let key):
      guard let known = try ctx.db.query(Entries.self).withIndex(\.byKey, { $0.eq(\.key, key) }).unique() else {
        throw ApplicationError("no such entry")
      }
      try ctx.db.delete(known.id)
    case .nest(let fails, let steps):
      seen.append(try ctx.run(carryOut(.array(steps.map(\.value)), false, fails)))
    }
  }

  private static func look(_ ctx: MutationContext) throws -> Value {
    let groups = try ctx.db.query(Totals.self).withIndex(\.byGroup).collect().map { total -> Value in
      let entries = try ctx.db.query(Entries.self).withIndex(\.byGroup) { $0.eq(\.group, total.group) }
      guard try Double(entries.count()) == total.count, try entries.sum(\.size) == total.size else { return "wrong total" }
      return .string("\(total.group)\(Int(total.count))=\(Int(total.size))")
    }
    return .array(groups)
  }

  static let all = Query("all") { ctx in
    try ctx.db.query(Entries.self).withIndex(\.byKey).collect().map { "\($0.key) \($0.label ?? "unlabelled")" }
  }

  static let totals = Query("totals") { ctx in
    try ctx.db.query(Totals.self).withIndex(\.byCount).collect().map { "\($0.group)\(Int($0.count))=\(Int($0.size))" }
  }

  static let label = Trigger.onChange(of: Entries.self) { ctx, change in
    guard let new = change.new else { return }
    let label = "\(new.group)\(Int(new.size))"
    // The write of its own sets it off once more, with nothing to do.
    if new.label != label { try ctx.db.patch(new.id) { $0.label = label } }
  }

  static let count = Trigger.onChange(of: Entries.self) { ctx, change in
    func add(_ count: Double, _ size: Double, to group: String) throws {
      let total = try ctx.db.query(Totals.self).withIndex(\.byGroup) { $0.eq(\.group, group) }.unique()
      guard let total else {
        try ctx.db.insert(Totals.self) {
          $0.group = group
          $0.count = count
          $0.size = size
        }
        return
      }
      if total.count + count == 0 { return try ctx.db.delete(total.id) }
      try ctx.db.patch(total.id) {
        $0.count += count
        $0.size += size
      }
    }
    switch (change.old, change.new) {
    case (let old?, let new?) where old.group == new.group:
      if old.size != new.size { try add(0, new.size - old.size, to: new.group) }
    case (let old, let new):
      if let new { try add(1, new.size, to: new.group) }
      if let old { try add(-1, -old.size, to: old.group) }
    }
  }

  static let bound = Trigger.onChange(of: Totals.self) { _, change in
    if let new = change.new, new.count > 5, new.count > change.old?.count ?? 0 { throw ApplicationError("\(new.group) is full") }
  }
}

/// What the functions above do, naively.
private struct GroupsModel {
  var entries: [String: (group: String, size: Double)] = [:]

  func totals(_ group: String) -> (count: Int, size: Double) {
    let of = entries.values.filter { $0.group == group }
    return (of.count, of.reduce(0) { $0 + $1.size })
  }

  var groups: [String] { Set(entries.values.map(\.group)).sorted() }

  var look: Value { .array(groups.map { .string("\($0)\(totals($0).count)=\(Int(totals($0).size))") }) }

  var byCount: [String] {
    groups.sorted { (totals($0).count, $0) < (totals($1).count, $1) }.map { "\($0)\(totals($0).count)=\(Int(totals($0).size))" }
  }

  mutating func carryOut(_ steps: [GroupStep]) -> Value {
    var seen: [Value] = []
    for step in steps {
      var next = self
      let problem: Value?
      switch step {
      case .put(let key, let group, let size):
        if let known = entries[key], size >= 0 {
          next.entries[key] = (group, known.size + size)
          problem = known.group != group && totals(group).count == 5 ? "full" : nil
        } else if entries[key] != nil {
          problem = "taken"
        } else {
          next.entries[key] = (group, size)
          problem = totals(group).count == 5 ? "full" : nil
        }
        if problem == nil { self = next } else { seen.append(problem == "taken" ? "taken" : .string("\(group) is full")) }
      case .drop(let key):
        if entries.removeValue(forKey: key) == nil { seen.append("no such entry") }
      case .nest(let fails, let steps):
        let inner = next.carryOut(steps)
        if fails { seen.append("failed on purpose") } else {
          self = next
          seen.append(inner)
        }
      }
      seen.append(look)
    }
    return .array(seen)
  }
}

@Suite("Triggers against a model")
struct TriggerModelTests {
  private static func step(_ random: inout TestRandom, depth: Int) -> GroupStep {
    if depth < 3, random.oneIn(4) { return .nest(fails: random.oneIn(2), (0..<random.number(1..<5)).map { _ in step(&random, depth: depth + 1) }) }
    let key = "k\(random.number(0..<14))"
    if random.oneIn(4) { return .drop(key) }
    // A negative size always inserts, and may find the key taken.
    return .put(key, random.element(of: ["a", "b", "c"]), Double(random.oneIn(4) ? -random.number(1..<9) : random.number(0..<9)))
  }

  @Test(
    "Totals that triggers keep are right after every step, rolled back ones included, with unique indexes, on the engine's thread and beside it",
    arguments: 1...6)
  func model(_ seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness(
      tables: [Entries.self, Totals.self], modules: [Groups.self], triggers: [Groups.count, Groups.label, Groups.bound], seed: seed)
    var client = server.connect()
    var model = GroupsModel()
    for round in 0..<120 {
      let steps = (0..<random.number(1..<9)).map { _ in Self.step(&random, depth: 0) }
      let expected = model.carryOut(steps)
      let call = "mutation groups:carryOut {\"beside\":\(random.oneIn(8)),\"steps\":\(Value.array(steps.map(\.value)).json)}"
      #expect(client.ask(server, call) == expected.json, "round \(round): \(call)")
      let entries = model.entries.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.group)\(Int($0.value.size))" }
      #expect(client.ask(server, "query groups:all") == Value.array(entries.map { .string($0) }).json)
      #expect(client.ask(server, "query groups:totals") == Value.array(model.byCount.map { .string($0) }).json)
      if random.oneIn(20) {
        try server.crash()
        client = server.connect()
      }
    }
  }

  @Test("Many writes of a table with triggers are carried out, and taken back where the last one fails")
  func many() throws {
    let server = try EngineHarness(
      tables: [Entries.self, Totals.self], modules: [Groups.self], triggers: [Groups.count, Groups.label, Groups.bound])
    let client = server.connect()
    func put(_ numbers: Range<Int>, _ group: (Int) -> String) -> [GroupStep] { numbers.map { .put("k\($0)", group($0), 1) } }
    let fits = put(0..<1_000) { "g\($0 / 5)" }
    _ = client.ask(
      server, "mutation groups:carryOut {\"steps\":\(Value.array([GroupStep.nest(fails: true, fits).value]).json)}")
    #expect(client.ask(server, "query groups:all") == "[]")
    #expect(client.ask(server, "query groups:totals") == "[]")
  }
}
