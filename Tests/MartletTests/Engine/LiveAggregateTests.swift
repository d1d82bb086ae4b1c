import MartletTesting
import MartletValues
import Testing

@testable import Martlet

/// A live aggregate reads its range as a whole and no document of it: it must run again when the range changes, and only then.
@Suite("G6: live aggregates")
struct LiveAggregateTests {
  let server: EngineHarness
  let watcher: InProcessClient
  let writer: InProcessClient

  init() throws {
    server = try EngineHarness.counters(["anchor": 0, "low": 5, "high": 105])
    watcher = server.connect()
    writer = server.connect()
  }

  private func write(_ calls: String...) {
    for call in calls { writer.send("mutation w counters:\(call)") }
    server.settle()
    #expect(writer.take().filter { $0.kind == .error }.isEmpty)
  }

  /// How many live queries ran again for what `body` wrote.
  private func runs(_ body: () -> Void) -> Int {
    let before = server.statistic("queryRuns")
    body()
    return server.statistic("queryRuns") - before
  }

  private var updates: [String] { watcher.take().filter { $0.kind == .update }.map(\.rest) }

  @Test("A live count runs again for a commit in its range, and for none beside it", arguments: ["count", "sum"])
  func range(_ aggregate: String) {
    watcher.send(#"subscribe s counters:\#(aggregate) {"from":0,"to":100}"#)
    server.settle()
    #expect(updates == [aggregate == "count" ? "2" : "5"])

    let beside = runs {
      write(
        #"set {"name":"high","value":150}"#, #"add {"name":"high","amount":1}"#, #"set {"name":"new","value":100}"#,
        #"delete {"name":"new"}"#)
    }
    #expect(beside == 0)
    #expect(updates == [])

    #expect(runs { write(#"set {"name":"other","value":99}"#) } == 1, "one more in the range")
    #expect(updates == [aggregate == "count" ? "3" : "104"])
    #expect(runs { write(#"set {"name":"other","value":100}"#) } == 1, "it leaves the range")
    #expect(runs { write(#"set {"name":"high","value":-1}"#) } == 0, "one passes over the range, from above it to below")
    #expect(runs { write(#"set {"name":"high","value":0}"#) } == 1, "it enters at the lower bound")
    #expect(runs { write(#"delete {"name":"low"}"#) } == 1)
    #expect(updates.last == (aggregate == "count" ? "2" : "0"))
  }

  @Test("Many commits of one batch in a range are one run")
  func batch() throws {
    let server = try EngineHarness.counters(["anchor": 0], pace: .byHand)
    server.settle()
    let watcher = server.connect()
    watcher.send(#"subscribe s counters:count {"from":1,"to":100}"#)
    server.settle()
    let before = (runs: server.statistic("queryRuns"), batches: server.statistic("batches"))
    let writer = server.connect()
    writer.send((1...50).map { #"mutation \#($0) counters:set {"name":"n\#($0)","value":\#($0)}"# }.joined(separator: "\n"))
    server.settle()
    let batches = server.statistic("batches") - before.batches
    #expect(batches < 50)
    #expect(server.statistic("queryRuns") - before.runs <= batches)
    #expect(watcher.take().last { $0.kind == .update }?.rest == "50")
  }

  @Test("Each of a hundred live counts runs again for its own range only")
  func many() {
    for range in 0..<100 { watcher.send(#"subscribe s\#(range) counters:count {"from":\#(range * 10),"to":\#(range * 10 + 10)}"#) }
    server.settle()
    _ = watcher.take()
    // The anchor is in the first range, "low" too, and "high" in the eleventh.
    #expect(runs { write(#"set {"name":"high","value":106}"#) } == 1, "a change within a range is a change of it")
    #expect(runs { write(#"set {"name":"high","value":555}"#) } == 2, "one that it leaves, and one that it enters")
    #expect(updates.sorted() == ["0", "1"])
  }
}
