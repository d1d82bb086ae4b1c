import MartletTesting
import MartletValues
import Testing

@testable import Martlet

@Suite("Unique indexes")
struct UniqueIndexTests {
  @Test("A second document with the same value is refused, with an error for the caller that names index and value")
  func refused() throws {
    let server = try EngineHarness.music()
    let client = server.connect()
    let song = client.ask(server, #"mutation music:add {"title":"A"}"#)
    client.send(#"mutation m music:add {"title":"A"}"#)
    server.settle()
    let line = try #require(client.take().last)
    #expect(
      line.rest
        == #"{"code":"application","message":"table songs has a document with title \"A\" already, and its index by_title is unique","#
        + #""data":{"code":"not_unique","index":"by_title","table":"songs","values":["A"]}}"#)
    #expect(client.ask(server, #"mutation _system:insert {"table":"songs","document":{"title":"A"}}"#).hasPrefix("application: table songs"))
    let other = client.ask(server, #"mutation music:add {"title":"B"}"#)
    #expect(client.ask(server, #"mutation music:rename {"song":\#(other),"title":"A"}"#).hasPrefix("application: "))
    #expect(client.ask(server, #"mutation music:rename {"song":\#(other),"title":"B"}"#) == "null", "its own value is no other's")
    #expect(client.ask(server, "query music:titles") == #"["A calm 0","B calm 0"]"#)
    #expect(client.ask(server, #"mutation music:addOrFind {"title":"A"}"#) == song)
    _ = client.ask(server, #"mutation _system:delete {"id":\#(song)}"#)
    #expect(client.ask(server, #"mutation music:rename {"song":\#(other),"title":"A"}"#) == "null")
  }

  @Test("Within a transaction its own writes count: a value is free once its document gave it up, and taken once one has it")
  func ownWrites() throws {
    let server = try EngineHarness.music()
    let client = server.connect()
    let one = client.ask(server, #"mutation music:add {"title":"1"}"#)
    let two = client.ask(server, #"mutation music:add {"title":"2"}"#)
    #expect(client.ask(server, #"mutation music:renameAll {"titles":["2","1"]}"#).hasPrefix("application: "), "one by one")
    #expect(client.ask(server, #"mutation music:renameAll {"titles":["3","1"]}"#) == "null")
    #expect(client.ask(server, #"mutation music:swapTitles {"one":\#(one),"other":\#(two)}"#).hasPrefix("null"))
    #expect(client.ask(server, "query music:titles") == #"["1 calm 0","3 calm 0"]"#)
  }

  @Test("A document that lacks one of an index's fields is exempt")
  func missing() throws {
    let server = try EngineHarness.music()
    let client = server.connect()
    for title in ["A", "B"] { _ = client.ask(server, #"mutation music:add {"title":"\#(title)","mood":"loud"}"#) }
    #expect(client.ask(server, #"mutation music:add {"title":"C","mood":"loud","code":"x"}"#).hasPrefix("\""))
    let problem = client.ask(server, #"mutation music:add {"title":"D","mood":"loud","code":"x"}"#)
    #expect(problem.contains(#"with mood "loud" and code "x" already, and its index by_code is unique"#))
    #expect(client.ask(server, #"mutation music:add {"title":"D","mood":"calm","code":"x"}"#).hasPrefix("\""))
  }

  @Test("Of mutations that want one value at the same time one gets it, those that run beside the engine's thread included")
  func atTheSameTime() throws {
    for seed in 0..<20 {
      let server = try EngineHarness.music(pace: .delayed)
      let clients = (0..<6).map { _ in server.connect() }
      for (number, client) in clients.enumerated() {
        client.send(#"mutation m music:\#((seed + number) % 2 == 0 ? "slowAdd" : "add") {"title":"same"}"#)
      }
      server.settle()
      let kinds = clients.map { client in client.take().last { $0.id == "m" }?.kind }
      #expect(kinds.filter { $0 == .ok }.count == 1)
      #expect(kinds.filter { $0 == .error }.count == 5)
      #expect(server.connect().ask(server, "query music:titles") == #"["same calm 0"]"#)
    }
  }

  @Test("Stored documents that share a value keep a server with a unique index from starting, and are named")
  func stored() throws {
    let earlier = try EngineHarness(tables: [EarlierSongs.self], modules: [])
    let client = earlier.connect()
    var ids: [String] = []
    for title in ["A", "B", "A"] {
      ids.append(client.ask(earlier, #"mutation _system:insert {"table":"songs","document":{"title":"\#(title)"}}"#))
    }
    let error = try #require(throws: SchemaError.self) { try EngineHarness.music(seed: 2, disk: earlier.disk) }
    #expect(error.message.hasPrefix("1 stored document does not fit the schema"))
    #expect(error.message.contains("\(ids[2].dropFirst().dropLast()): table songs has a document with title \"A\" already"))
    let again = try EngineHarness(tables: [EarlierSongs.self], modules: [], seed: 3, disk: earlier.disk)
    #expect(again.connect().ask(again, #"mutation _system:delete {"id":\#(ids[2])}"#) == "null")
    let server = try EngineHarness.music(seed: 2, disk: earlier.disk)
    #expect(server.connect().ask(server, #"mutation music:add {"title":"B"}"#).hasPrefix("application: "))
  }

  @Test("Values are the same where the order of values says so: null is a value, −0 is not 0, and a member's absence is exempt")
  func equality() throws {
    let server = try EngineHarness(tables: [Places.self], modules: [])
    let client = server.connect()
    func insert(_ place: String) -> String {
      let answer = client.ask(server, #"mutation _system:insert {"table":"places","document":{"place":\#(place)}}"#)
      return answer.hasPrefix("\"") ? "ok" : String(answer.prefix(13))
    }
    for value in ["null", "0", "-0.0", #"{"$float":"AAAAAAAA+H8="}"#, #"{"$integer":"AAAAAAAAAAA="}"#, "false", "\"\"", "[]", "{}", #"["a\u0000"]"#] {
      #expect(insert(#"{"city":\#(value)}"#) == "ok")
      #expect(insert(#"{"street":1,"city":\#(value)}"#) == "application: ", "\(value)")
    }
    for place in ["{}", "{}", "null", "3", #"{"city":["a"]}"#, #"{"city":"0"}"#] { #expect(insert(place) == "ok", "\(place)") }
    #expect(insert(#"{"city":0.0}"#) == "application: ")
    try server.crash()
    #expect(server.connect().ask(server, #"mutation _system:insert {"table":"places","document":{"place":{"city":null}}}"#).hasPrefix("application: "))
  }

  @Test("What the disk refused is free again, and what the lost commits had freed is taken")
  func storageFailure() throws {
    let server = try EngineHarness.music(pace: .byHand)
    let client = server.connect()
    let song = client.ask(server, #"mutation music:add {"title":"A"}"#)
    server.disk.fail(.append)
    client.send(#"mutation b music:rename {"song":\#(song),"title":"B"}"#, #"mutation c music:add {"title":"A"}"#)
    server.settle()
    #expect(client.take().filter { $0.id == "b" || $0.id == "c" }.map(\.code) == ["storage_failed", "storage_failed"])
    #expect(client.ask(server, "query music:titles") == #"["A calm 0"]"#)
    try server.restart()
    let again = server.connect()
    #expect(again.ask(server, #"mutation music:add {"title":"A"}"#).hasPrefix("application: "))
    #expect(again.ask(server, #"mutation music:add {"title":"B"}"#).hasPrefix("\""))
  }

  @Test("Documents whose defaults would share a unique value keep a server from starting, before any of them gets one")
  func storedWithoutDefault() throws {
    let earlier = try EngineHarness(tables: [EarlierSongs.self], modules: [])
    let client = earlier.connect()
    func insert(_ title: String, _ code: String) -> String {
      client.ask(earlier, #"mutation _system:insert {"table":"songs","document":{"title":"\#(title)","code":"\#(code)"}}"#)
    }
    _ = insert("A", "1")
    let second = insert("B", "1")
    let third = insert("C", "2")
    // Unique is mood and code, and a song without a mood becomes "calm".
    let error = try #require(throws: SchemaError.self) { try EngineHarness.music(seed: 2, disk: earlier.disk) }
    #expect(error.message.hasPrefix("1 stored document does not fit the schema"))
    #expect(error.message.contains(#"\#(second.dropFirst().dropLast()): table songs has a document with mood "calm" and code "1" already"#))
    let again = try EngineHarness(tables: [EarlierSongs.self], modules: [], seed: 3, disk: earlier.disk)
    #expect(again.connect().ask(again, #"mutation _system:delete {"id":\#(second)}"#) == "null")
    let server = try EngineHarness.music(seed: 2, disk: earlier.disk)
    #expect(server.connect().ask(server, #"mutation _system:patch {"id":\#(third),"fields":{"code":"1"}}"#).hasPrefix("application: "))
    try server.crash()
  }
}

private struct Places: Table {
  static let name = "places"
  let place = Field(.any)
  let byCity = Index<Places>("by_city", path: "place.city", unique: true)
}
