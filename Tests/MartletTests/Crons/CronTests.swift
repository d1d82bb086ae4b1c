import MartletTesting
import MartletValues
import MartletWire
import Testing

@testable import Martlet

/// Functions that crons run, and that change crons.
enum CronApp: FunctionModule {
  static let path = "crons"
  static let functions: [any ServerFunction] = [tick, tickAction, failing, waiting, register, remove, list, runs, registerThenFail]

  static let tick = Mutation("tick", Arg("name", .string)) { ctx, name in
    ctx.log.info("tick of \(name)")
    return try CounterFunctions.add(ctx.db, name, 1)
  }

  static let tickAction = Action("tickAction", Arg("name", .string)) { ctx, name in try await ctx.run(tick(name)) }
  static let failing = Mutation("failing") { ctx in throw ApplicationError("out of order") }
  static let waiting = Action("waiting") { ctx in try await Gate.waitForCancellation() }

  static let register = Mutation("register", Arg("name", .string), Arg("cron", .string), Arg("counter", .string)) { ctx, name, cron, counter in
    try ctx.crons.register(name, .cron(cron), tick(counter))
  }

  static let registerThenFail = Mutation("registerThenFail", Arg("name", .string)) { ctx, name in
    try ctx.crons.register(name, .interval(.seconds(1)), tick(name))
    throw ApplicationError("taken back")
  }

  static let remove = Mutation("remove", Arg("name", .string)) { ctx, name in try ctx.crons.remove(name) }
  static let list = Query("list") { ctx in
    try ctx.db.query(Crons.self).withIndex(\.byName).collect().map { "\($0.cron) \($0.schedule) \($0.nextTime.map { "\(Int($0 - SimulatedClock.epochMilliseconds) / 1000)" } ?? "never")" }
  }

  static let runs = Query("runs", Arg("name", .string)) { ctx, name in
    try ctx.db.query(CronRuns.self).withIndex(\.byCron) { $0.eq(\.cron, name) }.collect().map { run in
      "\(Int(run.scheduledTime - SimulatedClock.epochMilliseconds) / 1000) \(run.status.rawValue)\(run.error.map { ": \($0)" } ?? "")\(run.result.map { " \($0)" } ?? "")\(run.logLines.isEmpty ? "" : " \(run.logLines)")"
    }
  }
}

