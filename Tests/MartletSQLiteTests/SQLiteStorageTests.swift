import Foundation
import Martlet
import MartletValues
import Testing

@testable import MartletSQLite

/// Bounds so small that a short test goes through every phase often.
let smallOptions = {
  var options = SQLiteStorage.Options()
  options.walBytes = 96 << 10
  options.unfoldedBytes = 12 << 10
  options.roundBytes = 16 << 10
  options.sliceLogBytes = 3 << 10
  options.sliceDocuments = 7
  options.sliceDeletedBytes = 16 << 10
  return options
}()

func recover(_ path: String, options: SQLiteStorage.Options = smallOptions) throws -> (storage: SQLiteStorage, sink: CollectingSink) {
  let storage = try SQLiteStorage(path: path, options: options)
  var sink = CollectingSink()
  try storage.recover(into: &sink)
  return (storage, sink)
}

@Suite("The data file")
struct SQLiteStorageTests {
  @Test("What was appended is recovered, with and without folding", arguments: 1...12)
  func folding(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: seed)
    let checkpoints = seed.isMultiple(of: 2)
    var (storage, _) = try recover(directory("data.db"))
    for round in 0..<150 {
      try storage.append(workload.nextBatch(), sync: Bool.random(using: &workload.generator))
      if checkpoints, storage.checkpointIsDue { _ = try storage.checkpointSlice() }
      guard round % 40 == 39 else { continue }
      try storage.close()
      let sink: CollectingSink
      (storage, sink) = try recover(directory("data.db"))
      #expect(sink.isFinished && sink.lastTimestamp == workload.timestamp)
      #expect(sink.contents == workload.contents)
      #expect(checkpoints ? sink.documents > 0 : sink.documents == 0)
    }
  }

  @Test("Folding to the end leaves an empty log and the same contents")
  func foldingAll() throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: 99)
    let (storage, _) = try recover(directory("data.db"))
    for _ in 0..<100 { try storage.append(workload.nextBatch(), sync: false) }
    while try storage.checkpointSlice() {}
    #expect(storage.unfoldedLogBytes == 0)
    #expect(!storage.checkpointIsDue || storage.walBytes > 0)
    #expect(try storage.connection.integer("SELECT count(*) FROM commit_log") == 0)
    try storage.close()
    let (_, sink) = try recover(directory("data.db"))
    #expect(sink.commits == 0)
    #expect(sink.lastTimestamp == workload.timestamp)
    #expect(sink.contents == workload.contents)
  }

  @Test("A synced batch is committed with FULL, the others and folding with NORMAL")
  func syncing() throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: 5)
    let (storage, _) = try recover(directory("data.db"))
    func level() throws -> Int64 { try storage.connection.integer("PRAGMA synchronous") }
    try storage.append(workload.nextBatch(), sync: true)
    #expect(try level() == 2)
    try storage.append(workload.nextBatch(), sync: false)
    #expect(try level() == 1)
    #expect(storage.hasUnsyncedBatches)
    try storage.sync()
    #expect(try level() == 2)
    #expect(!storage.hasUnsyncedBatches)
    while try storage.checkpointSlice() {}
    #expect(try level() == 1)
    try storage.append(workload.nextBatch(), sync: true)
    #expect(try level() == 2)
  }

  @Test("The write-ahead log stays bounded, though nobody asks for checkpoints")
  func boundedWAL() throws {
    let directory = try TemporaryDirectory()
    var options = smallOptions
    options.maximumWALBytes = 256 << 10
    var workload = Workload(seed: 5)
    let (storage, _) = try recover(directory("data.db"), options: options)
    for _ in 0..<300 { try storage.append(workload.nextBatch(), sync: false) }
    #expect(readFile(directory("data.db-wal")).count < 512 << 10)
  }

  @Test("The log stays bounded, though nobody asks for checkpoints")
  func boundedLog() throws {
    let directory = try TemporaryDirectory()
    var options = smallOptions
    options.maximumUnfoldedBytes = 64 << 10
    var workload = Workload(seed: 6)
    let (storage, _) = try recover(directory("data.db"), options: options)
    var largest = 0
    for _ in 0..<500 {
      try storage.append(workload.nextBatch(), sync: false)
      largest = max(largest, storage.unfoldedLogBytes)
    }
    #expect(largest > 64 << 10 && largest < 192 << 10)
    try storage.close()
    #expect(try recover(directory("data.db")).sink.contents == workload.contents)
  }

  @Test("A second server is refused, and told which file is in use")
  func locked() throws {
    let directory = try TemporaryDirectory()
    let (storage, _) = try recover(directory("data.db"))
    #expect {
      _ = try SQLiteStorage(path: directory("data.db"))
    } throws: {
      ($0 as? StorageError)?.code == .locked && "\($0)".contains("data.db")
    }
    try storage.close()
    #expect(throws: Never.self) { try recover(directory("data.db")).storage.close() }
  }

  @Test("A disk that is full stops the storage; a restart recovers what was acknowledged")
  func diskFull() throws {
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: 3)
    let (storage, _) = try recover(directory("data.db"))
    try storage.connection.execute("PRAGMA max_page_count = 40")
    var acknowledged: UInt64 = 0
    var failure: StorageError?
    while failure == nil {
      let batch = workload.nextBatch()
      do {
        try storage.append(batch, sync: true)
        acknowledged = batch.lastTimestamp
      } catch let error as StorageError { failure = error }
    }
    #expect(failure?.code == .failed && failure!.message.contains("full"))
    let next = workload.nextBatch()
    #expect { try storage.append(next, sync: true) } throws: { ($0 as? StorageError)?.code == .failed }
    #expect { _ = try storage.checkpointSlice() } throws: { ($0 as? StorageError)?.code == .failed }
    try storage.close()
    // The lock belongs to the process, which lives on; so a copy stands for the restart.
    writeFile(directory("copy.db"), readFile(directory("data.db")))
    writeFile(directory("copy.db-wal"), readFile(directory("data.db-wal")))
    let (_, sink) = try recover(directory("copy.db"))
    #expect(sink.lastTimestamp == acknowledged)
    #expect(sink.contents == workload.history[acknowledged])
  }

  @Test("A file of another program, or of another format, is refused and left alone")
  func foreignFiles() throws {
    let directory = try TemporaryDirectory()
    writeFile(directory("text"), Array(repeating: 65, count: 5000))
    #expect { _ = try SQLiteStorage(path: directory("text")) } throws: { ($0 as? StorageError)?.code == .corrupt }
    #expect(readFile(directory("text")) == Array(repeating: 65, count: 5000))

    let other = try Connection(path: directory("other.db"), purpose: .build)
    try other.execute("CREATE TABLE contacts (name)")
    try other.close()
    #expect { _ = try SQLiteStorage(path: directory("other.db")) } throws: { ($0 as? StorageError)?.code == .versionMismatch }

    let (storage, _) = try recover(directory("data.db"))
    try storage.connection.execute("PRAGMA user_version = 3")
    try storage.close()
    #expect { _ = try SQLiteStorage(path: directory("data.db")) } throws: { ($0 as? StorageError)?.code == .versionMismatch }

    #expect { _ = try SQLiteStorage(path: directory("no/such/directory.db")) } throws: { ($0 as? StorageError)?.code == .unavailable }
    writeFile(directory("gone.db-wal"), [1, 2, 3])
    #expect { _ = try SQLiteStorage(path: directory("gone.db")) } throws: { ($0 as? StorageError)?.code == .unavailable }
  }

  @Test("What a sink throws reaches the caller as it is, and the file is free again")
  func sinkThrows() throws {
    struct Refusal: Error {}
    struct RefusingSink: RecoverySink {
      mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) throws {}
      mutating func commit(_ record: CommitRecord) throws { throw Refusal() }
      mutating func finished(lastTimestamp: UInt64) throws {}
    }
    let directory = try TemporaryDirectory()
    var workload = Workload(seed: 3)
    let (storage, _) = try recover(directory("data.db"))
    try storage.append(workload.nextBatch(), sync: true)
    try storage.close()
    let refused = try SQLiteStorage(path: directory("data.db"))
    var sink = RefusingSink()
    #expect(throws: Refusal.self) { try refused.recover(into: &sink) }
    #expect(try recover(directory("data.db")).sink.contents == workload.contents)
  }
}
