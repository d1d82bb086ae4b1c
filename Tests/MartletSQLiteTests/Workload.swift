import Foundation
import Martlet
import MartletValues

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

struct StoredDocument: Equatable {
  var creationTime: Double
  var json: [UInt8]
}

typealias Contents = [DocumentID: StoredDocument]

/// Keeps what a recovery hands over, and checks its order.
struct CollectingSink: RecoverySink {
  var contents: Contents = [:]
  var lastTimestamp: UInt64 = 0
  var documents = 0
  var commits = 0
  var isFinished = false
  private var lastID: DocumentID?

  mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) {
    precondition(commits == 0 && (lastID == nil || lastID! < id), "documents out of order")
    lastID = id
    documents += 1
    contents[id] = StoredDocument(creationTime: creationTime, json: [UInt8](json))
  }

  mutating func commit(_ record: CommitRecord) throws {
    precondition(record.timestamp > lastTimestamp, "commits out of order")
    commits += 1
    lastTimestamp = record.timestamp
    try record.forEachWrite { write in
      contents[write.id] = write.put.map { StoredDocument(creationTime: $0.creationTime, json: [UInt8]($0.json)) }
    }
  }

  mutating func finished(lastTimestamp: UInt64) {
    self.lastTimestamp = lastTimestamp
    isFinished = true
  }
}

/// Random batches over few documents, so that they are written again and deleted often; and what the contents are after each (the oracle).
struct Workload {
  var generator: SeededGenerator
  var writer = Workload.Writer()
  var timestamp: UInt64 = 0
  /// Contents after each batch, by its last timestamp; 0 is before the first.
  var history: [UInt64: Contents] = [0: [:]]
  var documentCount: UInt64 = 60
  var largestDocument = 600

  /// A box, because the encoder can't be copied and the workload is passed about.
  final class Writer { var encoder = CommitRecordWriter(capacity: 256) }

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  var contents: Contents { history[timestamp]! }

  /// Goes on from an earlier state: what came after it was lost.
  mutating func rewind(to timestamp: UInt64) {
    self.timestamp = timestamp
    history = history.filter { $0.key <= timestamp }
    writer = Writer()
  }

  mutating func nextBatch() -> LogBatch {
    var contents = self.contents
    for _ in 0..<Int.random(in: 1...5, using: &generator) {
      timestamp += UInt64.random(in: 1...3, using: &generator)
      writer.encoder.begin(timestamp: timestamp, wallClockMilliseconds: Double(timestamp) * 10)
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        let number = UInt64.random(in: 0..<documentCount, using: &generator)
        let id = DocumentID(tableNumber: UInt32(1 + number % 3), high: number &* 0x9E37_79B9_7F4A_7C15, low: number)
        if Int.random(in: 0..<4, using: &generator) == 0 {
          writer.encoder.delete(id)
          contents[id] = nil
        } else {
          let document = randomDocument()
          document.json.withUnsafeBytes { writer.encoder.put(id, creationTime: document.creationTime, json: $0) }
          contents[id] = document
        }
      }
      writer.encoder.end()
    }
    history[timestamp] = contents
    return writer.encoder.takeBatch()!
  }

  private mutating func randomDocument() -> StoredDocument {
    // Now and then one that fills pages of its own.
    let limit = Int.random(in: 0..<20, using: &generator) == 0 ? largestDocument * 40 : largestDocument
    let length = Int.random(in: 0...limit, using: &generator)
    var json = Array(#"{"text":""#.utf8)
    for _ in 0..<length { json.append(UInt8.random(in: 97...122, using: &generator)) }
    json.append(contentsOf: #""}"#.utf8)
    return StoredDocument(creationTime: Double(generator.next() >> 12), json: json)
  }
}

/// A directory that goes with the test.
final class TemporaryDirectory {
  let path: String
  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/martlet-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
  func callAsFunction(_ name: String) -> String { path + "/" + name }
}

func readFile(_ path: String) -> [UInt8] {
  FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? []
}

func writeFile(_ path: String, _ bytes: [UInt8]) {
  precondition(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
}
