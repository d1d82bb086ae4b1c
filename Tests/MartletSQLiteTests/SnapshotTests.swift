import Foundation
import Martlet
import MartletValues
import Testing

@testable import MartletSQLite

@Suite("Snapshots")
struct SnapshotTests {
  static let names: [UInt32: String] = [1: "_tables", 2: "accounts", 3: "Accounts"]

  @discardableResult
  static func write(_ contents: Contents, timestamp: UInt64, name: String, in directory: TemporaryDirectory) throws -> SnapshotManifest {
    let writer = try SnapshotWriter(
      directory: directory.path, name: name, timestamp: timestamp, wallClockMilliseconds: 1_700_000_000_000)
    for (number, name) in names.sorted(by: { $0.key < $1.key }) {
      try writer.beginTable(name, number: number)
      // In no order.
      for (id, document) in contents where id.tableNumber == number {
        try document.json.withUnsafeBytes { try writer.document(id, creationTime: document.creationTime, json: $0) }
      }
    }
    return try writer.finish()
  }

  static func workload(_ seed: UInt64 = 1) -> Workload {
    var workload = Workload(seed: seed)
    for _ in 0..<80 { _ = workload.nextBatch() }
    return workload
  }

  @Test("A snapshot that is restored has the same contents and timestamp", arguments: 1...4)
  func roundTrip(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var workload = Self.workload(seed)
    let written = try Self.write(workload.contents, timestamp: workload.timestamp, name: "monday", in: directory)
    let reader = try SnapshotReader(directory: directory.path, name: "monday")
    #expect(reader.manifest == written)
    #expect(reader.manifest.documentCount == workload.contents.count { $0.key.tableNumber != 1 }, "the catalog isn't counted")
    #expect(reader.manifest.tables.map(\.name) == ["_tables", "accounts", "Accounts"])
    try reader.verify()

    try SQLiteStorage.restore(reader, to: directory("data.db"))
    let (storage, sink) = try recover(directory("data.db"))
    #expect(sink.contents == workload.contents)
    #expect(sink.lastTimestamp == workload.timestamp)
    try storage.append(workload.nextBatch(), sync: true)
    try storage.close()
    #expect(try recover(directory("data.db")).sink.contents == workload.contents)
  }

  @Test("A person can query a snapshot with SQLite's JSON functions")
  func queryable() throws {
    let directory = try TemporaryDirectory()
    let id = DocumentID(tableNumber: 2, high: 1, low: 2)
    let json = Array(#"{"owner":"alice","balance":12.5}"#.utf8)
    try Self.write([id: StoredDocument(creationTime: 5, json: json)], timestamp: 9, name: "s", in: directory)
    let connection = try Connection(path: directory("s.martlet.sqlite"), purpose: .read)
    #expect(try connection.string("SELECT document ->> 'balance' FROM accounts WHERE _id = '\(id)'") == "12.5")
    #expect(try connection.string("SELECT name FROM _snapshot_tables WHERE sql_table = 'table_3'") == "Accounts")
  }

  @Test("A snapshot in which a bit has changed is refused, or has the same contents", arguments: 1...4)
  func damage(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var workload = Self.workload(seed)
    let contents = workload.contents
    try Self.write(contents, timestamp: workload.timestamp, name: "s", in: directory)
    let image = readFile(directory("s.martlet.sqlite"))
    var found = 0
    for _ in 0..<120 {
      var flipped = image
      flipped[Int.random(in: image.indices, using: &workload.generator)] ^= 1 << UInt8.random(in: 0..<8, using: &workload.generator)
      writeFile(directory("s.martlet.sqlite"), flipped)
      do {
        var read: Contents = [:]
        let reader = try SnapshotReader(directory: directory.path, name: "s")
        try reader.forEachDocument { read[$1] = StoredDocument(creationTime: $2, json: [UInt8]($3)) }
        #expect(read == contents && reader.manifest.timestamp == workload.timestamp)
      } catch is StorageError {
        found += 1
      }
    }
    #expect(found > 0)
  }

  @Test("Restoring a damaged snapshot leaves no data file behind")
  func restoreOfDamage() throws {
    let directory = try TemporaryDirectory()
    let workload = Self.workload()
    try Self.write(workload.contents, timestamp: workload.timestamp, name: "s", in: directory)
    let connection = try Connection(path: directory("s.martlet.sqlite"), purpose: .build)
    try connection.execute("UPDATE accounts SET document = '{}' WHERE _id = (SELECT max(_id) FROM accounts)")
    try connection.close()
    let reader = try SnapshotReader(directory: directory.path, name: "s")
    #expect { try SQLiteStorage.restore(reader, to: directory("data.db")) } throws: { ($0 as? StorageError)?.code == .corrupt }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["s.martlet.sqlite"])
  }

  @Test("Nothing is written over: neither a snapshot nor a data file")
  func nothingIsOverwritten() throws {
    let directory = try TemporaryDirectory()
    try Self.write([:], timestamp: 1, name: "s", in: directory)
    #expect { try Self.write([:], timestamp: 2, name: "s", in: directory) } throws: { ($0 as? StorageError)?.code == .unavailable }
    let reader = try SnapshotReader(directory: directory.path, name: "s")
    try SQLiteStorage.restore(reader, to: directory("data.db"))
    #expect { try SQLiteStorage.restore(reader, to: directory("data.db")) } throws: { ($0 as? StorageError)?.code == .unavailable }
    for name in ["", "../up", "a/b", ".hidden"] {
      #expect(throws: StorageError.self) { try Self.write([:], timestamp: 1, name: name, in: directory) }
    }
  }

  @Test("A snapshot that was not finished leaves nothing")
  func abandoned() throws {
    let directory = try TemporaryDirectory()
    do {
      let writer = try SnapshotWriter(directory: directory.path, name: "s", timestamp: 1, wallClockMilliseconds: 0)
      try writer.beginTable("accounts", number: 2)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
  }

  @Test("The list has all snapshots, oldest first, and says which can't be read")
  func list() throws {
    let directory = try TemporaryDirectory()
    try Self.write([:], timestamp: 20, name: "a", in: directory)
    try Self.write([:], timestamp: 10, name: "b", in: directory)
    writeFile(directory("c.martlet.sqlite"), [1, 2, 3])
    writeFile(directory("notes.txt"), [1])
    let entries = try SnapshotDirectory(path: directory.path).list()
    #expect(entries.map(\.name) == ["b", "a", "c"])
    #expect(try entries[0].manifest.get().timestamp == 10)
    #expect(throws: StorageError.self) { try entries[2].manifest.get() }
    #expect(try SnapshotDirectory(path: directory("none")).list().isEmpty)
  }
}
