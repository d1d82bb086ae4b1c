import Foundation
import Martlet
import MartletValues
import Testing

@testable import MartletSQLite

/// `Tests/Fixtures/format-1.sqlite` is a data file that a server of format 1 left behind when it was killed: eight accounts, five of them folded,
/// three in the log.
@Suite("Data files of older formats")
struct UpgradeTests {
  static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Fixtures/format-1.sqlite").path

  @Test("A file of format 1 is read, written on, folded, and led back in")
  func formatOne() throws {
    let directory = try TemporaryDirectory()
    let path = directory("data.db")
    writeFile(path, readFile(Self.fixture))
    var options = smallOptions
    options.keptMilliseconds = .infinity
    var (storage, sink) = try recover(path, options: options)
    let original = sink.contents
    #expect(try storage.connection.integer("PRAGMA user_version") == 2)
    #expect(sink.lastTimestamp == 9 && sink.documents == 11 && sink.commits == 3)
    let owners = original.values.map { String(decoding: $0.json, as: UTF8.self) }.filter { $0.contains("owner") }.sorted()
    #expect(owners == (1...8).map { #"{"balance":\#($0 <= 5 ? 100 : 200),"owner":"u\#($0)"}"# }.sorted())
    let log = try storage.log(LogRequest(limit: 10))
    #expect(log.commits.map(\.timestamp) == [9, 8, 7] && log.commits.allSatisfy { $0.function.isEmpty && $0.writeCount > 0 })

    // On from there, beside the rows of format 1.
    let id = try #require(original.keys.filter { $0.tableNumber > 10_000 }.sorted().first)
    var writer = CommitRecordWriter()
    writer.begin(timestamp: 10, wallClockMilliseconds: 5)
    writer.delete(id)
    writer.end()
    try storage.append(writer.takeBatch()!, sync: true)
    try storage.close()
    (storage, sink) = try recover(path, options: options)
    var expected = original
    expected[id] = nil
    #expect(sink.contents == expected && sink.lastTimestamp == 10)
    while try storage.checkpointSlice() {}
    #expect(KeptLogTests.rewound(expected, try storage.rewind(to: .timestamp(9))) == original)
    #expect(try storage.rewind(to: .timestamp(6)).documents.count { $0.value == nil } >= 3)
    try storage.close()
    #expect(try recover(path).sink.contents == expected)
  }

  @Test("A crash while a file is upgraded leaves a file of format 1, or one of format 2")
  func crash() throws {
    let directory = try TemporaryDirectory()
    let path = directory("data.db")
    writeFile(path, readFile(Self.fixture))
    let expected = try recover(path).sink.contents
    writeFile(directory("again.db"), readFile(Self.fixture))
    let storage = try SQLiteStorage(path: directory("again.db"))
    let image = CrashTests.Image(of: directory("again.db"))
    #expect(!image.log.isEmpty)
    for length in stride(from: 0, through: image.log.count, by: 512) {
      var cut = image
      cut.log = Array(image.log[..<length])
      cut.write(to: directory("cut.db"))
      let (recovered, sink) = try recover(directory("cut.db"))
      #expect(sink.contents == expected)
      try recovered.close()
    }
    _ = storage
  }

  @Test("A file of format 1 is repaired: nothing is lost where nothing is damaged, and else what is damaged")
  func repair() throws {
    let directory = try TemporaryDirectory()
    let path = directory("data.db")
    writeFile(path, readFile(Self.fixture))
    let report = try DataFileRepair.run(path, to: directory("saved.db"))
    #expect(report.isWhole, "\(report)")
    #expect(readFile(path) == readFile(Self.fixture))
    let saved = try recover(directory("saved.db")).sink
    #expect(try recover(path).sink.contents == saved.contents && saved.lastTimestamp == 9)

    var bytes = readFile(Self.fixture)
    let needle = Array(#""owner":"u3""#.utf8)
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: needle) })
    bytes[place + 2] ^= 1
    writeFile(directory("damaged.db"), bytes)
    let damaged = try DataFileRepair.run(directory("damaged.db"), to: directory("rest.db"))
    #expect(damaged.lostDocuments.count == 1 && damaged.damage.isEmpty, "\(damaged)")
    #expect(try recover(directory("rest.db")).sink.contents.count == saved.contents.count - 1)
  }

  @Test("A bit that changes in a row of format 1, or in its format, is found")
  func damage() throws {
    let directory = try TemporaryDirectory()
    for sql in ["UPDATE commit_log SET record_format = 2", "UPDATE commit_log SET record_format = 7", "UPDATE commit_log SET commits = 2"] {
      writeFile(directory("data.db"), readFile(Self.fixture))
      try SQLiteStorage(path: directory("data.db")).close()
      let connection = try Connection(path: directory("data.db"), purpose: .build)
      try connection.execute(sql)
      try connection.close()
      #expect("\(sql)") { _ = try recover(directory("data.db")) } throws: { ($0 as? StorageError)?.code == .corrupt }
    }
  }
}
