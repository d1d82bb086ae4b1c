import MartletTesting
import Testing

@testable import Martlet

@Suite("Defaults and tables without a schema")
struct DefaultTests {
  @Test("A field that a write leaves out gets its default, whoever writes, and is found by an index on it")
  func defaults() throws {
    let server = try EngineHarness.music()
    let client = server.connect()
    _ = client.ask(server, #"mutation music:add {"title":"A"}"#)
    _ = client.ask(server, #"mutation music:add {"title":"B","mood":"loud"}"#)
    let plain = client.ask(server, #"mutation _system:insert {"table":"songs","document":{"title":"C","votes":2}}"#)
    #expect(client.ask(server, "query music:titles") == #"["A calm 0","B loud 0","C calm 2"]"#)
    _ = client.ask(server, #"mutation _system:replace {"id":\#(plain),"document":{"title":"D"}}"#)
    let found = client.ask(server, #"query _system:documents {"table":"songs","index":"by_votes","range":{"eq":[0]}}"#)
    #expect(found.contains(#""title":"D","votes":0}"#))
    #expect(client.ask(server, #"mutation _system:patch {"id":\#(plain),"fields":{"mood":null}}"#).contains("mood: expected string, found null"))
  }

  @Test("Documents that were stored before a field with a default was declared get it at the start, for good")
  func earlier() throws {
    let earlier = try EngineHarness(tables: [EarlierSongs.self], modules: [])
    let client = earlier.connect()
    for number in 0..<2_500 {
      client.send(#"mutation m\#(number) _system:insert {"table":"songs","document":{"title":"\#(number)"}}"#)
    }
    earlier.settle()
    let server = try EngineHarness.music(seed: 2, disk: earlier.disk)
    let found = { (server: EngineHarness) in
      server.connect().ask(server, #"query _system:documents {"table":"songs","index":"by_votes","range":{"eq":[0]},"limit":3000}"#)
        .split(separator: #""mood":"calm""#).count - 1
    }
    #expect(found(server) == 2_500)
    #expect(server.statistic("commits") == 4, "three of a thousand documents at most, and one of new tables")
    let timestamp = server.statistic("headTs")
    try server.crash()
    #expect(found(server) == 2_500)
    #expect(server.statistic("headTs") == timestamp, "nothing is left to fill")
  }

  @Test("An argument that is left out, or null, is its default")
  func arguments() throws {
    let server = try EngineHarness(tables: [], modules: [Greetings.self])
    let client = server.connect()
    #expect(client.ask(server, #"query greetings:greet {"name":"Ada"}"#) == #""Hello Ada!""#)
    #expect(client.ask(server, #"query greetings:greet {"name":"Ada","greeting":null}"#) == #""Hello Ada!""#)
    #expect(client.ask(server, #"query greetings:greet {"name":"Ada","greeting":"Bye"}"#) == #""Bye Ada!""#)
    #expect(client.ask(server, #"query greetings:greet {"name":"Ada","greeting":1}"#).contains("args.greeting: expected string, found number"))
    #expect(client.ask(server, "query greetings:relay") == #""Ahoy Ada!""#)
  }

  @Test("A table that allows other fields takes any, checks those that it declares, and gives them back by name")
  func otherFields() throws {
    let server = try EngineHarness.music()
    let client = server.connect()
    func insert(_ document: String) -> String {
      client.ask(server, #"mutation _system:insert {"table":"notes","document":\#(document)}"#)
    }
    #expect(insert(#"{"colour":"red","size":{"width":[1,2]}}"#).hasPrefix("\""))
    #expect(insert(#"{"text":"hi","colour":{"$integer":"AQAAAAAAAAA="}}"#).hasPrefix("\""))
    #expect(insert(#"{"text":1}"#).contains("text: expected string, found number"))
    #expect(insert(#"{"_colour":1}"#).hasPrefix("schema_violation"))
    #expect(client.ask(server, #"query music:noted {"name":"colour"}"#) == #"["red",{"$integer":"AQAAAAAAAAA="}]"#)
    #expect(client.ask(server, #"mutation music:note {"name":"mood","value":[null]}"#).hasPrefix("\""))
    #expect(client.ask(server, #"mutation music:note {"name":"mood"}"#).hasPrefix("\""))
    #expect(client.ask(server, #"query music:noted {"name":"mood"}"#) == "[[null]]")
    #expect(client.ask(server, #"mutation music:note {"name":"text","value":1}"#).contains("text: expected string, found number"))
    for name in ["", "_x", "$x", "a\\\"b", "é", "a\\\\b"] {
      #expect(client.ask(server, #"mutation music:note {"name":"\#(name)","value":1}"#).hasPrefix("schema_violation: document of table notes: "))
    }
    try server.crash()
    #expect(server.connect().ask(server, #"query music:noted {"name":"colour"}"#) == #"["red",{"$integer":"AQAAAAAAAAA="}]"#)
  }
}

private enum Greetings: FunctionModule {
  static let path = "greetings"
  static let functions: [any ServerFunction] = [greet, relay]

  static let greet = Query("greet", Arg("name", .string), Arg("greeting", .string, default: "Hello")) { ctx, name, greeting in
    "\(greeting) \(name)!"
  }

  static let relay = Query("relay") { ctx in try ctx.run(greet("Ada", "Ahoy")) }
}
