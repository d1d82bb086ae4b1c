import Histories
import Testing

@Suite("The checker of lists")
struct ListAppendCheckerTests {
  private typealias T = ListTransaction

  private func check(_ history: [ListTransaction], orders: HistoryOrders = []) -> [String] {
    ListAppendChecker.check(history, orders: orders).map { "\($0)" }
  }

  private func kinds(_ history: [ListTransaction], orders: HistoryOrders = []) -> [Anomaly.Kind] {
    ListAppendChecker.check(history, orders: orders).map(\.kind)
  }

  // MARK: Each anomaly, as small as it can be

  @Test("A serial history has no anomaly")
  func serial() {
    let history = [
      T([.append(key: 1, element: 1), .append(key: 2, element: 2)]), T([.read(key: 1, elements: [1]), .append(key: 1, element: 3)]),
      T([.read(key: 1, elements: [1, 3]), .read(key: 2, elements: [2])]), T([]), T([.append(key: 9, element: 9)]),
    ]
    #expect(check(history, orders: [.session, .realTime]) == [])
  }

  @Test("G0: two transactions that write two keys in different orders")
  func writeCycle() {
    let history = [
      T([.append(key: 1, element: 1), .append(key: 2, element: 2)]), T([.append(key: 1, element: 3), .append(key: 2, element: 4)]),
      T([.read(key: 1, elements: [1, 3]), .read(key: 2, elements: [4, 2])]),
    ]
    #expect(check(history) == ["G0: T0 –ww on key 1→ T1 –ww on key 2→ T0"])
  }

  @Test("G1a: a read of what an aborted transaction wrote")
  func abortedRead() {
    let history = [T([.append(key: 1, element: 1)], .aborted), T([.read(key: 1, elements: [1])])]
    #expect(check(history) == ["G1a: T1 reads 1 in key 1, of T0, which was aborted"])
  }

  @Test("What became of a transaction without an answer is open: it may be seen, and may be missing")
  func unknown() {
    let seen = [T([.append(key: 1, element: 1)], .unknown), T([.read(key: 1, elements: [1])])]
    let missing = [T([.append(key: 1, element: 1)], .unknown, completed: 1), T([.read(key: 1, elements: [])], invoked: 2)]
    for history in [seen, missing] { #expect(check(history, orders: [.session, .realTime]) == []) }
  }

  @Test("G1b: a read of the middle of a transaction")
  func intermediateRead() {
    let history = [T([.append(key: 1, element: 1), .append(key: 1, element: 2)]), T([.read(key: 1, elements: [1])])]
    #expect(kinds(history).first == .intermediateRead)
  }

  @Test("G1c: two transactions that each see the other's write")
  func circularInformation() {
    let history = [
      T([.append(key: 1, element: 1), .read(key: 2, elements: [2])]), T([.append(key: 2, element: 2), .read(key: 1, elements: [1])]),
    ]
    #expect(check(history) == ["G1c: T0 –wr on key 1→ T1 –wr on key 2→ T0"])
  }

  @Test("G-single: a transaction that sees one write of another, and misses the other write")
  func singleAntiDependency() {
    let history = [
      T([.append(key: 1, element: 1), .append(key: 2, element: 2)]), T([.read(key: 1, elements: []), .read(key: 2, elements: [2])]),
      T([.read(key: 1, elements: [1])]),
    ]
    #expect(check(history) == ["G-single: T1 –rw on key 1→ T0 –wr on key 2→ T1"])
  }

  @Test("G2: write skew, also where nobody ever reads what was written")
  func writeSkew() {
    let skew = [
      T([.read(key: 1, elements: []), .append(key: 2, element: 2)]), T([.read(key: 2, elements: []), .append(key: 1, element: 1)]),
    ]
    #expect(check(skew) == ["G2: T0 –rw on key 1→ T1 –rw on key 2→ T0"])
    #expect(kinds(skew + [T([.read(key: 1, elements: [1]), .read(key: 2, elements: [2])])]) == [.antiDependencyCycle])
  }

  @Test("Lost update: two transactions that append to the version that both have read")
  func lostUpdate() {
    let history = [
      T([.append(key: 1, element: 1)]), T([.read(key: 1, elements: [1]), .append(key: 1, element: 2)]),
      T([.read(key: 1, elements: [1]), .append(key: 1, element: 3)]), T([.read(key: 1, elements: [1, 3])]),
    ]
    let anomalies = ListAppendChecker.check(history, orders: [])
    #expect(anomalies.first { $0.kind == .lostUpdate }?.transactions == [1, 2])
  }

  @Test("Reads of a key that contradict each other, show an element twice, or one that nobody wrote")
  func badReads() {
    let writes = [T([.append(key: 1, element: 1)]), T([.append(key: 1, element: 2)])]
    func read(_ elements: [Int]) -> T { T([.read(key: 1, elements: elements)]) }
    #expect(kinds(writes + [read([1, 2]), read([2])]).first == .incompatibleOrder)
    #expect(kinds(writes + [read([1, 2, 1])]).first == .duplicateElement)
    #expect(kinds(writes + [read([1, 7])]).first == .garbageRead)
  }

  @Test("A transaction that doesn't see its own writes, or reads a key twice with two answers")
  func internalReads() {
    #expect(kinds([T([.append(key: 1, element: 1), .read(key: 1, elements: [])])]) == [.internalRead])
    let other = T([.append(key: 1, element: 1)])
    #expect(kinds([other, T([.read(key: 1, elements: []), .read(key: 1, elements: [1])])]).first == .internalRead)
    #expect(
      kinds([other, T([.read(key: 1, elements: [1]), .append(key: 1, element: 2), .read(key: 1, elements: [1])])]).first == .internalRead)
    #expect(kinds([other, T([.append(key: 1, element: 2), .read(key: 1, elements: [1, 2]), .read(key: 1, elements: [1, 2])])]) == [])
  }

