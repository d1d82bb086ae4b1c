import MartletTesting
import MartletValues
import Synchronization
import Testing

@testable import Martlet

@Suite("Workpools")
struct WorkpoolTests {
  /// The works' ids.
  static func enqueue(
    _ client: InProcessClient, _ server: EngineHarness, _ pool: String, _ names: [String], _ more: String = ""
  ) throws -> [String] {
    let list = names.map { "\"\($0)\"" }.joined(separator: ",")
    let answer = client.ask(server, #"mutation working:enqueue {"names":[\#(list)],"pool":"\#(pool)"\#(more)}"#)
    guard case .array(let works) = try Value(json: answer) else { throw ApplicationError(answer) }
    return works.map { work in
      guard case .string(let text) = work else { return "" }
      return String(text.prefix { $0 != "@" })
    }
  }

  static func status(_ client: InProcessClient, _ server: EngineHarness, _ work: String) -> String {
    client.ask(server, #"query working:status {"work":"\#(work)"}"#)
  }

  static func counts(_ client: InProcessClient, _ server: EngineHarness, _ pool: String) -> String {
    client.ask(server, #"query working:counts {"pool":"\#(pool)"}"#)
  }

  static func ends(_ client: InProcessClient, _ server: EngineHarness) throws -> [String] {
    guard case .array(let ends) = try Value(json: client.ask(server, "query working:ends")) else { return [] }
    return ends.map { if case .string(let text) = $0 { text } else { "" } }
  }

  static func pass(_ server: EngineHarness, milliseconds: Int) {
    server.advance(milliseconds: milliseconds)
    server.settle()
  }

  @Test("Work runs so many pieces at a time, in the order in which it was enqueued, and each end is told once, with what was answered")
  func running() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    let works = try Self.enqueue(client, server, "two", (0..<7).map { "running.two.\($0)" })
    Self.pass(server, milliseconds: 10)
    for round in 0..<4 {
      let expected = (round * 2..<min(7, round * 2 + 2)).map { "running.two.\($0)" }
      #expect(Watch.running("running.two") == expected)
      #expect(Self.counts(client, server, "two") == "[\(7 - round * 2 - expected.count),\(expected.count)]")
      if round == 0 {
        #expect(Self.status(client, server, works[1]) == #"{"attempt":1,"state":"running"}"#)
        #expect(Self.status(client, server, works[2]) == #"{"attempt":1,"position":0,"state":"pending"}"#)
        #expect(Self.status(client, server, works[6]) == #"{"attempt":1,"position":4,"state":"pending"}"#)
      }
      Self.pass(server, milliseconds: 1_000)
    }
    #expect(Self.counts(client, server, "two") == "[0,0]")
    #expect(Watch.most("running.two") == 2)
    #expect(try Self.ends(client, server).sorted() == works.map { #"\#($0) success "fine""# }.sorted())
    #expect(Self.status(client, server, works[6]) == #"{"result":{"returnValue":"fine","type":"success"},"state":"finished"}"#)
  }

  @Test("A pool that has much to do leaves another its places, and what is to start later its time")
  func severalPools() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    _ = try Self.enqueue(client, server, "one", (0..<1_000).map { "several.one.\($0)" })
    _ = try Self.enqueue(client, server, "two", ["several.two.later"], #","after":500"#)
    _ = try Self.enqueue(client, server, "two", ["several.two.a"])
    Self.pass(server, milliseconds: 499)
    #expect(Watch.running("several.one") == ["several.one.0"])
    #expect(Watch.running("several.two") == ["several.two.a"])
    Self.pass(server, milliseconds: 2)
    #expect(Watch.running("several.two") == ["several.two.a", "several.two.later"])
    Self.pass(server, milliseconds: 2_000)
    #expect(Watch.running("several.one") == ["several.one.2"])
    #expect(Watch.running("several.two").isEmpty)
  }

  @Test("Mutations run once each, one after another where the pool says so; one that throws has written nothing, and isn't tried again")
  func mutations() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    let works = try Self.enqueue(client, server, "retried", ["a", "bad", "a", "b"], #","function":"add""#)
    Self.pass(server, milliseconds: 1)
    #expect(client.ask(server, "query counters:all") == #"["a=2","b=1"]"#)
    #expect(
      try Self.ends(client, server)
        == ["\(works[0]) success \"a\"", "\(works[1]) failed no bad", "\(works[2]) success \"a\"", "\(works[3]) success \"b\""])
    #expect(client.ask(server, "query working:items").contains("\(works[1]) retried add bad failed 1"))
    Self.pass(server, milliseconds: 600_000)
    #expect(try Self.ends(client, server).count == 4)
  }

  @Test("What can't run is refused when it is enqueued, with the reason, and a mutation that throws has enqueued nothing")
  func refusals() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    func ask(_ how: String) -> String { client.ask(server, #"mutation working:misuse {"how":"\#(how)"}"#) }
    #expect(ask("pool") == "invalid_arguments: there is no workpool \"none\"; declare it: MartletApp(…, workpools: […])")
    #expect(ask("pause") == ask("pool"))
    #expect(ask("query") == "wrong_kind: working:ends is a query: mutations and actions can be scheduled")
    #expect(ask("unknown").hasPrefix("unknown_function: there is no function \"working:nothing\""))
    #expect(ask("arguments") == "invalid_arguments: workpool one: working:visit: args.name: expected string, found number")
    #expect(ask("mutation").hasPrefix("invalid_arguments: workpool one: working:add is a mutation, which would fail again"))
    #expect(ask("options") == "invalid_arguments: workpool one: base is 0.5; it is 1 or more")
    #expect(ask("time").hasPrefix("invalid_arguments: workpool one: work can't start at inf"))
    #expect(ask("long").hasSuffix("its arguments have 1048011 bytes, and 1044480 are the most; pass an id"))
    #expect(ask("throw") == "application: taken back")
    #expect(client.ask(server, "query working:items") == #"["counts one 0 0","counts two 0 0","counts retried 0 0"]"#)
    #expect(client.ask(server, #"mutation working:cancel {"work":"none"}"#).hasPrefix("invalid_arguments"))
  }

  @Test("Pools that can't be as they are declared keep the server from starting, with the reason")
  func declarations() throws {
    func refusal(_ pools: [Workpool]) -> String {
      do { _ = try EngineHarness.work(pools: pools) } catch { return "\(error)" }
      return "none"
    }
    #expect(refusal([Workpool("", maxParallelism: 1)]) == "a workpool has an empty name; give it one")
    #expect(refusal([Working.one, Working.two, Working.one]) == "two workpools are called \"one\"; rename one")
    #expect(refusal([Workpool("x", maxParallelism: 0)]) == "the workpool \"x\" runs 0 at a time; make it 1 or more, and pause a pool to stop it")
    #expect(refusal([Workpool("x", maxParallelism: 1, retry: RetryOptions(maxFailures: -1))]).hasPrefix("the workpool \"x\": maxFailures is -1"))
  }

  @Test("A failed action waits longer and longer, and gives its place to others meanwhile; errors that are final end it at once")
  func retries() throws {
    let server = try EngineHarness.work { request in
      let status =
        switch request.url {
        case let url where url.contains(".down/"): 500
        case let url where url.contains(".gone/"): 404
        case let url where url.hasSuffix(".once/1"): 429
        default: 200
        }
      return .response(Response(status: status, headers: status == 429 ? ["retry-after": "30"] : [:]), after: 10)
    }
    let client = server.connect()
    let works = try Self.enqueue(client, server, "retried", ["retries.r.down", "retries.r.gone", "retries.r.once", "retries.r.other"])
    Self.pass(server, milliseconds: 12)
    #expect(Self.status(client, server, works[0]) == #"{"attempt":2,"position":2,"state":"pending"}"#)
    #expect(Watch.running("retries.r") == ["retries.r.gone"])
    Self.pass(server, milliseconds: 50)
    #expect(Self.counts(client, server, "retried") == "[2,0]", "two wait to be tried again")
    #expect(try Self.ends(client, server).map { $0.prefix(40).split(separator: " ")[1] } == ["failed", "success"])
    var times: [Int] = []
    for millisecond in 62..<10_000 {
      while times.count < Watch.attempts("retries.r.down") { times.append(millisecond) }
      Self.pass(server, milliseconds: 1)
    }
    #expect(times.count == 3 && Watch.attempts("retries.r.once") == 1)
    #expect((125...375).contains(times[1] - 12) && (250...750).contains(times[2] - times[1] - 10), "\(times)")
    #expect(try Self.ends(client, server).last?.contains("failed") == true)
    Self.pass(server, milliseconds: 21_000)
    #expect(Watch.attempts("retries.r.once") == 2 && Watch.attempts("retries.r.gone") == 1)
    #expect(try Self.ends(client, server).last == "\(works[2]) success \"\"")
    // In a pool that says nothing of it, an action is tried once, unless it is enqueued with options of its own.
    _ = try Self.enqueue(client, server, "two", ["retries.two.down"])
    _ = try Self.enqueue(client, server, "two", ["retries.three.down"], #","maxFailures":1"#)
    Self.pass(server, milliseconds: 60_000)
    #expect(Watch.attempts("retries.two.down") == 1 && Watch.attempts("retries.three.down") == 2)
    #expect(Self.counts(client, server, "two") == "[0,0]")
  }

  @Test("Work is cancelled in each state, once; one that runs frees its place, and one that is over stays as it is")
  func cancelling() throws {
    let server = try EngineHarness.work { request in
      request.url.contains("down") ? .response(Response(status: 500)) : .response(Response(status: 200), after: 1_000)
    }
    let client = server.connect()
    func cancel(_ work: String, _ function: String = "mutation working:cancel") {
      #expect(client.ask(server, "\(function) {\"work\":\"\(work)\"}") == "null")
    }
    let failing = try Self.enqueue(client, server, "retried", ["cancelling.down"])[0]
    Self.pass(server, milliseconds: 2)
    let works = try Self.enqueue(client, server, "one", (0..<5).map { "cancelling.\($0)" })
    let delayed = try Self.enqueue(client, server, "one", ["cancelling.delayed"], #","after":5000"#)[0]
    Self.pass(server, milliseconds: 2)
    for work in [failing, delayed, works[1]] { cancel(work) }
    cancel(works[0])
    Self.pass(server, milliseconds: 2)
    #expect(Watch.running("cancelling.2") == ["cancelling.2"])
    cancel(works[2], "mutation working:cancelJob")
    Self.pass(server, milliseconds: 2)
    cancel(works[3], "action working:cancelFromAction")
    Self.pass(server, milliseconds: 1_500)
    for work in works { cancel(work) }
    Self.pass(server, milliseconds: 20_000)
    let canceled = [failing, delayed, works[1], works[0], works[2], works[3]].map { "\($0) canceled" }
    #expect(try Self.ends(client, server) == canceled + ["\(works[4]) success \"\""])
    #expect(Watch.attempts("cancelling.1") == 0 && Watch.attempts("cancelling.delayed") == 0 && Watch.attempts("cancelling.down") == 1)
    #expect(server.statistic("actionsRunning") == 0 && server.statistic("jobsPending") == 0)
    for pool in ["one", "retried"] { #expect(Self.counts(client, server, pool) == "[0,0]") }
  }

  @Test("A pool is emptied of all that is in it, however much, and of nothing that is enqueued after; other pools stay as they are")
  func cancellingAll() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    let works = try Self.enqueue(client, server, "two", (0..<300).map { "all.two.\($0)" })
    let delayed = try Self.enqueue(client, server, "two", ["all.two.delayed"], #","after":60000"#)
    let others = try Self.enqueue(client, server, "one", (0..<3).map { "all.one.\($0)" })
    Self.pass(server, milliseconds: 5)
    let new = client.ask(server, #"mutation working:cancelAllThenEnqueue {"name":"all.two.new","pool":"two"}"#)
    Self.pass(server, milliseconds: 5)
    #expect(try Self.ends(client, server).sorted() == (works + delayed).map { "\($0) canceled" }.sorted())
    #expect(Watch.running("all.two") == ["all.two.new"])
    #expect(Self.counts(client, server, "one") == "[2,1]")
    Self.pass(server, milliseconds: 90_000)
    #expect(try Self.ends(client, server).suffix(4).contains(#"\#(new.dropFirst().dropLast()) success "fine""#))
    #expect(try Self.ends(client, server).count == 302 + others.count)
    #expect(client.ask(server, #"mutation working:cancelAll {"pool":"two"}"#) == "null", "it is empty")
    Self.pass(server, milliseconds: 5)
    #expect(try Self.ends(client, server).count == 302 + others.count)
  }

  @Test("A pool that is paused starts nothing, a restart or not, until it is resumed")
  func pausing() throws {
    let server = try EngineHarness.work()
    var client = server.connect()
    _ = try Self.enqueue(client, server, "two", (0..<3).map { "pausing.two.\($0)" })
    Self.pass(server, milliseconds: 5)
    #expect(client.ask(server, #"mutation working:pause {"pool":"two"}"#) == "null")
    Self.pass(server, milliseconds: 5_000)
    #expect(Self.counts(client, server, "two") == "[1,0]")
    #expect(client.ask(server, #"query working:isPaused {"pool":"two"}"#) == "true")
    #expect(client.ask(server, #"query working:isPaused {"pool":"one"}"#) == "false")
    try server.crash()
    client = server.connect()
    Self.pass(server, milliseconds: 5_000)
    #expect(Watch.attempts("pausing.two.2") == 0)
    #expect(client.ask(server, #"mutation working:resume {"pool":"two"}"#) == "null")
    Self.pass(server, milliseconds: 5)
    #expect(Watch.attempts("pausing.two.2") == 1)
  }

  @Test("A crash interrupts an attempt, which frees its place and counts as a failure; the rest goes on, and all ends are told once")
  func crash() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    let works = try Self.enqueue(client, server, "two", (0..<3).map { "crash.two.\($0)" })
    let retried = try Self.enqueue(client, server, "retried", ["crash.retried.0"])[0]
    Self.pass(server, milliseconds: 5)
    Watch.lose("crash")
    try server.crash()
    Self.pass(server, milliseconds: 5)
    #expect(Watch.running("crash.two") == ["crash.two.2"])
    Self.pass(server, milliseconds: 10_000)
    try server.crash()
    Self.pass(server, milliseconds: 10_000)
    let ends = try Self.ends(server.connect(), server)
    #expect(ends.count == 4)
    #expect(ends.count { $0.contains("failed the server stopped while the action ran") } == 2)
    #expect(ends.contains("\(works[2]) success \"fine\"") && ends.contains("\(retried) success \"fine\""))
    #expect(Watch.attempts("crash.retried.0") == 2 && Watch.attempts("crash.two.0") == 1)
  }

  @Test("A pool that is declared anew with other figures has them from the start; one that is not declared rests; a function that is gone fails")
  func redeclared() throws {
    let disk = MemoryStorage.Disk()
    let first = try EngineHarness.work(disk: disk)
    let client = first.connect()
    _ = try Self.enqueue(client, first, "one", (0..<9).map { "redeclared.one.\($0)" })
    let rested = try Self.enqueue(client, first, "two", (0..<4).map { "redeclared.two.\($0)" })
    Self.pass(first, milliseconds: 5)
    Watch.lose("redeclared")
    let second = try EngineHarness.work(pools: [Workpool("one", maxParallelism: 4)], disk: disk)
    let other = second.connect()
    Self.pass(second, milliseconds: 5)
    #expect(Watch.running("redeclared.one").count == 4)
    #expect(Watch.running("redeclared.two").isEmpty)
    Self.pass(second, milliseconds: 60_000)
    #expect(Self.counts(other, second, "two") == "[2,0]", "what ran when the server stopped has failed")
    #expect(other.ask(second, #"mutation working:cancel {"work":"\#(rested[3])"}"#) == "null")
    enum Less: FunctionModule {
      static let path = "working"
      static let functions: [any ServerFunction] = [Working.ended, Working.items, Working.ends]
    }
    let third = try EngineHarness.work(disk: disk, modules: [Less.self])
    Self.pass(third, milliseconds: 60_000)
    let last = third.connect()
    #expect(last.ask(third, "query working:items").contains("\(rested[2]) two visit redeclared.two.2 failed 0"))
    #expect(try Self.ends(last, third).contains { $0.hasPrefix("\(rested[2]) failed there is no function \"working:visit\"") })
    #expect(try Self.ends(last, third).count == 13)
  }

  @Test("Ten thousand pieces in one mutation, sixty-four clients at once, and long mutations that enqueue beside them: all run, nobody conflicts")
  func many() throws {
    let server = try EngineHarness.work { _ in .response(Response(status: 200)) }
    let client = server.connect()
    #expect(client.ask(server, #"mutation working:enqueueMany {"count":10000,"pool":"two"}"#) == "null")
    let clients = (0..<64).map { _ in server.connect() }
    for (number, client) in clients.enumerated() {
      client.send(#"mutation long working:enqueueLong {"names":["many.one.\#(number).long"],"pool":"one"}"#)
      client.send(#"mutation short working:enqueue {"names":["many.one.\#(number)"],"pool":"one"}"#)
    }
    server.settle()
    for client in clients { #expect(client.take().map(\.kind) == [.ok, .ok]) }
    Self.pass(server, milliseconds: 60_000)
    #expect(server.statistic("conflicts") == 0)
    #expect(Self.counts(client, server, "one") == "[0,0]" && Self.counts(client, server, "two") == "[0,0]")
    #expect(try Self.ends(client, server).count == 128)
    #expect(client.ask(server, "query counters:total") == "10000")
    #expect(Watch.most("many.one") == 1)
  }

  @Test("An onComplete that throws changes nothing of the work's end, and its job tells why; a result that is too long fails the work")
  func badEnds() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    let works = try Self.enqueue(client, server, "one", ["badly"], #","function":"add","then":"badly""#)
    Self.pass(server, milliseconds: 5)
    #expect(client.ask(server, "query working:items").contains("\(works[0]) one add badly failed 1"))
    #expect(client.ask(server, "query counters:all") == "[]")
    #expect(client.ask(server, "query _system:scheduled").contains("I don't care"))
    let long = try Self.enqueue(client, server, "one", ["1048570", "10"], #","function":"long""#)
    Self.pass(server, milliseconds: 5)
    let ends = try Self.ends(client, server)
    #expect(ends.count == 2)
    #expect(ends.first?.hasPrefix("\(long[0]) failed how it ended could not be noted: ") == true)
    #expect(ends.last == "\(long[1]) success \"xxxxxxxxxx\"")
  }

  @Test("A live status tells each place in the queue, and how it ended; a live count likewise")
  func live() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    let works = try Self.enqueue(client, server, "one", (0..<3).map { "live.one.\($0)" })
    let watcher = server.connect()
    watcher.send(#"subscribe w working:status {"work":"\#(works[2])"}"#)
    server.settle()
    for _ in 0..<4 { Self.pass(server, milliseconds: 1_000) }
    let told = watcher.take().filter { $0.id == "w" && $0.rest.hasPrefix("{\"") }.map(\.rest)
    #expect(
      told == [
        #"{"attempt":1,"position":1,"state":"pending"}"#, #"{"attempt":1,"position":0,"state":"pending"}"#, #"{"attempt":1,"state":"running"}"#,
        #"{"result":{"returnValue":"fine","type":"success"},"state":"finished"}"#,
      ])
    for text in told { #expect(try text.utf8Decoded(WorkStatus.self).encoded == text) }
  }

  @Test("Actions enqueue and cancel")
  func actions() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    let names = (0..<4).map { "\"actions.one.\($0)\"" }.joined(separator: ",")
    #expect(client.ask(server, #"action working:enqueueFromAction {"names":[\#(names)]}"#).hasPrefix("[\""))
    Self.pass(server, milliseconds: 5)
    #expect(Watch.running("actions.one") == ["actions.one.0"])
    Self.pass(server, milliseconds: 10_000)
    #expect(try Self.ends(client, server).count == 3)
    #expect((0..<4).allSatisfy { Watch.attempts("actions.one.\($0)") == 1 })
  }

  @Test("Work is kept for 7 days after its end, then removed")
  func removal() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    let works = try Self.enqueue(client, server, "one", (0..<700).map { "n\($0)" }, #","function":"add","then":"nothing""#)
    _ = try Self.enqueue(client, server, "one", ["late"], #","after":\#(8 * 86_400_000),"function":"add""#)
    Self.pass(server, milliseconds: 7 * 86_400_000 - 10_000)
    func count() -> Int { client.ask(server, #"query working:items"#).split(separator: " one add ").count - 1 }
    #expect(count() == 701)
    Self.pass(server, milliseconds: 20_000)
    #expect(count() == 1)
    #expect(Self.status(client, server, works[0]) == "null")
  }

  @Test("Pools at rest cost nothing: no commit in a day of waiting for places and times")
  func rest() throws {
    let server = try EngineHarness.work()
    let client = server.connect()
    _ = try Self.enqueue(client, server, "one", ["hold"] + (0..<500).map { "rest\($0)" }, #","after":0,"function":"hold""#)
    _ = try Self.enqueue(client, server, "two", (0..<500).map { "rest\($0)" }, #","after":86400000000"#)
    Self.pass(server, milliseconds: 100)
    let commits = server.statistic("commits")
    Self.pass(server, milliseconds: 500_000)
    #expect(server.statistic("commits") == commits)
    #expect(Self.counts(client, server, "one") == "[500,1]" && Self.counts(client, server, "two") == "[500,0]")
  }
}

extension String {
  fileprivate func utf8Decoded<Decoded: WireValue>(_ type: Decoded.Type) throws -> Decoded {
    try Array(utf8).withUnsafeBytes {
      var reader = JSONReader($0)
      return try Decoded.decode(from: &reader)
    }
  }
}

extension WorkStatus {
  fileprivate var encoded: String {
    var writer = JSONWriter()
    encode(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
