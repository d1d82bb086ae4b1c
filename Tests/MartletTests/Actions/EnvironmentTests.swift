import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("ctx.environment and ctx.log of actions")
struct EnvironmentTests {
  private static func logging(_ server: EngineHarness) -> InProcessClient {
    let client = server.connect()
    client.send(#"hello {"logs":true}"#)
    _ = client.take()
    return client
  }

  @Test("An action reads variables; one that it requires is an error that names it, and tells the caller nothing")
  func reading() throws {
    let log = RecordedLog()
    let server = try EngineHarness.outside(log: log)
    let client = server.connect()
    #expect(client.ask(server, #"action outside:variable {"name":"MODE"}"#) == #""live""#)
    #expect(client.ask(server, #"action outside:variable {"name":"EMPTY"}"#) == #""""#)
    #expect(client.ask(server, #"action outside:variable {"name":"NOPE"}"#) == #""none""#)
    let other = try EngineHarness(
      tables: [Counters.self], modules: [CounterFunctions.self, Outside.self], pools: ["one": 1, "two": 1], variables: ["PAYMENTS_KEY": ""],
      logger: log.logger)
    #expect(other.connect().ask(other, #"action outside:charge {"amount":1}"#).hasPrefix("function_failed: outside:charge failed"))
    #expect(log.text.contains("the environment variable PAYMENTS_KEY is not set"))
  }

  @Test("A secret that was read appears in no log line, no error, no job, and no line of the server's log")
  func redaction() throws {
    let log = RecordedLog()
    let server = try EngineHarness.outside(log: log)
    let client = Self.logging(server)
    client.send("action a outside:leak")
    server.settle()
    let lines = client.take()
    #expect(lines.map(\.kind) == [.log, .error])
    #expect(lines.first?.rest.contains(#""message":"the key is [PAYMENTS_KEY]""#) == true)
    #expect(lines.last?.rest.contains(#""data":{"[PAYMENTS_KEY]":true,"keys":["<[PAYMENTS_KEY]>",1]}"#) == true)
    #expect(lines.last?.message == "refused for [PAYMENTS_KEY]")

    #expect(client.ask(server, "action outside:leakBroken").hasPrefix("function_failed"))
    #expect(client.ask(server, "action outside:leakByMutation") == "application: not to say: [PAYMENTS_KEY]")
    #expect(client.ask(server, #"mutation outside:say {"text":"\#(EngineHarness.key)!"}"#) == "application: not to say: [PAYMENTS_KEY]!")
    for function in ["leak", "leakBroken", "say"] {
      let args = function == "say" ? #"{"text":"\#(EngineHarness.key)"}"# : "{}"
      let kind = function == "say" ? "mutation" : "action"
      _ = client.ask(server, #"mutation jobs:badArguments {"kind":"\#(kind)","function":"outside:\#(function)","args":\#(args)}"#)
    }
    server.advance(milliseconds: 10)
    server.settle()
    let states = client.ask(server, "query jobs:states")
    #expect(states.matches(of: #/failed: /#).count == 3)
    #expect(states.contains("refused for [PAYMENTS_KEY]") && states.contains("not to say: [PAYMENTS_KEY]"))
    #expect(!states.contains(EngineHarness.key))
    #expect(!client.ask(server, "query _system:logs").contains(EngineHarness.key))
    #expect(log.text.contains("no access by [PAYMENTS_KEY]") && log.text.contains("said [PAYMENTS_KEY]"))
    #expect(!log.text.contains(EngineHarness.key))
    // What a function answers is its own affair.
    #expect(client.ask(server, #"action outside:variable {"name":"PAYMENTS_KEY"}"#) == "\"\(EngineHarness.key)\"")
  }

  @Test("A secret is found percent-encoded, behind backslashes, and at the end of what was cut; what only resembles it is left alone")
  func escaped() {
    let secrets = Secrets()
    secrets.note("KEY", "sk_a+b/c d==99")
    for form in ["sk_a+b/c d==99", "sk_a%2Bb%2Fc%20d%3D%3D99", "sk_a%2bb/c+d%3d%3d99", "%73k_a+b/c d==99", #"sk_a+b\/c d==99"#] {
      #expect(secrets.redact("x=\(form)&y=%7") == "x=[KEY]&y=%7", "\(form)")
    }
    for other in ["sk_a+b/c d==98", "sk_a%2Bb%2Fc%20d%3D%3", "sk_a%", "100%sk_a", #"\\"#, "+", ""] { #expect(secrets.redact(other) == other) }
    secrets.note("ODD", "50%25off%")
    #expect(secrets.redact("50%25off% 50%2525off%25") == "[ODD] [ODD]")

    // An error of a status quotes 1,024 bytes, and no half of a secret.
    func quoted(_ body: String) -> String { HTTPStatusError(Response(status: 401, body: Array(body.utf8), url: "http://a.test")).body }
    let long = String(repeating: "word ", count: 203) + "Bearer:sk_0123456789"
    #expect(quoted(long) == String(repeating: "word ", count: 203))
    #expect(quoted(String(repeating: "x", count: 2_000)).count == 512)
    #expect(quoted(String(repeating: "x", count: 1_024)).count == 1_024)
  }

  @Test("Lines of an action are in the server's log at once, and with the caller and in _system:logs when it has ended, 256 of them")
  func lines() throws {
    let log = RecordedLog()
    let server = try EngineHarness.outside(log: log) { _ in .response(Response(status: 200), after: 50) }
    let client = Self.logging(server)
    client.send(#"action a outside:tell {"lines":300}"#)
    server.settle()
    #expect(log.text.contains("debug line 255 function=outside:tell") && !log.text.contains("line 256"))
    #expect(client.take().isEmpty)
    server.advance(milliseconds: 50)
    server.settle()
    let lines = client.take()
    #expect(lines.count == 257 && lines.last?.kind == .ok && lines.first?.rest.contains(#""message":"line 0""#) == true)
    #expect(client.ask(server, #"query _system:logs {"limit":1}"#).contains(#""function":"outside:tell","level":"debug","message":"line 255""#))

    client.send("action b outside:endless")
    server.advance(milliseconds: 50)
    server.settle()
    #expect(client.take().map(\.kind) == [.log, .ok])
    // A request that logged nothing gets no line of the one before.
    client.send(#"action c outside:variable {"name":"MODE"}"#)
    server.settle()
    #expect(client.take().map(\.kind) == [.ok])
  }

  @Test("An action that its timeout ended has its lines told")
  func timedOut() throws {
    let server = try EngineHarness.outside { _ in .silence }
    let client = Self.logging(server)
    client.send("action a outside:endless")
    server.advance(milliseconds: 2_000)
    server.settle()
    #expect(client.take().map { "\($0.kind) \($0.code)" } == ["log ", "error timeout"])
  }

  @Test("Redaction: longest first, every occurrence, nothing that is short or only similar")
  func secrets() {
    let secrets = Secrets()
    #expect(secrets.isEmpty && secrets.redact("abcdefgh") == "abcdefgh")
    secrets.note("SHORT", "1234567")
    #expect(secrets.isEmpty)
    secrets.note("A", "abcdefgh")
    secrets.note("LONG", "xabcdefghy")
    secrets.note("SAME", "abcdefgh")
    secrets.note("UMLAUT", "äöüäöüäö")
    #expect(secrets.redact("abcdefghabcdefgh") == "[A][A]")
    #expect(secrets.redact("1234567 abcdefg xabcdefghy xabcdefgh Abcdefgh") == "1234567 abcdefg [LONG] x[A] Abcdefgh")
    #expect(secrets.redact("ßäöüäöüäö") == "ß[UMLAUT]")
    #expect(secrets.redact(["abcdefgh": ["abcdefgh", 1, nil], "b": .bytes([1])]) == ["[A]": ["[A]", 1, nil], "b": .bytes([1])])
    secrets.note("KEY", "-----BEGIN-----\nMII\"x\"\n")
    #expect(secrets.redact("a \("-----BEGIN-----\nMII\"x\"\n".debugDescription) b -----BEGIN-----\nMII\"x\"\n") == "a \"[KEY]\" b [KEY]")
    #expect(secrets.redact(["abcdefgh": 1, "[A]": 2])["[A]"] != nil)
  }
}
