import Foundation
import Martlet
import MartletValues
import TestSupport
import Testing

@testable import MartletSQLite

/// A data file with documents, and a tail of log that isn't folded.
struct SampleFile {
  let bytes: [UInt8]
  let workload: Workload
  /// The tail's batches.
  let tail: [LogBatch]
  let folded: UInt64

  init(seed: UInt64, _ directory: TemporaryDirectory, tailBatches: Int = 12) throws {
    var workload = Workload(seed: seed)
    workload.documentCount = 300
    workload.largestDocument = 300
    let path = directory("sample.db")
    let (storage, _) = try recover(path)
    for _ in 0..<160 { try storage.append(workload.nextBatch(), sync: false) }
    while try storage.checkpointSlice() {}
    folded = workload.timestamp
    var tail: [LogBatch] = []
    for _ in 0..<tailBatches {
      let batch = workload.nextBatch()
      tail.append(batch)
      try storage.append(batch, sync: false)
    }
    try storage.close()
    bytes = readFile(path)
    self.workload = workload
    self.tail = tail
    try FileManager.default.removeItem(atPath: path)
  }

  /// What is there if some of the tail's batches are not.
  func contents(without lost: Set<Int>) throws -> Contents {
    var sink = CollectingSink()
    sink.contents = workload.history[folded]!
    for (index, batch) in tail.enumerated() where !lost.contains(index) {
      try batch.bytes.withUnsafeBytes { try CommitRecord.decodeAll($0) { try sink.commit($0) } }
    }
    return sink.contents
  }

  /// Where some bytes are in the file; they must be there once.
  func offset(of wanted: [UInt8], in bytes: [UInt8]) throws -> Int {
    let data = Data(bytes)
    let first = try #require(data.firstRange(of: wanted))
    #expect(data[first.upperBound...].firstRange(of: wanted) == nil)
    return first.lowerBound
  }
}

@Suite("Damage is named")
struct DamageTests {
  @Test("Wherever bits flip, a start has exactly the right state, or refuses and says where", arguments: 1...8)
  func flips(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let sample = try SampleFile(seed: seed, directory)
    var random = TestRandom(seed: seed)
    var found = 0
    var placed = 0
    for _ in 0..<100 {
      var bytes = sample.bytes
      for _ in 0..<random.number(1..<4) { bytes[random.number(0..<bytes.count)] ^= 1 << UInt8(random.number(0..<8)) }
      // The first page has no more chance than others, and more to go wrong.
      if random.oneIn(6) { bytes[random.number(0..<1_200)] ^= 1 << UInt8(random.number(0..<8)) }
      try? FileManager.default.removeItem(atPath: directory("flipped.db-wal"))
      writeFile(directory("flipped.db"), bytes)
      do {
        let (storage, sink) = try recover(directory("flipped.db"))
        #expect(sink.contents == sample.workload.contents && sink.lastTimestamp == sample.workload.timestamp)
        try storage.close()
      } catch let error as StorageError {
        #expect([.corrupt, .versionMismatch, .unavailable].contains(error.code), "\(error)")
        #expect(error.message.contains("flipped.db"), "\(error)")
        guard error.code == .corrupt else { continue }
        found += 1
        #expect(error.message.contains("table ") || error.message.contains("header"), "\(error)")
        if error.message.contains(#/[Bb]ytes? \d+/#) { placed += 1 }
      }
    }
    #expect(found > 15)
    // A row that is gone without a trace has no place.
    #expect(placed * 10 >= found * 8, "\(placed) of \(found)")
  }

  @Test("A damaged document is named with its table, its id and where its row begins; a row of the log with its timestamp", arguments: 1...5)
  func places(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let sample = try SampleFile(seed: seed, directory)
    var random = TestRandom(seed: seed)
    func refusal(_ offset: Int) throws -> StorageError {
      var bytes = sample.bytes
      bytes[offset] ^= 4
      writeFile(directory("flipped.db"), bytes)
      try? FileManager.default.removeItem(atPath: directory("flipped.db-wal"))
      do {
        _ = try recover(directory("flipped.db"))
        throw StorageError(.closed, "the damage at \(offset) was not found")
      } catch let error as StorageError { return error }
    }
    func place(_ message: String) throws -> Int {
      Int(try #require(message.firstMatch(of: #/it begins at byte (\d+) of /#), "\(message)").1)!
    }
    // Of those with much text, so that it is there once.
    let folded = sample.workload.history[sample.folded]!.filter { 60..<300 ~= $0.value.json.count }
    let (id, document) = try #require(folded.sorted { $0.key < $1.key }.dropFirst(random.number(0..<20)).first)
    let key = DocumentKey.withBytes(of: id) { [UInt8]($0) }
    let json = Data(sample.bytes)[try sample.offset(of: key, in: sample.bytes)...].firstRange(of: document.json)!.lowerBound
    let error = try refusal(json + 20)
    #expect(error.code == .corrupt)
    #expect(error.message.contains("table documents, document \(id) "), "\(error)")
    let row = try place(error.message)
    #expect(row < json && json - row < 80)

    let batch = sample.tail[5]
    let payload = try sample.offset(of: Array(batch.bytes.prefix(60)), in: sample.bytes)
    let other = try refusal(payload + 30)
    #expect(other.code == .corrupt)
    #expect(other.message.contains("table commit_log, row \(batch.lastTimestamp) "), "\(other)")
    let logRow = try place(other.message)
    #expect(logRow < payload && payload - logRow < 80)
  }

  @Test("A page that is lost is named")
  func pages() throws {
    let directory = try TemporaryDirectory()
    let sample = try SampleFile(seed: 3, directory)
    for page in 0..<sample.bytes.count / Connection.pageSize {
      var bytes = sample.bytes
      let range = page * Connection.pageSize..<(page + 1) * Connection.pageSize
      bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: Connection.pageSize))
      writeFile(directory("zeroed.db"), bytes)
      try? FileManager.default.removeItem(atPath: directory("zeroed.db-wal"))
      do {
        let (storage, sink) = try recover(directory("zeroed.db"))
        // A page that is free, or the one with what only people read.
        #expect(sink.contents == sample.workload.contents)
        try storage.close()
      } catch let error as StorageError {
        #expect(error.code == .corrupt, "\(error)")
        // A page of a long row is named by where the row begins.
        #expect(page == 0 || error.message.contains(#/byte \d+ of /#), "page \(page + 1): \(error)")
      }
    }
  }
}
