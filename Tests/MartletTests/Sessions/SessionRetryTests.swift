import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite("Promise 6: retries under a session")
struct SessionRetryTests {
  static func client(_ server: EngineHarness, _ session: String = "s") -> InProcessClient {
    let client = server.connect()
    client.send(#"hello {"session":"\#(session)"}"#)
    return client
  }

  static func value(_ server: EngineHarness, _ name: String) -> String? {
    let client = server.connect()
    client.send(#"query v counters:value {"name":"\#(name)"}"#)
    server.settle()
    return client.answer("v")
  }

  @Test("Promise 6: a mutation that is sent again is answered as it was, and not run again", arguments: [false, true])
  func sentAgain(afterCrash: Bool) throws {
    let server = try EngineHarness.counters(["a": 1])
    let first = Self.client(server)
    first.send(#"mutation 1 counters:add {"name":"a","amount":5}"#)
    server.settle()
    let answer = first.takeText().dropFirst()
    #expect(answer.count == 1)
    first.disconnect()
    if afterCrash { try server.crash() }
    // Others commit meanwhile, so that the timestamp is not simply the newest.
    let other = server.connect()
    other.send(#"mutation 1 counters:add {"name":"b","amount":1}"#)
    server.settle()
    let second = Self.client(server)
    second.send(#"mutation 1 counters:add {"name":"a","amount":5}"#, #"mutation 2 counters:add {"name":"a","amount":1}"#)
    server.settle()
    let answers = second.takeText().dropFirst()
    #expect(answers.first == answer.first, "the same line, timestamp and all")
    #expect(answers.last?.hasSuffix(" 7") == true)
    #expect(Self.value(server, "a") == "7")
  }

  @Test("Promise 6: another session, and a connection that named none, may use the same ids")
  func others() throws {
    let server = try EngineHarness.counters(["a": 0])
    let line = #"mutation 1 counters:add {"name":"a","amount":1}"#
    for session in ["s", "t"] { Self.client(server, session).send(line) }
    let nameless = server.connect()
    nameless.send(line)
    server.settle()
    nameless.send(line)
    server.settle()
    #expect(nameless.take().map(\.rest) == ["3", "4"])
  }

  @Test("Promise 6: an error is given again as it was, though the mutation could succeed by now")
  func failure() throws {
    let server = try EngineHarness.counters(["a": 1, "b": 0])
    let line = #"mutation 1 counters:transfer {"from":"a","to":"b","amount":5}"#
    let first = Self.client(server)
    first.send(line)
    server.settle()
    let answer = first.take().dropFirst()
    #expect(answer.map(\.kind) == [.error])
    server.connect().send(#"mutation 1 counters:set {"name":"a","value":100}"#)
    try server.crash()
    let second = Self.client(server)
    second.send(line)
    server.settle()
    #expect(second.take().dropFirst() == answer)
    #expect(Self.value(server, "b") == "0")
  }

  @Test("Promise 6: sent again while it still runs for the old connection, it runs once")
  func running() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1])
    let line = #"mutation 1 counters:slowAdd {"name":"a","amount":5}"#
    let first = Self.client(server)
    first.send(line)
    first.disconnect()
    let second = Self.client(server)
    second.send(line, #"mutation 2 counters:add {"name":"a","amount":1}"#)
    server.settle()
    #expect(second.take().dropFirst().map { "\($0.id) \($0.rest)" } == ["1 6", "2 7"], "and what follows waits for it")
    #expect(server.statistic("conflicts") == 1, "both began, and one met the other's commit")
  }

  @Test("Promise 6: an id that the session has used for another function is refused")
  func reused() throws {
    let server = try EngineHarness.counters(["a": 1])
    let client = Self.client(server)
    client.send(#"mutation 1 counters:add {"name":"a","amount":5}"#, #"mutation 1 counters:set {"name":"a","value":5}"#)
    server.settle()
    let lines = client.take()
    #expect(lines.map(\.code) == ["", "", "duplicate_id"])
    #expect(lines[2].message == #"this session has used the id "1" for counters:add; choose a new one for each mutation of a session"#)
    #expect(Self.value(server, "a") == "6")
  }

  @Test("Promise 6 with 4: an answer that is given again is followed by a synced that shows the commit")
  func synced() throws {
    let server = try EngineHarness.counters(["a": 1])
    let line = #"mutation 1 counters:add {"name":"a","amount":5}"#
    let first = Self.client(server)
    first.send(line)
    server.settle()
    let second = Self.client(server)
    second.send(#"subscribe u counters:value {"name":"a"}"#)
    server.settle()
    _ = second.take()
    second.send(line)
    server.settle()
    #expect(second.take().map(\.kind) == [.ok, .synced])
  }

  @Test("Promise 6: when the disk has failed, what was committed before is still answered, and nothing else runs")
  func diskFailure() throws {
    let server = try EngineHarness.counters(["a": 1], pace: .byHand)
    let client = Self.client(server)
    client.send(#"mutation 1 counters:add {"name":"a","amount":5}"#)
    server.settle()
    let answer = client.takeText().dropFirst()
    server.disk.fail(.sync)
    client.send(#"mutation 2 counters:add {"name":"a","amount":1}"#)
    server.settle()
    _ = client.take()
    let second = Self.client(server)
    second.send(#"mutation 1 counters:add {"name":"a","amount":5}"#, #"mutation 2 counters:add {"name":"a","amount":1}"#)
    server.settle()
    let lines = second.take().dropFirst()
    #expect(lines.map(\.description).first == answer.first)
    #expect(lines.last?.code == "storage_failed")
  }

  @Test("A session's newest 1,000 answers are kept, and those of 24 hours")
  func bounds() throws {
    let server = try EngineHarness.counters(["a": 0])
    let client = Self.client(server)
    for id in 1...1_500 { client.send(#"mutation \#(id) counters:add {"name":"a","amount":1}"#) }
    server.settle()
    #expect(client.take().count == 1_501)
    func kept() -> Int { server.inspect { $0.catalog.table(number: SystemTables.sessionAnswersNumber)!.assumeIsolated { $0.snapshot.count } } }
    #expect(kept() == 1_000)
    client.send(#"mutation 501 counters:add {"name":"a","amount":1}"#)
    server.settle()
    #expect(client.take().first?.rest == "501")
    server.advance(milliseconds: 23 * 3_600_000)
    server.settle()
    #expect(kept() == 1_000)
    server.advance(milliseconds: 2 * 3_600_000)
    server.settle()
    #expect(kept() == 0)
  }

  @Test("A name that no table could hold is refused", arguments: ["", String(repeating: "x", count: 257)])
  func names(name: String) throws {
    let server = try EngineHarness.counters()
    let client = server.connect()
    client.send(#"hello {"session":"\#(name)"}"#)
    server.run()
    #expect(client.take().map(\.code) == ["bad_request"])
  }

  /// A client that sends its mutations in order until each has its answer, over connections that break.
  struct Stubborn {
    var operations: [CounterModel.Operation] = []
    var answers: [Int: String] = [:]
    /// What has been sent over the connection that there is.
    var sent = 0

    mutating func connectionBroke() { sent = (0..<operations.count).first { answers[$0] == nil } ?? operations.count }
  }

  @Test("Promises 1 and 6: over breaking connections, crashes and slow mutations, each mutation runs exactly once and in order", arguments: 1...40)
  func random(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.counters(seed: seed, ["anchor": 0], pace: .delayed)
    var stubborn = Stubborn()
    for _ in 0..<60 {
      let name = random.element(of: ["a", "b", "c"])
      let other = random.element(of: ["a", "b", "c"])
      stubborn.operations.append(
        random.element(of: [.add(name, Double(random.number(1..<9))), .transfer(name, other, Double(random.number(1..<9))), .claim(name)]))
    }
    let calls = stubborn.operations.enumerated().map { $1.call(isSlow: random.oneIn(4)).replacing("ID", with: "\($0)") }
    var client = Self.client(server)
    var steps = 0
    while stubborn.answers.count < calls.count {
      steps += 1
      try #require(steps < 20_000, "it comes to an end")
      while stubborn.sent < calls.count, !random.oneIn(3) {
        if stubborn.answers[stubborn.sent] == nil { client.send(calls[stubborn.sent]) }
        stubborn.sent += 1
      }
      for _ in 0..<random.number(0..<8) { server.host.step() }
      if random.oneIn(4) { server.advance(milliseconds: 3) }
      for line in client.take() where line.kind == .ok || line.kind == .error {
        #expect(stubborn.answers.updateValue(line.kind == .ok ? line.rest : "error", forKey: Int(line.id)!) == nil, "one answer each")
      }
      if random.oneIn(25) { try server.crash(keepingUnsynced: random.number(0..<3)) } else if !random.oneIn(12) { continue } else { client.disconnect() }
      client = Self.client(server)
      stubborn.connectionBroke()
    }
    var model = CounterModel()
    model.counters["anchor"] = .init(amount: 0, birth: 0, id: "")
    for (number, operation) in stubborn.operations.enumerated() {
      #expect(stubborn.answers[number] == model.run(operation) ?? "error", "\(number): \(operation)")
    }
    for name in ["a", "b", "c"] { #expect(Self.value(server, name) == model.run(.value(name))) }
  }
}
