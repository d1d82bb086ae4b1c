import MartletTesting
import MartletValues
import Synchronization
import Testing

@testable import Martlet

/// What the world answers, attempt by attempt: a text, or an error.
final class World: Sendable {
  enum Answer: Sendable {
    case text(String)
    case error(any Error)
    /// Says nothing until it is cancelled.
    case silence
  }

  private let answers = Mutex<[String: [Answer]]>([:])
  private let attempts = Mutex<[String: Int]>([:])

  static let shared = World()

  func set(_ name: String, _ list: [Answer]) {
    answers.withLock { $0[name] = list }
    attempts.withLock { $0[name] = 0 }
  }

  func attempts(_ name: String) -> Int { attempts.withLock { $0[name] ?? 0 } }

  func ask(_ name: String) async throws -> String {
    attempts.withLock { $0[name, default: 0] += 1 }
    let answer = answers.withLock { answers -> Answer in
      guard var list = answers[name], !list.isEmpty else { return .text("fine") }
      defer { answers[name] = list }
      return list.removeFirst()
    }
    switch answer {
    case .text(let text): return text
    case .error(let error): throw error
    case .silence:
      try await Gate.waitForCancellation()
      return "never"
    }
  }
}

struct Busy: RetryDecision {
  var isRetryable = true
  var retryAfter: Duration?
}

enum Retrying: FunctionModule {
  static let path = "retrying"
  static let functions: [any ServerFunction] = [ask, start, startFromAction, done, doneBadly, doneTooMuch, cancel, status, startBadly, arguments]

  static let ask = Action("ask", Arg("name", .string)) { ctx, name in try await World.shared.ask(name) }

  static let start = Mutation(
    "start", Arg("name", .string), Arg("then", .string, default: "done"), Arg("maxFailures", .wholeNumber, default: 4)
  ) { ctx, name, then, maxFailures in
    let options = RetryOptions(maxFailures: maxFailures)
    switch then {
    case "nothing": return try ctx.retrier.run(ask(name), options: options)
    case "later": return try ctx.retrier.run(ask(name), start: .after(.seconds(5)), options: options, onComplete: done)
    case "badly": return try ctx.retrier.run(ask(name), options: options, onComplete: doneBadly)
    case "tooMuch": return try ctx.retrier.run(ask(name), options: options, onComplete: doneTooMuch)
    default: return try ctx.retrier.run(ask(name), options: options, onComplete: done)
    }
  }

  static let startFromAction = Action(
    "startFromAction", Arg("name", .string), Arg("seconds", .wholeNumber, default: 0)
  ) { ctx, name, seconds in
    try await ctx.retrier.run(ask(name), start: .after(.seconds(seconds)), onComplete: done)
  }

  static let startBadly = Mutation("startBadly") { ctx in
    try ctx.retrier.run(ask("x"), options: RetryOptions(base: 0.5))
  }

  static let done = Mutation("done", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult)) { ctx, run, result in
    let told =
      switch result {
      case .success(let value): "success \(value.json)"
      case .failed(let error): "failed \(error)"
      case .canceled: "canceled"
      }
    try CounterFunctions.add(ctx.db, told, 1)
  }

  static let doneBadly = Mutation("doneBadly", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult)) { ctx, run, result in
    try CounterFunctions.add(ctx.db, "badly", 1)
    throw ApplicationError("I don't care")
  }

  static let doneTooMuch = Mutation("doneTooMuch", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult)) { ctx, run, result in
    for number in 0..<20_000 { try CounterFunctions.add(ctx.db, "n\(number)", 1) }
  }

  static let cancel = Mutation("cancel", Arg("run", .id(RetryRuns.self))) { ctx, run in try ctx.retrier.cancel(run) }

  static let status = Query("status", Arg("run", .id(RetryRuns.self))) { ctx, run in
    guard let run = try ctx.db.find(run) else { return "none" }
    return "\(run.state.rawValue) \(run.failures)\(run.error.map { " \($0)" } ?? "")\(run.result.map { " \($0.json)" } ?? "")"
  }
}

extension Retrying {
  /// A run's arguments, by type, and those that it hasn't.
  static let arguments = Query("arguments", Arg("run", .id(RetryRuns.self))) { ctx, run in
    let run = try ctx.db.get(run)
    func refusal(_ read: () throws -> Void) -> String {
      do { try read() } catch { return "\(error)" }
      return "none"
    }
    return [
      try run.argument("name", .string), try run.argument("other", .optional(.string)) ?? "nothing",
      try ctx.db.get(run.job!).argument("name", .string),
      refusal { _ = try run.argument("name", .double) }, refusal { _ = try run.argument("other", .string) },
    ]
  }
}

