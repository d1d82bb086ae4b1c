import MartletTesting
import Testing

@testable import Martlet

@Suite("G3: a snapshot and one's own writes")
struct SnapshotReadTests {
  @Test("G3: a long query reads the snapshot that it began with, whatever commits meanwhile")
  func snapshot() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1, "b": 2])
    let client = server.connect()
    client.send("query 1 counters:slowTotal")
    #expect(server.host.offloadedCount == 1)
    let other = server.connect()
    other.send(
      #"mutation 1 counters:set {"name":"a","value":100}"#, #"mutation 2 counters:delete {"name":"b"}"#,
      #"mutation 3 counters:set {"name":"c","value":1000}"#)
    server.settle()
    #expect(client.takeText() == ["ok 1 4 3"])
    client.send("query 2 counters:total")
    server.settle()
    #expect(client.takeText() == ["ok 2 7 1100"])
  }

  @Test("G3: a mutation reads its own writes: by id, in every index, in counts and sums, after insert, patch and delete")
  func ownWrites() throws {
    let server = try EngineHarness.counters(["a": 1, "b": 2])
    let client = server.connect()
    client.send("mutation 1 counters:rehearse")
    server.settle()
    let seen = [
      "a b", "count 2", "sum 3", "inserted", "a b z", "count 3", "sum 103", "patched", "z a b", "count 3", "sum 1", "found -2",
      "deleted", "z b", "count 2", "sum 0", "gone",
    ]
    #expect(client.answer("1") == "[" + seen.map { "\"\($0)\"" }.joined(separator: ",") + "]")
    client.send("query 2 counters:total")
    server.settle()
    #expect(client.answer("2") == "0", "and all of it is there afterwards")
  }

  @Test("G3: a handler that throws leaves nothing behind: no document, no commit, no update", arguments: ["addThenFail", "slowFail"])
  func failure(function: String) throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1])
    let watcher = server.connect()
    watcher.send("subscribe s counters:all")
    server.settle()
    _ = watcher.take()
    let client = server.connect()
    client.send(
      function == "slowFail"
        ? #"mutation 1 counters:slowFail {"name":"new"}"# : #"mutation 1 counters:addThenFail {"name":"new","amount":1}"#)
    server.settle()
    #expect(client.lines.map(\.code) == ["application"])
    #expect(watcher.take().isEmpty)
    #expect(server.statistic("commits") == 3)
    client.send("query 2 counters:all", #"query 3 counters:count {"from":0,"to":10}"#)
    server.settle()
    #expect(client.answer("2") == #"["a=1","anchor=0"]"#)
    #expect(client.answer("3") == "2")
  }

  @Test("G3: a nested mutation whose error is caught takes back its own writes, and not those around it")
  func nested() throws {
    let server = try EngineHarness.counters(["a": 1])
    let client = server.connect()
    client.send("mutation 1 counters:catching")
    server.settle()
    #expect(client.answer("1") == #"["early failed","outer=1","inner failed","a 1","inner gone","outer=2"]"#)
    client.send("query 2 counters:all")
    server.settle()
    #expect(client.answer("2") == #"["a=1","outer=2"]"#)
  }

  @Test("G3: an error of the database that ends the transaction ends it, though the handler catches it")
  func caughtLimit() throws {
    let server = try EngineHarness.counters(["a": 1])
    let client = server.connect()
    client.send("mutation 1 counters:catchingLimit")
    server.settle()
    #expect(client.lines.map(\.code) == ["limit_exceeded"])
    client.send("query 2 counters:all")
    server.settle()
    #expect(client.answer("2") == #"["a=1"]"#)
  }
}
