import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("Log lines")
struct LogLineTests {
  static func client(_ server: EngineHarness) -> InProcessClient {
    let client = server.connect()
    client.send(#"hello {"logs":true}"#)
    _ = client.take()
    return client
  }

  static func messages(_ lines: [InProcessClient.Line]) throws -> [String] {
    try lines.map { line in
      guard line.kind == .log, case .object(let log) = try Value(json: line.rest) else { return "\(line.kind) \(line.id)" }
      #expect(log["at"] != nil)
      guard case .string(let level)? = log["level"], case .string(let message)? = log["message"] else { return "?" }
      return "\(line.id) \(level) \(message)"
    }
  }

  @Test("What a function logs reaches the connection that asked for logs before its answer, and no other")
  func order() throws {
    let server = try EngineHarness.counters(["a": 1], pace: .byHand)
    let client = Self.client(server)
    let other = server.connect()
    client.send(#"mutation 1 counters:logging {"name":"a"}"#)
    other.send(#"mutation 1 counters:logging {"name":"b"}"#)
    #expect(client.take().isEmpty, "a line tells of what is not durable yet")
    server.settle()
    #expect(try Self.messages(client.take()) == ["1 info adding to a", "1 warning added", "ok 1"])
    #expect(try Self.messages(other.take()) == ["ok 1"])
  }

  @Test("The lines of a function that ran beside come once, though it was begun twice")
  func beside() throws {
    let server = try EngineHarness.counters(["anchor": 0])
    let client = Self.client(server)
    client.send("query 1 counters:slowLogging")
    server.settle()
    #expect(try Self.messages(client.take()) == ["1 debug before", "1 error after", "ok 1"])
  }

  @Test("A request that logs nothing is told no line of another's: a system query, an error, a mutation on a broken disk")
  func nobodyElses() throws {
    let server = try EngineHarness.counters(["anchor": 0, "a": 1])
    let client = Self.client(server)
    let other = server.connect()
    func log() {
      other.send(#"mutation 1 counters:logging {"name":"b"}"#)
      server.settle()
    }
    log()
    client.send("query 1 _system:stats")
    log()
    client.send("query 2 counters:unknown", "query 3 counters:total extra")
    log()
    client.send(#"query 4 counters:value {"name":1}"#)
    server.disk.fail(.append)
    log()
    client.send(#"mutation 5 counters:add {"name":"a","amount":1}"#)
    server.settle()
    let messages = try Self.messages(client.take())
    #expect(messages.allSatisfy { $0.hasPrefix("ok") || $0.hasPrefix("error") }, "\(messages)")
    #expect(messages.count == 5)
  }

  @Test("_system:logs lists the newest lines first, with the function that wrote them")
  func systemLogs() throws {
    let server = try EngineHarness.counters(["a": 1])
    let client = server.connect()
    client.send(#"mutation 1 counters:logging {"name":"a"}"#, #"query 2 _system:logs {"limit":1}"#, #"query 3 _system:logs {"limit":-1}"#)
    server.settle()
    #expect(client.answer("2")?.contains(#""function":"counters:logging","level":"warning","message":"added""#) == true)
    #expect(client.lines.last?.code == "invalid_arguments")
  }
}
