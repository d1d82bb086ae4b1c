import Histories
import Testing

@Suite("The checkers of the bank and the set")
struct BankAndSetTests {
  @Test("A bank's total is the same in every read, and no balance is negative")
  func bank() {
    #expect(BankChecker.check(total: 30, reads: [[10, 20], [0, 30], [15, 15]]) == [])
    #expect(BankChecker.check(total: 30, reads: [[10, 20], [10, 10]]).map(\.kind) == [.wrongTotal])
    #expect(BankChecker.check(total: 30, reads: [[-1, 31]]).map(\.kind) == [.negativeBalance])
    #expect(BankChecker.check(total: 30, reads: [[10, 20], []]).map(\.transactions) == [[1]])
  }

  @Test("What may be in a set and what must: acknowledged is seen, refused isn't, and without an answer either")
  func set() {
    let additions: [SetChecker.Addition] = [
      .init(1, .committed, completed: 2), .init(2, .aborted, completed: 2), .init(3, .unknown, completed: .max),
    ]
    func kinds(_ reads: SetChecker.Read...) -> [Anomaly.Kind] { SetChecker.check(additions: additions, reads: reads).map(\.kind) }
    #expect(
      kinds(.init([], invoked: 1, completed: 3), .init([1], invoked: 4, completed: 5), .init([1, 3], invoked: 6, completed: 7)) == [])
    #expect(kinds(.init([], invoked: 3, completed: 4)) == [.lostElement])
    #expect(kinds(.init([1, 2], invoked: 3, completed: 4)) == [.abortedRead])
    #expect(kinds(.init([1, 9], invoked: 3, completed: 4)) == [.garbageRead])
    #expect(kinds(.init([1, 1], invoked: 3, completed: 4)) == [.duplicateElement])
    #expect(kinds(.init([1, 3], invoked: 3, completed: 4), .init([1], invoked: 5, completed: 6)) == [.lostElement], "it was seen")
    #expect(kinds(.init([3], invoked: 1, completed: 5), .init([1], invoked: 4, completed: 6)) == [], "these two overlap")
  }

  @Test("A set that forgets now and then is found out", arguments: 1...10)
  func forgetful(seed: UInt64) {
    for forgets in [false, true] {
      var random = TestRandom(seed: seed)
      var present: [Int] = []
      var additions: [SetChecker.Addition] = []
      var reads: [SetChecker.Read] = []
      for time in 0..<300 {
        if random.oneIn(3) {
          reads.append(.init(present, invoked: 2 * time, completed: 2 * time + 1))
        } else {
          additions.append(.init(time, .committed, completed: 2 * time + 1))
          if !forgets || !random.oneIn(20) { present.append(time) }
        }
      }
      reads.append(.init(present, invoked: 1_000, completed: 1_001))
      #expect(SetChecker.check(additions: additions, reads: reads).contains { $0.kind == .lostElement } == forgets)
    }
  }
}
