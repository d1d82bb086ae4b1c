import Histories
import Testing

/// Counters by name. A mutation adds to one and is answered with what it is then.
private struct Counters: LiveModel {
  struct Addition: Sendable {
    var name: String
    var amount: Int
  }

  enum Call: Hashable, Sendable {
    case counter(String)
    case sum
  }

  private var counts: [String: Int] = [:]

  mutating func apply(_ operation: Addition, answered: String) -> String? {
    counts[operation.name, default: 0] += operation.amount
    let right = "\(counts[operation.name]!)"
    return answered == right ? nil : "it is \(right)"
  }

  func outcome(of call: Call) -> LiveOutcome {
    switch call {
    case .counter(let name): counts[name].map { .value("\($0)") } ?? .failed("not_found")
    case .sum: .value("\(counts.values.reduce(0, +))")
    }
  }
}

@Suite("The checker of live queries")
struct LiveCheckerTests {
  private typealias History = LiveHistory<Counters>

  /// a is 1 at 10, 3 at 30; b is 5 at 20.
  private static let answers = [
    History.Answer(client: 0, number: 1, .init(name: "a", amount: 1), timestamp: 10, "1"),
    History.Answer(client: 1, number: 1, .init(name: "b", amount: 5), timestamp: 20, "5"),
    History.Answer(client: 0, number: 2, .init(name: "a", amount: 2), timestamp: 30, "3"),
  ]

  private static let subscribed: [History.Event] = [.subscribed("a", .counter("a")), .subscribed("sum", .sum)]

  private static func kinds(answers: [History.Answer] = Self.answers, _ connections: [History.Event]...) -> [LiveAnomaly.Kind] {
    var history = History()
    history.answers = answers
    history.connections = connections
    var checker = LiveChecker(Counters())
    return checker.check(history).map(\.kind)
  }

  // MARK: Right