@Suite("The retrier", .serialized)
struct RetrierTests {
  static func server(seed: UInt64 = 1, disk: MemoryStorage.Disk = .init()) throws -> (EngineHarness, InProcessClient) {
    let server = try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self, Retrying.self], seed: seed, disk: disk)
    return (server, server.connect())
  }

  static func pass(_ server: EngineHarness, milliseconds: Int) {
    server.advance(milliseconds: milliseconds)
    server.settle()
  }

  static func counters(_ client: InProcessClient, _ server: EngineHarness) -> String { client.ask(server, "query counters:all") }

  @Test("An action that succeeds at once is told to onComplete, with what it answered")
  func success() throws {
    let (server, client) = try Self.server()
    World.shared.set("a", [.text("hello")])
    let run = client.ask(server, #"mutation retrying:start {"name":"a"}"#)
    Self.pass(server, milliseconds: 1)
    #expect(Self.counters(client, server) == #"["success \"hello\"=1"]"#)
    #expect(client.ask(server, "query retrying:status {\"run\":\(run)}") == #""success 0 \"hello\"""#)
    #expect(World.shared.attempts("a") == 1)
    World.shared.set("b", [])
    _ = client.ask(server, #"action retrying:startFromAction {"name":"b"}"#)
    Self.pass(server, milliseconds: 1)
    #expect(Self.counters(client, server).contains(#"success \"fine\"=1"#))
  }

  @Test("A run tells its call's arguments by type, and so does its job; what isn't so is refused with the place")
  func arguments() throws {
    let (server, client) = try Self.server()
    let run = client.ask(server, #"mutation retrying:start {"name":"a \"b\""}"#)
    Self.pass(server, milliseconds: 1)
    let answer = client.ask(server, "query retrying:arguments {\"run\":\(run)}")
    #expect(
      answer == #"["a \"b\"","nothing","a \"b\"","name: expected number, found string","other: expected string, found nothing"]"#)
  }

  @Test("Failures are followed by attempts that wait longer and longer, with jitter, and end with the last one allowed")
  func backoff() throws {
    for seed: UInt64 in 1...5 {
      let (server, client) = try Self.server(seed: seed)
      World.shared.set("down", (1...9).map { .error(ApplicationError("down \($0)")) })
      let run = client.ask(server, #"mutation retrying:start {"name":"down"}"#)
      var times: [Int] = []
      for millisecond in 0..<8_000 {
        Self.pass(server, milliseconds: 1)
        while times.count < World.shared.attempts("down") { times.append(millisecond) }
      }
      #expect(times.count == 5)
      for (index, expected) in [250, 500, 1_000, 2_000].enumerated() {
        let wait = times[index + 1] - times[index]
        #expect(wait >= expected / 2 - 1 && wait <= expected * 3 / 2 + 2, "\(times)")
      }
      #expect(client.ask(server, "query retrying:status {\"run\":\(run)}") == #""failed 5 down 5""#)
      #expect(Self.counters(client, server) == #"["failed down 5=1"]"#)
    }
  }

  @Test("A run may begin later, from a mutation and from an action; until then it is in progress, and can be cancelled")
  func later() throws {
    let (server, client) = try Self.server()
    for name in ["first", "second", "third"] { World.shared.set(name, []) }
    let first = client.ask(server, #"mutation retrying:start {"name":"first","then":"later"}"#)
    let second = client.ask(server, #"mutation retrying:start {"name":"second","then":"later"}"#)
    _ = client.ask(server, #"action retrying:startFromAction {"name":"third","seconds":5}"#)
    Self.pass(server, milliseconds: 4_900)
    #expect(["first", "second", "third"].map { World.shared.attempts($0) } == [0, 0, 0])
    #expect(client.ask(server, "query retrying:status {\"run\":\(first)}") == #""inProgress 0""#)
    #expect(client.ask(server, "mutation retrying:cancel {\"run\":\(second)}") == "null")
    Self.pass(server, milliseconds: 200)
    #expect(["first", "second", "third"].map { World.shared.attempts($0) } == [1, 0, 1])
    #expect(Self.counters(client, server) == #"["canceled=1","success \"fine\"=2"]"#)
  }

  @Test("An error that is final ends the run at once; one that asks to be left alone for a time is given it")
  func decisions() throws {
    let (server, client) = try Self.server()
    World.shared.set("final", [.error(Busy(isRetryable: false))])
    _ = client.ask(server, #"mutation retrying:start {"name":"final"}"#)
    Self.pass(server, milliseconds: 10_000)
    #expect(World.shared.attempts("final") == 1)
    #expect(Self.counters(client, server).contains("failed Busy(isRetryable: false"), "the app is told what was thrown, whole")
    World.shared.set("busy", [.error(Busy(retryAfter: .seconds(30))), .text("open again")])
    _ = client.ask(server, #"mutation retrying:start {"name":"busy"}"#)
    Self.pass(server, milliseconds: 29_000)
    #expect(World.shared.attempts("busy") == 1)
    Self.pass(server, milliseconds: 2_000)
    #expect(World.shared.attempts("busy") == 2)
    #expect(Self.counters(client, server).contains(#"success \"open again\"=1"#))
  }

  @Test("A run that is cancelled begins no further attempt, cancels one that runs, and tells onComplete once")
  func cancelling() throws {
    let (server, client) = try Self.server()
    World.shared.set("waiting", [.error(ApplicationError("down")), .text("up")])
    let waiting = client.ask(server, #"mutation retrying:start {"name":"waiting"}"#)
    Self.pass(server, milliseconds: 2)
    #expect(client.ask(server, "mutation retrying:cancel {\"run\":\(waiting)}") == "null")
    Self.pass(server, milliseconds: 10_000)
    #expect(World.shared.attempts("waiting") == 1)
    World.shared.set("running", [.silence])
    let running = client.ask(server, #"mutation retrying:start {"name":"running"}"#)
    Self.pass(server, milliseconds: 2)
    #expect(client.ask(server, "mutation retrying:cancel {\"run\":\(running)}") == "null")
    Self.pass(server, milliseconds: 10_000)
    #expect(server.statistic("actionsRunning") == 0)
    #expect(client.ask(server, "mutation retrying:cancel {\"run\":\(running)}") == "null")
    #expect(Self.counters(client, server) == #"["canceled=2"]"#)
    #expect(client.ask(server, "query retrying:status {\"run\":\(running)}") == #""canceled 0""#)
  }

  @Test("An attempt that a crash interrupts counts as a failure; the run goes on after the restart, and onComplete comes once")
  func crash() throws {
    let (server, client) = try Self.server()
    World.shared.set("crashed", [.silence, .text("second try")])
    let run = client.ask(server, #"mutation retrying:start {"name":"crashed"}"#)
    Self.pass(server, milliseconds: 2)
    #expect(World.shared.attempts("crashed") == 1)
    try server.crash()
    let again = server.connect()
    Self.pass(server, milliseconds: 1_000)
    #expect(World.shared.attempts("crashed") == 2)
    #expect(Self.counters(again, server) == #"["success \"second try\"=1"]"#)
    try server.crash()
    Self.pass(server, milliseconds: 60_000)
    let last = server.connect()
    #expect(Self.counters(last, server) == #"["success \"second try\"=1"]"#)
    #expect(last.ask(server, "query retrying:status {\"run\":\(run)}").hasPrefix(#""success 1 the server stopped"#))
  }

  @Test("Where onComplete throws, or goes over a limit, the run has ended all the same, and the log says why")
  func badCompletion() throws {
    let (server, client) = try Self.server()
    World.shared.set("x", [])
    let run = client.ask(server, #"mutation retrying:start {"name":"x","then":"badly"}"#)
    Self.pass(server, milliseconds: 5)
    #expect(client.ask(server, "query retrying:status {\"run\":\(run)}") == #""success 0 \"fine\"""#)
    #expect(Self.counters(client, server) == "[]")
    #expect(client.ask(server, #"query _system:logs {"limit":1}"#).contains("retrying:ask: I don't care"))
    let other = client.ask(server, #"mutation retrying:start {"name":"x","then":"tooMuch"}"#)
    Self.pass(server, milliseconds: 5_000)
    #expect(client.ask(server, "query retrying:status {\"run\":\(other)}") == #""success 0 \"fine\"""#)
    #expect(Self.counters(client, server) == "[]")
    #expect(client.ask(server, #"query _system:logs {"limit":1}"#).contains("exceeded the limit of"))
  }

  @Test("Options that make no sense are refused; a run may have no onComplete")
  func options() throws {
    let (server, client) = try Self.server()
    #expect(client.ask(server, "mutation retrying:startBadly") == "invalid_arguments: retrying retrying:ask: base is 0.5; it is 1 or more")
    World.shared.set("quiet", [.error(ApplicationError("no"))])
    let run = client.ask(server, #"mutation retrying:start {"name":"quiet","then":"nothing","maxFailures":0}"#)
    Self.pass(server, milliseconds: 5_000)
    #expect(client.ask(server, "query retrying:status {\"run\":\(run)}") == #""failed 1 no""#)
    #expect(World.shared.attempts("quiet") == 1)
  }
}
