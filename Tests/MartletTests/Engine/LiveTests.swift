import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

/// A client that keeps what its subscriptions were told, and looks at it whenever `synced` says that it is one snapshot.
final class Watcher {
  let client: InProcessClient
  private(set) var values: [String: String] = [:]
  private(set) var syncedTimestamps: [UInt64] = []
  private(set) var updates = 0
  private(set) var patches = 0

  init(_ client: InProcessClient) { self.client = client }

  /// - Parameter isSynced: is called with the timestamp at each `synced`.
  func take(_ isSynced: (UInt64) -> Void = { _ in }) {
    for line in client.take() {
      switch line.kind {
      case .update:
        #expect(values[line.id] != line.rest, "an update tells something new: \(line)")
        values[line.id] = line.rest
        updates += 1
      case .patch:
        patch(line)
        patches += 1
      // Of unsubscribe: what comes under this id again begins anew.
      case .ok: values[line.id] = nil
      case .failed: values[line.id] = line.code
      case .synced:
        #expect(line.timestamp >= syncedTimestamps.last ?? 0, "synced timestamps don't go back")
        syncedTimestamps.append(line.timestamp)
        isSynced(line.timestamp)
      default: break
      }
    }
  }

  private func patch(_ line: InProcessClient.Line) {
    do {
      let value = try Value(json: values[line.id] ?? "").patched(by: Value(json: line.rest)).json
      #expect(values[line.id] != value, "a patch tells something new: \(line)")
      values[line.id] = value
    } catch {
      Issue.record("\(error): \(line) of \(values[line.id] ?? "nothing")")
    }
  }
}

@Suite("G5: live")
struct LiveTests {
  /// A query of the test app, as a call and as the model answers it.
  struct Query {
    var call: String
    var answer: (CounterModel) -> String
  }

