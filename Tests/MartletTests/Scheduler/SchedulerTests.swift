import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("The scheduler")
struct SchedulerTests {
  static func later(_ client: InProcessClient, _ server: EngineHarness, after: Int, _ function: String, _ args: String) -> String {
    client.ask(server, #"mutation jobs:later {"after":\#(after),"function":"\#(function)","args":\#(args)}"#)
  }

  @Test("A scheduled mutation runs at its time, not before, once, and says so in its job")
  func time() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    _ = Self.later(client, server, after: 1_000, "add", #"{"name":"a","amount":1}"#)
    #expect(client.ask(server, "query jobs:states") == #"["add pending"]"#)
    server.advance(milliseconds: 999)
    server.settle()
    #expect(client.ask(server, "query counters:all") == "[]")
    server.advance(milliseconds: 1)
    server.settle()
    #expect(client.ask(server, "query counters:all") == #"["a=1"]"#)
    #expect(client.ask(server, "query jobs:states") == #"["add success"]"#)
    server.advance(milliseconds: 100_000)
    server.settle()
    #expect(client.ask(server, "query counters:all") == #"["a=1"]"#)
    let job = client.ask(server, #"query _system:documents {"table":"_scheduled_functions"}"#)
    #expect(job.contains(#""args":{"amount":1,"name":"a"}"#) && job.contains(#""name":"jobs:add""#) && job.contains(#""state":{"kind":"success"}"#))
    #expect(job.contains(#""completedTime":"#) && job.contains(#""scheduledTime":"#))
  }

  @Test("G7: a job and the mutation that scheduled it commit together: one that throws schedules nothing")
  func transactional() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    #expect(client.ask(server, #"mutation jobs:laterThenFail {"name":"a"}"#) == "application: taken back")
    server.advance(milliseconds: 10)
    server.settle()
    #expect(client.ask(server, "query jobs:states") == "[]")
    #expect(client.ask(server, "query counters:all") == "[]")
  }

  @Test("Jobs run in the order of their times, those of a time that is past at once")
  func order() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    for (after, amount) in [(30, 3), (10, 1), (20, 2), (40, 4)] {
      _ = Self.later(client, server, after: after, "again", #"{"name":"n\#(amount)","times":1}"#)
    }
    #expect(client.ask(server, #"mutation jobs:at {"time":-5,"name":"past"}"#).hasPrefix("\""))
    server.advance(milliseconds: 25)
    server.settle()
    #expect(client.ask(server, "query counters:all") == #"["n1=1","n2=1","past=1"]"#)
    server.advance(milliseconds: 25)
    server.settle()
    let finished = client.ask(server, #"query _system:documents {"table":"_scheduled_functions","index":"by_completion"}"#)
    let order = finished.matches(of: /"name":"(n\d|past)"/).map { String($0.1) }
    #expect(order == ["past", "n1", "n2", "n3", "n4"])
  }

  @Test("A mutation that throws leaves nothing behind but the failure of its job, with the reason; it is not run again")
  func failures() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    _ = Self.later(client, server, after: 0, "fail", "{}")
    _ = Self.later(client, server, after: 0, "failAfterWriting", #"{"name":"a"}"#)
    _ = Self.later(client, server, after: 0, "tooMuch", #"{"name":"b"}"#)
    server.advance(milliseconds: 1)
    server.settle()
    let states = client.ask(server, "query jobs:states")
    #expect(states.contains("fail failed: on purpose"))
    #expect(states.contains("failAfterWriting failed: Broken()"))
    #expect(states.contains("tooMuch failed: jobs:tooMuch exceeded the limit of 3 documents written"))
    #expect(client.ask(server, "query counters:all") == "[]")
    server.advance(milliseconds: 10_000)
    server.settle()
    #expect(client.ask(server, "query jobs:states") == states)
    #expect(server.statistic("jobsFailed") == 3)
  }

  @Test("A job that is cancelled while pending never runs; one may cancel itself, or schedule itself anew")
  func cancelling() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    let job = Self.later(client, server, after: 10, "add", #"{"name":"a","amount":1}"#)
    #expect(client.ask(server, "mutation jobs:cancel {\"job\":\(job)}") == "null")
    _ = Self.later(client, server, after: 20, "cancelSelf", #"{"name":"self"}"#)
    _ = Self.later(client, server, after: 50, "again", #"{"name":"again","times":3}"#)
    server.advance(milliseconds: 30)
    server.settle()
    #expect(client.ask(server, "query jobs:states") == #"["add canceled","cancelSelf canceled","again canceled"]"#)
    #expect(client.ask(server, "query counters:all") == #"["self=1"]"#)
    _ = Self.later(client, server, after: 0, "again", #"{"name":"again","times":3}"#)
    server.advance(milliseconds: 1_500)
    server.settle()
    #expect(client.ask(server, #"query counters:value {"name":"again"}"#) == "2")
    server.advance(milliseconds: 60_000)
    server.settle()
    #expect(client.ask(server, #"query counters:value {"name":"again"}"#) == "3")
    #expect(client.ask(server, "mutation jobs:cancel {\"job\":\(job)}") == "null", "one that is over stays as it is")
    let admin = Self.later(client, server, after: 10, "add", #"{"name":"b","amount":1}"#)
    #expect(client.ask(server, "mutation _system:cancelJob {\"id\":\(admin)}") == "null")
    server.advance(milliseconds: 100)
    server.settle()
    #expect(client.ask(server, #"query counters:value {"name":"b"}"#) == "null")
  }

  @Test("An action that is cancelled while the note that it begins becomes durable doesn't run")
  func cancelledBeginning() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    let job = client.ask(server, #"mutation jobs:later {"after":10,"args":{"name":"a"},"function":"addAction"}"#)
    server.log.pace = .byHand
    server.advance(milliseconds: 10)
    #expect(server.log.writing != nil, "the note is on its way")
    client.send("mutation c jobs:cancel {\"job\":\(job)}")
    server.log.pace = .immediate
    server.settle()
    #expect(client.ask(server, "query jobs:states") == #"["addAction canceled"]"#)
    #expect(client.ask(server, "query counters:all") == "[]")
    #expect(server.inspect { $0.jobQueue.running.isEmpty && $0.jobQueue.actions.isEmpty })
  }

  @Test("What can't be scheduled is refused when it is scheduled, with the reason")
  func refusals() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    func schedule(_ kind: String, _ function: String, _ args: String = "{}") -> String {
      client.ask(server, #"mutation jobs:badArguments {"kind":"\#(kind)","function":"\#(function)","args":\#(args)}"#)
    }
    #expect(schedule("mutation", "jobs:ad") == #"unknown_function: there is no function "jobs:ad"; did you mean "jobs:add"?"#)
    #expect(schedule("query", "jobs:query") == "wrong_kind: jobs:query is a query: mutations and actions can be scheduled")
    #expect(
      schedule("mutation", "jobs:add", #"{"name":1}"#)
        == "invalid_arguments: scheduling jobs:add: args.name: expected string, found number")
    #expect(client.ask(server, #"mutation jobs:at {"time":1e300,"name":"x"}"#).hasPrefix("invalid_arguments: jobs:add can't be scheduled at 1e+300"))
    #expect(client.ask(server, "query jobs:states") == "[]")
    #expect(
      client.ask(server, #"mutation _system:insert {"table":"_scheduled_functions","document":{}}"#)
        == "forbidden: table _scheduled_functions is the server's own; only the server writes it")
  }

  @Test("An internal function can be scheduled; a long one runs beside the engine's thread, and exactly once")
  func kinds() throws {
    for seed: UInt64 in 1...10 {
      let server = try EngineHarness.jobs(seed: seed, pace: .delayed)
      let client = server.connect()
      _ = Self.later(client, server, after: 0, "hidden", #"{"name":"hidden"}"#)
      for _ in 0..<30 { _ = Self.later(client, server, after: 5, "slow", #"{"name":"slow"}"#) }
      for _ in 0..<30 { _ = Self.later(client, server, after: 5, "add", #"{"name":"slow","amount":1}"#) }
      server.advance(milliseconds: 10)
      server.settle()
      #expect(client.ask(server, "query counters:all") == #"["hidden=1","slow=60"]"#)
      #expect(!client.ask(server, "query jobs:states").contains("pending"))
    }
  }

  @Test("A scheduled action runs, may schedule and cancel, and its job says how it ended")
  func actions() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    let never = Self.later(client, server, after: 9_000, "add", #"{"name":"never","amount":1}"#)
    _ = Self.later(client, server, after: 10, "addAction", #"{"name":"a"}"#)
    _ = Self.later(client, server, after: 10, "failAction", "{}")
    _ = Self.later(client, server, after: 10, "laterAction", #"{"name":"b"}"#)
    _ = Self.later(client, server, after: 10, "cancelAction", "{\"job\":\(never)}")
    server.advance(milliseconds: 20)
    server.settle()
    #expect(client.ask(server, "query counters:all") == #"["a=1"]"#)
    let states = client.ask(server, "query jobs:states")
    #expect(states == #"["add canceled","addAction success","failAction failed: no luck","laterAction success","cancelAction success","add pending"]"#)
    server.advance(milliseconds: 10_000)
    server.settle()
    #expect(client.ask(server, "query counters:all") == #"["a=1","b=1"]"#)
  }

  @Test("Cancelling the job of an action that runs cancels its task; what it wrote before stays")
  func cancellingActions() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    let job = Self.later(client, server, after: 0, "waitAction", #"{"name":"a"}"#)
    server.advance(milliseconds: 5)
    server.settle()
    #expect(client.ask(server, "query jobs:states") == #"["waitAction inProgress"]"#)
    #expect(client.ask(server, "mutation jobs:cancel {\"job\":\(job)}") == "null")
    server.settle()
    #expect(client.ask(server, "query jobs:states") == #"["waitAction canceled"]"#)
    #expect(client.ask(server, "query counters:all") == #"["a=1"]"#)
    #expect(server.statistic("actionsRunning") == 0)
  }

  @Test("Actions wait for a place in their pool, in order, and mutations don't wait behind them")
  func places() throws {
    var configuration = EngineConfiguration()
    configuration.actionsRunning = 2
    let server = try EngineHarness.jobs(configuration: configuration)
    let client = server.connect()
    let jobs = (0..<5).map { Self.later(client, server, after: 0, "waitAction", #"{"name":"w\#($0)"}"#) }
    _ = Self.later(client, server, after: 1, "add", #"{"name":"z","amount":1}"#)
    server.advance(milliseconds: 5)
    server.settle()
    #expect(client.ask(server, "query counters:all") == #"["w0=1","w1=1","z=1"]"#)
    _ = client.ask(server, "mutation jobs:cancel {\"job\":\(jobs[0])}")
    server.settle()
    #expect(client.ask(server, "query counters:all") == #"["w0=1","w1=1","w2=1","z=1"]"#)
    for job in jobs {
      _ = client.ask(server, "mutation jobs:cancel {\"job\":\(job)}")
      server.settle()
    }
    #expect(Set(client.ask(server, "query jobs:states").split(separator: ",").dropLast().map { $0.contains("canceled") }) == [true])
  }

  @Test("While too many commits wait for the disk jobs wait too, and none fails for that")
  func overload() throws {
    var configuration = EngineConfiguration()
    configuration.openBatchBytes = 2_000
    let server = try EngineHarness.jobs(configuration: configuration, pace: .byHand)
    let client = server.connect()
    for number in 0..<60 {
      for (function, name) in [("add", "a"), ("slow", "b"), ("idleAction", "c")] {
        let amount = function == "add" ? #","amount":1"# : ""
        client.send(
          #"mutation \#(function)\#(number) jobs:later {"after":5,"function":"\#(function)","args":{"name":"\#(name)"\#(amount)}}"#)
      }
      server.settle()
    }
    #expect(client.take().allSatisfy { $0.kind == .ok })
    server.advance(milliseconds: 10)
    server.settle()
    let states = client.ask(server, "query jobs:states")
    #expect(states.matches(of: /success/).count == 180, "\(states.prefix(300))")
    #expect(client.ask(server, "query counters:all") == #"["a=60","b=60"]"#)
  }

  @Test("What came due while the server was down runs at its start; an action found in progress has failed, and is not run again")
  func restart() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    _ = Self.later(client, server, after: 0, "waitAction", #"{"name":"w"}"#)
    _ = Self.later(client, server, after: 5_000, "add", #"{"name":"a","amount":1}"#)
    _ = Self.later(client, server, after: 7_000, "add", #"{"name":"b","amount":1}"#)
    server.advance(milliseconds: 10)
    server.settle()
    try server.crash()
    server.clock.advance(nanoseconds: 6_000_000_000)
    server.settle()
    let again = server.connect()
    let states = again.ask(server, "query jobs:states")
    #expect(states.contains("waitAction failed: the server stopped while the action ran"))
    #expect(again.ask(server, #"query counters:value {"name":"w"}"#) == "1")
    server.advance(milliseconds: 5_000)
    server.settle()
    #expect(again.ask(server, #"query counters:value {"name":"a"}"#) == "1")
    #expect(again.ask(server, #"query counters:value {"name":"b"}"#) == "1")
  }

  @Test("Finished jobs are kept for seven days, and then removed")
  func retention() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    for _ in 0..<1_200 { client.send(#"mutation x jobs:later {"after":0,"function":"add","args":{"name":"a","amount":1}}"#) }
    server.advance(milliseconds: 10)
    server.settle()
    _ = Self.later(client, server, after: 8 * 86_400_000, "add", #"{"name":"a","amount":1}"#)
    func count() -> Int { client.ask(server, "query jobs:states").split(separator: ",").count }
    #expect(count() == 1_201)
    for _ in 0..<7 * 24 - 1 {
      server.advance(milliseconds: 3_600_000)
      server.settle()
    }
    #expect(count() == 1_201)
    for _ in 0..<3 {
      server.advance(milliseconds: 3_600_000)
      server.settle()
    }
    #expect(count() == 1)
  }

  @Test("A subscription to jobs sees their states change")
  func live() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    client.send("subscribe s jobs:states")
    server.settle()
    _ = server.connect().ask(server, #"mutation jobs:later {"after":5,"function":"add","args":{"name":"a","amount":1}}"#)
    server.advance(milliseconds: 10)
    server.settle()
    #expect(client.takeText().filter { $0.hasPrefix("update") } == ["update s []", #"update s ["add pending"]"#, #"update s ["add success"]"#])
  }
}
