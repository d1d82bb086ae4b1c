import MartletTesting
import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("Workpools: model")
struct WorkpoolModelTests {
  /// Visits say by their names how they go: `tag.pool.number-milliseconds-failures`; `9` failures mean that it never succeeds.
  static func visit(_ request: Request) -> SimulatedFetcher.Reply {
    let words = request.url.split(separator: "/")
    let plan = words[words.count - 2].split(separator: "-").compactMap { Int($0) }
    let attempt = Int(words.last!)!
    return .response(Response(status: attempt > plan[1] ? 200 : plan[1] == 8 ? 404 : 500, body: Array("fine".utf8)), after: plan[0])
  }

  struct Work {
    var pool: String
    var function: String
    var name: String
    var time: Double
    var wasCanceled = false
  }

  /// What was done to the pools, and what must have come of it.
  struct Model {
    let seed: UInt64
    let server: EngineHarness
    var random: TestRandom
    var client: InProcessClient
    var works: [String: Work] = [:]
    var count = 0
    static let places = ["one": 1, "two": 2, "retried": 3]

    init(seed: UInt64) throws {
      self.seed = seed
      random = TestRandom(seed: seed)
      let pools = [
        Working.one, Working.two, Workpool("retried", maxParallelism: 3, retry: RetryOptions(initialBackoff: .milliseconds(30), maxFailures: 3)),
      ]
      server = try EngineHarness.work(seed: seed, pools: pools, pace: seed % 2 == 0 ? .immediate : .delayed) { WorkpoolModelTests.visit($0) }
      client = server.connect()
    }

    var tag: String { "model\(seed)" }

    mutating func step() throws {
      switch random.number(0..<20) {
      case 0..<9: try enqueue()
      case 9..<12: cancel()
      case 12: if random.oneIn(3) { emptyPool() }
      case 13: pauseOrResume()
      case 14: try crash()
      default: break
      }
      server.advance(milliseconds: random.number(0..<90))
      if random.oneIn(2) { check() }
    }

