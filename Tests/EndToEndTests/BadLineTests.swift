import Foundation
import MartletValues
import Testing

extension EndToEnd {
  /// "A bad line never ends the connection (but for `line_too_long`), never touches another request, and never changes data."
  @Suite("Bad lines")
  struct BadLineTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder, examples: ["bank", "store"])
    }

    struct Case: CustomTestStringConvertible {
      let line: String
      let code: String
      /// The id that the answer names.
      var id = "x"
      /// What its message must say.
      var says: [String] = []
      var testDescription: String { "\(line.prefix(80)) → \(code)" }
    }

    static let cases: [Case] = [
      Case(line: "nonsense x", code: "unknown_verb"),
      Case(line: "QUERY x accounts:total", code: "unknown_verb"),
      Case(line: "nonsense", code: "unknown_verb", id: "-"),
      Case(line: "query", code: "bad_request", id: "-"),
      Case(line: "query !? accounts:total", code: "bad_request", id: "-"),
      Case(line: "query \(String(repeating: "i", count: 65)) accounts:total", code: "bad_request", id: "-"),
      Case(line: "query x", code: "bad_request"),
      Case(line: "query x accounts:total []", code: "bad_request"),
      Case(line: "query x accounts:total {", code: "bad_request", says: ["byte 1"]),
      Case(line: "query x accounts:total {} {}", code: "bad_request"),
      Case(line: "query x accounts:total {'a':1}", code: "bad_request"),
      Case(line: #"query x accounts:total {"a":01}"#, code: "bad_request"),
      Case(line: #"query x accounts:total {"a":1e999}"#, code: "bad_request"),
      Case(line: #"query x accounts:total {"a":"\ud800"}"#, code: "bad_request"),
      Case(line: "subscribe x accounts:total {", code: "bad_request"),
      Case(line: "mutation x accounts:open {\"owner\":\"a\",\"balance\":1", code: "bad_request"),
      Case(line: "unsubscribe", code: "bad_request", id: "-"),
      Case(line: "cancel x y", code: "bad_request"),
      Case(line: "hello [1]", code: "bad_request", id: "-"),
      Case(line: #"hello {"protocol":"one"}"#, code: "bad_request", id: "-"),
      Case(line: "query x accounts:nothing", code: "unknown_function", says: ["accounts:nothing"]),
      Case(line: "query x accounts:get2 {}", code: "unknown_function", says: ["accounts:get"]),
      Case(line: "query x accounts", code: "unknown_function"),
      Case(line: "query x accounts:open {}", code: "wrong_kind", says: ["mutation"]),
      Case(line: "mutation x accounts:total", code: "wrong_kind", says: ["query"]),
      Case(line: "subscribe x accounts:open {}", code: "wrong_kind"),
      Case(line: "action x accounts:total", code: "wrong_kind"),
      Case(line: "query x _system:snapshot", code: "wrong_kind", says: ["action"]),
      Case(
        line: #"mutation x orders:createOrder {"items":"three"}"#, code: "invalid_arguments",
        says: ["args.items: expected array, found string"]),
      Case(
        line: #"mutation x orders:createOrder {"items":[{"productId":"p","quantity":1},{"productId":7,"quantity":1}]}"#,
        code: "invalid_arguments", says: ["args.items[1].productId: expected string, found number"]),
      Case(
        line: #"mutation x orders:createOrder {"items":[{"productId":"p"}]}"#, code: "invalid_arguments",
        says: ["args.items[0].quantity", "found nothing"]),
      Case(line: "mutation x accounts:open {}", code: "invalid_arguments", says: ["args.owner: expected string, found nothing"]),
      Case(line: #"query x accounts:total {"other":1}"#, code: "invalid_arguments", says: ["args.other"]),
      Case(line: #"query x accounts:get {"id":"jabberwocky"}"#, code: "invalid_arguments", says: ["args.id: expected id of accounts"]),
      Case(line: #"query x accounts:richest {"limit":1.5}"#, code: "invalid_arguments", says: ["args.limit", "found 1.5"]),
      Case(
        line: #"query x orders:getOrdersByStatus {"status":"lost"}"#, code: "invalid_arguments",
        says: ["args.status", "pending"]),
      Case(line: "cancel x", code: "unknown_id"),
      Case(line: "unsubscribe x", code: "unknown_id"),
      Case(line: "auth x some-token", code: "unauthenticated"),
      Case(line: #"mutation x _system:insert {"table":"_tables","document":{}}"#, code: "forbidden", says: ["_tables"]),
      Case(
        line: #"mutation x accounts:open {"owner":"a","balance":-1}"#, code: "application", says: ["balance must be between"]),
      Case(line: #"mutation x accounts:openMany {"count":20000,"balance":1}"#, code: "application"),
      Case(line: #"query x accounts:richest {"limit":-1}"#, code: "application"),
      Case(line: #"action x _system:snapshot {"name":"../outside"}"#, code: "application", says: ["name"]),
      Case(line: #"query x _system:documents {"table":"nothing"}"#, code: "not_found", says: ["nothing", "accounts"]),
      Case(line: #"query x _system:documents {"table":"accounts","index":"none"}"#, code: "not_found", says: ["by_owner"]),
      Case(
        line: #"mutation x _system:insert {"table":"accounts","document":{"owner":1,"balance":1}}"#, code: "schema_violation",
        says: ["accounts", "owner: expected string, found number"]),
      Case(
        line: #"mutation x _system:insert {"table":"accounts","document":{"owner":"a"}}"#, code: "schema_violation",
        says: ["balance"]),
      Case(
        line: #"mutation x _system:insert {"table":"accounts","document":{"owner":"a","balance":1,"_id":"b"}}"#,
        code: "schema_violation", says: ["_id"]),
      Case(
        line: #"mutation x _system:insert {"table":"users","document":{"name":"a","email":"a","role":"user","createdAt":1,"metadata":"#
          + String(repeating: "[", count: 20) + String(repeating: "]", count: 20) + "}}",
        code: "limit_exceeded", says: ["16"]),
      Case(
        line: #"mutation x accounts:open {"owner":""# + String(repeating: "a", count: 1 << 20) + #"","balance":1}"#,
        code: "limit_exceeded", says: ["accounts:open", "1048576"]),
    ]

    @Test("A bad line is answered by its code and a message that helps, and changes nothing", arguments: cases)
    func badLine(_ bad: Case) throws {
      let client = try server.connect()
      let commits = try client.query("_system:stats")["commits"]
      let other = try server.connect()
      try other.send("subscribe total accounts:total")
      _ = try other.group()
      try client.send(bad.line, "ping")
      // An action's answer may come after the pong.
      let both = try [client.next(), client.next()]
      let answer = try #require(both.first { $0.verb != .pong })
      #expect(answer.verb == .error && answer.code == bad.code && answer.id == bad.id, "\(answer)")
      let message = try answer.json["message"]?.text ?? ""
      for part in bad.says { #expect(message.contains(part), "\(message) says nothing of \(part)") }
      // The connection goes on, the id is free, and the other connection has noticed nothing.
      #expect(try client.request("query", "accounts:total").okValue["count"] == 0)
      try other.send("ping still")
      #expect(try other.readLine() == "pong still")
      #expect(try client.query("_system:stats")["commits"] == commits)
    }

    @Test("A reused id is refused, and the request or subscription that has it goes on")
    func duplicateID() throws {
      let client = try server.connect()
      try client.send(
        "subscribe s accounts:total", #"mutation long accounts:openMany {"count":9000,"balance":1}"#,
        "query s accounts:total", "query long accounts:total", "auth s")
      var refusals: [String] = []
      var answered = false
      var view = LiveView()
      while !answered || view["s"]?["count"] != 9_000 {
        let message = try client.next()
        if message.code == "duplicate_id" { refusals.append(message.id) }
        if message.id == "long", message.verb == .ok { answered = true }
        _ = try view.take(message)
      }
      #expect(refusals == ["s", "long", "s"])
    }

    @Test("What a function reads and writes is bounded, and the error names the limit, its value and the function")
    func limits() throws {
      let client = try server.connect()
      for _ in 0..<3 { _ = try client.openMany(11_000, 1) }
      let read = try client.request("query", "accounts:richest", ["limit": 40_000])
      #expect(read.code == "limit_exceeded")
      #expect(try read.json["message"]?.text?.contains("accounts:richest exceeded the limit of 32000 documents read") == true)
      #expect(try client.total().count == 33_000)
    }

    @Test("A function that fails in a way its caller can't mend is function_failed; the details are in the server's log alone")
    func functionFailed() throws {
      let folder = try TemporaryFolder()
      // Where the snapshots' folder should be, there is a file.
      try Data("in the way".utf8).write(to: URL(fileURLWithPath: folder.file("snapshots")))
      let server = try ServerProcess(folder)
      let client = try server.connect()
      let answer = try client.request("action", "_system:snapshot", ["name": "a"])
      #expect(answer.code == "function_failed")
      #expect(!answer.line.contains(folder.path))
      #expect(server.standardError.contains("_system:snapshot") && server.standardError.contains(folder.path))
      #expect(try client.total().count == 0)
    }

    @Test("A document that isn't there is not_found, whose id is right but for that")
    func notFound() throws {
      let client = try server.connect()
      let account = try client.open("a", 1)
      try client.mutate("_system:delete", ["id": .string(account)])
      #expect(try client.request("query", "accounts:get", ["id": .string(account)]).code == "not_found")
      #expect(try client.request("mutation", "_system:patch", ["id": .string(account), "fields": ["balance": 2]]).code == "not_found")
      #expect(try client.transfer(account, account, 1).code == "not_found")
      #expect(try client.total().count == 0)
    }

    @Test("Bytes that are no text: broken UTF-8, NUL, every single byte; each line has one answer, which is UTF-8")
    func brokenBytes() throws {
      let client = try server.connect()
      let bad: [[UInt8]] = [
        [0xFF, 0xFE], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x00], [0x00, 0x20, 0x00],
      ]
      for bytes in bad {
        try client.send(bytes: Array(#"mutation m accounts:open {"owner":""#.utf8) + bytes + Array("\",\"balance\":1}\nping\n".utf8))
        let answers = try client.messages { $0.verb == .pong }
        #expect(answers.count == 2 && answers[0].code == "bad_request" && answers[0].id == "m", "\(bytes): \(answers)")
      }
      for byte in UInt8.min...UInt8.max where !"\n\r #\t".utf8.contains(byte) {
        try client.send(bytes: [byte, 0x0A])
        #expect(try client.next().code == (byte < 0x80 ? "unknown_verb" : "bad_request"))
      }
      #expect(try client.total().count == 0)
    }

    @Test("A thousand levels of nesting are an error of that line")
    func nesting() throws {
      let client = try server.connect()
      for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
        for depth in [1_000, 100_000] {
          let deep = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
          try client.send(#"mutation m accounts:open {"owner":\#(deep),"balance":1}"#, #"subscribe m accounts:get {"id":\#(deep)}"#)
          #expect(try client.next().code == "bad_request")
          #expect(try client.next().code == "bad_request")
        }
      }
      #expect(try client.total().count == 0)
    }

    @Test("A line in single-byte pieces is a line; half a line that ends with the connection is none")
    func pieces() throws {
      let client = try server.connect()
      for byte in #"mutation m accounts:open {"owner":"bit by bit","balance":1}"#.utf8 { try client.send(bytes: [byte]) }
      try client.send(bytes: [0x0D])
      try client.send(bytes: [0x0A])
      #expect(try client.next().verb == .ok)
      for closing in [true, false] {
        let half = try server.connect()
        try half.send(bytes: Array(#"mutation m accounts:open {"owner":"half a line","balance":1}"#.utf8))
        if closing {
          half.closeWriting()
          #expect(try half.rest().isEmpty)
        } else {
          half.close()
        }
      }
      #expect(try client.total().count == 1)
    }

    @Test("A line of 20 MiB is answered by line_too_long, and that connection is closed; one of 15 MiB is read")
    func longLine() throws {
      let other = try server.connect()
      let long = try server.connect()
      try long.send(bytes: Array("ping ".utf8) + [UInt8](repeating: 0x61, count: 15 << 20) + [0x0A])
      #expect(try long.readLine()?.utf8.count == (15 << 20) + 5)
      do { try long.send(bytes: [UInt8](repeating: 0x61, count: 20 << 20)) } catch {}  // It may be closed before all is sent.
      let messages = try long.rest()
      #expect(messages.map(\.verb) == [.error, .closing])
      #expect(messages.map(\.code) == ["line_too_long", "line_too_long"])
      try other.send("ping")
      #expect(try other.readLine() == "pong")
    }

    @Test("Connections that are reset while they are being answered, with more lines on their way, end by themselves and nothing else")
    func resets() throws {
      let setup = try server.connect()
      let accounts = try setup.openMany(2, 1_000_000)
      let transfer = "accounts:transferFunds \(Bank.transfer(accounts[0], accounts[1], 1).json)"
      let busy = try server.connect()
      let clients = 300
      for number in 0..<clients {
        let client = try server.connect()
        try client.send("subscribe s accounts:total", "mutation a \(transfer)")
        if number % 2 == 0 { _ = try setup.total() } else { _ = try client.group() }
        // While the server is busy with these, the commit gets durable, more lines come, and the connection breaks: it learns of all that at once.
        try busy.send((0..<20).map { "query \($0) accounts:total" })
        try client.send("mutation b \(transfer)", "mutation c \(transfer)")
        client.reset()
        for query in 0..<20 { _ = try busy.answer(to: "\(query)") }
      }
      #expect(try setup.total().sum == 2_000_000)
      #expect(try setup.balance(accounts[1]) >= 1_000_000 + Double(clients), "the first of each was read")
    }
  }
}
