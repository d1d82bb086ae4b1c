import MartletTesting
import MartletValues
import MartletWire
import TestSupport
import Testing

@testable import Martlet

@Suite("The log of lines and runs")
struct RunLogTests {
  static func members(_ json: String) throws -> ObjectValue {
    guard case .object(let members) = try Value(json: json) else { throw WireError(.badRequest, "no object: \(json)") }
    return members
  }

  static func numbers(_ value: Value?) -> [Int] {
    guard case .array(let entries)? = value else { return [] }
    return entries.compactMap { if case .float64(let number)? = $0["number"] { Int(number) } else { nil } }
  }

  @Test("Who says which entry it saw last gets each later one once, and is told exactly how many it missed", arguments: 1...8)
  func following(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    var log = RunLog(startMilliseconds: 1_000)
    let first = 1_000_000
    var written = 0
    var seen = 0
    var got: [Int] = []
    var missed = 0
    for _ in 0..<60 {
      for _ in 0..<Int.random(in: 0...(Bool.random(using: &random) ? 300 : 9_000), using: &random) {
        log.append(LogLine(function: "a:b", level: written % 3 == 0 ? .info : .warning, message: "\(written)", at: 0))
        written += 1
      }
      let limit = Int.random(in: 1...4_000, using: &random)
      var writer = JSONWriter()
      log.write(after: UInt64(seen), limit, RunLog.Filter(level: .warning), to: &writer)
      let answer = try Self.members(String(decoding: writer.bytes, as: UTF8.self))
      let numbers = Self.numbers(answer["entries"])
      guard case .float64(let last)? = answer["last"], case .float64(let lost)? = answer["lost"] else { Issue.record("\(answer)"); return }
      #expect(numbers.count <= limit)
      #expect(Int(lost) == max(0, first + written - RunLog.maximumCount - max(seen + 1, first)))
      missed += Int(lost)
      let from = max(seen + 1, first) + Int(lost)
      #expect(numbers == (from..<max(from, Int(last) + 1)).filter { ($0 - first) % 3 != 0 })
      got += numbers
      seen = Int(last)
    }
    #expect(Set(got).count == got.count && missed > 0)
  }

  @Test("It is bounded in bytes as well, and keeps the newest entry however long that is")
  func bytes() throws {
    var log = RunLog(startMilliseconds: 1)
    let long = String(repeating: "x", count: RunLog.maximumBytes / 4)
    for number in 0..<10 { log.append(LogLine(function: "a:b", level: .info, message: "\(number)\(long)", at: 0)) }
    var writer = JSONWriter()
    log.writeNewest(100, RunLog.Filter(), to: &writer)
    #expect(writer.bytes.count < RunLog.maximumBytes + 10_000 && writer.bytes.count > RunLog.maximumBytes / 2)
    log.append(LogLine(function: "a:b", level: .info, message: String(repeating: long, count: 5), at: 0))
    writer.removeAll()
    log.writeNewest(100, RunLog.Filter(), to: &writer)
    #expect(writer.bytes.count > RunLog.maximumBytes && String(decoding: writer.bytes, as: UTF8.self).contains("number\":1010"))
  }

  // MARK: Which runs are kept

  static func entries(_ client: InProcessClient, _ server: EngineHarness, _ arguments: String = #"{"runs":"kept"}"#) throws -> [Value] {
    guard case .array(let entries) = try Value(json: client.ask(server, "query _system:logs \(arguments)")) else { return [] }
    return entries
  }

  /// `counters:logging success by request 7`
  static func text(_ entry: Value) -> String {
    func word(_ name: String) -> String { if case .string(let text)? = entry[name] { text } else { "-" } }
    guard entry["outcome"] != nil else { return "\(word("function")): \(word("message"))" }
    let id = ["request", "caller", "cron"].map(word).first { $0 != "-" } ?? "-"
    return "\(word("function")) \(word("outcome")) \(word("by")) \(id)"
  }