  @Test("A read that lacks what was acknowledged before it began breaks real time, and nothing else")
  func realTime() {
    let history = [
      T([.append(key: 1, element: 1)], process: 1, invoked: 1, completed: 2),
      T([.read(key: 1, elements: [])], process: 2, invoked: 3, completed: 4),
    ]
    #expect(check(history, orders: [.session]) == [])
    #expect(check(history, orders: [.realTime]) == ["G-single-realtime: T1 –rw on key 1→ T0 –realtime→ T1"])
    var overlapping = history
    overlapping[1].invoked = 1
    #expect(check(overlapping, orders: [.realTime]) == [])
  }

  @Test("A client that doesn't see its own earlier write breaks its session")
  func session() {
    let history = [T([.append(key: 1, element: 1)], process: 1, invoked: 1), T([.read(key: 1, elements: [])], process: 1, invoked: 3)]
    #expect(check(history, orders: []) == [])
    #expect(check(history, orders: [.session]) == ["G-single-session: T1 –rw on key 1→ T0 –session→ T1"])
  }

  @Test("A cycle is found however far apart its transactions are")
  func longCycle() {
    let length = 5_000
    let history = (0..<length).map { number in
      T([.read(key: number, elements: []), .append(key: (number + 1) % length, element: 1)])
    }
    let anomalies = ListAppendChecker.check(history, orders: [])
    #expect(anomalies.map(\.kind) == [.antiDependencyCycle])
    #expect(anomalies.first?.transactions.count == length)
  }

  // MARK: Generated histories

  @Test("Histories whose transactions each take effect at one moment have no anomaly", arguments: 1...40)
  func generated(seed: UInt64) {
    let keys = seed.isMultiple(of: 2) ? 3 : 50
    let (history, _) = SimulatedDatabase.history(seed: seed, transactions: 400, keys: keys, clients: 8)
    #expect(check(history, orders: [.session, .realTime]) == [])
  }

  @Test("Histories of a database with a fault have one, whatever the fault", arguments: Fault.allCases, 1...10)
  func faulty(fault: Fault, seed: UInt64) {
    let (history, faults) = SimulatedDatabase.history(seed: seed, transactions: 400, keys: 4, clients: 8, fault: fault)
    #expect(faults > 5, "the fault came in")
    let anomalies = ListAppendChecker.check(history)
    let expected: Set<Anomaly.Kind> =
      switch fault {
      case .staleReads: [.lostUpdate, .singleAntiDependency, .antiDependencyCycle]
      case .keptAborts: [.abortedRead]
      case .lostAppends: [.incompatibleOrder, .singleAntiDependency, .antiDependencyCycle, .internalRead, .lostUpdate]
      case .swappedReads: [.incompatibleOrder]
      case .tornTransactions: [.intermediateRead, .singleAntiDependency, .antiDependencyCycle, .writeCycle, .circularInformation]
      case .repeatedElements: [.duplicateElement]
      case .laggingReads: [.singleAntiDependency, .antiDependencyCycle]
      }
    #expect(anomalies.contains { expected.contains($0.kind) }, "\(anomalies.prefix(5))")
  }

  @Test("Two faults are told apart from what only breaks real time")
  func laggingIsSerializable() {
    let (history, _) = SimulatedDatabase.history(seed: 3, transactions: 400, keys: 4, clients: 8, fault: .laggingReads)
    #expect(ListAppendChecker.check(history, orders: []).isEmpty, "a read of an older state is serializable")
  }
}
