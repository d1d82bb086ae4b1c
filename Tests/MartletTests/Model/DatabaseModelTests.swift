import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

/// Random transactions against the database and against `NaiveDatabase`: each step must tell the same, and after each
/// transaction the trees must be in order and the indexes those that would be built from the documents.
@Suite("The database and a naive model of it")
struct DatabaseModelTests {
  static let transactionsPerSeed = 60
  static let readingsPerTransaction = 4

  @Test("Transactions that commit, throw and nest tell what the model tells, in every form of reading", arguments: 1...40)
  func model(seed: UInt64) throws {
    var random = ModelRandom(seed: seed)
    let server = try EngineHarness(tables: [ModelThings.self], modules: [ModelFunctions.self], seed: seed)
    var client = server.connect()
    var model = NaiveDatabase()
    var operations = 0
    for number in 0..<Self.transactionsPerSeed {
      let steps = random.steps(upTo: 16, depth: 0)
      let throwsAtItsEnd = random.oneIn(6)
      operations += Self.flat(steps).count + Self.readingsPerTransaction
      let before = model
      let expected = model.run(steps)
      let answer = client.ask(server, "mutation model:run {\"script\":\(ModelFunctions.name(steps)),\"throws\":\(throwsAtItsEnd)}")
      let told = try Self.lines(answer, threw: throwsAtItsEnd)
      if throwsAtItsEnd { model = before }
      if told != expected {
        let place = zip(told, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(told.count, expected.count)
        let step = Self.flat(steps).dropFirst(place).first
        Issue.record(
          "seed \(seed), transaction \(number): \(told.dropFirst(place).first ?? "nothing") and not \(expected.dropFirst(place).first ?? "nothing") of \(step.map { "\($0)" } ?? "the end")")
        return
      }
      // What is committed, by queries that run on snapshots.
      for _ in 0..<Self.readingsPerTransaction {
        let reading = random.reading()
        let read = client.ask(server, "query model:read {\"reading\":\(ModelFunctions.name(reading))}")
        #expect(try Value(json: read) == .string(model.read(reading)), "seed \(seed), after transaction \(number): \(reading)")
      }
      try server.inspect { engine in
        for table in engine.catalog.tables { try table.assumeIsolated { try $0.checkInvariants() } }
      }
      if random.oneIn(30) {
        try server.crash()
        client = server.connect()
      }
    }
    // Tens of thousands, over all seeds.
    #expect(operations > 700)
  }
}

extension DatabaseModelTests {
  static func lines(_ answer: String, threw: Bool) throws -> [String] {
    let prefix = "application: "
    guard threw else {
      guard case .string(let text) = try Value(json: answer) else { return [answer] }
      return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
    guard answer.hasPrefix(prefix) else { return [answer] }
    return answer.dropFirst(prefix.count).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The steps in the order of what they tell: a nested transaction tells its own steps and then how it ended.
  static func flat(_ steps: [Step]) -> [Step] {
    steps.flatMap { step in
      if case .nested(let inner, _) = step { flat(inner) + [step] } else { [step] }
    }
  }
}

/// Draws steps and readings. Few distinct values, so that they meet.
struct ModelRandom {
  private var random: TestRandom

  init(seed: UInt64) { random = TestRandom(seed: seed) }

  mutating func oneIn(_ count: Int) -> Bool { random.oneIn(count) }

  private mutating func number() -> Int { random.number(0..<40) }

  /// A value of any kind, or none.
  private mutating func value() -> Value? {
    switch random.number(0..<12) {
    case 0, 1: nil
    case 2: .null
    case 3: .int64(Int64(random.number(-2..<3)))
    case 4: .float64(random.element(of: [-1.5, -0.0, 0, 2, .infinity, .nan]))
    case 5: .boolean(random.oneIn(2))
    case 6, 7: .string(random.element(of: ["", "a", "ab", "a\u{0}b", "ß", "a long string, of more than sixteen bytes"]))
    case 8: .bytes(random.element(of: [[], [0], [0, 255], [97]]))
    case 9: .array(random.element(of: [[], [nil], ["a"], ["a", 1], [["a"]]]))
    case 10: random.element(of: [[:], ["k": 1], ["k": 1, "l": nil], ["l": ["m": "a"]]])
    default: .float64(Double(random.number(0..<4)))
    }
  }

  private mutating func place() -> ModelPlace? { random.oneIn(3) ? nil : ModelPlace(city: value()) }
  private mutating func amount() -> Double { Double(random.number(-4..<12)) / 4 }

  private mutating func thing() -> ModelThing {
    ModelThing(number: number(), a: value(), b: value(), place: place(), amount: amount())
  }

  mutating func steps(upTo most: Int, depth: Int) -> [Step] {
    (0..<random.number(1..<most + 1)).map { _ in step(depth: depth) }
  }

  private mutating func step(depth: Int) -> Step {
    switch random.number(0..<20) {
    case 0...4: .insert(thing())
    case 5...7:
      .patch(
        number: number(), a: random.oneIn(2) ? .some(value()) : .none, b: random.oneIn(2) ? .some(value()) : .none,
        place: random.oneIn(3) ? .some(place()) : .none, amount: random.oneIn(3) ? amount() : nil)
    case 8: .replace(thing())
    case 9, 10: .delete(number: number())
    case 11: .get(number: number())
    case 12 where depth < 3: .nested(steps(upTo: 6, depth: depth + 1), throwsAtItsEnd: random.oneIn(2))
    default: .read(reading())
    }
  }

  mutating func reading() -> Reading {
    let index = random.element(of: ThingIndex.allCases)
    var reading = Reading(index: index, form: form())
    reading.isDescending = random.oneIn(3)
    if random.oneIn(4) { reading.leastAmount = amount() }
    let fields = fields(of: index)
    guard !fields.isEmpty, !random.oneIn(5) else { return reading }
    let equalities = random.number(0..<fields.count + 1)
    for field in fields.prefix(equalities) { reading.equalities.append(value(of: field)) }
    guard equalities < fields.count else { return reading }
    if random.oneIn(2) { reading.lower = .init(value: value(of: fields[equalities]), isInclusive: random.oneIn(2)) }
    if random.oneIn(2) { reading.upper = .init(value: value(of: fields[equalities]), isInclusive: random.oneIn(2)) }
    return reading
  }

  private enum Kind { case anything, number, amount }

  private func fields(of index: ThingIndex) -> [Kind] {
    switch index {
    case .byCreationTime: []
    case .byNumber: [.number]
    case .byA: [.anything]
    case .byAB: [.anything, .anything]
    case .byCity: [.anything, .amount]
    case .byAmount: [.amount]
    }
  }

  private mutating func value(of kind: Kind) -> Value? {
    switch kind {
    case .anything: value()
    case .number: .float64(Double(number()))
    case .amount: .float64(amount())
    }
  }

  private mutating func form() -> Reading.Form {
    switch random.number(0..<14) {
    case 0: .collect
    case 1: .first
    case 2: .unique
    case 3, 4: .count
    case 5, 6: .sum
    case 7: .minimum
    case 8: .maximum
    case 9: .take(random.number(0..<5))
    case 10: .offset(random.number(0..<8), take: random.number(0..<5))
    case 11: .rank(number: number())
    case 12: .pages(of: random.number(1..<6))
    default: .iterate(stopAfter: random.number(0..<6))
    }
  }
}
