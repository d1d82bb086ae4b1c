import MartletTesting
import MartletValues
import Synchronization
import Testing

@testable import Martlet

/// Actions that are there when the server stops.
private enum Stopped: FunctionModule {
  static let path = "stop"
  static let functions: [any ServerFunction] = [visit, deaf, cleanUp, later, retry, ended]

  /// Takes as many seconds as its URL says.
  static let visit = Action("visit", Arg("seconds", .wholeNumber)) { ctx, seconds in
    try await ctx.fetch("https://x.test/\(seconds)").status
  }

  /// Heeds no cancellation, and would write when it is let go.
  static let deaf = Action("deaf") { ctx in
    await withCheckedContinuation { continuation in deafOnes.withLock { $0.append(continuation) } }
    try await ctx.run(CounterFunctions.set("deaf", 1))
  }

  static let deafOnes = Mutex<[CheckedContinuation<Void, Never>]>([])

  /// Writes something when it is cancelled, and then ends well.
  static let cleanUp = Action("cleanUp") { ctx in
    try? await Gate.waitForCancellation()
    try await ctx.run(CounterFunctions.set("cleaned", 1))
  }

  static let later = Mutation("later", Arg("name", .string), Arg("args", .record(.any))) { ctx, name, args in
    try ctx.scheduler.run(
      after: .zero, FunctionCall<Value>(kind: .action, name: "stop:\(name)", arguments: ObjectValue(uniqueFields: args.map { ($0, $1) })))
  }

  static let retry = Mutation("retry", Arg("seconds", .wholeNumber)) { ctx, seconds in
    try ctx.retrier.run(visit(seconds), onComplete: ended)
  }

  static let ended = Mutation("ended", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult), visibility: .internal) { ctx, _, result in
    try CounterFunctions.add(ctx.db, result.value.json, 1)
  }
}