  static func randomQuery(_ random: inout TestRandom, names: [String]) -> Query {
    let low = random.number(0..<40)
    let high = low + random.number(0..<20)
    let name = random.element(of: names)
    let range = #"{"from":\#(low),"to":\#(high)}"#
    let isIn = { (amount: Double) in amount >= Double(low) && amount < Double(high) }
    func number(_ value: Double) -> String { Value.float64(value).json }
    switch random.number(0..<10) {
    case 0: return Query(call: #"counters:value {"name":"\#(name)"}"#) { $0.counters[name].map { number($0.amount) } ?? "null" }
    case 1:
      return Query(call: "counters:between \(range)") { model in
        Value.array(model.byValue.filter { isIn($0.amount) }.map { .string($0.name) }).json
      }
    case 2:
      return Query(call: "counters:count \(range)") { model in number(Double(model.byValue.count { isIn($0.amount) })) }
    case 3:
      return Query(call: "counters:sum \(range)") { model in
        number(model.byValue.reduce(0) { isIn($1.amount) ? $0 + $1.amount : $0 })
      }
    case 4:
      let count = random.number(0..<5)
      return Query(call: #"counters:top {"count":\#(count)}"#) { model in
        Value.array(model.byValue.reversed().prefix(count).map { .string($0.name) }).json
      }
    case 5: return Query(call: "counters:between {\"from\":\(high + 1),\"to\":\(low)}") { _ in "[]" }
    case 6: return Query(call: "counters:all") { $0.all }
    case 9:
      let count = random.number(0..<4)
      return Query(call: #"counters:lowest {"count":\#(count)}"#) { model in
        Value.array(model.byValue.prefix(count).map { .string("\($0.name)=\(Int($0.amount))") }).json
      }
    case 7: return Query(call: #"counters:slowValue {"name":"\#(name)"}"#) { $0.counters[name].map { number($0.amount) } ?? "null" }
    default:
      return Query(call: "counters:slowTotal") { model in number(model.byValue.reduce(0) { $0 + $1.amount }) }
    }
  }

  /// Random changes under random subscriptions, some of them of queries that run beside the engine's thread.
  @Test("G5: at each synced, every subscription's value is its query's answer at that timestamp", arguments: 1...30)
  func model(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let names = ["a", "b", "c", "d", "e", "f"]
    let server = try EngineHarness.counters(seed: seed, ["anchor": 0], pace: random.oneIn(2) ? .immediate : .delayed)
    var model = CounterModel()
    _ = model.run(.add("anchor", 0))
    var history: [UInt64: CounterModel] = [server.inspect { $0.headTimestamp }: model]
    let watchers = (0..<3).map { _ in Watcher(server.connect()) }
    var queries: [[String: Query]] = [[:], [:], [:]]
    var lastID = 0
    let writer = server.connect()
    var sent: [String: CounterModel.Operation] = [:]

    func look() {
      for line in writer.take() where line.kind == .ok {
        guard let operation = sent[line.id] else { continue }
        #expect(model.run(operation, answer: line.rest) == line.rest)
        history[line.timestamp] = model
      }
      for (index, watcher) in watchers.enumerated() {
        watcher.take { timestamp in
          guard let model = history[timestamp] else {
            Issue.record("synced \(timestamp) is of no commit")
            return
          }
          for (id, query) in queries[index] where watcher.values[id] != nil {
            #expect(watcher.values[id] == query.answer(model), "\(query.call) at \(timestamp)")
          }
        }
      }
    }

    for _ in 0..<60 {
      let index = random.number(0..<3)
      switch random.number(0..<6) {
      case 0:
        lastID += 1
        let query = Self.randomQuery(&random, names: names)
        queries[index]["q\(lastID)"] = query
        watchers[index].client.send("subscribe q\(lastID) \(query.call)")
      case 1 where !queries[index].isEmpty && random.oneIn(2):
        let id = random.element(of: queries[index].keys.sorted())
        queries[index][id] = nil
        watchers[index].client.send("unsubscribe \(id)")
      default:
        lastID += 1
        let name = random.element(of: names)
        let operation: CounterModel.Operation =
          switch random.number(0..<4) {
          case 0: .delete(name)
          case 1: .add(name, Double(random.number(1..<10)))
          default: .set(name, Double(random.number(0..<50)))
          }
        sent["m\(lastID)"] = operation
        writer.send(operation.call(isSlow: false).replacing("ID", with: "m\(lastID)"))
      }
      for _ in 0..<random.number(0..<8) { server.host.step() }
      look()
    }
    server.settle()
    look()
    for (index, watcher) in watchers.enumerated() {
      for (id, query) in queries[index] { #expect(watcher.values[id] == query.answer(model), "\(query.call), at the end") }
    }
  }

  @Test("G5: a live query that throws is told as failed, stays live, and an update follows the change that mends it")
  func failing() throws {
    let server = try EngineHarness.counters()
    let client = server.connect()
    client.send(#"subscribe s counters:must {"name":"a"}"#)
    server.settle()
    #expect(client.take().map { "\($0.kind) \($0.code)" } == ["failed application", "synced "])
    client.send(#"mutation 1 counters:set {"name":"a","value":3}"#)
    server.settle()
    #expect(client.take().filter { $0.kind == .update }.map(\.rest) == ["3"])
    client.send(#"mutation 2 counters:delete {"name":"a"}"#)
    server.settle()
    #expect(client.take().filter { $0.kind == .failed }.map(\.code) == ["application"])
  }

  @Test("G5: a live document by id follows its changes, and is null once it is deleted")
  func point() throws {
    let server = try EngineHarness.counters(["a": 1])
    let client = server.connect()
    client.send(#"mutation 1 counters:set {"name":"a","value":2}"#)
    server.settle()
    let id = client.answer("1")!
    _ = client.take()
    client.send(#"subscribe s counters:get {"id":\#(id)}"#)
    server.settle()
    #expect(client.take().first?.rest.contains(#""value":2"#) == true)
    client.send(#"mutation 2 counters:add {"name":"a","amount":5}"#)
    server.settle()
    #expect(client.take().first { $0.kind == .update }?.rest.contains(#""value":7"#) == true)
    client.send(#"mutation 3 counters:delete {"name":"a"}"#)
    server.settle()
    #expect(client.take().first { $0.kind == .update }?.rest == "null")
  }
}

@Suite("G6: cost")
struct CostTests {
  @Test("G6: a commit runs those live queries again whose ranges it touched, each once, whoever shares them")
  func hitRangesOnly() throws {
    let server = try EngineHarness.counters(["a": 5, "b": 15])
    let clients = (0..<10).map { _ in server.connect() }
    for (index, client) in clients.enumerated() {
      client.send(
        #"subscribe shared counters:count {"from":0,"to":10}"#,
        #"subscribe own counters:count {"from":\#(100 + index * 10),"to":\#(110 + index * 10)}"#)
    }
    server.settle()
    #expect(server.statistic("liveQueries") == 11)
    #expect(server.statistic("subscriptions") == 20)
    func runs(_ call: String) -> Int {
      let before = server.statistic("queryRuns")
      let client = server.connect()
      client.send("mutation 1 \(call)")
      server.settle()
      client.disconnect()
      return server.statistic("queryRuns") - before
    }
    #expect(runs(#"counters:set {"name":"b","value":50}"#) == 0, "in nobody's range")
    #expect(runs(#"counters:set {"name":"a","value":6}"#) == 1, "within the shared one")
    #expect(runs(#"counters:set {"name":"a","value":125}"#) == 2, "out of the shared one, into another")
    #expect(runs(#"counters:set {"name":"new","value":195}"#) == 1, "into a range that was empty")
    #expect(runs(#"counters:delete {"name":"new"}"#) == 1)
  }

  @Test("G6: a query that stops early depends on nothing behind the place where it stopped")
  func earlyStop() throws {
    let server = try EngineHarness.counters(["a": 10, "b": 20, "c": 30])
    let client = server.connect()
    client.send(#"subscribe s counters:top {"count":2}"#)
    server.settle()
    let before = server.statistic("queryRuns")
    client.send(#"mutation 1 counters:set {"name":"a","value":11}"#)
    server.settle()
    #expect(server.statistic("queryRuns") == before)
    client.send(#"mutation 2 counters:set {"name":"a","value":25}"#)
    server.settle()
    #expect(server.statistic("queryRuns") == before + 1)
    #expect(client.lines.last { $0.kind == .update }?.rest == #"["c","a"]"#)
  }

  @Test("G6: and on the document where it stopped it does depend")
  func lastRead() throws {
    let server = try EngineHarness.counters(["a": 10, "b": 20, "c": 30])
    let client = server.connect()
    client.send(#"subscribe s counters:lowest {"count":2}"#)
    server.settle()
    let before = server.statistic("queryRuns")
    client.send(#"mutation 1 counters:set {"name":"c","value":29}"#)
    server.settle()
    #expect(server.statistic("queryRuns") == before)
    client.send(#"mutation 2 counters:set {"name":"b","value":25}"#)
    server.settle()
    #expect(client.lines.last { $0.kind == .update }?.rest == #"["a=10","b=25"]"#)
  }

  @Test("G6: 10,000 live queries on other keys are not run by a commit, and not looked at")
  func manyQueries() throws {
    let server = try EngineHarness.counters(["hot": 1])
    let client = server.connect()
    for start in stride(from: 0, to: 10_000, by: 500) {
      client.send((start..<start + 500).map { #"subscribe s\#($0) counters:value {"name":"cold\#($0)"}"# }.joined(separator: "\n"))
    }
    server.settle()
    #expect(client.take().count { $0.kind == .update } == 10_000)
    let before = server.statistic("queryRuns")
    let other = server.connect()
    for number in 0..<100 {
      other.send(#"mutation \#(number) counters:add {"name":"hot","amount":1}"#)
      server.settle()
    }
    #expect(server.statistic("queryRuns") == before)
    #expect(client.take().isEmpty)
    other.send(#"mutation last counters:set {"name":"cold77","value":1}"#)
    server.settle()
    #expect(client.take().map(\.id).filter { !$0.isEmpty } == ["s77"])
    #expect(server.statistic("queryRuns") == before + 1)
  }
}

@Suite("Live queries that nobody watches")
struct WarmQueryTests {
  static func live(_ server: EngineHarness) -> Int { server.inspect { $0.live.all.count } }

  @Test("A query is kept warm for those who come back: it is not run again, and shows what it would show")
  func warm() throws {
    let server = try EngineHarness.counters(["a": 1, "b": 1])
    let line = #"subscribe s counters:value {"name":"a"}"#
    let client = server.connect()
    client.send(line, "unsubscribe s")
    server.settle()
    client.send(line)
    server.settle()
    client.disconnect()
    let before = server.statistic("queryRuns")
    #expect(server.statistic("liveQueries") == 0, "one that nobody watches is not counted")
    server.connect().send(#"mutation 1 counters:add {"name":"b","amount":1}"#)
    let again = server.connect()
    again.send(line)
    server.settle()
    #expect(again.takeText() == ["update s 1", "synced 4"])
    #expect(server.statistic("queryRuns") == before)
    again.send(#"mutation 2 counters:add {"name":"a","amount":1}"#)
    server.settle()
    #expect(again.takeText().contains("update s 2"))
  }

  @Test("A warm query ends with the first commit that touches it, and is not run for nobody")
  func touched() throws {
    let server = try EngineHarness.counters(["a": 1])
    let line = #"subscribe s counters:value {"name":"a"}"#
    let client = server.connect()
    client.send(line)
    server.settle()
    client.send("unsubscribe s")
    let before = server.statistic("queryRuns")
    client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#)
    server.settle()
    #expect(Self.live(server) == 0)
    #expect(server.statistic("queryRuns") == before)
    _ = client.take()
    client.send(line)
    server.settle()
    #expect(client.takeText() == ["update s 2", "synced 3"])
  }

  @Test("Warm queries end after their time, and are bounded in number")
  func bounds() throws {
    let server = try EngineHarness.counters(["a": 1])
    let client = server.connect()
    for number in 0..<1_500 { client.send(#"subscribe s\#(number) counters:value {"name":"n\#(number)"}"#) }
    server.settle()
    for number in 0..<1_500 { client.send("unsubscribe s\(number)") }
    server.settle()
    #expect(Self.live(server) == 1_000)
    // Taken up again, it stays.
    client.send(#"subscribe s counters:value {"name":"n1400"}"#)
    server.advance(milliseconds: 12_000)
    server.settle()
    #expect(Self.live(server) == 1)
    client.send("unsubscribe s")
    server.advance(milliseconds: 12_000)
    server.settle()
    #expect(Self.live(server) == 0)
    #expect(server.inspect { $0.catalog.tables.allSatisfy { $0.assumeIsolated { !$0.hasInterest } } }, "the tables hold nothing of them")
  }

  @Test("G5: subscribing, leaving and coming back at random moments, what is shown is what is there", arguments: 1...30)
  func random(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.counters(seed: seed, ["anchor": 0, "a": 1, "b": 2, "c": 3], pace: .delayed)
    let writer = server.connect()
    var watchers = (0..<3).map { _ in Watcher(server.connect()) }
    var subscribed: [[String: String]] = Array(repeating: [:], count: 3)
    for step in 0..<120 {
      let who = random.number(0..<3)
      let name = random.element(of: ["a", "b", "c"])
      switch random.number(0..<6) {
      case 0, 1: writer.send(#"mutation \#(step) counters:add {"name":"\#(name)","amount":1}"#)
      case 2, 3:
        let id = "\(name)\(step)"
        subscribed[who][id] = name
        watchers[who].client.send(#"subscribe \#(id) counters:\#(random.oneIn(3) ? "slowValue" : "value") {"name":"\#(name)"}"#)
      case 4:
        if let id = subscribed[who].keys.sorted().first {
          subscribed[who][id] = nil
          watchers[who].client.send("unsubscribe \(id)")
        }
      default:
        watchers[who].client.disconnect()
        watchers[who] = Watcher(server.connect())
        subscribed[who] = [:]
      }
      for _ in 0..<random.number(0..<6) { server.host.step() }
      if random.oneIn(6) { server.advance(milliseconds: random.number(1..<4_000)) }
      for watcher in watchers { watcher.take() }
    }
    server.settle()
    let reader = server.connect()
    for name in ["a", "b", "c"] { reader.send(#"query \#(name) counters:value {"name":"\#(name)"}"#) }
    server.settle()
    for (who, watcher) in watchers.enumerated() {
      watcher.take()
      for (id, name) in subscribed[who] { #expect(watcher.values[id] == reader.answer(name), "\(who) \(id)") }
    }
  }
}