    private mutating func enqueue() throws {
      let pool = random.element(of: Self.places.keys.sorted())
      let function = random.oneIn(3) ? "add" : "visit"
      let names = (0..<random.number(1..<8)).map { _ -> String in
        count += 1
        if function == "add" { return random.oneIn(5) ? "bad\(count)" : "add\(count)" }
        return "\(tag).\(pool).\(count)-\(random.number(1..<120))-\(random.element(of: [0, 0, 0, 1, 2, 8, 9]))"
      }
      let after = random.oneIn(3) ? random.number(1..<300) : 0
      let list = names.map { "\"\($0)\"" }.joined(separator: ",")
      let retry = function == "visit" && random.oneIn(4) ? #","maxFailures":\#(random.number(0..<3))"# : ""
      let answer = client.ask(
        server, #"mutation working:enqueue {"after":\#(after),"function":"\#(function)","names":[\#(list)],"pool":"\#(pool)"\#(retry)}"#)
      guard case .array(let ids) = try Value(json: answer) else { throw ApplicationError(answer) }
      for (id, name) in zip(ids, names) {
        guard case .string(let text) = id else { continue }
        let words = text.split(separator: "@").map(String.init)
        works[words[0]] = Work(pool: pool, function: function, name: name, time: Double(words[1])!)
      }
    }

    private mutating func cancel() {
      guard let id = works.keys.sorted().randomElement(using: &random) else { return }
      let how = random.element(of: ["cancel", "cancel", "cancelJob"])
      // An action that is cancelled is told so, and may end a little after another has its place.
      Watch.end(works[id]!.name)
      #expect(client.ask(server, #"mutation working:\#(how) {"work":"\#(id)"}"#) == "null")
      works[id]!.wasCanceled = true
    }

    private mutating func emptyPool() {
      let pool = random.element(of: Self.places.keys.sorted())
      for (id, work) in works where work.pool == pool {
        Watch.end(work.name)
        works[id]!.wasCanceled = true
      }
      #expect(client.ask(server, #"mutation working:cancelAll {"pool":"\#(pool)"}"#) == "null")
    }

    private mutating func pauseOrResume() {
      let pool = random.element(of: Self.places.keys.sorted())
      #expect(client.ask(server, #"mutation working:\#(random.oneIn(3) ? "pause" : "resume") {"pool":"\#(pool)"}"#) == "null")
    }

    /// At any point between two steps of the log, or of the host.
    private mutating func crash() throws {
      for _ in 0..<random.number(0..<30) { server.host.step() }
      Watch.lose(tag)
      try server.crash(keepingUnsynced: random.number(0..<2))
      client = server.connect()
    }

    /// Never more than there are places, by the documents and by what really runs; what is counted is there.
    func check() {
      let lines = strings("items").map { $0.split(separator: " ") }
      for (pool, places) in Self.places {
        let states = lines.filter { $0[1] == pool && $0.count == 6 }.map { $0[4] }
        let (pending, running) = (states.count { $0 == "pending" }, states.count { $0 == "running" })
        #expect(running <= places)
        #expect(lines.contains(["counts", pool[...], "\(pending)", "\(running)"]))
        #expect(Watch.most("\(tag).\(pool)") <= places)
      }
    }

    private var items: [(id: String, state: String, failures: Int)] {
      strings("items").compactMap {
        let words = $0.split(separator: " ").map(String.init)
        return words.count == 6 ? (words[0], words[4], Int(words[5])!) : nil
      }
    }

    private func strings(_ query: String) -> [String] {
      guard case .array(let values)? = try? Value(json: client.ask(server, "query working:\(query)")) else { return [] }
      return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    /// When all has ended.
    mutating func finish() throws {
      for pool in Self.places.keys.sorted() { _ = client.ask(server, #"mutation working:resume {"pool":"\#(pool)"}"#) }
      server.advance(milliseconds: 120_000)
      server.settle()
      check()
      let list = items
      #expect(list.count == works.count, "what was acknowledged is there, and nothing else")
      let items = Dictionary(uniqueKeysWithValues: list.map { ($0.id, $0) })
      var ends: [String: [String]] = [:]
      for end in strings("ends") { ends[String(end.prefix { $0 != " " }), default: []].append(String(end.drop { $0 != " " }.dropFirst())) }
      let counters = Set(client.ask(server, "query counters:all").split(separator: "\"").filter { $0.hasSuffix("=1") })
      let starts = strings("starts")
      for (id, work) in works {
        guard let item = items[id] else {
          Issue.record("\(work) is lost")
          continue
        }
        let told = ends[id] ?? []
        #expect(told.count == 1, "\(work) was told \(told)")
        let attempts = starts.count { $0 == id }
        switch item.state {
        case "success":
          #expect(told == (work.function == "add" ? ["success \"\(work.name)\""] : [#"success "fine""#]))
          #expect(attempts == item.failures + 1)
        case "failed":
          #expect(told.first?.hasPrefix("failed ") == true)
          #expect(attempts == item.failures)
        case "canceled":
          #expect(told == ["canceled"] && work.wasCanceled)
          #expect(attempts == item.failures || attempts == item.failures + 1)
        default: Issue.record("\(work) is \(item.state)")
        }
        if work.function == "add" {
          #expect(counters.contains("\(work.name)=1") == (item.state == "success"))
          #expect(item.state != "failed" || work.name.hasPrefix("bad"))
        } else {
          #expect(Watch.attempts(work.name) <= attempts, "at most once for each attempt")
        }
      }
      // What starts takes its turn by its time, then as it was enqueued.
      var seen: Set<String> = []
      let firsts = starts.filter { seen.insert($0).inserted }
      let order = Dictionary(uniqueKeysWithValues: list.enumerated().map { ($0.element.id, $0.offset) })
      for pool in Self.places.keys {
        let keys = firsts.filter { works[$0]?.pool == pool }.map { (works[$0]!.time, order[$0]!) }
        for (earlier, later) in zip(keys, keys.dropFirst()) { #expect(earlier < later) }
      }
      #expect(server.statistic("jobsPending") == 0 && server.statistic("actionsRunning") == 0)
    }
  }

  @Test(
    "Seeded: bounds, order, one end each and right counts, through failures, cancellations, pauses and crashes",
    arguments: 0..<24 as Range<UInt64>)
  func model(_ seed: UInt64) throws {
    var model = try Model(seed: seed)
    for _ in 0..<70 { try model.step() }
    try model.finish()
  }
}
