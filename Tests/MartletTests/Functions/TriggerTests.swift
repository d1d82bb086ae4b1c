import MartletTesting
import Testing

@testable import Martlet

@Suite("Triggers")
struct TriggerTests {
  static func server() throws -> (EngineHarness, InProcessClient) {
    let server = try EngineHarness.music(triggers: [Music.countVotes, Music.noteSongs])
    return (server, server.connect())
  }

  @Test("A trigger runs in the transaction of every insert, change and delete, with the document before and after")
  func everyWrite() throws {
    let (server, client) = try Self.server()
    let song = client.ask(server, #"mutation music:add {"title":"A"}"#)
    _ = client.ask(server, #"mutation music:rename {"song":\#(song),"title":"B"}"#)
    for voter in ["x", "y", "y"] { _ = client.ask(server, #"mutation music:vote {"song":\#(song),"voter":"\#(voter)"}"#) }
    #expect(client.ask(server, #"query music:votes {"song":\#(song)}"#) == "3")
    _ = client.ask(server, #"mutation music:unvote {"voter":"y"}"#)
    #expect(client.ask(server, #"query music:votes {"song":\#(song)}"#) == "1")
    _ = client.ask(server, #"mutation _system:delete {"id":\#(song)}"#)
    #expect(client.ask(server, "query music:notes") == #"["+A","A→B","B→B","B→B","B→B","B→B","B→B","-B"]"#)
  }

  @Test("Triggers see every writer: _system's functions and other triggers too")
  func everyWriter() throws {
    let (server, client) = try Self.server()
    let song = client.ask(server, #"mutation _system:insert {"table":"songs","document":{"title":"S"}}"#)
    let vote = client.ask(server, #"mutation _system:insert {"table":"votes","document":{"song":\#(song),"voter":"x"}}"#)
    #expect(client.ask(server, #"query music:votes {"song":\#(song)}"#) == "1")
    _ = client.ask(server, #"mutation _system:patch {"id":\#(vote),"fields":{"voter":"z"}}"#)
    #expect(client.ask(server, #"query music:votes {"song":\#(song)}"#) == "1")
    _ = client.ask(server, #"mutation _system:delete {"id":\#(vote)}"#)
    #expect(client.ask(server, #"query music:votes {"song":\#(song)}"#) == "0")
    // The second trigger saw what the first one wrote.
    #expect(client.ask(server, "query music:notes") == #"["+S","S→S","S→S","S→S","S→S"]"#)
  }

  @Test("A trigger that throws takes back the write that it followed, and what it wrote itself; the caller may go on")
  func throwing() throws {
    let (server, client) = try Self.server()
    let song = client.ask(server, #"mutation music:add {"title":"A"}"#)
    #expect(client.ask(server, #"mutation music:vote {"song":\#(song),"voter":"twice"}"#) == "application: nobody votes twice")
    #expect(client.ask(server, #"mutation music:voteQuietly {"song":\#(song),"voter":"twice"}"#) == "0")
    #expect(client.ask(server, #"query music:votes {"song":\#(song)}"#) == "0")
    #expect(client.ask(server, "query music:notes") == #"["+A"]"#)
  }

  @Test("A trigger that sets itself off without end is an error, and nothing of it stays")
  func recursion() throws {
    let (server, client) = try Self.server()
    let song = client.ask(server, #"mutation music:add {"title":"A"}"#)
    #expect(
      client.ask(server, #"mutation music:vote {"song":\#(song),"voter":"deep"}"#)
        .hasPrefix("limit_exceeded: music:vote exceeded the limit of 64 calls within each other"))
    #expect(client.ask(server, #"query music:votes {"song":\#(song)}"#) == "0")
  }

  @Test("What a trigger wrote is on the disk with the write that it followed: a crash leaves both or neither")
  func crash() throws {
    let (server, client) = try Self.server()
    let song = client.ask(server, #"mutation music:add {"title":"A"}"#)
    _ = client.ask(server, #"mutation music:vote {"song":\#(song),"voter":"x"}"#)
    try server.crash()
    #expect(server.connect().ask(server, #"query music:votes {"song":\#(song)}"#) == "1")
  }

  @Test("A subscription to what a trigger writes is told of it")
  func live() throws {
    let (server, client) = try Self.server()
    let song = client.ask(server, #"mutation music:add {"title":"A"}"#)
    client.send(#"subscribe s music:votes {"song":\#(song)}"#)
    server.settle()
    _ = client.take()
    _ = server.connect().ask(server, #"mutation music:vote {"song":\#(song),"voter":"x"}"#)
    #expect(client.takeText().first == "update s 1")
  }

  @Test("A trigger on a table that the app doesn't have is refused at the start")
  func stray() throws {
    let error = #expect(throws: SchemaError.self) {
      try EngineHarness(tables: [Songs.self], modules: [], triggers: [Music.countVotes])
    }
    #expect(error?.message == "a trigger is on table \"votes\", which is not part of the app; list the table too")
  }
}