/// The simulated clock begins at 12:26:40 UTC on a Wednesday: 40 s past, so minute-wise crons run first after 20 s.
@Suite("Crons")
struct CronTests {
  static func server(_ crons: [Cron], seed: UInt64 = 1, disk: MemoryStorage.Disk = .init()) throws -> EngineHarness {
    try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self, CronApp.self], crons: crons, seed: seed, disk: disk)
  }

  static func counters(_ server: EngineHarness) -> String { server.connect().ask(server, "query counters:all") }

  /// Lets time pass in steps, so that what the time brings is done when it comes.
  static func pass(_ server: EngineHarness, seconds: Int) {
    server.advance(milliseconds: seconds * 1_000)
    server.settle()
  }

  @Test("A declared cron runs at its times, with its arguments, and its runs say how they went")
  func declared() throws {
    let server = try Self.server([
      Cron("minutely", .cron("* * * * *"), CronApp.tick("m")), Cron("often", .interval(.seconds(25)), CronApp.tickAction("o")),
      Cron("broken", .cron("0 30 12 * * *"), CronApp.failing()),
    ])
    Self.pass(server, seconds: 19)
    #expect(Self.counters(server) == "[]")
    Self.pass(server, seconds: 1)
    #expect(Self.counters(server) == #"["m=1"]"#)
    Self.pass(server, seconds: 60 * 4)
    #expect(Self.counters(server) == #"["m=5","o=10"]"#)
    let client = server.connect()
    #expect(client.ask(server, #"query crons:runs {"name":"broken"}"#) == #"["200 failed: out of order"]"#)
    let runs = client.ask(server, #"query crons:runs {"name":"minutely"}"#)
    #expect(runs.hasPrefix(#"["20 success 1 [\"info: tick of m\"]","80 success 2 "#))
    #expect(client.ask(server, #"query crons:runs {"name":"often"}"#).hasPrefix(#"["25 success 1","50 success 2","75 success 3""#))
  }

  @Test("A restart changes neither the times nor the number of runs; what was missed is run once")
  func restart() throws {
    let crons = [Cron("minutely", .cron("* * * * *"), CronApp.tick("m")), Cron("often", .interval(.seconds(7)), CronApp.tick("o"))]
    let server = try Self.server(crons)
    Self.pass(server, seconds: 65)
    #expect(Self.counters(server) == #"["m=1","o=9"]"#)
    try server.crash()
    Self.pass(server, seconds: 5)
    #expect(Self.counters(server) == #"["m=1","o=10"]"#, "7 × 10 = 70 s: the intervals go on from where they began")
    server.clock.advance(nanoseconds: 600_000_000_000)
    try server.crash()
    server.settle()
    #expect(Self.counters(server) == #"["m=2","o=11"]"#)
    Self.pass(server, seconds: 60)
    #expect(Self.counters(server) == #"["m=3","o=20"]"#)
  }

  @Test("One that is no longer declared stops, one that is new starts, one whose schedule changed takes the new one, others keep their times")
  func changes() throws {
    let server = try Self.server([
      Cron("gone", .cron("* * * * *"), CronApp.tick("gone")), Cron("changed", .cron("* * * * *"), CronApp.tick("changed")),
      Cron("kept", .interval(.seconds(30)), CronApp.tick("kept")),
    ])
    Self.pass(server, seconds: 25)
    let again = try Self.server(
      [
        Cron("changed", .interval(.seconds(10)), CronApp.tick("changed")), Cron("kept", .interval(.seconds(30)), CronApp.tick("kept2")),
        Cron("new", .interval(.seconds(20)), CronApp.tick("new")),
      ], seed: 2, disk: server.disk)
    // The clock of the second server begins anew, at 12:26:40.
    let names = again.connect().ask(again, "query crons:list")
    #expect(names.contains("changed ") && names.contains("kept ") && names.contains("new ") && !names.contains("gone"))
    Self.pass(again, seconds: 61)
    let counters = Self.counters(again)
    #expect(counters.contains("gone=1") && counters.contains("changed=7") && counters.contains("kept2=2") && counters.contains("new=3"))
  }

  @Test("A run that is still going when the next is due has that one skipped, and recorded")
  func overlap() throws {
    let server = try Self.server([Cron("slow", .interval(.seconds(10)), CronApp.waiting())])
    Self.pass(server, seconds: 35)
    let client = server.connect()
    let runs = client.ask(server, #"query crons:runs {"name":"slow"}"#)
    #expect(runs.hasPrefix(#"["10 inProgress","20 skipped: the run of "#))
    #expect(runs.contains("30 skipped"))
    let jobs = client.ask(server, #"query _system:scheduled {"state":"inProgress"}"#)
    let job = try #require(jobs.firstMatch(of: /"_id":("[^"]+")/)).1
    _ = client.ask(server, "mutation _system:cancelJob {\"id\":\(job)}")
    Self.pass(server, seconds: 10)
    let later = client.ask(server, #"query crons:runs {"name":"slow"}"#)
    #expect(later.hasPrefix(#"["10 canceled""#) && later.hasSuffix(#""40 inProgress"]"#))
  }

  @Test("Crons come and go at run time, with the transaction; a declared one can't be changed so")
  func atRunTime() throws {
    let declared = [Cron("declared", .hourly(), CronApp.tick("d"))]
    let server = try Self.server(declared)
    let client = server.connect()
    #expect(client.ask(server, #"mutation crons:register {"name":"mine","cron":"* * * * *","counter":"x"}"#).hasPrefix("\""))
    #expect(client.ask(server, #"mutation crons:registerThenFail {"name":"never"}"#).hasPrefix("application"))
    #expect(client.ask(server, #"mutation crons:register {"name":"declared","cron":"* * * * *","counter":"x"}"#).hasPrefix("application: cron \"declared\" is declared"))
    #expect(client.ask(server, #"mutation crons:remove {"name":"declared"}"#).hasPrefix("application: cron \"declared\" is declared"))
    #expect(client.ask(server, #"mutation crons:register {"name":"bad","cron":"61 * * * *","counter":"x"}"#).hasPrefix("invalid_arguments: cron \"bad\": "))
    Self.pass(server, seconds: 100)
    #expect(Self.counters(server) == #"["x=2"]"#)
    try server.crash()
    Self.pass(server, seconds: 60)
    #expect(Self.counters(server) == #"["x=3"]"#, "it survives a restart")
    let again = server.connect()
    #expect(again.ask(server, #"mutation crons:remove {"name":"mine"}"#) == "true")
    #expect(again.ask(server, #"mutation crons:remove {"name":"mine"}"#) == "false")
    Self.pass(server, seconds: 120)
    #expect(Self.counters(server) == #"["x=3"]"#)
  }

  @Test("A cron can be run by hand; its schedule goes on as it was")
  func byHand() throws {
    let server = try Self.server([Cron("hourly", .hourly(), CronApp.tick("h"))])
    let client = server.connect()
    #expect(client.ask(server, #"mutation _system:runCron {"name":"hourly"}"#) == "null")
    server.settle()
    #expect(Self.counters(server) == #"["h=1"]"#)
    #expect(client.ask(server, #"mutation _system:runCron {"name":"nightly"}"#).hasPrefix("not_found: there is no cron \"nightly\""))
    #expect(client.ask(server, "query crons:list").contains("hourly"))
    Self.pass(server, seconds: 33 * 60 + 20)
    #expect(Self.counters(server) == #"["h=2"]"#)
    #expect(client.ask(server, "query _system:crons").contains(#""name":"hourly""#))
    #expect(client.ask(server, #"query _system:cronRuns {"name":"hourly"}"#).split(separator: "success").count == 3)
  }

  @Test("A cron that can't be keeps the server from starting, with the reason")
  func refused() throws {
    func problem(_ cron: Cron) -> String {
      do {
        _ = try Self.server([cron])
        return "started"
      } catch { return "\(error)" }
    }
    #expect(problem(Cron("bad", .cron("* * * *"), CronApp.tick("x"))).contains("cron \"bad\": "))
    #expect(problem(Cron("never", .cron("0 0 30 2 *"), CronApp.tick("x"))).contains("cron \"never\": "))
    #expect(problem(Cron("query", .hourly(), FunctionCall<Value>(kind: .query, name: "crons:list"))).contains("crons:list is a query"))
    #expect(problem(Cron("typo", .hourly(), FunctionCall<Value>(kind: .mutation, name: "crons:tik"))).contains("did you mean \"crons:tick\"?"))
    #expect(problem(Cron("args", .hourly(), FunctionCall<Value>(kind: .mutation, name: "crons:tick"))).contains("args.name: expected string, found nothing"))
  }

  @Test("Only the last runs of a cron are kept")
  func kept() throws {
    let server = try Self.server([Cron("often", .interval(.seconds(1)), CronApp.tick("o"))])
    for _ in 0..<50 { Self.pass(server, seconds: 1) }
    let runs = server.connect().ask(server, #"query crons:runs {"name":"often"}"#)
    #expect(runs.split(separator: "success").count == CronRuns.kept + 1)
    #expect(runs.contains(#""50 success 50"#) && !runs.contains(#""30 success"#))
  }
}
