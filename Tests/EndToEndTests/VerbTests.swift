import MartletValues
import Testing

extension EndToEnd {
  @Suite("Verbs")
  struct VerbTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder)
    }

    @Test("hello is answered by welcome, with the protocol, the server, a session and the longest line")
    func hello() throws {
      let client = try server.connect()
      try client.send(#"hello {"protocol":1,"session":"abc","logs":true,"somethingNew":[1]}"#)
      let welcome = try client.next()
      #expect(welcome.verb == .welcome)
      let json = try welcome.json
      #expect(json["protocol"] == 1)
      #expect(json["session"] == "abc")
      #expect(json["server"]?.text?.hasPrefix("martlet/") == true)
      #expect(json["maxLineBytes"] == .float64(Double(16 << 20)))
    }

    @Test("hello without anything is answered by a session of the server's choice, another for each connection")
    func bareHello() throws {
      let sessions = try (0..<2).map { _ in
        let client = try server.connect()
        try client.send("hello")
        return try client.next().json["session"]?.text ?? ""
      }
      #expect(sessions.allSatisfy { !$0.isEmpty })
      #expect(sessions[0] != sessions[1])
    }

    @Test("A hello of another protocol is refused, and the connection goes on")
    func otherProtocol() throws {
      let client = try server.connect()
      try client.send(#"hello {"protocol":2}"#, "ping still here")
      #expect(try client.next().code == "bad_request")
      #expect(try client.next().line == "pong still here")
    }

    @Test("ping is answered by pong with the same text", arguments: ["", "one", "two words", "ünïcödé \u{1F426}", "{\"a\":1}"])
    func ping(_ text: String) throws {
      let client = try server.connect()
      try client.send(text.isEmpty ? "ping" : "ping \(text)")
      #expect(try client.readLine() == (text.isEmpty ? "pong" : "pong \(text)"))
    }

    @Test("help is a few lines that each begin with #, and name every verb")
    func help() throws {
      let client = try server.connect()
      try client.send("help", "ping end")
      let lines = try client.messages { $0.verb == .pong }.dropLast()
      #expect((2...20).contains(lines.count))
      for line in lines { #expect(line.line.hasPrefix("#")) }
      let text = lines.map(\.line).joined(separator: " ")
      for verb in ["query", "mutation", "action", "subscribe", "unsubscribe", "cancel", "auth", "ping", "bye"] {
        #expect(text.contains(verb))
      }
    }

    @Test("After bye what is in flight is answered, closing is the last line, and the server closes")
    func bye() throws {
      let client = try server.connect()
      try client.send(
        #"mutation 1 accounts:openMany {"count":9000,"balance":1}"#, #"mutation 2 accounts:open {"owner":"a","balance":1}"#,
        "query 3 accounts:total", "bye", #"mutation 4 accounts:open {"owner":"not any more","balance":1}"#)
      let messages = try client.rest()
      #expect(messages.last?.verb == .closing)
      #expect(messages.count == 4)
      #expect(Set(messages.dropLast().map(\.id)) == ["1", "2", "3"])
      for message in messages.dropLast() { #expect(message.verb == .ok, "\(message)") }
      #expect(try server.connect().total().count == 9001)
    }

    @Test("A client that closes its side still gets the answers to what it had asked")
    func halfClosed() throws {
      let client = try server.connect()
      try client.send((0..<50).map { #"mutation m\#($0) accounts:open {"owner":"a","balance":1}"# })
      client.closeWriting()
      let answers = try client.rest()
      #expect(answers.filter { $0.verb == .ok }.map(\.id) == (0..<50).map { "m\($0)" })
    }

    @Test("Of connections that all have something to say at the same moment each is answered in its order, though some close their side and one breaks off")
    func manyAtOnce() throws {
      let clients = try (0..<24).map { _ in try server.connect() }
      // So that the server finds them all ready at once, with more than it handles at a time.
      server.suspend()
      for (number, client) in clients.enumerated() {
        try client.send((0..<40).map { #"mutation m\#($0) accounts:open {"owner":"owner-\#(number)","balance":1}"# })
        if number % 3 == 1 { client.closeWriting() }
      }
      clients[5].reset()
      server.resume()
      for (number, client) in clients.enumerated() where number != 5 {
        for request in 0..<40 {
          let answer = try client.next()
          #expect(answer.verb == .ok && answer.id == "m\(request)", "\(answer)")
        }
      }
      for number in clients.indices where number != 5 {
        #expect(try server.connect().query("accounts:byOwner", ["owner": .string("owner-\(number)")]).elements.count == 40)
      }
    }

    @Test("Empty lines, comments and blanks are nothing, and a CR before the LF is dropped")
    func nothing() throws {
      let client = try server.connect()
      try client.send("", "# a comment", "   ", "\r", "\t# another\r", "ping a\r", "  ping   b  ")
      #expect(try client.readLine() == "pong a")
      #expect(try client.readLine() == "pong b")
    }

    @Test("cancel ends a request that has not been answered with its one answer, cancelled")
    func cancel() throws {
      let client = try server.connect()
      try client.send(#"action a _system:snapshot {"name":"never"}"#, "cancel a", "ping")
      let messages = try client.messages { $0.verb == .pong }.dropLast()
      #expect(messages.map(\.id) == ["a"])
      #expect(messages.first?.code == "cancelled")
      // The id is free again, and was answered once.
      try client.send("query a accounts:total", "bye")
      #expect(try client.rest().map(\.verb) == [.ok, .closing])
    }

    @Test("cancel of a mutation that waits for another takes it out, and leaves the rest in order")
    func cancelWaitingMutation() throws {
      let client = try server.connect()
      try client.send(
        #"mutation long accounts:openMany {"count":9000,"balance":0}"#, #"mutation no accounts:open {"owner":"no","balance":1}"#,
        #"mutation yes accounts:open {"owner":"yes","balance":1}"#, "cancel no")
      #expect(try client.answer(to: "no").code == "cancelled")
      #expect(try client.answer(to: "long").verb == .ok)
      #expect(try client.answer(to: "yes").verb == .ok)
      #expect(try client.query("accounts:byOwner", ["owner": "no"]) == [])
      #expect(try client.query("accounts:byOwner", ["owner": "yes"]).elements.count == 1)
    }

    @Test("An id is free again once its request is answered or its subscription ended")
    func idsAreReused() throws {
      let client = try server.connect()
      try client.send("query x accounts:total")
      #expect(try client.next().verb == .ok)
      try client.send("subscribe x accounts:total")
      #expect(try client.group().lines.map(\.id) == ["x"])
      for verb in ["subscribe", "query", "mutation", "action"] {
        let function = verb == "action" ? "_system:snapshot" : verb == "mutation" ? "accounts:open" : "accounts:total"
        try client.send("\(verb) x \(function)")
        let refusal = try client.next()
        #expect(refusal.code == "duplicate_id", "\(refusal)")
        #expect(refusal.id == "x")
      }
      try client.send("unsubscribe x")
      let ended = try client.next()
      #expect(ended.verb == .ok && ended.id == "x" && ended.rest == "null", "\(ended)")
      try client.send("query x accounts:total")
      #expect(try client.next().verb == .ok)
    }

    @Test("With an admin key the server's own functions are forbidden before auth, and open after it")
    func adminKey() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(folder, arguments: ["--admin-key", "open-sesame"])
      let client = try server.connect()
      #expect(try client.request("query", "_system:stats").code == "forbidden")
      #expect(try client.request("mutation", "_system:insert", ["table": "accounts", "document": [:]]).code == "forbidden")
      try client.send(
        "auth a wrong-key", "query b _system:stats", "auth c open-sesame", "query d _system:stats", "auth e", "query f _system:stats")
      #expect(try client.answer(to: "a").code == "unauthenticated")
      #expect(try client.answer(to: "b").code == "forbidden")
      #expect(try client.answer(to: "c").rest == "null")
      #expect(try client.answer(to: "d").verb == .ok)
      #expect(try client.answer(to: "e").rest == "null")
      #expect(try client.answer(to: "f").code == "forbidden")
      // The app's own functions need no key.
      #expect(try client.total().count == 0)

      let greeter = try server.connect()
      try greeter.send(#"hello {"token":"open-sesame"}"#)
      #expect(try greeter.next().verb == .welcome)
      #expect(try greeter.request("query", "_system:stats").verb == .ok)
      let stranger = try server.connect()
      try stranger.send(#"hello {"token":"wrong"}"#)
      #expect(try stranger.next().code == "unauthenticated")
      #expect(try stranger.request("query", "_system:stats").code == "forbidden")
    }
  }
}
