import MartletTesting
import Testing

@testable import Martlet

@Suite("G9: bounds")
struct BoundsTests {
  static func outboundBytes(_ server: EngineHarness) -> Int {
    server.inspect { engine in engine.sessions.values.map { $0.outbound.readyCount + $0.outbound.heldCount }.max() ?? 0 }
  }

  /// What the session that holds the least holds.
  static func heldBytes(_ server: EngineHarness) -> Int {
    server.inspect { engine in engine.sessions.values.map { $0.outbound.heldCount }.filter { $0 > 0 }.min() ?? 0 }
  }

  @Test("G9: a client that doesn't read has nothing queued, and is told one value a subscription when it reads again")
  func slowReader() throws {
    let server = try EngineHarness.counters(["a": 0, "b": 0])
    let reader = server.connect()
    reader.send(#"subscribe a counters:value {"name":"a"}"#, #"subscribe b counters:value {"name":"b"}"#, "subscribe all counters:all")
    server.settle()
    _ = reader.take()
    reader.isWritable = false
    let writer = server.connect()
    for number in 1...300 {
      writer.send(#"mutation \#(number) counters:set {"name":"\#(number % 3 == 0 ? "b" : "a")","value":\#(number)}"#)
      server.settle()
      #expect(Self.outboundBytes(server) == 0)
    }
    #expect(reader.take().isEmpty)
    reader.isWritable = true
    server.settle()
    #expect(reader.takeText() == ["update a 299", "update b 300", #"update all ["a=299","b=300"]"#, "synced 303"])
  }

  @Test("G9: while the disk is slow, at most one value of each subscription is held")
  func slowDisk() throws {
    let server = try EngineHarness.counters(["a": 0], pace: .byHand)
    let reader = server.connect()
    reader.send(#"subscribe a counters:value {"name":"a"}"#)
    server.run()
    _ = reader.take()
    let writer = server.connect()
    for number in 1...200 {
      writer.send(#"mutation \#(number) counters:set {"name":"a","value":\#(number)}"#)
      server.run()
    }
    #expect(Self.heldBytes(server) < 60)
    server.settle()
    #expect(reader.take().filter { $0.kind == .update }.map(\.rest) == ["1", "200"])
  }

  @Test("G9: a client with too many requests in flight isn't read from until there are fewer; each is answered")
  func requestsInFlight() throws {
    var configuration = EngineConfiguration()
    configuration.sessionRequests = 5
    let server = try EngineHarness.counters(["anchor": 0], configuration: configuration)
    let client = server.connect()
    for number in 0..<20 { client.send("query \(number) counters:slowTotal") }
    #expect(!client.isReading)
    #expect(client.hasUnsentLines)
    #expect(server.host.offloadedCount == 6)
    server.settle()
    #expect(client.isReading)
    #expect(client.take().map { Int($0.id)! }.sorted() == Array(0..<20))
  }

  @Test("G9: a client whose answers wait for the disk in too many bytes isn't read from; it goes on when they have left")
  func heldBytes() throws {
    var configuration = EngineConfiguration()
    configuration.sessionHeldBytes = 100
    let server = try EngineHarness.counters(["a": 0], configuration: configuration, pace: .byHand)
    let client = server.connect()
    var sent = 0
    while client.isReading, sent < 100 {
      client.send(#"mutation \#(sent) counters:add {"name":"a","amount":1}"#)
      server.run()
      sent += 1
    }
    #expect(sent < 30)
    client.send(#"mutation last counters:add {"name":"a","amount":1}"#)
    #expect(client.hasUnsentLines)
    server.settle()
    #expect(client.isReading)
    #expect(client.answer("last") == "\(sent + 1)")
  }

  @Test("G9: while more commits wait for the disk than may, mutations are overloaded, short and long; then they run again")
  func openBatch() throws {
    var configuration = EngineConfiguration()
    configuration.openBatchBytes = 1_000
    let server = try EngineHarness.counters(["a": 0, "anchor": 0], configuration: configuration, pace: .byHand)
    let client = server.connect()
    for number in 0..<100 { client.send(#"mutation \#(number) counters:add {"name":"a","amount":1}"#) }
    client.send(#"mutation long counters:slowAdd {"name":"a","amount":1}"#)
    server.settle()
    let answers = client.take()
    #expect(Set(answers.map(\.id)) == Set((0..<100).map(String.init) + ["long"]))
    let refused = answers.filter { $0.kind == .error }
    #expect(refused.contains { $0.id == "long" } && refused.allSatisfy { $0.code == "overloaded" })
    let committed = answers.count - refused.count
    #expect((5..<50).contains(committed))
    client.send(#"mutation again counters:add {"name":"a","amount":1}"#)
    server.settle()
    #expect(client.answer("again") == "\(committed + 1)")
  }

  @Test("G9: a client that takes no bytes isn't read from, and is when it takes them again")
  func unwritable() throws {
    let server = try EngineHarness.counters(["a": 1])
    let client = server.connect()
    client.isWritable = false
    client.send("query 1 counters:total")
    #expect(!client.isReading)
    client.send("query 2 counters:total")
    server.settle()
    #expect(client.answer("2") == nil)
    client.isWritable = true
    server.settle()
    #expect(client.answer("2") == "1")
  }

  @Test("G9: actions beyond those that run and those that may wait are overloaded")
  func actions() throws {
    var configuration = EngineConfiguration()
    configuration.actionsRunning = 2
    configuration.actionsWaiting = 1
    let server = try EngineHarness.counters(["a": 1], configuration: configuration)
    let client = server.connect()
    for number in 1...5 { client.send(#"action \#(number) counters:relay {"name":"a"}"#) }
    let lines = client.take()
    #expect(lines.map { "\($0.id) \($0.code)" } == ["4 overloaded", "5 overloaded"])
    #expect(lines.first?.message.contains("2 actions run and 1 wait") == true)
  }

  @Test("G9: actions that one connection has unanswered are bounded, and don't keep it from being read")
  func actionsOfAConnection() throws {
    var configuration = EngineConfiguration()
    configuration.sessionRequests = 3
    let server = try EngineHarness.counters(["a": 1, "anchor": 0], configuration: configuration)
    let client = server.connect()
    for number in 1...4 { client.send(#"action \#(number) counters:relay {"name":"a"}"#) }
    let refused = client.take()
    #expect(refused.map { "\($0.id) \($0.code)" } == ["4 limit_exceeded"])
    #expect(refused[0].rest.contains(#""data":{"limit":"requests","value":3}"#) && refused[0].message.contains("--max-requests"))
    // Whoever waits for actions can do all else, cancelling included.
    client.send("cancel 1", "query q counters:total", "ping", #"action 5 counters:relay {"name":"a"}"#)
    #expect(client.isReading)
    #expect(client.take().map { "\($0.kind) \($0.code)" } == ["error cancelled", "ok ", "pong "])
    server.settle()
    #expect(client.take().map(\.id).sorted() == ["2", "3", "5"])
    client.send(#"action 6 counters:relay {"name":"a"}"#)
    server.settle()
    #expect(client.take().map(\.kind) == [.ok], "answered and cancelled ones are counted no more")
  }

  @Test("G9: a client that pipelines mutations behind a long one is answered to the last, however few may be unanswered")
  func politePipeline() throws {
    var configuration = EngineConfiguration()
    configuration.sessionRequests = 2
    let server = try EngineHarness.counters(["anchor": 0, "a": 0], configuration: configuration)
    let client = server.connect()
    client.send(#"mutation long counters:slowAdd {"name":"a","amount":1}"#)
    client.send((1...50).map { #"mutation \#($0) counters:add {"name":"a","amount":1}"# }.joined(separator: "\n"))
    server.settle()
    #expect(client.take().map { "\($0.id) \($0.rest)" } == ["long 1"] + (1...50).map { "\($0) \($0 + 1)" })
  }

  @Test("G9: subscriptions of a connection are bounded; one that ends makes room, and others have their own")
  func subscriptions() throws {
    var configuration = EngineConfiguration()
    configuration.sessionSubscriptions = 2
    let server = try EngineHarness.counters(["a": 1], configuration: configuration)
    let client = server.connect()
    for number in 1...3 { client.send(#"subscribe \#(number) counters:value {"name":"a"}"#) }
    server.settle()
    let lines = client.take()
    let refused = try #require(lines.first { $0.kind == .error })
    #expect(refused.id == "3" && refused.code == "limit_exceeded" && refused.message.contains("--max-subscriptions"))
    #expect(refused.rest.contains(#""data":{"limit":"subscriptions","value":2}"#))
    #expect(lines.filter { $0.kind == .update }.map(\.id) == ["1", "2"])
    client.send("unsubscribe 1", #"subscribe 3 counters:value {"name":"a"}"#)
    let other = server.connect()
    other.send(#"subscribe 1 counters:value {"name":"a"}"#)
    server.settle()
    #expect(client.take().last { $0.kind == .update }?.id == "3" && other.take().first?.kind == .update)
  }

  @Test("G9: connections are bounded: one more is told so and closed, the others don't notice, and one that ends makes room")
  func connections() throws {
    var configuration = EngineConfiguration()
    configuration.connections = 2
    let server = try EngineHarness.counters(["a": 1], configuration: configuration)
    let client = server.connect()
    client.send("subscribe s counters:all")
    let second = server.connect()
    let third = server.connect()
    server.settle()
    let refused = third.take()
    #expect(refused.map(\.kind) == [.closing] && third.isClosed)
    #expect(refused[0].code == "limit_exceeded" && refused[0].message.contains("--max-connections"))
    #expect(refused[0].rest.contains(#""data":{"limit":"connections","value":2}"#))
    third.disconnect()
    #expect(client.take().map(\.kind) == [.update, .synced] && !second.isClosed)
    second.disconnect()
    #expect(server.statistic("connectionsRefused") == 1)
    #expect(server.statistic("connections") == 2)
  }

  @Test("G9: _system:stats shows the connections that take nothing, what waits for them, and those that were ended for it")
  func backlog() throws {
    let server = try EngineHarness.counters(["a": 1, "anchor": 0])
    let client = server.connect()
    client.send("query 1 counters:slowAnchored")
    client.isWritable = false
    server.settle()
    #expect(server.statistic("connectionsBlocked") == 1)
    #expect(server.statistic("heldBytes") == "ok 1 3 true\n".utf8.count)
    client.isWritable = true
    #expect(server.statistic("connectionsBlocked") == 0 && server.statistic("heldBytes") == 0)
    server.inspect { engine in engine.closeSlowConsumer(engine.sessions.keys.min { $0.rawValue < $1.rawValue }!) }
    let line = try #require(client.take().last)
    #expect(line.code == "slow_consumer" && line.message.contains("30 s") && client.isClosed)
    #expect(server.statistic("slowConsumers") == 1)
  }

  @Test("G9: a line that is too long is answered, closes the connection, and changes nothing")
  func longLine() throws {
    var configuration = EngineConfiguration()
    configuration.maximumLineBytes = 200
    let server = try EngineHarness.counters(["a": 1], configuration: configuration)
    let client = server.connect()
    client.send(#"mutation 1 counters:set {"name":"\#(String(repeating: "x", count: 300))","value":1}"#)
    server.settle()
    #expect(client.take().map(\.code) == ["line_too_long", "line_too_long"])
    #expect(client.isClosed)
    #expect(server.statistic("commits") == 2)
  }
}
