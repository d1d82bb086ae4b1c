import MartletValues
import TestSupport
import Testing

@testable import MartletWire

@Suite("A client's lines")
struct ClientLineTests {
  struct Good: Sendable {
    var text: String
    var verb: ClientVerb
    var id = ""
    var function = ""
    var rest = ""
  }

  static let good: [Good] = [
    Good(text: "query 1 orders:list", verb: .query, id: "1", function: "orders:list"),
    Good(text: "query 1 orders:list {}", verb: .query, id: "1", function: "orders:list", rest: "{}"),
    Good(text: "mutation a_B.9-x dir/orders:make {\"a b\": [1, 2]}", verb: .mutation, id: "a_B.9-x",
      function: "dir/orders:make", rest: "{\"a b\": [1, 2]}"),
    Good(text: "action\tx  \t f:g\t {\"k\":\"ä\"} \t", verb: .action, id: "x", function: "f:g", rest: "{\"k\":\"ä\"}"),
    Good(text: "  subscribe s1 a:b\r", verb: .subscribe, id: "s1", function: "a:b"),
    Good(text: "subscribe s1 a:b {}\r", verb: .subscribe, id: "s1", function: "a:b", rest: "{}"),
    Good(text: "unsubscribe s1 ", verb: .unsubscribe, id: "s1"),
    Good(text: "cancel -", verb: .cancel, id: "-"),
    Good(text: "auth 7", verb: .auth, id: "7"),
    Good(text: "auth 7 ey.J0.x", verb: .auth, id: "7", rest: "ey.J0.x"),
    Good(text: "hello", verb: .hello),
    Good(text: "hello {\"protocol\":1}", verb: .hello, rest: "{\"protocol\":1}"),
    Good(text: "ping", verb: .ping),
    Good(text: "ping are you  there", verb: .ping, rest: "are you  there"),
    Good(text: "help me", verb: .help, rest: "me"),
    Good(text: "bye", verb: .bye),
  ]

  @Test("A line is taken apart where it lies", arguments: good)
  func takenApart(_ good: Good) throws {
    let bytes = Array(good.text.utf8)
    try bytes.withUnsafeBytes { bytes in
      guard case .line(let line) = ClientLine.parse(bytes) else {
        Issue.record("\(good.text) is not read as a line")
        return
      }
      #expect(line.verb == good.verb)
      #expect(bytes.string(in: line.id) == good.id)
      #expect(bytes.string(in: line.function) == good.function)
      #expect(bytes.string(in: line.rest) == good.rest)
      try #require(line.rest.upperBound <= bytes.count)
    }
  }

  @Test("Empty lines and comments are ignored", arguments: ["", "\r", "  ", " \t\r", "#", "# query 1 a:b", "  # x"])
  func ignored(text: String) {
    #expect(parse(Array(text.utf8)) == .ignored)
  }

  struct Bad: Sendable {
    var text: String
    var kind: ClientLine.Problem.Kind
    var id: String?
  }

  static let bad: [Bad] = [
    Bad(text: "frobnicate 12 x", kind: .unknownVerb, id: "12"),
    Bad(text: "QUERY 12 a:b", kind: .unknownVerb, id: "12"),
    Bad(text: "frobnicate", kind: .unknownVerb),
    Bad(text: "frobnicate {\"a\":1}", kind: .unknownVerb),
    Bad(text: "query", kind: .missingID),
    Bad(text: "unsubscribe ", kind: .missingID),
    Bad(text: "query é a:b", kind: .invalidID),
    Bad(text: "query a:b", kind: .invalidID),
    Bad(text: "query " + String(repeating: "x", count: 65) + " a:b", kind: .invalidID),
    Bad(text: "query 1", kind: .missingFunction, id: "1"),
    Bad(text: "query 1 {}", kind: .missingFunction, id: "1"),
    Bad(text: "query 1 a:b [1]", kind: .argumentsNotAnObject, id: "1"),
    Bad(text: "hello world", kind: .payloadNotAnObject),
    Bad(text: "cancel 1 2", kind: .tooManyWords, id: "1"),
    Bad(text: "auth 1 to ken", kind: .tooManyWords, id: "1"),
  ]

