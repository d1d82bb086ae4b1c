import MartletTesting
import TestSupport
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

  @Test("A field that is removed by its name is gone, or has its default again; a required one can't be removed")
  func removing() throws {
    let server = try EngineHarness.music()
    let client = server.connect()
    let song = client.ask(server, #"mutation music:add {"title":"A","mood":"loud","code":"x"}"#)
    func patch(_ fields: String) -> String { client.ask(server, #"mutation _system:patch {"id":\#(song),"fields":\#(fields)}"#) }
    let undefined = #"{"$undefined":null}"#
    #expect(patch(#"{"code":\#(undefined),"mood":\#(undefined),"votes":3}"#) == "null")
    #expect(client.ask(server, "query music:titles") == #"["A calm 3"]"#)
    let stored = client.ask(server, #"query _system:documents {"table":"songs","index":"by_code","range":{"eq":["calm"]}}"#)
    #expect(stored.contains(#""mood":"calm","title":"A","votes":3}"#), "in its index too, and without a code")
    #expect(patch(#"{"title":\#(undefined)}"#) == "schema_violation: document of table songs: title: expected string, found nothing")
    #expect(patch(#"{"_id":\#(undefined)}"#).hasPrefix("schema_violation"))
    for form in [#"{"$undefined":1}"#, #"{"$field":"title"}"#, #"{"$eq":[1,1]}"#, #"{"$undefined":null,"x":1}"#] {
      #expect(patch(#"{"code":\#(form)}"#).hasPrefix("invalid_arguments: args.fields.code"), "\(form)")
    }
    #expect(patch(#"{"code":null}"#).contains("code: expected string, found null"))
    #expect(patch(#"{"code":{"$integer":"AAAAAAAAAAA="}}"#).contains("code: expected string, found int64"))
    #expect(
      client.ask(server, #"mutation _system:insert {"table":"songs","document":{"title":"B","code":\#(undefined)}}"#).hasPrefix("invalid_arguments"))
  }

  @Test("Large documents get their defaults a few at a time")
  func largeDocuments() throws {
    let earlier = try EngineHarness(tables: [EarlierSongs.self], modules: [])
    let client = earlier.connect()
    let text = String(repeating: "x", count: 1_000_000)
    for number in 0..<20 {
      #expect(
        client.ask(earlier, #"mutation _system:insert {"table":"songs","document":{"title":"\#(number)\#(text)"}}"#).hasPrefix("\""))
    }
    let server = try EngineHarness.music(seed: 2, disk: earlier.disk)
    #expect(server.statistic("commits") == 4, "20 MB in parts of some 8, and the new tables")
  }

  @Test("A default that its own validator refuses, and a member that no object can have, are refused at the start")
  func unfit() throws {
    func problem(_ table: any Table.Type) throws -> String {
      try #require(throws: SchemaError.self) { try EngineHarness(tables: [table], modules: []) }.message
    }
    try #expect(problem(UnfitLiteral.self) == #"field "kind" of table unfit: its default doesn't fit: expected "song", found another string"#)
    try #expect(problem(UnfitObject.self) == #"field "size" of table unfit: its default doesn't fit: a width is more than 0"#)
    try #expect(problem(UnfitMember.self).hasPrefix(#"field "size" of table unfit: "größe" can't be the name of a member: "#))
    #expect(throws: Never.self) { try EngineHarness(tables: [FitDefaults.self], modules: []) }
  }

  @Test("Defaults may be of every kind, and a replace gives them again")
  func kinds() throws {
    let server = try EngineHarness(tables: [FitDefaults.self], modules: [])
    let client = server.connect()
    let id = client.ask(server, #"mutation _system:insert {"table":"fit","document":{}}"#)
    let defaults = #""any":null,"colour":"green","list":[1,2],"notes":{"a":1},"size":{"width":2}}]"#
    #expect(client.ask(server, #"query _system:documents {"table":"fit"}"#).contains(defaults))
    _ = client.ask(server, #"mutation _system:patch {"id":\#(id),"fields":{"list":[],"any":3}}"#)
    #expect(client.ask(server, #"query _system:documents {"table":"fit"}"#).contains(#""any":3,"colour":"green","list":[],"#))
    _ = client.ask(server, #"mutation _system:replace {"id":\#(id),"document":{"notes":{}}}"#)
    #expect(client.ask(server, #"query _system:documents {"table":"fit"}"#).contains(#""any":null,"colour":"green","list":[1,2],"notes":{},"#))
  }

  @Test("A document of very many fields is stored in good time, with each field once and in its place")
  func manyFields() throws {
    let server = try EngineHarness.music()
    let client = server.connect()
    var random = TestRandom(seed: 1)
    let names = (0..<60_000).map { "f\($0)" }.shuffled(using: &random)
    let document = names.map { "\"\($0)\":\($0.dropFirst())" }.joined(separator: ",")
    let start = ContinuousClock.now
    let id = client.ask(server, "mutation _system:insert {\"table\":\"notes\",\"document\":{\(document)}}")
    #expect(id.hasPrefix("\""))
    #expect(ContinuousClock.now - start < .seconds(30), "it would be minutes if each field were put in its place at once")
    _ = client.ask(server, #"mutation _system:patch {"id":\#(id),"fields":{"f7":"seven"}}"#)
    #expect(client.ask(server, #"query music:noted {"name":"f7"}"#) == #"["seven"]"#)
    #expect(client.ask(server, #"query music:noted {"name":"f59999"}"#) == "[59999]")
    #expect(client.ask(server, #"mutation music:noteMany {"count":200}"#) == "200")
    try server.crash()
    #expect(server.connect().ask(server, #"query music:noted {"name":"f12345"}"#) == "[12345]")
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

private struct UnfitLiteral: Table {
  static let name = "unfit"
  let kind = Field(.literal("song"), default: "album")
}

private struct UnfitObject: Table {
  static let name = "unfit"
  let size = Field(Size.validator, default: Size(width: 0))
}

private struct UnfitMember: Table {
  static let name = "unfit"
  let size = Field(.optional(.array(.codable(Umlaut.self))))

  struct Umlaut: Codable, Sendable { var größe: Double }
}

private struct FitDefaults: Table {
  static let name = "fit"
  let colour = Field(.enumeration(Colour.self), default: .green)
  let list = Field(.array(.double), default: [1, 2])
  let size = Field(Size.validator, default: Size(width: 2))
  let notes = Field(.record(.double), default: ["a": 1])
  let any = Field(.any, default: .null)
}
