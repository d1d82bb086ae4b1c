import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("G5: patches")
struct LivePatchTests {
  /// Short queries, of pages and of lists. What they answer is long enough to be patched when there are some counters.
  static let calls = [
    #"_system:documents {"table":"counters"}"#, #"_system:documents {"table":"counters","index":"by_value","order":"desc"}"#,
    #"_system:documents {"table":"counters","index":"by_value","limit":4}"#, "counters:all", #"counters:between {"from":0,"to":30}"#,
    #"counters:top {"count":12}"#, "counters:total", "counters:mustAll",
  ]

  static func server(seed: UInt64 = 1, counters: Int = 12, pace: SimulatedLogWriter.Pace = .immediate) throws -> EngineHarness {
    var values = ["anchor": 0.0]
    for number in 0..<counters { values["n\(number)"] = Double(number) }
    return try EngineHarness.counters(seed: seed, values, pace: pace)
  }

  /// Each call is subscribed to under its number.
  static func watch(_ server: EngineHarness, patches: Bool, _ calls: [String] = calls) -> Watcher {
    let watcher = Watcher(server.connect())
    if patches { watcher.client.send(#"hello {"patches":true}"#) }
    for (number, call) in calls.enumerated() { watcher.client.send("subscribe s\(number) \(call)") }
    return watcher
  }

  /// The first watcher takes whole values and always reads: what it shows at a timestamp is what the others must show then.
  @Test("G5: with patches and without, reading slowly and reading at once, a subscription shows the same at each synced", arguments: 1...25)
  func model(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try Self.server(seed: seed, pace: random.oneIn(2) ? .immediate : .delayed)
    let plain = Self.watch(server, patches: false)
    let patched = (0..<4).map { _ in Self.watch(server, patches: true) }
    patched[3].client.send("subscribe slow counters:slowTotal")
    server.settle()
    let writer = server.connect()
    var history: [UInt64: [String: String]] = [:]
    var compared = 0

    func look() {
      plain.take { history[$0] = plain.values }
      for watcher in patched {
        watcher.take { timestamp in
          // A query that ran beside the engine's thread may have held up one of the two.
          for (id, value) in history[timestamp] ?? [:] where watcher.values[id] != nil {
            #expect(watcher.values[id] == value, "\(id) at \(timestamp)")
            compared += 1
          }
        }
      }
    }

    look()
    var lastID = 0
    for _ in 0..<120 {
      lastID += 1
      let name = "n\(random.number(0..<16))"
      switch random.number(0..<14) {
      case 0, 1: writer.send(#"mutation m\#(lastID) counters:delete {"name":"\#(name)"}"#)
      case 2, 3: writer.send(#"mutation m\#(lastID) counters:add {"name":"\#(name)","amount":\#(random.number(1..<10))}"#)
      case 4: patched[1].client.isWritable.toggle()
      case 5: patched[2].client.isWritable.toggle()
      case 6:
        let client = random.element(of: patched).client
        let number = random.number(0..<Self.calls.count)
        client.send("unsubscribe s\(number)", "subscribe s\(number) \(Self.calls[number])")
      case 7: random.element(of: patched).client.send("auth a\(lastID)")
      default: writer.send(#"mutation m\#(lastID) counters:set {"name":"\#(name)","value":\#(random.number(0..<40))}"#)
      }
      for _ in 0..<random.number(0..<8) { server.host.step() }
      look()
    }
    for watcher in patched { watcher.client.isWritable = true }
    server.settle()
    look()
    for watcher in patched {
      for id in plain.values.keys { #expect(watcher.values[id] == plain.values[id], "\(id), at the end") }
    }
    #expect(patched.reduce(0) { $0 + $1.patches } > 100, "patches were sent")
    #expect(plain.patches == 0)
    #expect(compared > 500, "\(compared) values were compared")
  }

  /// The lines since the last look, without `synced`.
  private func lines(_ client: InProcessClient) -> [String] {
    client.take().filter { $0.kind != .synced && $0.kind != .ok }.map { "\($0.kind)" + ($0.kind == .patch ? " \($0.rest)" : "") }
  }

  private func set(_ server: EngineHarness, _ name: String, _ value: Int) {
    let client = server.connect()
    client.send(#"mutation 1 counters:set {"name":"\#(name)","value":\#(value)}"#)
    server.settle()
    client.disconnect()
  }

  @Test("Patches are sent to those who asked for them, and welcome says so")
  func greeting() throws {
    let server = try Self.server()
    let asks = server.connect()
    let doesNot = server.connect()
    asks.send(#"hello {"patches":true}"#, "subscribe s \(Self.calls[0])")
    doesNot.send("hello {}", "subscribe s \(Self.calls[0])")
    server.settle()
    #expect(asks.take().first?.rest.hasSuffix(#","patches":true}"#) == true)
    #expect(doesNot.take().first?.rest.contains("patches") == false)
    set(server, "n3", 300)
    #expect(lines(asks) == [#"patch [["set",["page",6,"value"],300]]"#])
    #expect(lines(doesNot) == ["update"])
  }

  @Test("A patch is of what was sent last: who missed a value is sent the whole one, and patches from there on")
  func slowReader() throws {
    let server = try Self.server()
    let slow = server.connect()
    let quick = server.connect()
    for client in [slow, quick] { client.send(#"hello {"patches":true}"#, "subscribe s \(Self.calls[0])") }
    server.settle()
    _ = (slow.take(), quick.take())
    slow.isWritable = false
    set(server, "n1", 100)
    set(server, "n2", 200)
    #expect(lines(quick).count == 2)
    slow.isWritable = true
    server.settle()
    #expect(lines(slow) == ["update"])
    set(server, "n3", 300)
    #expect(lines(slow) == [#"patch [["set",["page",6,"value"],300]]"#])
    slow.isWritable = false
    set(server, "n1", 101)
    slow.isWritable = true
    server.settle()
    #expect(lines(slow) == [#"patch [["set",["page",2,"value"],101]]"#], "it missed nothing, and was only late")
  }

  @Test("After failed, and after the subscription was made anew or as another identity, the whole value comes")
  func startsAnew() throws {
    let server = try Self.server(counters: 20)
    let client = server.connect()
    client.send(#"hello {"patches":true}"#, "subscribe s counters:mustAll")
    server.settle()
    _ = client.take()
    set(server, "n3", 300)
    #expect(lines(client) == [#"patch [["set",[14],"n3=300"]]"#])
    set(server, "n3", -1)
    #expect(lines(client) == ["failed"])
    set(server, "n3", 300)
    #expect(lines(client) == ["update"])
    client.send("unsubscribe s", "subscribe s counters:mustAll")
    server.settle()
    #expect(lines(client) == ["update"])
    set(server, "n3", 301)
    #expect(lines(client) == [#"patch [["set",[14],"n3=301"]]"#])
  }

  @Test("A patch is found once, whoever is sent it, and not at all while nobody asks for patches")
  func sharedWork() throws {
    let server = try Self.server()
    let clients = (0..<10).map { _ in server.connect() }
    for client in clients { client.send("subscribe s \(Self.calls[0])") }
    server.settle()
    set(server, "n1", 100)
    #expect(server.inspect { engine in engine.live.all.allSatisfy { $0.patch == nil } })
    for client in clients { client.send(#"hello {"patches":true}"#) }
    server.settle()
    for client in clients { _ = client.take() }
    set(server, "n1", 101)
    #expect(clients.allSatisfy { lines($0) == [#"patch [["set",["page",2,"value"],101]]"#] })
    server.inspect { engine in
      for query in engine.live.all {
        let patch = query.patch
        #expect(patch?.version == query.version)
        #expect(query.patch(from: [], to: [], version: query.version) == patch?.bytes, "what was found isn't looked for again")
      }
    }
  }

  @Test("G2: a patch that shows a commit which the disk refused doesn't leave, and the next value is whole", arguments: [true, false])
  func lostCommit(fails: Bool) throws {
    let server = try Self.server(pace: .byHand)
    server.settle()
    let client = server.connect()
    client.send(#"hello {"patches":true}"#, "subscribe s \(Self.calls[0])")
    server.settle()
    let before = try #require(client.take().first { $0.kind == .update }).rest
    if fails { server.disk.fail(.append) }
    let writer = server.connect()
    writer.send(#"mutation 1 counters:set {"name":"n1","value":100}"#)
    server.run()
    #expect(lines(client) == [], "it is held until the commit is durable")
    server.settle()
    let told = client.take().filter { $0.kind != .synced }
    if fails {
      #expect(told.allSatisfy { $0.kind == .update && $0.rest == before })
    } else {
      #expect(told.map(\.description) == [#"patch s [["set",["page",2,"value"],100]]"#])
    }
  }
}
