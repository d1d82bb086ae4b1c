import MartletTesting
import MartletValues
import MartletWire
import Testing

@testable import Martlet

@Suite("G1 and G2: order, and durable first")
struct DurabilityTests {
  /// A server whose log waits for the test, with a client.
  static func server(
    durability: Durability = .full, _ values: [String: Double] = [:]
  ) throws -> (EngineHarness, InProcessClient) {
    var configuration = EngineConfiguration()
    configuration.durability = durability
    let server = try EngineHarness.counters(values, configuration: configuration, pace: .byHand)
    return (server, server.connect())
  }

  @Test("G2: the answer of a mutation leaves when its batch is durable, and not before")
  func mutation() throws {
    let (server, client) = try Self.server()
    client.send(#"mutation 1 counters:add {"name":"a","amount":5}"#)
    #expect(client.take().isEmpty)
    server.run()
    #expect(client.take().isEmpty)
    server.log.step()  // written
    server.run()
    #expect(client.take().isEmpty)
    server.log.step()  // synced
    server.run()
    #expect(client.take().isEmpty, "the engine was not told yet")
    server.log.step()
    server.run()
    #expect(client.takeText() == ["ok 1 2 5"])
  }

  @Test("G2: a query, an error and a pong that come after a commit wait for it; before it they don't")
  func dependents() throws {
    let (server, client) = try Self.server(["a": 1])
    let other = server.connect()
    other.send(#"query 1 counters:value {"name":"a"}"#)
    #expect(other.takeText() == ["ok 1 2 1"])
    client.send(#"mutation 1 counters:add {"name":"a","amount":5}"#)
    other.send(
      #"query 2 counters:value {"name":"a"}"#, #"mutation 3 counters:transfer {"from":"a","to":"b","amount":7}"#,
      "ping there")
    server.run()
    #expect(client.take().isEmpty)
    #expect(other.take().isEmpty)
    server.completeBatch()
    #expect(client.takeText() == ["ok 1 3 6"])
    let lines = other.take()
    #expect(lines.map(\.kind) == [.ok, .error, .pong])
    #expect(lines[0].description == "ok 2 3 6")
    #expect(lines[1].code == "application")
  }

  @Test("G2: no update shows a commit that is not durable, whoever made it")
  func updates() throws {
    let (server, client) = try Self.server(["a": 1])
    let watcher = server.connect()
    watcher.send(#"subscribe s counters:value {"name":"a"}"#)
    server.run()
    #expect(watcher.takeText() == ["update s 1", "synced 2"])
    client.send(#"mutation 1 counters:add {"name":"a","amount":5}"#)
    server.run()
    client.send(#"mutation 2 counters:add {"name":"a","amount":5}"#)
    server.run()
    #expect(watcher.take().isEmpty)
    server.completeBatch()
    #expect(watcher.takeText() == ["update s 6", "synced 3"])
    #expect(client.takeText() == ["ok 1 3 6"])
    server.completeBatch()
    #expect(watcher.takeText() == ["update s 11", "synced 4"])
    #expect(client.takeText() == ["ok 2 4 11"])
  }

  @Test("G2: an answer that follows something held waits with it, so that a client's order doesn't depend on the disk")
  func orderWithinSession() throws {
    let (server, client) = try Self.server(["a": 1])
    client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#, "unsubscribe nothing", #"query 2 counters:total"#)
    server.run()
    #expect(client.take().isEmpty)
    server.completeBatch()
    #expect(client.take().map(\.id) == ["1", "nothing", "2"])
  }

  @Test("G2: what a query beside the engine's thread saw leaves when it is durable")
  func beside() throws {
    let (server, client) = try Self.server(["a": 1, "anchor": 0])
    client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#, #"query 2 counters:slowValue {"name":"a"}"#)
    server.run()
    #expect(server.host.isIdle)
    #expect(client.take().isEmpty)
    server.completeBatch()
    #expect(client.takeText() == ["ok 1 4 2", "ok 2 4 2"])
  }

  @Test("G2: with relaxed durability answers and updates leave at once")
  func relaxed() throws {
    let (server, client) = try Self.server(durability: .relaxed)
    client.send(#"subscribe s counters:value {"name":"a"}"#)
    server.run()
    _ = client.take()
    client.send(#"mutation 1 counters:add {"name":"a","amount":5}"#)
    #expect(client.takeText() == ["ok 1 2 5"])
    server.run()
    #expect(client.takeText() == ["update s 5", "synced 2"])
  }

  @Test("G1: while a batch is written the next one fills; the log holds all commits in the order of their timestamps")
  func groupCommit() throws {
    let (server, client) = try Self.server()
    for number in 0..<20 {
      client.send(#"mutation \#(number) counters:add {"name":"a","amount":1}"#)
      server.run()
    }
    #expect(server.log.batchCount == 2, "one for the new table, one for the first commit")
    server.completeBatch()
    #expect(client.take().count == 1)
    #expect(server.log.batchCount == 3)
    #expect(server.log.writing?.commitCount == 19)
    server.completeBatch()
    let lines = client.take()
    #expect(lines.map(\.timestamp) == Array(3...21))
    #expect(lines.map(\.rest) == (2...20).map { "\($0)" })
  }

  @Test("A mutation that writes nothing makes no commit, and waits for nothing but what it saw")
  func noWrites() throws {
    let (server, client) = try Self.server(["a": 3])
    client.send(#"mutation 1 counters:claim {"name":"a"}"#)
    server.run()
    #expect(client.takeText() == ["ok 1 2 false"])
    #expect(server.log.writing == nil)
  }
}

@Suite("G2: when the disk fails")
struct StorageFailureTests {
  @Test(
    "Nothing that depends on a lost commit leaves; reads go on at the last durable state",
    arguments: [MemoryStorage.Operation.append, .sync])
  func failure(operation: MemoryStorage.Operation) throws {
    let (server, client) = try DurabilityTests.server(["a": 1, "b": 10])
    let watcher = server.connect()
    watcher.send(#"subscribe s counters:value {"name":"a"}"#)
    server.run()
    #expect(watcher.takeText() == ["update s 1", "synced 3"])
    server.disk.fail(operation)
    client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#)
    server.run()
    client.send(
      #"mutation 2 counters:add {"name":"a","amount":1}"#, #"query 3 counters:value {"name":"a"}"#,
      #"mutation 4 counters:delete {"name":"b"}"#, #"mutation 5 counters:set {"name":"c","value":7}"#)
    server.run()
    #expect(client.take().isEmpty)
    server.completeBatch()
    let lines = client.take()
    #expect(lines.map(\.id) == ["1", "2", "3", "4", "5"])
    #expect(lines.allSatisfy { $0.code == "storage_failed" })
    #expect(watcher.take().allSatisfy { $0.description == "update s 1" || $0.kind == .synced })
    client.send("query 6 counters:all", #"mutation 7 counters:add {"name":"a","amount":1}"#, "query 8 counters:total")
    server.run()
    #expect(
      client.take().map(\.description).enumerated().map { $1.hasPrefix("error 7") ? "error 7" : $1 } == [
        #"ok 6 3 ["a=1","b=10"]"#, "error 7", "ok 8 3 11",
      ])
    let late = server.connect()
    late.send("subscribe s counters:all")
    server.run()
    #expect(late.takeText() == [#"update s ["a=1","b=10"]"#, "synced 3"])
    try server.crash()
    let again = server.connect()
    again.send("query 1 counters:all", #"mutation 2 counters:add {"name":"a","amount":1}"#)
    server.settle()
    #expect(again.takeText() == [#"ok 1 3 ["a=1","b=10"]"#, "ok 2 4 2"])
  }

  @Test("An error that a handler threw because of a lost commit becomes storage_failed as well")
  func dependentError() throws {
    let (server, client) = try DurabilityTests.server(["a": 10])
    server.disk.fail(.sync)
    client.send(
      #"mutation 1 counters:transfer {"from":"a","to":"b","amount":10}"#,
      #"mutation 2 counters:transfer {"from":"a","to":"b","amount":10}"#)
    server.run()
    server.completeBatch()
    #expect(client.take().map(\.code) == ["storage_failed", "storage_failed"])
  }

  @Test("A query that runs beside on a commit that is lost shows nothing of it")
  func queryBeside() throws {
    let (server, client) = try DurabilityTests.server(["a": 1, "anchor": 0])
    server.disk.fail(.append)
    client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#, #"query 2 counters:slowValue {"name":"a"}"#)
    server.host.runReady()
    #expect(server.host.offloadedCount == 1)
    server.log.complete()
    server.host.runReady()
    server.host.runOffloaded()
    server.run()
    #expect(client.take().map(\.code) == ["storage_failed", "storage_failed"])
  }

  @Test("A live query that runs beside on a commit that is lost shows the last durable state")
  func liveQueryBeside() throws {
    let (server, client) = try DurabilityTests.server(["a": 1, "anchor": 0])
    let watcher = server.connect()
    watcher.send(#"subscribe s counters:slowValue {"name":"a"}"#, #"subscribe t counters:value {"name":"a"}"#)
    server.run()
    #expect(watcher.takeText() == ["update t 1", "update s 1", "synced 3"])
    server.disk.fail(.append)
    client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#)
    server.host.runReady()
    #expect(server.host.offloadedCount == 1)
    server.log.complete()
    server.host.runReady()
    server.run()
    #expect(client.take().map(\.code) == ["storage_failed"])
    for line in watcher.take() {
      switch line.kind {
      case .update: #expect(line.rest == "1")
      default: #expect(line.description == "synced 3")
      }
    }
    let late = server.connect()
    late.send(#"subscribe s counters:slowValue {"name":"a"}"#)
    server.run()
    #expect(late.takeText() == ["update s 1", "synced 3"])
  }

  @Test("A live query that began before the last durable commit is run again after the failure")
  func olderRun() throws {
    let (server, client) = try DurabilityTests.server(["a": 1, "anchor": 0])
    let watcher = server.connect()
    watcher.send(#"subscribe s counters:slowValue {"name":"a"}"#)
    server.host.runReady()
    #expect(server.host.offloadedCount == 1)
    client.send(#"mutation 1 counters:add {"name":"a","amount":1}"#)
    server.host.runReady()
    server.log.complete()
    server.host.runReady()
    server.disk.fail(.append)
    client.send(#"mutation 2 counters:add {"name":"a","amount":1}"#)
    server.host.runReady()
    server.log.complete()
    server.host.runReady()
    server.run()
    #expect(client.take().map(\.kind) == [.ok, .error])
    #expect(watcher.take().last { $0.kind == .update }?.rest == "2")
  }

  @Test("A mutation that runs beside when the disk fails is storage_failed, and so is all that waits for it")
  func mutationBeside() throws {
    let (server, client) = try DurabilityTests.server(["a": 1, "anchor": 0])
    server.disk.fail(.append)
    client.send(
      #"mutation 1 counters:slowAdd {"name":"a","amount":1}"#, #"mutation 2 counters:add {"name":"a","amount":1}"#)
    let other = server.connect()
    other.send(#"mutation 1 counters:add {"name":"b","amount":1}"#)
    server.host.runReady()
    server.log.complete()
    server.run()
    #expect(client.take().map(\.code) == ["storage_failed", "storage_failed"])
    #expect(other.take().map(\.code) == ["storage_failed"])
  }
}
