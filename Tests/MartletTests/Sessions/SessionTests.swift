import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite("Sessions")
struct SessionTests {
  @Test("An id in use is refused, whatever uses it, and is free when that has ended")
  func duplicateIDs() throws {
    let server = try EngineHarness.counters(["anchor": 0])
    let client = server.connect()
    client.send(
      "query 1 counters:slowTotal", "query 1 counters:total", "subscribe s counters:total", "mutation s counters:isAdmin",
      "subscribe 1 counters:total")
    #expect(client.take().map { "\($0.id) \($0.code)" } == ["1 duplicate_id", "s duplicate_id", "1 duplicate_id"])
    server.settle()
    #expect(client.take().filter { $0.kind == .ok }.map(\.id) == ["1"])
    client.send("query 1 counters:total", "unsubscribe s", "query s counters:total")
    server.settle()
    #expect(client.take().map { "\($0.kind) \($0.id)" } == ["ok 1", "ok s", "ok s"])
  }

  @Test("After the answer to unsubscribe no update of that id comes, though a change is on its way")
  func unsubscribe() throws {
    let server = try EngineHarness.counters(["a": 1], pace: .byHand)
    let client = server.connect()
    client.send(#"subscribe s counters:value {"name":"a"}"#, "subscribe t counters:total")
    server.run()
    _ = client.take()
    let other = server.connect()
    other.send(#"mutation 1 counters:set {"name":"a","value":2}"#)
    client.send("unsubscribe s")
    server.settle()
    #expect(client.takeText() == ["ok s 3 null", "update t 2", "synced 3"])
    client.send("unsubscribe s")
    server.settle()
    #expect(client.take().map(\.code) == ["unknown_id"])
    #expect(server.statistic("liveQueries") == 1)
  }

  @Test("Promise 1: mutations of a connection run in the order in which they were sent, though the first takes long")
  func mutationOrder() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1])
    let client = server.connect()
    client.send(
      #"mutation 1 counters:slowAdd {"name":"a","amount":1}"#, #"mutation 2 counters:set {"name":"a","value":50}"#,
      #"mutation 3 counters:slowAdd {"name":"a","amount":5}"#, #"mutation 4 counters:add {"name":"a","amount":5}"#,
      #"query 5 counters:value {"name":"a"}"#)
    #expect(client.takeText() == ["ok 5 3 1"], "a query waits for no mutation")
    server.settle()
    #expect(client.take().map { "\($0.id) \($0.rest.hasPrefix("\"") ? "id" : $0.rest)" } == ["1 2", "2 id", "3 55", "4 60"])
  }