  @Test("A silent success of a client has no entry; a failure has one, and so has a run that logged, right after its lines")
  func kept() throws {
    let server = try EngineHarness.counters(["a": 1])
    let client = server.connect()
    client.send(
      #"query 1 counters:value {"name":"a"}"#, #"mutation 2 counters:add {"name":"a","amount":1}"#, #"mutation 3 counters:logging {"name":"a"}"#,
      #"mutation 4 counters:addThenFail {"name":"a","amount":5}"#, #"query 5 counters:value {"name":1}"#)
    server.settle()
    let entries = try Self.entries(client, server)
    #expect(
      entries.reversed().map(Self.text) == [
        "counters:logging: adding to a", "counters:logging: added", "counters:logging success request 3",
        "counters:addThenFail application request 4", "counters:value invalid_arguments request 5",
      ])
    #expect(entries[1]["message"] == "added up to 8.0" && entries[1]["level"] == "error" && entries[1]["documentsWritten"] == 1, "\(entries[1])")
    #expect(entries[2]["kind"] == "mutation" && entries[2]["documentsWritten"] == 1 && entries[2]["ms"] != nil, "\(entries[2])")
    // Without `runs` there are lines only, as ever; filters hold for both.
    #expect(try Self.entries(client, server, "{}").map(Self.text) == ["counters:logging: added", "counters:logging: adding to a"])
    #expect(try Self.entries(client, server, #"{"runs":"kept","level":"error"}"#).count == 2)
    #expect(try Self.entries(client, server, #"{"runs":"kept","function":"counters:l","limit":1}"#).map(Self.text) == ["counters:logging success request 3"])
    #expect(client.ask(server, #"query _system:logs {"after":-1}"#).hasPrefix("invalid_arguments"))
  }

  @Test("What a handler threw that its caller isn't told is in its entry, without secrets")
  func details() throws {
    let server = try EngineHarness.outside()
    let client = server.connect()
    #expect(client.ask(server, "action outside:leakBroken").hasPrefix("function_failed: outside:leakBroken failed"))
    let entry = try #require(try Self.entries(client, server).first)
    #expect(Self.text(entry) == "outside:leakBroken function_failed request ask")
    #expect(entry["message"] == "no access by [PAYMENTS_KEY]" && entry["kind"] == "action" && entry["documentsRead"] == nil)
  }