@Suite("Actions when the server stops")
struct StoppingTests {
  private static func server(pools: [String: Int] = [:], _ plan: @escaping @Sendable (Int) -> SimulatedFetcher.Reply = standard) throws -> EngineHarness {
    let fetcher = SimulatedFetcher { plan(Int($0.url.split(separator: "/").last!)!) }
    return try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self, Stopped.self, Jobs.self], pools: pools, fetcher: fetcher)
  }

  @Sendable private static func standard(_ seconds: Int) -> SimulatedFetcher.Reply { .response(Response(status: 200), after: seconds * 1_000) }

  private final class Ending: Sendable {
    private let left = Mutex<[String]?>(nil)
    /// What was left running; nil before the end.
    var value: [String]? { left.withLock { $0 } }
    func note(_ functions: [String]) {
      left.withLock { left in
        precondition(left == nil, "the end comes once")
        left = functions
      }
    }
  }

  /// Stops with a grace of 10 s, and 5 s for those that are cancelled then.
  private static func stop(_ server: EngineHarness) -> Ending {
    let ending = Ending()
    server.inspect { engine in
      engine.drain()
      engine.endActions(graceMilliseconds: 10_000, patienceMilliseconds: 5_000) { ending.note($0) }
    }
    server.settle()
    return ending
  }

  private static func pass(_ server: EngineHarness, seconds: Int) {
    server.advance(milliseconds: seconds * 1_000 - 1)
    server.settle()
    server.advance(milliseconds: 1)
    server.settle()
  }

  private static func states(_ server: EngineHarness) -> String { server.connect().ask(server, "query jobs:states") }

  @Test("Where none runs nobody waits")
  func idle() throws {
    #expect(Self.stop(try Self.server()).value == [])
  }

  @Test("Within the grace actions end by themselves, those of clients and those of jobs, and the end is then; nothing new begins")
  func grace() throws {
    let server = try Self.server()
    let client = server.connect()
    client.send(#"action a stop:visit {"seconds":3}"#, #"mutation m stop:later {"name":"visit","args":{"seconds":5}}"#)
    server.settle()
    let ending = Self.stop(server)
    Self.pass(server, seconds: 3)
    #expect(client.answer("a") == "200" && ending.value == nil)
    server.advance(milliseconds: 1_999)
    server.settle()
    #expect(ending.value == nil)
    server.advance(milliseconds: 1)
    server.settle()
    #expect(ending.value == [])
    client.send(#"action late stop:visit {"seconds":1}"#)
    #expect(client.take().last?.code == "shutting_down")
    try server.crash()
    #expect(Self.states(server) == #"["visit success"]"#)
  }

  @Test("After the grace actions are cancelled and awaited; their jobs have failed, and say why")
  func cancelled() throws {
    let server = try Self.server()
    let client = server.connect()
    client.send(
      #"action a stop:visit {"seconds":20}"#, #"mutation m stop:later {"name":"visit","args":{"seconds":20}}"#,
      #"mutation n stop:later {"name":"cleanUp","args":{}}"#)
    server.settle()
    _ = client.take()
    let ending = Self.stop(server)
    server.advance(milliseconds: 9_999)
    server.settle()
    #expect(ending.value == nil && client.take().isEmpty)
    server.advance(milliseconds: 1)
    server.settle()
    #expect(ending.value == [])
    #expect(client.take().map { "\($0.id) \($0.code) \($0.message)" } == ["a shutting_down the server stopped while the action ran, and cancelled it"])
    try server.crash()
    server.advance(milliseconds: 60_000)
    server.settle()
    #expect(Self.states(server) == #"["visit failed: the server stopped while the action ran, and cancelled it","cleanUp success"]"#)
    #expect(server.connect().ask(server, "query counters:all") == #"["cleaned=1"]"#)
    #expect(server.fetcher?.requests.count == 2 && server.fetcher?.cancelledCount == 2)
  }

  @Test("For a retried action that is a failure: the next start makes the next attempt, and tells of the end once")
  func retried() throws {
    let answered = Mutex(0)
    let server = try Self.server { seconds in
      let isFirst = answered.withLock { count in
        count += 1
        return count == 1
      }
      return .response(Response(status: 200), after: isFirst ? seconds * 1_000 : 1)
    }
    _ = server.connect().ask(server, #"mutation stop:retry {"seconds":20}"#)
    server.settle()
    let ending = Self.stop(server)
    Self.pass(server, seconds: 60)
    #expect(ending.value == [] && server.fetcher?.requests.count == 1, "nothing begins any more")
    try server.crash()
    server.advance(milliseconds: 60_000)
    server.settle()
    #expect(server.fetcher?.requests.count == 2)
    #expect(server.connect().ask(server, "query counters:all") == #"["{\"returnValue\":200,\"type\":\"success\"}=1"]"#)
  }

  @Test("One that heeds no cancellation is left: nobody waits for it for ever, it reaches the database no more, and the next start fails its job")
  func deaf() throws {
    let server = try Self.server()
    _ = server.connect().ask(server, #"mutation stop:later {"name":"deaf","args":{}}"#)
    _ = server.connect().ask(server, #"mutation stop:later {"name":"visit","args":{"seconds":20}}"#)
    server.settle()
    let ending = Self.stop(server)
    Self.pass(server, seconds: 10)
    server.advance(milliseconds: 4_999)
    server.settle()
    #expect(ending.value == nil)
    server.advance(milliseconds: 1)
    server.settle()
    #expect(ending.value == ["stop:deaf"])
    Stopped.deafOnes.withLock { $0.removeFirst() }.resume()
    server.settle()
    try server.crash()
    #expect(
      Self.states(server)
        == #"["deaf failed: the server stopped while the action ran; it is not known how far it came, and it is not run again","#
        + #""visit failed: the server stopped while the action ran, and cancelled it"]"#)
    #expect(server.connect().ask(server, "query counters:all") == "[]")
  }

  @Test("Those that waited for a place get one within the grace, and after it are told that there is none any more")
  func waiting() throws {
    let server = try Self.server(pools: ["default": 1])
    let client = server.connect()
    for (id, seconds) in [("a", 4), ("b", 4), ("c", 4), ("d", 4)] { client.send("action \(id) stop:visit {\"seconds\":\(seconds)}") }
    server.settle()
    let ending = Self.stop(server)
    Self.pass(server, seconds: 10)
    #expect(ending.value == [])
    let answers = client.take().map { "\($0.id) \($0.kind == .ok ? $0.rest : $0.message)" }
    #expect(
      answers == [
        "a 200", "b 200", "d the server stopped before the action could run", "c the server stopped while the action ran, and cancelled it",
      ])
  }

  @Test("A job whose beginning is on its way to the disk is awaited too")
  func beginning() throws {
    for seed: UInt64 in 1...20 {
      let fetcher = SimulatedFetcher { _ in .response(Response(status: 200), after: 2_000) }
      let server = try EngineHarness(
        tables: [Counters.self], modules: [CounterFunctions.self, Stopped.self, Jobs.self], seed: seed, pace: .delayed, fetcher: fetcher)
      server.connect().send(#"mutation m stop:later {"name":"visit","args":{"seconds":2}}"#)
      // Between the commit that schedules it and the action's end, anywhere.
      for _ in 0..<Int(seed) { server.host.step() }
      let ending = Self.stop(server)
      for _ in 0..<4 { Self.pass(server, seconds: 5) }
      #expect(ending.value == [])
      try server.crash()
      let hadBegun = !fetcher.requests.isEmpty
      let state = Self.states(server)
      #expect(hadBegun ? state == #"["visit success"]"# : !state.contains("failed"), "seed \(seed): \(state)")
    }
  }
}
