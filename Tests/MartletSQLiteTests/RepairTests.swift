import Foundation
import Martlet
import MartletValues
import TestSupport
import Testing

@testable import MartletSQLite

@Suite("Repair")
struct RepairTests {
  let directory: TemporaryDirectory
  let sample: SampleFile

  init() throws {
    directory = try TemporaryDirectory()
    sample = try SampleFile(seed: 11, directory)
  }

  /// Repairs some bytes, and reads what came of it as a server does.
  func repair(_ bytes: [UInt8], stopsAtHole: Bool = false) throws -> (report: RepairReport, sink: CollectingSink) {
    let source = directory("damaged-\(UUID().uuidString).db")
    let output = source + ".repaired"
    writeFile(source, bytes)
    defer { for path in [source, output, output + "-wal"] { try? FileManager.default.removeItem(atPath: path) } }
    let report = try DataFileRepair.run(source, to: output, stopsAtHole: stopsAtHole)
    #expect(readFile(source) == bytes, "the damaged file was changed")
    #expect(!FileManager.default.fileExists(atPath: output + ".repairing"))
    let (storage, sink) = try recover(output)
    // It goes on from there.
    var writer = CommitRecordWriter()
    writer.begin(timestamp: sink.lastTimestamp + 1, wallClockMilliseconds: 0)
    writer.end()
    try storage.append(writer.takeBatch()!, sync: true)
    try storage.close()
    return (report, sink)
  }

  /// No document has contents that it never had.
  func expectNothingInvented(_ contents: Contents, _ what: String) {
    for (id, document) in contents where sample.workload.contents[id] != document {
      let wasThere = sample.workload.history.values.contains { $0[id] == document }
      #expect(wasThere, "\(what): document \(id) never had these contents")
    }
  }

  @Test("A file that isn't damaged is saved whole, with its log, also while most of it is in the write-ahead log")
  func wholeFiles() throws {
    let (report, sink) = try repair(sample.bytes)
    #expect(report.isWhole, "\(report)")
    #expect(sink.contents == sample.workload.contents)
    #expect(sink.lastTimestamp == sample.workload.timestamp && report.timestamp == sink.lastTimestamp)

    var workload = Workload(seed: 5)
    let (storage, _) = try recover(directory("live.db"))
    for _ in 0..<30 { try storage.append(workload.nextBatch(), sync: true) }
    // As a crash leaves it.
    writeFile(directory("crashed.db"), readFile(directory("live.db")))
    writeFile(directory("crashed.db-wal"), readFile(directory("live.db-wal")))
    try storage.close()
    let crashed = try DataFileRepair.run(directory("crashed.db"), to: directory("saved.db"))
    #expect(crashed.isWhole, "\(crashed)")
    #expect(try recover(directory("saved.db")).sink.contents == workload.contents)
  }

  @Test("A damaged document is lost, and no other; one that the log has again isn't")
  func documents() throws {
    let folded = sample.workload.history[sample.folded]!
    var lost = 0
    var saved = 0
    for (id, document) in folded.sorted(by: { $0.key < $1.key }) where 60..<300 ~= document.json.count {
      guard lost < 4 || saved < 2 else { break }
      let key = DocumentKey.withBytes(of: id) { [UInt8]($0) }
      let isRewritten = sample.workload.contents[id] != document
      guard isRewritten ? saved < 2 : lost < 4 else { continue }
      var bytes = sample.bytes
      let start = Data(bytes).firstRange(of: key)!.lowerBound
      bytes[Data(bytes)[start...].firstRange(of: document.json)!.lowerBound + 15] ^= 1
      let (report, sink) = try repair(bytes)
      if isRewritten { saved += 1 } else { lost += 1 }
      #expect(report.lostDocuments.map(\.id) == (isRewritten ? [] : [id]))
      #expect(report.lostCommits.isEmpty && report.damage.isEmpty && report.missing == 0, "\(report)")
      var expected = sample.workload.contents
      if !isRewritten { expected[id] = nil }
      #expect(sink.contents == expected)
    }
    #expect(lost == 4 && saved == 2)
  }

