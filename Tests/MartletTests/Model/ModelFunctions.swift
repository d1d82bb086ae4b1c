import MartletValues
import Synchronization

@testable import Martlet

/// Runs the same steps against the database.
enum ModelFunctions: FunctionModule {
  static let path = "model"
  static let functions: [any ServerFunction] = [run, nested, read]

  /// Steps are Swift values, and arguments JSON: so a call names its steps by a number.
  private static let scripts = Mutex<[Int: [Step]]>([:])
  private static let readings = Mutex<[Int: Reading]>([:])

  static func name(_ steps: [Step]) -> Int {
    scripts.withLock { scripts in
      scripts[scripts.count] = steps
      return scripts.count - 1
    }
  }

  static func name(_ reading: Reading) -> Int {
    readings.withLock { readings in
      readings[readings.count] = reading
      return readings.count - 1
    }
  }

  /// Tells what the steps told; in an error, where they are to be taken back.
  static let run = Mutation("run", Arg("script", .wholeNumber), Arg("throws", .boolean)) { ctx, script, throwsAtItsEnd in
    let told = try perform(scripts.withLock { $0[script]! }, ctx)
    if throwsAtItsEnd { throw ApplicationError(told.joined(separator: "\n")) }
    return told.joined(separator: "\n")
  }

  static let nested = Mutation("nested", Arg("script", .wholeNumber), Arg("throws", .boolean)) { ctx, script, throwsAtItsEnd in
    let told = try perform(scripts.withLock { $0[script]! }, ctx)
    if throwsAtItsEnd { throw ApplicationError("", data: .array(told.map { .string($0) })) }
    return told
  }

  static let read = Query("read", Arg("reading", .wholeNumber)) { ctx, reading in
    try perform(readings.withLock { $0[reading]! }, ctx.db)
  }

  private static func perform(_ steps: [Step], _ ctx: MutationContext) throws -> [String] {
    try steps.flatMap { try perform($0, ctx) }
  }

  private static func perform(_ step: Step, _ ctx: MutationContext) throws -> [String] {
    switch step {
    case .insert(let thing):
      do {
        try ctx.db.insert(ModelThings.self) { set(thing, $0) }
        return ["inserted"]
      } catch is ApplicationError { return ["not_unique"] }
    case .patch(let number, let a, let b, let place, let amount):
      guard let id = try find(number, ctx.db)?.id else { return ["none"] }
      try ctx.db.patch(id) {
        if let a { $0.a = a }
        if let b { $0.b = b }
        if let place { $0.place = place }
        if let amount { $0.amount = amount }
      }
      return ["patched"]
    case .replace(let thing):
      guard let id = try find(thing.number, ctx.db)?.id else { return ["none"] }
      try ctx.db.replace(id) { set(thing, $0) }
      return ["replaced"]
    case .delete(let number):
      guard let id = try find(number, ctx.db)?.id else { return ["none"] }
      try ctx.db.delete(id)
      return ["deleted"]
    case .get(let number):
      guard let id = try find(number, ctx.db)?.id else { return ["none"] }
      return [NaiveDatabase.text(thing(try ctx.db.get(id)))]
    case .read(let reading):
      return [try perform(reading, ctx.db)]
    case .nested(let steps, let throwsAtItsEnd):
      do {
        return try ctx.run(nested(name(steps), throwsAtItsEnd)) + ["returned"]
      } catch let error as ApplicationError {
        guard case .array(let told)? = error.data else { throw error }
        return told.map { if case .string(let text) = $0 { text } else { "?" } } + ["threw"]
      }
    }
  }

  private static func set(_ thing: ModelThing, _ draft: borrowing Draft<ModelThings>) {
    draft.number = thing.number
    draft.a = thing.a
    draft.b = thing.b
    draft.place = thing.place
    draft.amount = thing.amount
  }

  private static func thing(_ document: Document<ModelThings>) -> ModelThing {
    ModelThing(
      number: document.number, a: document.a, b: document.b, place: document.place, amount: document.amount)
  }

  private static func find(_ number: Int, _ db: some ReadsDatabase) throws -> Document<ModelThings>? {
    try db.query(ModelThings.self).withIndex(\.byNumber) { $0.eq(\.number, number) }.unique()
  }

