import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("Loops over documents")
struct LoopTests {
  private func serve(_ scores: some Sequence<Int> = 0..<6) throws -> (EngineHarness, InProcessClient) {
    let server = try EngineHarness.posts()
    let client = server.connect()
    try client.insert(server, scores)
    return (server, client)
  }

  @Test(
    "A loop goes through what collect would give, and as far as it goes",
    arguments: [
      ("{}", 99, "[4,1,3,0,5,2]"), (#"{"order":"desc"}"#, 99, "[2,5,0,3,1,4]"), (#"{"index":"by_score"}"#, 3, "[0,1,2,3]"),
      (#"{"index":"by_score","order":"desc","even":true}"#, 99, "[4,2,0]"), (#"{"index":"by_score","gte":2,"lt":4}"#, 99, "[2,3]"),
      (#"{"index":"by_score","gte":4,"lt":2}"#, 99, "[]"),
    ])
  func loop(query: String, until: Int, expected: String) throws {
    let (server, client) = try serve([4, 1, 3, 0, 5, 2])
    #expect(client.ask(server, #"query posts:loop {"until":\#(until),"query":\#(query)}"#) == expected)
    if until == 99 { #expect(client.ask(server, #"query posts:forEach {"query":\#(query)}"#) == expected) }
    #expect(client.ask(server, "query posts:keptLoop") == "true")
  }

  @Test("G6: what a loop didn't come to is not read", arguments: ["asc", "desc"])
  func readSet(order: String) throws {
    let (server, client) = try serve((0..<6).map { $0 * 10 })
    let watcher = server.connect()
    watcher.send(#"subscribe s posts:loop {"until":\#(order == "asc" ? 20 : 50),"query":{"index":"by_score","order":"\#(order)"}}"#)
    server.settle()
    func runs(_ score: Int) throws -> Int {
      let before = server.statistic("queryRuns")
      try client.insert(server, [score])
      server.settle()
      return server.statistic("queryRuns") - before
    }
    if order == "asc" {
      #expect(try [25, 60, 15, -1, 21].map(runs) == [0, 0, 1, 1, 0])
    } else {
      #expect(try [45, -5, 60, 55].map(runs) == [0, 0, 1, 0])
    }
  }

  @Test("G6: a loop that came to the end has read it")
  func end() throws {
    let (server, client) = try serve()
    let watcher = server.connect()
    watcher.send(#"subscribe s posts:loop {"until":99,"query":{"index":"by_score"}}"#)
    server.settle()
    try client.insert(server, [50])
    server.settle()
    #expect(watcher.take().last { $0.kind == .update }?.rest == "[0,1,2,3,4,5,50]")
  }

  @Test("A filter that throws in a loop is the function's error, though the loop can't throw it")
  func throwingFilter() throws {
    let (server, client) = try serve()
    #expect(client.ask(server, #"query posts:failingLoop {"at":9}"#) == "[0,1,2,3,4,5]")
    #expect(client.ask(server, #"query posts:failingLoop {"at":3}"#) == "application: not this one")
    client.send(#"query q posts:failingLoop {"at":3}"#)
    server.settle()
    #expect(client.take().last?.rest.contains(#""data":3"#) == true)
  }

  @Test("A nested call whose loop fails throws, and its caller goes on")
  func nested() throws {
    let (server, client) = try serve()
    #expect(client.ask(server, "mutation posts:nestedLoop") == #"["not this one","6"]"#)
  }

  @Test("A handler that goes on after its loop has failed gets nothing done")
  func eager() throws {
    let (server, client) = try serve()
    #expect(client.ask(server, "mutation posts:eager") == "application: never mind")
    #expect(client.ask(server, #"query posts:list {"query":{"index":"by_channel_score","channel":"eager"}}"#) == "[]")
  }

  @Test("A loop that reads more than it may is limit_exceeded, and never a short answer")
  func limit() throws {
    let (server, client) = try serve()
    #expect(client.ask(server, "query posts:limitedLoop").hasPrefix("limit_exceeded: posts:limitedLoop exceeded the limit of 2"))
  }

  @Test("A loop goes through what was there when it began, whatever it writes")
  func writing() throws {
    let (server, client) = try serve(0..<3)
    #expect(client.ask(server, "mutation posts:writingLoop") == "[0,1,2,0,1,2,100,101,102]")
  }
}
