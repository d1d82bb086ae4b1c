import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("Identities")
struct IdentityTests {
  static func liveQueries(_ server: EngineHarness) -> Int { server.inspect { $0.live.count } }

  @Test("ctx.identity is what the verifier says of the token, by auth and by hello, in queries and in what actions run")
  func verified() throws {
    let server = try EngineHarness.badges()
    let client = server.connect()
    client.send("query 1 private:whoami", "auth a badge:ada::red", "query 2 private:whoami", "action 3 private:relay", "auth b", "query 4 private:whoami")
    server.settle()
    #expect(client.answer("1") == #""nobody - {}""#)
    #expect(client.answer("2") == #""ada ada@example.com {\"color\":\"red\"}""#)
    #expect(client.answer("3") == client.answer("2"))
    #expect(client.answer("4") == client.answer("1"))
    let greeter = server.connect()
    greeter.send(#"hello {"token":"badge:bob"}"#, "query 1 private:whoami")
    #expect(greeter.take().map(\.kind) == [.welcome, .ok])
    greeter.send("query 2 private:whoami")
    #expect(greeter.answer("2") == #""bob bob@example.com {}""#)
  }

  @Test("Equal identities share a live query, whatever their tokens; others don't, and each shows what is its caller's")
  func sharing() throws {
    let server = try EngineHarness.badges(["ada": 1, "bob": 2])
    let tokens = ["badge:ada", "badge:ada:60", "badge:bob", "badge:ada::red", nil]
    let clients = tokens.map { token in
      let client = server.connect()
      if let token { client.send("auth a \(token)") }
      client.send("subscribe s private:mine")
      return client
    }
    server.settle()
    #expect(Self.liveQueries(server) == 4)
    let told = clients.map { $0.take().first { $0.id == "s" }! }
    #expect(told.map(\.rest).prefix(4) == ["1", "1", "2", "1"])
    #expect(told[4].kind == .failed && told[4].message == "sign in first")
    let before = server.statistic("queryRuns")
    clients[4].send(#"mutation 1 counters:set {"name":"ada","value":10}"#)
    server.settle()
    #expect(server.statistic("queryRuns") == before + 2, "ada's, and ada's with a claim")
    #expect(clients.prefix(4).map { $0.take().first { $0.kind == .update }?.rest } == ["10", "10", nil, "10"])
  }

  @Test("auth moves live queries to the new identity, and back; a refused token leaves everything as it was")
  func change() throws {
    let server = try EngineHarness.badges(["ada": 1, "bob": 2])
    let client = server.connect()
    client.send("subscribe s private:mine", "auth a badge:ada")
    server.settle()
    #expect(client.take().filter { $0.id == "s" }.map(\.rest) == ["1"])
    client.send("auth b badge:bob", "query q private:mine")
    server.settle()
    #expect(client.take().map { "\($0.kind) \($0.id) \($0.rest)" } == ["ok b null", "ok q 2", "update s 2", "synced  "])
    client.send("auth c forged:bob", "query q private:mine")
    server.settle()
    let refused = client.take()
    #expect(refused.map(\.kind) == [.error, .ok] && refused[0].code == "unauthenticated" && refused[1].rest == "2")
    client.send("auth d badge:bob")
    let before = server.statistic("queryRuns")
    server.settle()
    #expect(client.take().map(\.kind) == [.ok] && server.statistic("queryRuns") == before, "the same identity runs nothing again")
    client.send("auth e")
    server.settle()
    #expect(client.take().map(\.kind) == [.ok, .failed, .synced])
    #expect(Self.liveQueries(server) == 1)
  }

  @Test("A hello that comes after a subscription moves it to the token's identity")
  func lateHello() throws {
    let server = try EngineHarness.badges(["ada": 1])
    let client = server.connect()
    client.send("subscribe s private:mine")
    server.settle()
    client.send(#"hello {"token":"badge:ada"}"#)
    server.settle()
    #expect(client.take().last { $0.id == "s" }?.rest == "1")
  }

  @Test("Errors say what is wrong with a token, and never hold it")
  func errors() throws {
    let server = try EngineHarness.badges(adminKey: "open-sesame")
    let client = server.connect()
    client.send("auth 1 forged-token", "auth 2 broken-token", "auth 3 badge:ada:-5", #"hello {"token":"forged-token"}"#)
    let lines = client.take()
    #expect(lines.map(\.code) == Array(repeating: "unauthenticated", count: 4))
    #expect(lines[0].message.hasPrefix("the token is not accepted: there is no badge [token]"))
    #expect(lines[1].message.hasPrefix("the token is not accepted") && lines[2].message.hasPrefix("the token has expired"))
    client.send("auth 4 broken:secret")
    let broken = client.take()
    #expect(broken[0].message.hasPrefix("the token could not be verified"))
    for line in lines + broken { #expect(!line.rest.contains("forged-token") && !line.rest.contains("secret")) }
    let closed = try EngineHarness.badges(tokens: nil).connect()
    closed.send("auth 1 badge:ada")
    #expect(closed.take().first?.message.hasPrefix("this server takes no tokens") == true)
  }

  @Test("Internal functions and, with a key, the server's own are for admins only: by the key, or by the verifier's word")
  func admins() throws {
    let server = try EngineHarness.badges(adminKey: "open-sesame")
    let client = server.connect()
    func codes() -> [String] {
      client.send("query i private:secret", "query s _system:stats", "subscribe l private:secret")
      server.settle()
      defer { client.send("unsubscribe l") }
      return client.take().filter { $0.kind == .ok || $0.kind == .error || $0.kind == .update }.map { $0.kind == .error ? $0.code : "\($0.kind)" }
    }
    #expect(codes() == ["forbidden", "forbidden", "forbidden"])
    for token in ["open-sesam", "open-sesame1", "open-sesamf", "oopen-sesame"] {
      client.send("auth a \(token)")
      #expect(client.lines.last?.code == "unauthenticated")
    }
    client.send("auth a badge:ada")
    _ = client.take()
    #expect(codes() == ["forbidden", "forbidden", "forbidden"])
    for token in ["open-sesame", "boss"] {
      client.send("auth a \(token)")
      _ = client.take()
      #expect(codes() == ["ok", "ok", "update"])
      _ = client.take()
    }
    // Live queries of an internal function end with the right to it.
    client.send("subscribe l private:secret")
    server.settle()
    _ = client.take()
    client.send("auth a")
    server.settle()
    #expect(client.take().last { $0.id == "l" }?.code == "forbidden")
  }

  @Test("A token that ends makes the connection anonymous and says so, whether it is silent or sends; a newer token in time keeps it")
  func expiry() throws {
    let server = try EngineHarness.badges(["ada": 1, "bob": 2])
    let silent = server.connect()
    silent.send("auth a badge:ada:60", "subscribe s private:mine")
    let renewed = server.connect()
    renewed.send("auth a badge:bob:60", "subscribe s private:mine")
    server.settle()
    server.advance(milliseconds: 50_000)
    renewed.send("auth b badge:bob:3600")
    server.settle()
    _ = (silent.take(), renewed.take())
    server.advance(milliseconds: 9_900)
    #expect(silent.take().isEmpty)
    server.advance(milliseconds: 200)
    let told = silent.take()
    #expect(told.map(\.kind) == [.expired, .failed, .synced])
    #expect(told[1].message == "sign in first")
    silent.send("query q private:whoami")
    #expect(silent.answer("q") == #""nobody - {}""#)
    server.advance(milliseconds: 3_000_000)
    #expect(renewed.take().isEmpty)
    server.advance(milliseconds: 600_000)
    #expect(renewed.take().map(\.kind) == [.expired, .failed, .synced])
    silent.send("auth c badge:ada")
    server.settle()
    server.advance(milliseconds: 100_000_000)
    #expect(silent.take().last { $0.id == "s" }?.rest == "1")

    // A request is never run by a token that has ended, though no timer has fired yet.
    let sender = server.connect()
    sender.send("auth a badge:ada:\(Int(server.clock.wallMilliseconds() - SimulatedClock.epochMilliseconds) / 1_000 + 60)")
    _ = sender.take()
    server.clock.advance(nanoseconds: 61_000_000_000)
    sender.send("query q private:whoami")
    let late = sender.take()
    #expect(late.map(\.kind) == [.expired, .ok] && late[1].rest == #""nobody - {}""#)
    server.settle()
    server.advance(milliseconds: 10)
    #expect(sender.take().isEmpty, "it is told once")
  }

  @Test("A scheduled function runs as nobody, whoever scheduled it")
  func jobs() throws {
    let server = try EngineHarness.badges()
    let client = server.connect()
    client.send("auth a badge:ada", "mutation 1 private:noteLater")
    server.settle()
    server.advance(milliseconds: 10)
    client.send(#"query 2 counters:value {"name":"nobody"}"#)
    #expect(client.answer("2") == "1")
  }

  @Test("Identities are equal by every member, and nobody is one with nothing")
  func equality() {
    let all = [
      Identity.anonymous, .admin, Identity(subject: "a"), Identity(subject: "b"), Identity(subject: "a", issuer: "i"),
      Identity(subject: "a", email: "e"), Identity(subject: "a", name: "n"), Identity(subject: "a", claims: ["c": 1]),
      Identity(subject: "a", claims: ["c": 2]), Identity(isAdmin: true, subject: "a"),
    ]
    #expect(Set(all).count == all.count)
    #expect(Identity(subject: nil) == .anonymous && Identity(subject: nil).subject == nil)
    let twin = Identity(subject: "a", issuer: "i", email: "e", name: "n", claims: ["c": 1])
    let other = Identity(subject: "a", issuer: "i", email: "e", name: "n", claims: ["c": 1])
    #expect(twin == other && twin.hashValue == other.hashValue && twin.name == "n" && twin.claims == ["c": 1])
  }
}