  @Test("A run beside the engine's thread that takes long is slow; a conflict makes no entry of its own")
  func slow() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1])
    let client = server.connect()
    client.send(#"mutation 1 counters:slowAdd {"name":"a","amount":1}"#)
    server.connect().send(#"mutation 2 counters:set {"name":"a","value":5}"#)
    server.settle()
    #expect(server.statistic("conflicts") == 1)
    #expect(try Self.entries(client, server).isEmpty, "20 ms are not slow")
    server.clock.nanosecondsPerReading = 50_000_000
    client.send(#"mutation 3 counters:slowAdd {"name":"a","amount":1}"#)
    server.settle()
    let entry = try #require(try Self.entries(client, server).last)
    #expect(Self.text(entry) == "counters:slowAdd success request 3")
    #expect(entry["isSlow"] == true && entry["level"] == "warning")
    guard case .float64(let milliseconds)? = entry["ms"] else { Issue.record("no time"); return }
    #expect(milliseconds >= 100)
  }

  @Test("Each action and each job has an entry, that of a job that failed included, and says where it came from")
  func jobs() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    client.send(
      #"action 1 jobs:addAction {"name":"a"}"#, #"mutation 2 jobs:later {"after":0,"function":"add","args":{"name":"a","amount":1}}"#,
      #"mutation 3 jobs:later {"after":0,"function":"fail","args":{}}"#, #"mutation 4 jobs:later {"after":0,"function":"idleAction","args":{"name":"x"}}"#)
    server.settle()
    server.advance(milliseconds: 10)
    server.settle()
    let texts = try Self.entries(client, server).map(Self.text).sorted()
    #expect(
      texts == [
        "jobs:add success job -", "jobs:addAction success request 1", "jobs:fail application job -", "jobs:idleAction success job -",
      ])
    let failed = try #require(try Self.entries(client, server, #"{"runs":"kept","level":"error"}"#).first)
    #expect(failed["message"] == "on purpose" && failed["job"] != nil)
    #expect(server.statistic("jobsFailed") == 1)
  }

  @Test("A cron's run says which cron it is")
  func crons() throws {
    let server = try CronTests.server([Cron("often", .interval(.seconds(25)), CronApp.tickAction("o"))])
    CronTests.pass(server, seconds: 26)
    // The mutation that the action ran has logged.
    #expect(
      try Self.entries(server.connect(), server).reversed().map(Self.text) == [
        "crons:tick: tick of o", "crons:tick success function crons:tickAction", "crons:tickAction success cron often",
      ])
  }

  @Test("Every run is kept while somebody watches, live ones too, and two seconds longer")
  func all() throws {
    let server = try EngineHarness.jobs()
    let client = server.connect()
    #expect(try Self.entries(client, server, #"{"runs":"all"}"#).isEmpty)
    client.send(#"subscribe 1 counters:all"#, #"mutation 2 counters:set {"name":"a","value":1}"#, #"query 3 counters:all"#)
    server.settle()
    #expect(
      try Self.entries(client, server).reversed().map(Self.text) == [
        "counters:set success request 2", "counters:all success request 3", "counters:all success subscription -",
      ])
    let watcher = server.connect()
    watcher.send(#"subscribe 1 _system:logs {"runs":"all","limit":1}"#)
    server.advance(milliseconds: 5_000)
    client.send(#"query 4 counters:all"#)
    server.settle()
    #expect(try Self.entries(client, server).count == 4)
    watcher.disconnect()
    server.advance(milliseconds: 2_500)
    client.send(#"query 5 counters:all"#)
    server.settle()
    #expect(try Self.entries(client, server).count == 4)
  }

  @Test("A server that is to keep every run does, and numbers go on after its restart")
  func always() throws {
    var configuration = EngineConfiguration()
    configuration.logsAllRuns = true
    let server = try EngineHarness.jobs(configuration: configuration)
    #expect(server.connect().ask(server, "query counters:all") == "[]")
    let before = try #require(Self.numbers(.array(try Self.entries(server.connect(), server))).first)
    server.advance(milliseconds: 1)
    try server.crash()
    #expect(server.connect().ask(server, "query counters:all") == "[]")
    let answer = try Self.members(server.connect().ask(server, #"query _system:logs {"after":\#(before),"runs":"kept"}"#))
    #expect(Self.numbers(answer["entries"]).count == 1 && Self.numbers(answer["entries"])[0] > before && answer["lost"] == 0)
  }

  // MARK: Tallies

  @Test("The tallies of functions are what their runs add up to", arguments: 1...4)
  func tallies(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let server = try EngineHarness.jobs()
    let client = server.connect()
    var expected: [String: (runs: Int, failures: Int, read: Int, written: Int)] = [:]
    func expect(_ name: String, failures: Int = 0, read: Int = 0, written: Int = 0) {
      let old = expected[name] ?? (0, 0, 0, 0)
      expected[name] = (old.runs + 1, old.failures + failures, old.read + read, old.written + written)
    }
    var count = 0
    for number in 0..<300 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        client.send(#"mutation \#(number) counters:set {"name":"n\#(number)","value":1}"#)
        count += 1
        expect("counters:set", written: 1)
      case 1:
        client.send("query \(number) counters:all")
        expect("counters:all", read: count)
      case 2:
        client.send("mutation \(number) jobs:fail")
        expect("jobs:fail", failures: 1)
      default:
        client.send(#"action \#(number) jobs:idleAction {"name":"x"}"#)
        expect("jobs:idleAction")
      }
    }
    server.settle()
    guard case .array(let tallies) = try Value(json: client.ask(server, "query _system:functionStats")) else { Issue.record("no array"); return }
    #expect(tallies.map { $0["name"] } == expected.keys.sorted().map { .string($0) })
    for tally in tallies {
      guard case .string(let name)? = tally["name"], let expected = expected[name] else { continue }
      let found = ["runs", "failures", "documentsRead", "documentsWritten"].map { tally[$0] }
      #expect(found == [expected.runs, expected.failures, expected.read, expected.written].map { .float64(Double($0)) }, "\(name)")
      guard case .float64(let timed)? = tally["timedRuns"] else { Issue.record("no timedRuns"); continue }
      let inARow = Int(FunctionTally.timedInARow)
      if name == "counters:all", expected.runs > inARow { #expect(Int(timed) >= inARow && Int(timed) < expected.runs) }
      if name == "jobs:fail" { #expect(Int(timed) == expected.runs, "what has entries is timed") }
    }
  }
}
