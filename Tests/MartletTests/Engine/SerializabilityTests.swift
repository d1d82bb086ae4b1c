import MartletTesting
import MartletValues
import MartletWire
import TestSupport
import Testing

@testable import Martlet

@Suite("G4: serializable")
struct SerializabilityTests {
  struct Answer {
    var operation: CounterModel.Operation
    var timestamp: UInt64
    var json: String
  }

  /// Sends random calls, short and long, from several clients, as the seed interleaves them. Gives what was answered.
  static func history(seed: UInt64, calls: Int, hot names: [String]) throws -> (EngineHarness, [Answer], base: UInt64) {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.counters(
      seed: seed, ["anchor": 0, "a": 10, "b": 10], pace: random.oneIn(2) ? .immediate : .delayed)
    let base = server.inspect { $0.headTimestamp }
    let clients = (0..<random.number(2..<6)).map { _ in server.connect() }
    var operations: [String: CounterModel.Operation] = [:]
    for number in 0..<calls {
      let name = random.element(of: names)
      let operation: CounterModel.Operation =
        switch random.number(0..<12) {
        case 0...2: .add(name, Double(random.number(1..<5)))
        case 3: .set(name, Double(random.number(0..<20)))
        case 4: .delete(name)
        case 5...6: .transfer(name, random.element(of: names), Double(random.number(1..<8)))
        case 7: .claim(name)
        case 8...9: .swap(ifNone: Double(random.number(5..<25)), name, Double(random.number(0..<30)))
        case 10: .value(name)
        default: .total
        }
      let call = operation.call(isSlow: !random.oneIn(3))
      operations["\(number)"] = operation
      random.element(of: clients).send(call.replacing("ID", with: "\(number)"))
      for _ in 0..<random.number(0..<12) { server.host.step() }
    }
    server.settle()
    var answers: [Answer] = []
    var count = 0
    for line in clients.flatMap({ $0.take() }) {
      count += 1
      if line.kind == .ok {
        answers.append(Answer(operation: operations[line.id]!, timestamp: line.timestamp, json: line.rest))
      } else {
        #expect(line.code == "application", "contention is no error: \(line)")
      }
    }
    #expect(count == calls, "every request has one answer")
    return (server, answers, base)
  }

  /// Replays the answers in the order of their timestamps on a dictionary. Each timestamp is one commit: some call that
  /// gives its answer on the state before it; the others of that timestamp changed nothing, and saw the state after it.
  static func replay(_ answers: [Answer], base: UInt64) -> CounterModel? {
    var model = CounterModel()
    for name in ["a", "anchor", "b"] { _ = model.run(.add(name, name == "anchor" ? 0 : 10)) }
    for (timestamp, group) in Dictionary(grouping: answers, by: \.timestamp).sorted(by: { $0.key < $1.key }) {
      if timestamp == base {
        guard isSeen(by: group[...], model) else { return nil }
        continue
      }
      let next = group.indices.lazy.compactMap { writer -> CounterModel? in
        var after = model
        guard after.run(group[writer].operation, answer: group[writer].json) == group[writer].json else { return nil }
        let others = group[..<writer] + group[(writer + 1)...]
        return isSeen(by: others, after) ? after : nil
      }.first
      guard let next else {
        Issue.record("nothing explains timestamp \(timestamp): \(group) on \(model.counters)")
        return nil
      }
      model = next
    }
    return model
  }

  private static func isSeen(by answers: ArraySlice<Answer>, _ model: CounterModel) -> Bool {
    answers.allSatisfy { answer in
      var copy = model
      return copy.run(answer.operation) == answer.json && copy == model
    }
  }

  @Test(
    "G4: random short and long mutations answer, and leave behind, what they would one after another in the order of their commits",
    arguments: 1...40)
  func histories(seed: UInt64) throws {
    let names = seed % 2 == 0 ? ["a", "b", "c"] : ["a", "b", "c", "d", "e", "f", "g", "h"]
    let (server, answers, base) = try Self.history(seed: seed, calls: 40, hot: names)
    let client = server.connect()
    client.send("query 1 counters:all")
    server.settle()
    let model = Self.replay(answers, base: base)
    #expect(model?.all == client.answer("1"))
  }

  @Test("G4: of long mutations that each check a range and then break into the other's, one sees the other (write skew)", arguments: 1...8)
  func writeSkew(seed: UInt64) throws {
    let server = try EngineHarness.counters(seed: seed, ["anchor": 0, "a": 1, "b": 1])
    let first = server.connect()
    let second = server.connect()
    first.send(#"mutation 1 counters:slowSwap {"ifNone":5,"name":"a","value":9}"#)
    second.send(#"mutation 1 counters:slowSwap {"ifNone":5,"name":"b","value":9}"#)
    #expect(server.host.offloadedCount == 2, "both run beside, on one snapshot")
    server.settle()
    #expect([first.answer("1"), second.answer("1")].compactMap(\.self).sorted() == ["false", "true"])
    #expect(server.statistic("conflicts") == 1)
  }

  @Test("G4: of long mutations that each insert what none has found, one finds it (phantom)", arguments: 1...8)
  func phantom(seed: UInt64) throws {
    let server = try EngineHarness.counters(seed: seed, ["anchor": 0])
    let clients = (0..<4).map { _ in server.connect() }
    for client in clients { client.send(#"mutation 1 counters:slowClaim {"name":"z"}"#) }
    server.settle()
    #expect(clients.count { $0.answer("1") == "true" } == 1)
    #expect(clients.count { $0.answer("1") == "false" } == 3)
  }

  @Test("G4: a commit on other keys makes no long mutation run again")
  func noFalseConflict() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1, "b": 1])
    let client = server.connect()
    client.send(#"mutation 1 counters:slowAdd {"name":"a","amount":1}"#)
    let other = server.connect()
    for number in 0..<20 { other.send(#"mutation \#(number) counters:add {"name":"b","amount":1}"#) }
    server.settle()
    #expect(client.answer("1") == "2")
    #expect(server.statistic("conflicts") == 0)
  }

  @Test("G4: a long mutation under endless contention runs alone after some tries, and meanwhile nothing is lost")
  func runsAlone() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 0])
    let client = server.connect()
    let rival = server.connect()
    client.send(#"mutation long counters:slowAdd {"name":"a","amount":1000}"#)
    var sent = 0
    // Each time that the long one is about to come back, a short one has just changed what it read.
    for _ in 0..<20 where client.answer("long") == nil {
      for _ in 0..<3 {
        rival.send(#"mutation \#(sent) counters:add {"name":"a","amount":1}"#)
        sent += 1
      }
      server.host.runOffloaded(at: 0)
      server.host.runReady()
    }
    server.settle()
    #expect(client.answer("long") != nil)
    #expect(server.statistic("conflicts") == BesideTransactions.optimisticTries)
    #expect(rival.lines.count { $0.kind == .ok } == sent)
    rival.send(#"query end counters:value {"name":"a"}"#)
    server.settle()
    #expect(rival.answer("end") == "\(1000 + sent)")
  }

  @Test("G4: many long mutations of one key all commit, each once", arguments: 1...5)
  func hotKey(seed: UInt64) throws {
    let server = try EngineHarness.counters(seed: seed, ["anchor": 0, "a": 0])
    let clients = (0..<12).map { _ in server.connect() }
    for client in clients { client.send(#"mutation 1 counters:slowAdd {"name":"a","amount":1}"#) }
    server.settle()
    #expect(clients.compactMap { $0.answer("1").flatMap { Int($0) } }.sorted() == Array(1...12))
  }
}