  @Test("A line that can't be carried out says why, and for which id", arguments: bad)
  func problems(_ bad: Bad) {
    let bytes = Array(bad.text.utf8)
    guard case .problem(let problem) = parse(bytes) else {
      Issue.record("\(bad.text) has no problem")
      return
    }
    #expect(problem.kind == bad.kind)
    #expect(problem.id.map { String(decoding: bytes[$0], as: UTF8.self) } == bad.id)
    #expect(problem.error.code == (bad.kind == .unknownVerb ? .unknownVerb : .badRequest))
  }

  @Test("An id may have 64 characters")
  func longestID() {
    guard case .line(let line) = parse(Array(("query " + String(repeating: "x", count: 64) + " a:b").utf8)) else {
      Issue.record("not read as a line")
      return
    }
    #expect(line.id == 6..<70)
  }

  static let notUTF8: [[UInt8]] = [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]]

  @Test("A line that is not UTF-8 is a bad request of its id", arguments: notUTF8)
  func invalidUTF8(bytes: [UInt8]) {
    let call = Array("mutation 77 a:b {\"x\":\"".utf8) + bytes + Array("\"}".utf8)
    #expect(parse(call) == .problem(ClientLine.Problem(kind: .invalidUTF8, id: 9..<11)))
    #expect(parse(Array("ping ".utf8) + bytes) == .problem(ClientLine.Problem(kind: .invalidUTF8, id: nil)))
    #expect(parse(Array("query ".utf8) + bytes) == .problem(ClientLine.Problem(kind: .invalidUTF8, id: nil)))
  }

  @Test("Any bytes are read without trapping, and ranges stay inside the line", arguments: UInt64(0)..<50)
  func anyBytes(seed: UInt64) {
    var random = TestRandom(seed: seed)
    let alphabet = Array("query mutation hello ping 1 a:b {} \t\r #".utf8) + [0, 0x7F, 0xC3, 0xA4, 0xFF]
    for _ in 0..<200 {
      var bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      if Bool.random(using: &random) { bytes = Array(ClientVerb.allCases.randomElement(using: &random)!.text.utf8) + bytes }
      let reading = parse(bytes)
      if case .line(let line) = reading {
        for range in [line.id, line.function, line.rest] { #expect(range.upperBound <= bytes.count) }
      }
      if let id = reading.id { #expect((1...64).contains(id.count)) }
    }
  }

  @Test("What is written is read again")
  func roundTrip() {
    var writer = JSONWriter()
    writer.writeHelloLine(Hello(protocolVersion: 1, logs: true))
    for verb in [ClientVerb.query, .mutation, .action, .subscribe] {
      writer.writeCallLine(verb, id: "a1", function: "m:f", arguments: Array("{\"x\":1}".utf8))
    }
    writer.writeUnsubscribeLine(id: "a1")
    writer.writeCancelLine(id: "a1")
    writer.writeAuthLine(id: "a1", token: nil)
    writer.writeAuthLine(id: "a1", token: "t")
    writer.writePingLine()
    writer.writePingLine("x")
    writer.writeByeLine()
    let lines = String(decoding: writer.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "hello {\"protocol\":1,\"logs\":true}", "query a1 m:f {\"x\":1}", "mutation a1 m:f {\"x\":1}",
        "action a1 m:f {\"x\":1}", "subscribe a1 m:f {\"x\":1}", "unsubscribe a1", "cancel a1", "auth a1", "auth a1 t",
        "ping", "ping x", "bye",
      ])
    for line in lines {
      guard case .line = parse(Array(line.utf8)) else {
        Issue.record("\(line) is not read as a line")
        continue
      }
    }
  }

  private func parse(_ bytes: [UInt8]) -> ClientLine.Reading {
    bytes.withUnsafeBytes { ClientLine.parse($0) }
  }
}

extension ClientVerb {
  var text: String { name.description }
}