  @Test("Promise 4: a mutation's answer is followed by a synced of its timestamp or later, though nothing that is watched changed")
  func readYourWrites() throws {
    let server = try EngineHarness.counters(["a": 1, "b": 1])
    let client = server.connect()
    client.send(#"subscribe s counters:value {"name":"a"}"#)
    server.settle()
    _ = client.take()
    client.send(#"mutation 1 counters:add {"name":"b","amount":1}"#)
    server.settle()
    #expect(client.takeText() == ["ok 1 4 2", "synced 4"])
    client.send(#"mutation 2 counters:add {"name":"a","amount":1}"#, #"query 3 counters:value {"name":"a"}"#)
    server.settle()
    #expect(client.takeText() == ["ok 2 5 2", "ok 3 5 2", "update s 2", "synced 5"])
  }

  @Test("Promise 4: and also while a subscription's query runs beside on an older snapshot", arguments: 1...30)
  func readYourWritesBeside(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.counters(seed: seed, ["anchor": 0, "a": 1, "b": 1], pace: .delayed)
    let client = server.connect()
    client.send(#"subscribe slow counters:slowValue {"name":"a"}"#, #"subscribe fast counters:value {"name":"a"}"#)
    var answered: UInt64 = 0
    var synced: UInt64 = 0
    var values: [String: String] = [:]
    var addsToA: Set<String> = []
    var value = 1
    func look() {
      for line in client.take() {
        switch line.kind {
        case .ok:
          answered = max(answered, line.timestamp)
          if addsToA.contains(line.id) { value += 1 }
        case .update:
          values[line.id] = line.rest
          #expect(Int(line.rest)! <= value, "no update shows a mutation before its ok")
        case .synced:
          synced = line.timestamp
          if values.count == 2 { #expect(values["slow"] == values["fast"], "promise 3: one snapshot") }
        default: break
        }
      }
    }
    for number in 0..<30 {
      let name = random.oneIn(2) ? "a" : "b"
      if name == "a" { addsToA.insert("\(number)") }
      client.send(#"mutation \#(number) counters:\#(random.oneIn(4) ? "slowAdd" : "add") {"name":"\#(name)","amount":1}"#)
      for _ in 0..<random.number(0..<8) { server.host.step() }
      look()
    }
    server.settle()
    look()
    #expect(answered >= 34)
    #expect(synced >= answered)
  }

  @Test("Promise 5: a change that leaves a value as it was is not told")
  func unchanged() throws {
    let server = try EngineHarness.counters(["a": 5, "b": 7])
    let client = server.connect()
    client.send("subscribe s counters:total", #"subscribe t counters:count {"from":0,"to":100}"#)
    server.settle()
    _ = client.take()
    let before = server.statistic("queryRuns")
    let other = server.connect()
    other.send(#"mutation 1 counters:transfer {"from":"a","to":"b","amount":2}"#)
    server.settle()
    #expect(server.statistic("queryRuns") == before + 2, "they were run")
    #expect(client.take().isEmpty)
  }

  @Test("A subscription that leaves while its query runs beside doesn't keep the others waiting")
  func unsubscribeBeside() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1])
    let client = server.connect()
    client.send("subscribe slow counters:slowTotal", #"subscribe fast counters:value {"name":"a"}"#)
    server.host.runReady()
    #expect(client.take().isEmpty, "both are told together")
    client.send("unsubscribe slow")
    server.settle()
    #expect(client.take().contains { $0.description == "update fast 1" })
    client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#)
    server.settle()
    #expect(client.takeText() == ["ok 1 4 2", "update fast 2", "synced 4"])
  }

  @Test("A cancelled query is answered at once, and its id may be used again while its handler still runs")
  func cancelQuery() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1])
    let client = server.connect()
    client.send(#"query 1 counters:slowValue {"name":"a"}"#, "cancel 1")
    #expect(client.take().map(\.code) == ["cancelled"])
    client.send("query 1 counters:slowAnchored")
    #expect(server.host.offloadedCount == 2)
    server.host.runOffloaded(at: 0)
    server.host.runReady()
    #expect(client.take().isEmpty, "the cancelled one answers nothing")
    server.settle()
    #expect(client.takeText() == ["ok 1 3 true"])
  }

  @Test("A cancelled mutation that waits for another never runs; one that runs can't be cancelled and gives its own answer")
  func cancelMutation() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1])
    let client = server.connect()
    client.send(
      #"mutation 1 counters:slowAdd {"name":"a","amount":1}"#, #"mutation 2 counters:add {"name":"a","amount":100}"#,
      "cancel 2", #"mutation 2 counters:add {"name":"a","amount":10}"#, "cancel 1", "cancel 3")
    #expect(client.take().map { "\($0.id) \($0.code)" } == ["2 cancelled", "3 unknown_id"])
    server.settle()
    #expect(client.take().map { "\($0.id) \($0.rest)" } == ["1 2", "2 12"])
  }

  @Test("A mutation runs as whoever had sent it, though the connection has signed in since")
  func identity() throws {
    var configuration = EngineConfiguration()
    configuration.adminKey = "secret"
    let server = try EngineHarness.counters(["anchor": 0, "a": 1], configuration: configuration)
    let client = server.connect()
    client.send(
      #"mutation 1 counters:slowAdd {"name":"a","amount":1}"#, "mutation 2 counters:isAdmin", "auth 3 secret",
      "mutation 4 counters:isAdmin")
    server.settle()
    #expect(client.answer("2") == "false")
    #expect(client.answer("4") == "true")
  }

  @Test("A client that closes its side, or says bye, gets its answers first")
  func bye() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1], pace: .byHand)
    for isBye in [true, false] {
      let client = server.connect()
      client.send("query 1 counters:slowAnchored", #"mutation 2 counters:add {"name":"a","amount":1}"#)
      if isBye { client.send("bye") } else { client.disconnect(canStillRead: true) }
      #expect(!client.isClosed)
      server.settle()
      #expect(client.take().map(\.kind).filter { $0 == .ok }.count == 2)
      #expect(client.isClosed)
    }
    #expect(server.statistic("connections") == 1, "the one that asks")
  }
}
