import MartletTesting
import MartletValues
import Synchronization
import TestSupport
import Testing

@testable import Martlet

@Suite("Pools of actions")
struct PoolTests {
  @Test("Each pool has places and a queue of its own: what fills one leaves the others alone")
  func bounds() throws {
    var configuration = EngineConfiguration()
    configuration.actionsWaiting = 1
    let server = try EngineHarness.outside(configuration: configuration) { _ in .response(Response(status: 200), after: 100) }
    let client = server.connect()
    for number in 1...4 { client.send(#"action one\#(number) outside:visitOne {"url":"https://x.test/"}"#) }
    for number in 1...4 { client.send(#"action two\#(number) outside:visitTwo {"url":"https://x.test/"}"#) }
    client.send(#"action other outside:visit {"url":"https://x.test/"}"#)
    server.settle()
    let refused = client.take()
    #expect(refused.map { "\($0.id) \($0.code)" } == ["one3 overloaded", "one4 overloaded", "two4 overloaded"])
    #expect(refused.first?.message == "1 actions of the pool \"one\" run and 1 wait; try again later, or raise the bounds")
    #expect(server.fetcher?.requests.count == 4)
    server.advance(milliseconds: 100)
    server.settle()
    #expect(Set(client.take().map(\.id)) == ["one1", "two1", "two2", "other"])
    server.advance(milliseconds: 100)
    server.settle()
    #expect(Set(client.take().map(\.id)) == ["one2", "two3"])
    #expect(server.statistic("actionsRunning") == 0)
  }

  @Test("A pool that is not declared, or has no places, is refused at the start; default may be given another size")
  func declarations() throws {
    #expect(throws: SchemaError.self) { try EngineHarness.outside(pools: ["one": 1]) }
    #expect(throws: SchemaError.self) { try EngineHarness.outside(pools: ["one": 1, "two": 0]) }
    do {
      _ = try EngineHarness.outside(pools: ["one": 1])
    } catch let error as SchemaError {
      #expect(error.message.hasPrefix("outside:visitTwo runs in the pool \"two\", which is not declared"))
    }
    let server = try EngineHarness.outside(pools: ["one": 1, "two": 1, "default": 1]) { _ in .silence }
    let client = server.connect()
    for number in 1...3 { client.send(#"action \#(number) outside:visit {"url":"https://x.test/"}"#) }
    server.settle()
    #expect(server.fetcher?.requests.count == 1)
  }

  @Test("A backlog of jobs in one pool holds up no other's, however long it is")
  func backlog() throws {
    let server = try EngineHarness.outside { _ in .response(Response(status: 200), after: 1_000) }
    let client = server.connect()
    for part in 0..<6 {
      let visits = (0..<1_000).map { "\"visitOne 0 https://one.test/\(part * 1_000 + $0)\"" }.joined(separator: ",")
      #expect(client.ask(server, #"mutation outside:visitAll {"visits":[\#(visits)]}"#) == "null")
    }
    #expect(client.ask(server, #"mutation outside:visitAll {"visits":["visit 5 https://other.test/","visitTwo 5 https://two.test/"]}"#) == "null")
    server.advance(milliseconds: 20)
    let urls = try #require(server.fetcher).requests.map(\.url)
    #expect(Set(urls) == ["https://one.test/0", "https://other.test/", "https://two.test/"])
    // Jobs that come later begin as soon, though the search has passed the times before theirs.
    #expect(client.ask(server, #"mutation outside:visitAll {"visits":["visit 0 https://late.test/","visitTwo -100000 https://past.test/"]}"#) == "null")
    server.advance(milliseconds: 1)
    #expect(Set(try #require(server.fetcher).requests.suffix(2).map(\.url)) == ["https://late.test/", "https://past.test/"])
    server.advance(milliseconds: 3_000)
    #expect(try #require(server.fetcher).requests.count { $0.url.hasPrefix("https://one.test") } == 4)
  }

  @Test("A job whose action waits for a place, since a client took the one that it was promised, is forgotten when it is cancelled")
  func cancelledWaiting() throws {
    let server = try EngineHarness.outside { _ in .response(Response(status: 200), after: 100) }
    let client = server.connect()
    #expect(client.ask(server, #"mutation outside:visitAll {"visits":["visitOne 10 https://job.test/"]}"#) == "null")
    server.log.pace = .byHand
    server.advance(milliseconds: 10)
    client.send(#"action a outside:visitOne {"url":"https://client.test/"}"#)
    server.log.pace = .immediate
    server.settle()
    let job = client.ask(server, "query _system:scheduled").firstMatch(of: #/"_id":("\w+")/#)
    #expect(server.inspect { $0.jobQueue.running.count } == 1)
    #expect(client.ask(server, #"mutation jobs:cancel {"job":\#(try #require(job).1)}"#) == "null")
    server.settle()
    #expect(server.inspect { $0.jobQueue.running.isEmpty && $0.jobQueue.actions.isEmpty })
    server.advance(milliseconds: 300)
    #expect(server.fetcher?.requests.map(\.url) == ["https://client.test/"])
  }

  @Test("Jobs of three pools, seeded: all run once, none beyond its pool's places, those of a single place in order", arguments: 0..<12 as Range<UInt64>)
  func model(_ seed: UInt64) throws {
    struct Visit: Sendable { var url: String; var begin: Int; var end: Int }
    let visits = Mutex<[Visit]>([])
    let clock = Mutex<SimulatedClock?>(nil)
    let server = try EngineHarness.outside(seed: seed, pools: ["one": 1, "two": 2, "default": 3]) { request in
      let now = clock.withLock { Int($0!.monotonicNanoseconds() / 1_000_000) }
      let time = Int(request.url.split(separator: "/").last!)!
      visits.withLock { $0.append(Visit(url: request.url, begin: now, end: now + time)) }
      return .response(Response(status: 200), after: time)
    }
    clock.withLock { $0 = server.clock }
    var random = TestRandom(seed: seed)
    let client = server.connect()
    var expected: [String: [(created: Int, at: Int, url: String)]] = [:]
    var number = 0
    for _ in 0..<10 {
      let now = Int(server.clock.monotonicNanoseconds() / 1_000_000)
      let wanted = (0..<random.number(1..<12)).map { _ -> String in
        let pool = random.element(of: ["visit", "visitOne", "visitTwo"])
        let after = random.number(-50..<200)
        let url = "https://\(pool.lowercased()).test/\(number)/\(random.number(1..<90))"
        number += 1
        expected[pool, default: []].append((now, now + after, url))
        return "\"\(pool) \(after) \(url)\""
      }
      #expect(client.ask(server, #"mutation outside:visitAll {"visits":[\#(wanted.joined(separator: ","))]}"#) == "null")
      server.advance(milliseconds: random.number(0..<120))
      server.settle()
    }
    server.advance(milliseconds: 60_000)
    server.settle()
    let made = visits.withLock { $0 }
    #expect(made.map(\.url).sorted() == expected.values.flatMap { $0.map(\.url) }.sorted())
    for (pool, places) in [("visit", 3), ("visitone", 1), ("visittwo", 2)] {
      let own = made.filter { $0.url.hasPrefix("https://\(pool).test") }
      for visit in own { #expect(own.count { $0.begin <= visit.begin && visit.begin < $0.end } <= places) }
    }
    // With one place, the next to begin is the earliest of those that were known by then.
    let order = made.filter { $0.url.contains("visitone") }
    let jobs = Dictionary(uniqueKeysWithValues: (expected["visitOne"] ?? []).map { ($0.url, $0) })
    for (index, visit) in order.enumerated() {
      for later in order[(index + 1)...].map({ jobs[$0.url]! }) where later.created < visit.begin {
        #expect(later.at >= jobs[visit.url]!.at, "\(later.url) is due before \(visit.url)")
      }
    }
    #expect(server.statistic("actionsRunning") == 0 && server.statistic("jobsPending") == 0)
  }
}
