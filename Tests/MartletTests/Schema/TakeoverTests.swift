import MartletTesting
import Testing

@testable import Martlet

@Suite("Taking over stored documents")
struct TakeoverTests {
  static func stored(_ count: Int) throws -> MemoryStorage.Disk {
    let earlier = try EngineHarness(tables: [EarlierSongs.self], modules: [])
    let client = earlier.connect()
    for number in 0..<count {
      client.send(#"mutation m\#(number) _system:insert {"table":"songs","document":{"title":"\#(number)"}}"#)
    }
    earlier.settle()
    return earlier.disk
  }

  @Test("A schema that many documents break is refused with how many they are and a list of some, and changes nothing")
  func broken() throws {
    struct NumberedSongs: Table {
      static let name = "songs"
      let title = Field(.double)
      let code = Field(.optional(.string))
    }
    let disk = try Self.stored(30)
    let error = try #require(throws: SchemaError.self) {
      try EngineHarness(tables: [NumberedSongs.self, Notices.self], modules: [], seed: 2, disk: disk)
    }
    #expect(error.message.hasPrefix("30 stored documents do not fit the schema"))
    #expect(error.message.split(separator: "\n").count == 22)
    #expect(error.message.hasSuffix("\n  and 10 more"))
    #expect(error.message.contains("title: expected number, found string"))
    let again = try EngineHarness(tables: [EarlierSongs.self], modules: [], seed: 3, disk: disk)
    #expect(again.recovered.unknownTables.isEmpty, "the table that would have been new is not there")
    #expect(again.recovered.documentCount == 30)
  }

  @Test("Recovery tells what it builds and checks")
  func progress() throws {
    let host = SimulatedHost(seed: 1, clock: SimulatedClock())
    var steps: [RecoveryStep] = []
    var recovery = Recovery(schema: try AppSchema([Songs.self])) { steps.append($0) }
    _ = try recovery.run(MemoryStorage(try Self.stored(3)), executor: host)
    #expect(
      steps == [
        .building(index: "by_title", table: "songs", documents: 3), .building(index: "by_code", table: "songs", documents: 3),
        .building(index: "by_votes", table: "songs", documents: 3), .checking(table: "_tables", documents: 1),
        .checking(table: "songs", documents: 3),
      ])
  }
}
