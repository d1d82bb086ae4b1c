import MartletValues

/// The oracle: documents in an array, each reading a filter and a sort.
struct NaiveDatabase {
  /// In the order of creation.
  private(set) var things: [ModelThing] = []

  // MARK: Transactions

  /// Carries out steps, and gives what each of them tells.
  mutating func run(_ steps: [Step]) -> [String] { steps.flatMap { run($0) } }

  private mutating func run(_ step: Step) -> [String] {
    switch step {
    case .insert(let thing):
      guard position(of: thing.number) == nil else { return ["not_unique"] }
      things.append(thing)
      return ["inserted"]
    case .patch(let number, let a, let b, let place, let amount):
      guard let position = position(of: number) else { return ["none"] }
      if let a { things[position].a = a }
      if let b { things[position].b = b }
      if let place { things[position].place = place }
      if let amount { things[position].amount = amount }
      return ["patched"]
    case .replace(let thing):
      guard let position = position(of: thing.number) else { return ["none"] }
      things[position] = thing
      return ["replaced"]
    case .delete(let number):
      guard let position = position(of: number) else { return ["none"] }
      things.remove(at: position)
      return ["deleted"]
    case .get(let number):
      return [position(of: number).map { Self.text(things[$0]) } ?? "none"]
    case .read(let reading):
      return [read(reading)]
    case .nested(let steps, let throwsAtItsEnd):
      let before = things
      let told = run(steps)
      if throwsAtItsEnd { things = before }
      return told + [throwsAtItsEnd ? "threw" : "returned"]
    }
  }

  private func position(of number: Int) -> Int? { things.firstIndex { $0.number == number } }

  // MARK: Readings

  func read(_ reading: Reading) -> String {
    let range = things.enumerated()
      .filter { Self.isInRange(reading.index.key(of: $0.element), reading) }
      .sorted {
        let (left, right) = (reading.index.key(of: $0.element), reading.index.key(of: $1.element))
        return left == right ? $0.offset < $1.offset : Self.precedes(left, right)
      }
      .map(\.element)
    let ordered = reading.isDescending ? range.reversed() : range
    let found = ordered.filter { thing in reading.leastAmount.map { thing.amount >= $0 } ?? true }
    switch reading.form {
    case .collect, .pages: return Self.text(found)
    case .first: return Self.text(Array(found.prefix(1)))
    case .take(let count): return Self.text(Array(found.prefix(count)))
    case .unique: return found.count > 1 ? "not unique" : Self.text(found)
    case .count: return "\(found.count)"
    case .sum: return Value.float64(found.reduce(0) { $0 + $1.amount }).json
    case .minimum: return found.map(\.amount).min().map { Value.float64($0).json } ?? "none"
    case .maximum: return found.map(\.amount).max().map { Value.float64($0).json } ?? "none"
    case .offset(let offset, let count): return Self.text(Array(found.dropFirst(offset).prefix(count)))
    case .rank(let number): return found.firstIndex { $0.number == number }.map { "\($0)" } ?? "none"
    case .iterate(let count): return Self.text(Array(found.prefix(count)))
    }
  }

  private static func isInRange(_ key: [Value?], _ reading: Reading) -> Bool {
    for (value, wanted) in zip(key, reading.equalities) where order(value, wanted) != 0 { return false }
    guard key.count > reading.equalities.count else { return true }
    let value = key[reading.equalities.count]
    if let lower = reading.lower {
      let order = order(value, lower.value)
      if order < 0 || (order == 0 && !lower.isInclusive) { return false }
    }
    if let upper = reading.upper {
      let order = order(value, upper.value)
      if order > 0 || (order == 0 && !upper.isInclusive) { return false }
    }
    return true
  }

  private static func precedes(_ left: [Value?], _ right: [Value?]) -> Bool {
    for (one, other) in zip(left, right) {
      let order = order(one, other)
      if order != 0 { return order < 0 }
    }
    return false
  }

  /// A missing value comes first.
  private static func order(_ left: Value?, _ right: Value?) -> Int {
    switch (left, right) {
    case (nil, nil): 0
    case (nil, _): -1
    case (_, nil): 1
    case (let left?, let right?): left == right ? 0 : left < right ? -1 : 1
    }
  }

  // MARK: Texts

  static func text(_ things: [ModelThing]) -> String { "[" + things.map { "\($0.number)" }.joined(separator: ",") + "]" }

  /// All of a document, so that a field which differs is seen.
  static func text(_ thing: ModelThing) -> String {
    "\(thing.number) \(thing.a?.json ?? "-") \(thing.b?.json ?? "-") \(thing.place.map { $0.city?.json ?? "{}" } ?? "-") \(Value.float64(thing.amount).json)"
  }
}