  @Test("A history in which every snapshot is whole has no anomaly, also where snapshots are skipped and connections break")
  func right() {
    #expect(
      Self.kinds(
        Self.subscribed + [
          .told("a", .failed("not_found")), .told("sum", .value("0")), .synced(5),
          .told("a", .value("1")), .told("sum", .value("1")), .synced(12), .told("sum", .value("6")), .synced(20), .synced(29),
          .told("a", .value("3")), .told("sum", .value("8")), .synced(30), .settled,
        ],
        Self.subscribed + [
          .told("a", .value("1")), .told("sum", .value("6")), .synced(25), .unsubscribed("sum"), .told("a", .value("3")), .synced(30), .settled,
        ],
        // It broke before the synced that would have said what these are of.
        Self.subscribed + [.told("a", .value("1")), .told("sum", .value("6")), .synced(20), .told("a", .value("77"))],
        []) == [])
  }

  @Test("A history may be checked in parts")
  func parts() {
    var checker = LiveChecker(Counters())
    var first = History()
    first.answers = Array(Self.answers[..<2])
    first.connections = [Self.subscribed + [.told("a", .value("1")), .told("sum", .value("6")), .synced(20), .settled]]
    var second = History()
    second.answers = [Self.answers[2]]
    second.connections = [Self.subscribed + [.told("a", .value("3")), .told("sum", .value("8")), .synced(30), .settled]]
    #expect(checker.check(first).isEmpty && checker.check(second).isEmpty)
    #expect(checker.syncedCount == 2 && checker.comparedCount == 8)
    second.answers[0].number = 3
    second.answers[0].timestamp = 7
    var other = LiveChecker(Counters())
    #expect(other.check(first).isEmpty)
    #expect(other.check(second).map(\.kind).contains(.disorder), "against what the part before knew")
  }

  // MARK: Live queries

  @Test("A lost update is found at the next synced, and at the end where there is none")
  func lost() {
    let begin = Self.subscribed + [.told("a", .value("1")), .told("sum", .value("1")), .synced(10)]
    #expect(Self.kinds(begin + [.told("a", .value("3")), .synced(30)]) == [.stale], "the sum was not told")
    #expect(Self.kinds(begin + [.settled]) == [.stale, .stale])
    #expect(Self.kinds(begin) == [], "it may have broken before it was told more")
    #expect(Self.kinds(Self.subscribed + [.told("a", .value("3")), .synced(30), .settled]) == [.neverTold])
  }

  @Test("A snapshot in which one query is older than another, or newer, is found")
  func mixed() {
    let begin = Self.subscribed + [.told("a", .value("1")), .told("sum", .value("1")), .synced(10)]
    #expect(Self.kinds(begin + [.told("a", .value("3")), .told("sum", .value("6")), .synced(30)], Self.subscribed + [
      .told("sum", .value("6")), .synced(20),
    ]) == [.stale], "the sum of before")
    #expect(Self.kinds(begin + [.told("sum", .value("8")), .synced(20)]) == [.wrongValue], "the sum of later")
  }

  @Test("Values in the wrong order, values that were told already, and a synced that goes back are found")
  func order() {
    let begin: [History.Event] = [.subscribed("a", .counter("a")), .told("a", .value("1")), .synced(10)]
    #expect(Self.kinds(begin + [.told("a", .value("3")), .synced(30), .told("a", .value("1")), .synced(31)]) == [.stale])
    #expect(Self.kinds(begin + [.told("a", .value("1")), .synced(20)]) == [.repeated])
    #expect(Self.kinds(begin + [.told("a", .value("3")), .told("a", .value("3")), .synced(30)]) == [.repeated])
    #expect(Self.kinds([.subscribed("a", .counter("a")), .told("a", .value("1")), .synced(20), .synced(10)]) == [.wentBack])
  }

  @Test("A value for what has ended is found, and so is one for what never was")
  func stray() {
    let begin: [History.Event] = [.subscribed("a", .counter("a")), .told("a", .value("1")), .synced(10), .unsubscribed("a")]
    #expect(Self.kinds(begin + [.told("a", .value("3")), .synced(30)]) == [.stray])
    #expect(Self.kinds([.told("x", .value("3")), .synced(30)]) == [.stray])
  }

  @Test("A value that never was is found, and an error in a value's place")
  func wrong() {
    #expect(Self.kinds([.subscribed("a", .counter("a")), .told("a", .value("2")), .synced(20)]) == [.wrongValue])
    #expect(Self.kinds([.subscribed("a", .counter("a")), .told("a", .failed("not_found")), .synced(20)]) == [.wrongValue])
  }

  @Test("Promise 4: a mutation's answer that no synced follows is found")
  func owed() {
    let begin: [History.Event] = [.subscribed("a", .counter("a")), .told("a", .value("1")), .synced(10)]
    #expect(Self.kinds(answers: [Self.answers[0]], begin + [.answered(12), .synced(11), .settled]) == [.notSynced])
    #expect(Self.kinds(answers: [Self.answers[0]], begin + [.answered(12), .synced(12), .settled]) == [])
    #expect(Self.kinds(answers: [Self.answers[0]], begin + [.answered(12), .unsubscribed("a"), .settled]) == [], "nobody is there to be told")
  }

  // MARK: Mutations

  @Test("A mutation that ran twice, or whose effect is gone, is found by the answers after it and by the values")
  func doubleEffect() {
    var twice = Self.answers
    twice[2].text = "4"
    #expect(
      Self.kinds(answers: twice, [.subscribed("a", .counter("a")), .told("a", .value("4")), .synced(30)]) == [.wrongAnswer, .wrongValue])
    var lost = Self.answers
    lost[2].text = "2"
    #expect(Self.kinds(answers: lost, []) == [.wrongAnswer])
  }

  @Test("One mutation with two answers is found, and one answer that comes again isn't one")
  func answeredTwice() {
    #expect(Self.kinds(answers: Self.answers + [Self.answers[1]], []) == [])
    var other = Self.answers[1]
    other.timestamp = 25
    #expect(Self.kinds(answers: Self.answers + [other], []) == [.answeredTwice])
    other = Self.answers[1]
    other.timestamp = nil
    #expect(Self.kinds(answers: Self.answers + [other], []) == [.answeredTwice], "refused when it was sent again")
  }

  @Test("Two mutations at one timestamp are found, and a client's in the wrong order")
  func commitOrder() {
    var same = Self.answers
    same[1].timestamp = 30
    #expect(Self.kinds(answers: same, []).contains(.sameTimestamp))
    var swapped = Self.answers
    (swapped[0].number, swapped[2].number) = (2, 1)
    #expect(Self.kinds(answers: swapped, []) == [.disorder])
  }
}
