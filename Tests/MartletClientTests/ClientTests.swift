import MartletClient
import MartletWire
import Synchronization
import Testing

/// The client against a scripted server, over a real socket.
@Suite("The client over a socket", .timeLimit(.minutes(1)))
struct ClientTests {
  @Test("A query, a mutation and an action are sent by their verbs, and answered with values")
  func verbs() async throws {
    try await withClient { _, line in
      let words = line.split(separator: " ", maxSplits: 3).map(String.init)
      return ["ok \(words[1]) 7 {\"verb\":\"\(words[0])\",\"function\":\"\(words[2])\",\"args\":\(words[3])}"]
    } body: { client, _ in
      let query = try await client.query("m:q", ["x": 1])
      #expect(query == ["verb": "query", "function": "m:q", "args": ["x": 1]])
      let mutation = try await client.mutation("m:m")
      #expect(mutation == ["verb": "mutation", "function": "m:m", "args": [:]])
      let action = try await client.action("d/m:a")
      #expect(action == ["verb": "action", "function": "d/m:a", "args": [:]])
    }
  }

  @Test("A thousand requests of many tasks are each given their own answer")
  func pipelined() async throws {
    try await withClient { _, line in
      let words = line.split(separator: " ", maxSplits: 3)
      return ["ok \(words[1]) 1 \(words[3])"]
    } body: { client, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<1000 {
          group.addTask {
            let arguments: Value = ["n": .float64(Double(number))]
            let answer = try await client.query("m:echo", arguments)
            #expect(answer == arguments)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("A server's error is thrown with its code, message and data")
  func errors() async throws {
    try await withClient { _, line in
      ["error \(line.split(separator: " ")[1]) {\"code\":\"application\",\"message\":\"no funds\",\"data\":{\"short\":3}}"]
    } body: { client, _ in
      await #expect(throws: MartletError(.application, "no funds", data: ["short": 3])) {
        try await client.query("m:f")
      }
    }
  }

  @Test("An answer of another type is an error, not a value")
  func otherType() async throws {
    try await withClient { _, line in
      ["ok \(line.split(separator: " ")[1]) 1 \"text\""]
    } body: { client, _ in
      let call = FunctionCall<Double>(kind: .query, name: "m:f", arguments: Array("{}".utf8))
      let error = await #expect(throws: MartletError.self) { try await client.run(call) }
      #expect(error?.code == .unexpectedAnswer)
    }
  }

  @Test("A name that would make two lines of one is refused", arguments: ["", "a b", "a:b\nmutation 1 x:y", "a\t"])
  func injection(name: String) async throws {
    try await withClient { _, line in
      Issue.record("the server received \(line)")
      return []
    } body: { client, _ in
      let error = await #expect(throws: MartletError.self) { try await client.query(name) }
      #expect(error?.code == .badRequest)
      await #expect(throws: MartletError.self) { for try await _ in client.subscribe(name) {} }
    }
  }

  @Test("ping measures a round trip, and auth is a request")
  func pingAndAuth() async throws {
    try await withClient { _, line in
      let words = line.split(separator: " ")
      return words[0] == "ping" ? ["pong \(words[1])"] : ["ok \(words[1]) 1 null"]
    } body: { client, _ in
      #expect(try await client.ping() > .zero)
      try await client.authenticate("token")
      try await client.authenticate(nil)
      await #expect(throws: MartletError.self) { try await client.authenticate("two words") }
    }
  }

  @Test("Promise 6: a mutation whose connection ends is sent again over the next one, under the same session and id")
  func sentAgain() async throws {
    try await withClient { connection, line in
      let words = line.split(separator: " ")
      return connection == 0 ? nil : ["ok \(words[1]) 1 \(words[1])"]
    } body: { client, _ in
      let answer = try await client.mutation("m:f")
      #expect(answer == 1)
    }
  }

  @Test("A connection that ends fails an action in flight; the client connects again by itself")
  func loss() async throws {
    try await withClient { connection, line in
      let words = line.split(separator: " ")
      switch words[0] {
      case "subscribe": return ["update \(words[1]) \(connection)", "synced \(connection)"]
      case "action": return nil
      case "mutation" where connection == 0: return nil
      default: return ["ok \(words[1]) 1 true"]
      }
    } body: { client, _ in
      var numbers = client.subscribe("m:number").updates.makeAsyncIterator()
      #expect(try await numbers.next()?.value == 0)
      let error = await #expect(throws: MartletError.self) { try await client.action("m:lose") }
      #expect(error?.code == .connectionLost)
      // The new connection's value tells that it is open.
      let update = try await numbers.next()
      #expect(try update?.value == 1)
      #expect(update?.timestamp == 1)
      #expect(try await client.query("m:f") == true)
    }
  }

  @Test("Patches are asked for unless the configuration says otherwise, and applied where they come", arguments: [true, false])
  func patches(accepts: Bool) async throws {
    let server = try await FakeServer.start(greets: false) { _, line in
      if line.hasPrefix("hello") { return [FakeServer.welcome] + (line.contains(#""patches":true"#) == accepts ? [] : ["garbage 1", "ok"]) }
      guard let id = line.wholeMatch(of: /subscribe (\d+) .*/)?.1 else { return [] }
      return [
        "update \(id) [1,2]", "synced 1",
        accepts ? #"patch \#(id) [["move",[1],0],["insert",[2],3]]"# : "update \(id) [2,1,3]", "synced 2",
      ]
    }
    var configuration = ClientConfiguration(port: server.port)
    configuration.acceptsPatches = accepts
    let client = try await MartletClient.connect(configuration)
    for try await update in client.subscribe("m:list").updates where update.timestamp == 2 {
      #expect(try update.value == [2, 1, 3])
      break
    }
    await client.close()
    await server.stop()
  }

  @Test("Connecting fails where there is no server, and where one says no")
  func noServer() async throws {
    let server = try await FakeServer.start { _, _ in [] }
    await server.stop()
    let refused = await #expect(throws: MartletError.self) {
      try await MartletClient.connect(host: "127.0.0.1", port: server.port)
    }
    #expect(refused?.code == .connectionLost)
    let strict = try await FakeServer.start(greets: false) { _, _ in
      [#"error - {"code":"unauthenticated","message":"the token has expired"}"#]
    }
    await #expect(throws: MartletError(.unauthenticated, "the token has expired")) {
      try await MartletClient.connect(host: "127.0.0.1", port: strict.port, token: "old")
    }
    await strict.stop()
  }

  @Test("A peer that speaks something else is refused, and its connection is closed")
  func otherProtocol() async throws {
    let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
    let server = try await FakeServer.start(greets: false, onEnd: { continuation.yield() }) { _, _ in
      ["ok", "welcome"]
    }
    let error = await #expect(throws: MartletError.self) {
      try await MartletClient.connect(host: "127.0.0.1", port: server.port)
    }
    #expect(error?.message.contains("not Martlet's protocol") == true)
    for await _ in ends { break }
    await server.stop()
  }

  @Test("A cancelled task gets CancellationError at once, and the server is told")
  func cancellation() async throws {
    let (requests, continuation) = AsyncStream.makeStream(of: String.self)
    try await withClient { _, line in
      continuation.yield(line)
      return []
    } body: { client, _ in
      var lines = requests.makeAsyncIterator()
      let task = Task { try await client.mutation("m:slow") }
      let request = await lines.next()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      let id = try #require(request?.split(separator: " ")[1])
      #expect(await lines.next() == "cancel \(id)")
    }
  }

  @Test("A task that is cancelled before it asks is not answered, but thrown out")
  func cancelledBefore() async throws {
    try await withClient { _, _ in [] } body: { client, _ in
      let (gate, open) = AsyncStream.makeStream(of: Void.self)
      let task = Task {
        for await _ in gate {}
        return try await client.mutation("m:slow")
      }
      task.cancel()
      open.finish()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  @Test("close waits for what is in flight, and what follows is refused")
  func closing() async throws {
    let server = try await FakeServer.start { _, line in ["ok \(line.split(separator: " ")[1]) 1 true"] }
    let client = try await MartletClient.connect(url: "martlet://127.0.0.1:\(server.port)")
    async let answer = client.query("m:f")
    #expect(try await answer == true)
    await client.close()
    await client.close()
    let error = await #expect(throws: MartletError.self) { try await client.query("m:f") }
    #expect(error?.code == .clientClosed)
    for try await _ in client.subscribe("m:f") { Issue.record("a closed client delivers") }
    await server.stop()
  }

  @Test("A client that is dropped says goodbye")
  func dropped() async throws {
    let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
    let server = try await FakeServer.start(onEnd: { continuation.yield() }) { _, _ in [] }
    do { _ = try await MartletClient.connect(host: "127.0.0.1", port: server.port) }
    for await _ in ends { break }
    await server.stop()
  }

  @Test("A token's provider is asked for each connection, and when the token has ended")
  func tokenProvider() async throws {
    let given = Mutex(0)
    let heard = Mutex<[String]>([])
    let server = try await FakeServer.start(greets: false) { connection, line in
      if line.hasPrefix("hello ") {
        let token = line.split(separator: "token\":\"").last?.prefix { $0 != "\"" }
        heard.withLock { $0.append("hello \(token ?? "")") }
        return [FakeServer.welcome]
      }
      if line.hasPrefix("auth ") {
        heard.withLock { $0.append(line) }
        return ["ok 0 1 null"]
      }
      let id = line.split(separator: " ")[1]
      // The first connection breaks before an answer. On the second, the token ends.
      if connection == 0 { return nil }
      return line.contains("m:end") ? [#"expired {"code":"unauthenticated","message":"m"}"#, "ok \(id) 1 1"] : ["ok \(id) 1 \(heard.withLock { $0.count })"]
    }
    var configuration = ClientConfiguration(host: "127.0.0.1", port: server.port, token: "unused")
    configuration.backoff = Backoff(initialMilliseconds: 1, maximumMilliseconds: 1)
    configuration.tokenProvider = {
      try given.withLock { given in
        given += 1
        // The attempt that fails for want of a token is made again.
        if given == 2 { throw MartletError(.timeout, "the issuer is down") }
        return "t\(given)"
      }
    }
    let client = try await MartletClient.connect(configuration)
    _ = try await client.query("m:end")
    // Until the new token has been sent.
    while try await client.query("m:count") != 3 {}
    #expect(heard.withLock { $0 } == ["hello t1", "hello t3", "auth 0 t4"])
    await client.close()

    configuration.tokenProvider = { throw MartletError(.timeout, "the issuer is down") }
    await #expect { try await MartletClient.connect(configuration) } throws: { error in
      (error as? MartletError)?.code == .connectionLost && "\(error)".contains("the issuer is down")
    }
    await server.stop()
  }
}

/// A client of a scripted server, both closed behind the test.
func withClient(
  _ script: @escaping FakeServer.Script, body: (MartletClient, FakeServer) async throws -> Void
) async throws {
  let server = try await FakeServer.start(script)
  var configuration = ClientConfiguration(host: "127.0.0.1", port: server.port)
  configuration.backoff = Backoff(initialMilliseconds: 1, maximumMilliseconds: 1)
  let client = try await MartletClient.connect(configuration)
  do {
    try await body(client, server)
  } catch {
    await client.close()
    await server.stop()
    throw error
  }
  await client.close()
  await server.stop()
}
