import Histories

/// SplitMix64: a test that fails runs again from its seed.
struct TestRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
}

/// What a database does wrong, now and then.
enum Fault: CaseIterable {
  /// Reads are of the moment when the transaction began, writes of when it ended, and nobody compares.
  case staleReads
  /// An aborted transaction's appends stay.
  case keptAborts
  /// An acknowledged append is forgotten.
  case lostAppends
  /// A read shows the last two elements in the wrong order.
  case swappedReads
  /// A transaction takes effect in two halves, and others come between.
  case tornTransactions
  /// A read shows an element twice.
  case repeatedElements
  /// A read-only transaction is answered from an earlier state than one that was answered before it was sent.
  case laggingReads
}

/// Clients and a database in one loop: it makes a history in which each transaction takes effect at one moment between being
/// sent and being answered. With a fault, some don't.
struct SimulatedDatabase {
  private var random: TestRandom
  private let fault: Fault?
  private let keys: Int
  private var lists: [Int: [Int]] = [:]
  private var past: [[Int: [Int]]] = []
  private var history: [ListTransaction] = []
  private var time = 0
  private var lastElement = 0
  private var faults = 0

  /// A client's transaction on its way.
  private enum Stage {
    case idle
    case sent(ListTransaction, snapshot: [Int: [Int]])
    case halfDone(ListTransaction, upTo: Int)
    case done(ListTransaction)
  }

  /// - Returns: the history, which ends with a read of all keys, and how often the fault came in.
  static func history(seed: UInt64, transactions: Int, keys: Int, clients: Int, fault: Fault? = nil) -> (
    history: [ListTransaction], faults: Int
  ) {
    var database = SimulatedDatabase(seed: seed, keys: keys, fault: fault)
    database.run(transactions: transactions, clients: clients)
    return (database.history, database.faults)
  }

  private init(seed: UInt64, keys: Int, fault: Fault?) {
    random = TestRandom(seed: seed)
    self.keys = keys
    self.fault = fault
  }

  private mutating func run(transactions: Int, clients: Int) {
    var stages = [Stage](repeating: .idle, count: clients)
    var sent = 0
    while sent < transactions || stages.contains(where: { if case .idle = $0 { false } else { true } }) {
      let client = random.below(clients)
      time += 1
      switch stages[client] {
      case .idle where sent < transactions:
        sent += 1
        stages[client] = .sent(draw(client), snapshot: lists)
      case .idle: break
      case .sent(var transaction, let snapshot):
        if fault == .tornTransactions, transaction.operations.count > 1, random.oneIn(4) {
          let half = transaction.operations.count / 2
          execute(&transaction, 0..<half, stale: nil)
          stages[client] = .halfDone(transaction, upTo: half)
        } else {
          execute(&transaction, 0..<transaction.operations.count, stale: snapshot)
          stages[client] = .done(transaction)
        }
      case .halfDone(var transaction, let half):
        faults += 1
        execute(&transaction, half..<transaction.operations.count, stale: nil)
        stages[client] = .done(transaction)
      case .done(var transaction):
        transaction.completed = time
        // An answer that doesn't arrive leaves open what happened.
        if transaction.outcome == .committed, random.oneIn(20) { transaction.outcome = .unknown }
        if transaction.outcome != .committed { transaction.operations.removeAll { if case .read = $0 { true } else { false } } }
        if transaction.outcome == .unknown { transaction.completed = .max }
        history.append(transaction)
        stages[client] = .idle
      }
    }
    let final = (0..<keys).map { ListTransaction.Operation.read(key: $0, elements: lists[$0] ?? []) }
    history.append(ListTransaction(final, process: clients, invoked: time + 1, completed: time + 2))
  }

  private mutating func draw(_ client: Int) -> ListTransaction {
    let operations = (0...random.below(4)).map { _ -> ListTransaction.Operation in
      let key = random.below(keys)
      guard random.oneIn(2) else { return .read(key: key, elements: []) }
      lastElement += 1
      return .append(key: key, element: lastElement)
    }
    return ListTransaction(operations, random.oneIn(10) ? .aborted : .committed, process: client, invoked: time)
  }

  private mutating func execute(_ transaction: inout ListTransaction, _ range: Range<Int>, stale snapshot: [Int: [Int]]?) {
    let before = lists
    let isReadOnly = transaction.operations.allSatisfy { if case .read = $0 { true } else { false } }
    past.append(lists)
    if past.count > 40 { past.removeFirst() }
    var seen = lists
    if fault == .staleReads, let snapshot, snapshot != lists, random.oneIn(3) {
      seen = snapshot
      faults += 1
    }
    if fault == .laggingReads, isReadOnly, past[0] != lists, random.oneIn(4) {
      seen = past[0]
      faults += 1
    }
    for index in range {
      switch transaction.operations[index] {
      case .append(let key, let element):
        seen[key, default: []].append(element)
        if fault == .lostAppends, transaction.outcome == .committed, random.oneIn(30) {
          faults += 1
        } else {
          lists[key, default: []].append(element)
        }
      case .read(let key, _): transaction.operations[index] = .read(key: key, elements: shown(seen[key] ?? []))
      }
    }
    guard transaction.outcome == .aborted else { return }
    if fault == .keptAborts, lists != before, random.oneIn(3) { faults += 1 } else { lists = before }
  }

  private mutating func shown(_ list: [Int]) -> [Int] {
    var list = list
    if fault == .swappedReads, list.count > 1, random.oneIn(30) {
      list.swapAt(list.count - 1, list.count - 2)
      faults += 1
    }
    if fault == .repeatedElements, let last = list.last, random.oneIn(30) {
      list.append(last)
      faults += 1
    }
    return list
  }
}
