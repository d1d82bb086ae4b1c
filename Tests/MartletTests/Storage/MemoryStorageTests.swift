import Martlet
import MartletTesting
import MartletValues
import Testing

@Suite("The simulated storage")
struct MemoryStorageTests {
  struct Sink: RecoverySink {
    var timestamps: [UInt64] = []
    var documents: [DocumentID: [UInt8]] = [:]
    var last: UInt64?
    mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) { documents[id] = [UInt8](json) }
    mutating func commit(_ record: CommitRecord) throws {
      timestamps.append(record.timestamp)
      try record.forEachWrite { documents[$0.id] = $0.put.map { [UInt8]($0.json) } }
    }
    mutating func finished(lastTimestamp: UInt64) { last = lastTimestamp }
  }

  static func batch(_ timestamp: UInt64) -> LogBatch {
    var writer = CommitRecordWriter()
    writer.begin(timestamp: timestamp, wallClockMilliseconds: 0)
    Array("\(timestamp)".utf8).withUnsafeBytes {
      writer.put(DocumentID(tableNumber: 2, high: 0, low: timestamp % 3), creationTime: 1, json: $0)
    }
    writer.end()
    return writer.takeBatch()!
  }

  static func recover(_ disk: MemoryStorage.Disk) throws -> Sink {
    var sink = Sink()
    try MemoryStorage(disk).recover(into: &sink)
    return sink
  }

  @Test("A crash loses what was not synced, and nothing else")
  func crash() throws {
    let disk = MemoryStorage.Disk()
    let storage = MemoryStorage(disk)
    try storage.append(Self.batch(1), sync: true)
    try storage.append(Self.batch(2), sync: false)
    try storage.append(Self.batch(3), sync: false)
    #expect(disk.unsyncedRowCount == 2)
    disk.crash(keepingUnsynced: 1)
    #expect(throws: StorageError.self) { try storage.append(Self.batch(4), sync: true) }
    let sink = try Self.recover(disk)
    #expect(sink.timestamps == [1, 2])
    #expect(sink.last == 2)
  }

  @Test("A sync makes all that came before it durable")
  func sync() throws {
    let disk = MemoryStorage.Disk()
    let storage = MemoryStorage(disk)
    try storage.append(Self.batch(1), sync: false)
    try storage.sync()
    try storage.append(Self.batch(2), sync: false)
    disk.crash()
    #expect(try Self.recover(disk).timestamps == [1])
  }

  @Test("After a failure nothing is accepted until a restart", arguments: [MemoryStorage.Operation.append, .sync])
  func failure(operation: MemoryStorage.Operation) throws {
    let disk = MemoryStorage.Disk()
    let storage = MemoryStorage(disk)
    disk.fail(operation, after: 1)
    try storage.append(Self.batch(1), sync: true)
    for timestamp: UInt64 in 2...3 {
      #expect { try storage.append(Self.batch(timestamp), sync: true) } throws: { ($0 as? StorageError)?.code == .failed }
    }
    #expect(disk.count(operation) == 2)
    disk.crash()
    #expect(try Self.recover(disk).timestamps == [1])
  }

  @Test("Folding does not change the state, nor does a crash after it")
  func folding() throws {
    let disk = MemoryStorage.Disk()
    let storage = MemoryStorage(disk)
    for timestamp: UInt64 in 1...9 { try storage.append(Self.batch(timestamp), sync: true) }
    for _ in 0..<4 { #expect(try storage.checkpointSlice()) }
    disk.crash()
    let sink = try Self.recover(disk)
    #expect(sink.timestamps == [5, 6, 7, 8, 9])
    #expect(sink.documents.values.map { String(decoding: $0, as: UTF8.self) }.sorted() == ["7", "8", "9"])
    let restarted = MemoryStorage(disk)
    while try restarted.checkpointSlice() {}
    #expect(restarted.unfoldedLogBytes == 0)
    #expect(try Self.recover(disk).documents == sink.documents)
  }
}