  // MARK: Readings

  private static func perform(_ reading: Reading, _ db: some ReadsDatabase) throws -> String {
    var query = try self.query(reading, db).order(reading.isDescending ? .descending : .ascending)
    if let least = reading.leastAmount {
      // Both forms of a filter are asked for the same.
      query = reading.isDescending ? query.filter(.field("amount") >= .literal(.float64(least))) : query.filter { $0.amount >= least }
    }
    switch reading.form {
    case .collect: return text(try query.collect())
    case .first: return text(try query.first().map { [$0] } ?? [])
    case .take(let count): return text(try query.take(count))
    case .unique:
      do { return text(try query.unique().map { [$0] } ?? []) } catch { return "not unique" }
    case .count: return "\(try query.count())"
    case .sum: return Value.float64(try query.sum(\.amount)).json
    case .minimum: return try query.min(\.amount).map { Value.float64($0).json } ?? "none"
    case .maximum: return try query.max(\.amount).map { Value.float64($0).json } ?? "none"
    case .offset(let offset, let count): return text(try query.offset(offset).take(count))
    case .rank(let number):
      guard let id = try find(number, db)?.id, let rank = try query.rank(of: id) else { return "none" }
      return "\(rank)"
    case .pages(let size):
      var found: [Document<ModelThings>] = []
      var cursor: String?
      while true {
        let page = try query.paginate(PaginationOptions(numItems: size, cursor: cursor))
        if page.items.count > size { return "a page of \(page.items.count)" }
        found += page.items
        if page.isDone { return text(found) }
        if page.items.isEmpty, cursor == page.continueCursor { return "pages without end" }
        cursor = page.continueCursor
      }
    case .iterate(let count):
      var found: [Document<ModelThings>] = []
      if count > 0 {
        for document in try query.documents() {
          found.append(document)
          if found.count == count { break }
        }
      }
      return text(found)
    }
  }

  private static func text(_ documents: [Document<ModelThings>]) -> String { NaiveDatabase.text(documents.map { thing($0) }) }

  private static func query(_ reading: Reading, _ db: some ReadsDatabase) throws -> TableQuery<ModelThings> {
    let query = try db.query(ModelThings.self)
    switch reading.index {
    case .byCreationTime: return query
    case .byNumber: return try query.withIndex(\.byNumber) { bounded($0, reading, at: 0, \.number) { number($0) } }
    case .byA: return try query.withIndex(\.byA) { bounded($0, reading, at: 0, \.a) { $0 } }
    case .byAB:
      return try query.withIndex(\.byAB) { range in
        let prefix = bounded(range, reading, at: 0, \.a) { $0 }
        return bounded(prefix, reading, at: 1, \.b) { $0 }
      }
    case .byCity:
      return try query.withIndex(\.byCity) { range in
        let prefix = bounded(range, reading, at: 0, \.place.city) { $0 }
        return bounded(prefix, reading, at: 1, \.amount) { double($0) }
      }
    case .byAmount: return try query.withIndex(\.byAmount) { bounded($0, reading, at: 0, \.amount) { double($0) } }
    }
  }

  /// The part of the range on one field of the index: an equality, or the bounds if it is the field after them.
  private static func bounded<V>(
    _ range: IndexRange<ModelThings>, _ reading: Reading, at position: Int, _ field: KeyPath<ModelThings, Field<V>>, _ value: (Value?) -> V
  ) -> IndexRange<ModelThings> {
    if position < reading.equalities.count { return range.eq(field, value(reading.equalities[position])) }
    guard position == reading.equalities.count else { return range }
    var range = range
    if let lower = reading.lower {
      range = lower.isInclusive ? range.gte(field, value(lower.value)) : range.gt(field, value(lower.value))
    }
    if let upper = reading.upper {
      range = upper.isInclusive ? range.lte(field, value(upper.value)) : range.lt(field, value(upper.value))
    }
    return range
  }

  private static func double(_ value: Value?) -> Double {
    guard case .float64(let number)? = value else { preconditionFailure("this field holds numbers") }
    return number
  }

  private static func number(_ value: Value?) -> Int { Int(double(value)) }
}