  @Test("A damaged row of the log loses its commits; those after it are carried out, or left out if that is asked for", arguments: [0, 4, 11])
  func logRows(index: Int) throws {
    var bytes = sample.bytes
    let batch = sample.tail[index]
    bytes[try sample.offset(of: Array(batch.bytes.prefix(60)), in: bytes) + 24] ^= 16
    let before = index == 0 ? sample.folded : sample.tail[index - 1].lastTimestamp
    let (report, sink) = try repair(bytes)
    #expect(report.lostCommits.map(\.after) == [before] && report.lostCommits.map(\.through) == [batch.lastTimestamp], "\(report)")
    #expect(report.lostCommits.first?.place != nil)
    #expect(report.completeThrough == before)
    #expect(report.commitsAfterLost == sample.tail[(index + 1)...].reduce(0) { $0 + $1.commitCount })
    #expect(try sink.contents == sample.contents(without: [index]))
    // Timestamps of lost commits are not given again.
    #expect(sink.lastTimestamp == sample.workload.timestamp)

    let (short, state) = try repair(bytes, stopsAtHole: true)
    #expect(state.contents == sample.workload.history[before])
    #expect(short.timestamp == before && short.commitsAfterLost == 0)
    #expect(short.lostCommits.map(\.through) == [sample.workload.timestamp])
    #expect(state.lastTimestamp == sample.workload.timestamp)
  }

  @Test("Whichever page is zeroed, what is on the others is saved")
  func pages() throws {
    var whole = 0
    for page in 0..<sample.bytes.count / Connection.pageSize {
      var bytes = sample.bytes
      bytes.replaceSubrange(page * Connection.pageSize..<(page + 1) * Connection.pageSize, with: [UInt8](repeating: 0, count: Connection.pageSize))
      let (report, sink) = try repair(bytes)
      expectNothingInvented(sink.contents, "page \(page + 1)")
      if sink.contents == sample.workload.contents { whole += 1 } else { #expect(!report.isWhole, "page \(page + 1): \(report)") }
      // A page of 8 KB has some dozens of these; those of a large one may take a few batches with them.
      let missing = sample.workload.contents.filter { sink.contents[$0.key] != $0.value }.count
      #expect(missing < 110, "page \(page + 1): \(missing) of \(sample.workload.contents.count) are lost")
    }
    // The header's, the checkpoint's, those with what people read, and inner ones are no loss of documents.
    #expect(whole >= 4)
  }

  @Test("A damaged header is no loss")
  func header() throws {
    for range in [0..<16, 0..<100, 16..<18, 100..<108] {
      var bytes = sample.bytes
      for offset in range { bytes[offset] = 0xA5 }
      let (report, sink) = try repair(bytes)
      #expect(sink.contents == sample.workload.contents, "\(range)")
      #expect(report.lostDocuments.isEmpty && report.lostCommits.isEmpty && !report.damage.isEmpty, "\(range): \(report)")
    }
  }

  @Test("A file that was cut off is saved up to there, and what is lost is told")
  func truncated() throws {
    for part in [0.3, 0.5, 0.7, 0.9, 0.99] {
      let (report, sink) = try repair(Array(sample.bytes.prefix(Int(Double(sample.bytes.count) * part))))
      expectNothingInvented(sink.contents, "\(part)")
      #expect(report.documents > 0 || !sink.contents.isEmpty)
      if sink.contents != sample.workload.contents { #expect(!report.isWhole) }
    }
  }

  @Test("Whatever bits flip, nothing is invented, and a server starts on what is saved", arguments: 1...6)
  func flips(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    for round in 0..<40 {
      var bytes = sample.bytes
      for _ in 0..<random.number(1..<30) { bytes[random.number(0..<bytes.count)] ^= 1 << UInt8(random.number(0..<8)) }
      let (report, sink) = try repair(bytes)
      expectNothingInvented(sink.contents, "round \(round)")
      if report.isWhole { #expect(sink.contents == sample.workload.contents, "round \(round)") }
      #expect(sink.contents.count > sample.workload.contents.count / 2, "round \(round): \(sink.contents.count) are left")
    }
  }

  @Test("Nothing is written over, no server's file is touched, and what has nothing whole is refused")
  func refusals() throws {
    writeFile(directory("data.db"), sample.bytes)
    writeFile(directory("there.db"), [1])
    #expect { _ = try DataFileRepair.run(directory("data.db"), to: directory("there.db")) } throws: { ($0 as? StorageError)?.code == .unavailable }
    #expect(readFile(directory("there.db")) == [1])
    #expect { _ = try DataFileRepair.run(directory("none.db"), to: directory("new.db")) } throws: { ($0 as? StorageError)?.code == .unavailable }
    for garbage in [[], [UInt8](repeating: 0, count: 50_000), (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }] {
      writeFile(directory("garbage.db"), garbage)
      #expect { _ = try DataFileRepair.run(directory("garbage.db"), to: directory("new.db")) } throws: { ($0 as? StorageError)?.code == .corrupt }
      #expect(!FileManager.default.fileExists(atPath: directory("new.db")))
    }
  }
}
