import Histories
import MartletValues
import TestSupport

/// Random transactions over lists.
///
/// With high contention 4 keys are in use at a time. A key that has grown is left for a new one, so that answers stay short; with low
/// contention transactions seldom meet, but for those that take long.
struct ListWorkload {
  private var random: TestRandom
  private let contention: EndToEnd.HistoryTests.Contention
  private var keys: [Int]
  private var appended: [Int: Int] = [:]
  private var used: Set<Int> = []
  private var lastElement = 0
  private(set) var longCount = 0

  private static let longestList = 100

  init(seed: UInt64, contention: EndToEnd.HistoryTests.Contention) {
    random = TestRandom(seed: seed)
    self.contention = contention
    keys = Array(0..<(contention == .high ? 4 : 1_000))
  }

  /// What a client is about to send.
  struct Drawn {
    var operations: [(key: Int, element: Int?)]
    var isLong: Bool
    var fails: Bool
    var client: Int
    var time: Int

    var call: String {
      let list = operations.map { key, element -> Value in
        var operation: ObjectValue = ["key": .float64(Double(key))]
        operation["append"] = element.map { .float64(Double($0)) }
        return .object(operation)
      }
      let arguments: Value = ["operations": .array(list), "isLong": .boolean(isLong), "fails": .boolean(fails)]
      return "lists:run \(arguments.json)"
    }

    func transaction(answered message: ServerMessage, at time: Int) throws -> ListTransaction {
      let isDone = try message.isDone
      guard isDone != fails else { throw Failure("a transaction that \(fails ? "throws" : "doesn't throw") was answered \(message)") }
      let answers = isDone ? try message.okValue.elements : []
      guard answers.count == (isDone ? operations.count : 0) else { throw Failure("\(operations.count) operations, and \(message)") }
      let known = operations.enumerated().compactMap { index, operation -> ListTransaction.Operation? in
        if let element = operation.element { return .append(key: operation.key, element: element) }
        guard isDone else { return nil }
        return .read(key: operation.key, elements: answers[index].elements.compactMap { $0.number.map { Int($0) } })
      }
      return ListTransaction(known, isDone ? .committed : .aborted, process: client, invoked: self.time, completed: time)
    }
  }

  mutating func draw(_ client: Int, _ time: Int) -> Drawn {
    let operations = (0..<Int.random(in: 1...5, using: &random)).map { _ -> (key: Int, element: Int?) in
      let slot = keys.indices.randomElement(using: &random)!
      let key = keys[slot]
      used.insert(key)
      guard Bool.random(using: &random) else { return (key, nil) }
      lastElement += 1
      appended[key, default: 0] += 1
      if appended[key] == Self.longestList { keys[slot] = (keys.max() ?? 0) + 1 }
      return (key, lastElement)
    }
    let isLong = operations.count > 1 && Int.random(in: 0..<20, using: &random) == 0
    if isLong { longCount += 1 }
    return Drawn(
      operations: operations, isLong: isLong, fails: Int.random(in: 0..<12, using: &random) == 0, client: client, time: time)
  }

  /// Reads every key when all others are over, so that every append has its place in an order.
  func readAll(_ client: RawClient, after time: Int) throws -> [ListTransaction] {
    let keys = used.sorted()
    return try stride(from: 0, to: keys.count, by: 500).map { start in
      let part = keys[start..<min(start + 500, keys.count)]
      let read = Drawn(operations: part.map { ($0, nil) }, isLong: false, fails: false, client: -1, time: time + 2 * start + 1)
      try client.send("mutation all \(read.call)")
      return try read.transaction(answered: client.answer(to: "all"), at: time + 2 * start + 2)
    }
  }
}

/// Additions to a set, some of which are to be refused, and reads of it.
struct SetWorkload {
  private var random: TestRandom
  private(set) var additions: [SetChecker.Addition] = []
  private(set) var reads: [SetChecker.Read] = []
  private var sent: [String: Int] = [:]
  var time = 0

  init(seed: UInt64) { random = TestRandom(seed: seed) }

  private enum Pending {
    case addition(Int)
    case read(since: Int)
  }

  mutating func run(_ clients: ConcurrentClients, upTo count: Int, _ deadline: Deadline) throws {
    let start = time
    var pending: [Int: Pending] = [:]
    var workload = self
    try clients.run(deadline) { client, time in
      if Int.random(in: 0..<10, using: &workload.random) == 0, workload.additions.count < count {
        pending[client] = .read(since: start + time)
        return ("query", "set:read")
      }
      guard workload.additions.count < count else { return nil }
      let fails = Int.random(in: 0..<10, using: &workload.random) == 0
      pending[client] = .addition(workload.additions.count)
      return ("mutation", workload.nextAddition(isToFail: fails))
    } take: { client, time, message in
      switch pending.removeValue(forKey: client) {
      case .addition(let number)?:
        workload.additions[number].outcome = try message.isDone ? .committed : .aborted
        workload.additions[number].completed = start + time
      case .read(let since)?:
        workload.reads.append(.init(Self.elements(try message.okValue), invoked: since, completed: start + time))
      case nil: throw Failure("nothing was asked: \(message)")
      }
    }
    workload.time = start + clients.time
    self = workload
  }

  private mutating func nextAddition(isToFail: Bool) -> String {
    let element = additions.count
    additions.append(.init(element, .unknown, completed: .max))
    return "set:add {\"element\":\(element),\"fails\":\(isToFail)}"
  }

  // MARK: Additions whose answers may never come

  mutating func add(isToFail: Bool, index: Int, of client: RawClient) -> String {
    sent[Self.name("\(index)", client)] = additions.count
    return nextAddition(isToFail: isToFail)
  }

  mutating func acknowledge(_ message: ServerMessage, of client: RawClient, at time: Int) {
    if message.verb == .ok { acknowledge(id: message.id, of: client, at: time) }
  }

  mutating func acknowledge(id: String, of client: RawClient, at time: Int) {
    guard let number = sent[Self.name(id, client)] else { return }
    additions[number].outcome = .committed
    additions[number].completed = time
  }

  private static func name(_ id: String, _ client: RawClient) -> String { "\(ObjectIdentifier(client)) \(id)" }

  mutating func readLast(_ value: Value) {
    reads.append(.init(Self.elements(value), invoked: time + 1, completed: time + 2))
  }

  private static func elements(_ value: Value) -> [Int] { value.elements.compactMap { $0.number.map { Int($0) } } }
}
