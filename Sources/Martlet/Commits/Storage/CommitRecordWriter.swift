import Glibc
import MartletValues

/// Encodes commits, one after another, into the batch that fills while another one syncs.
///
///     writer.begin(timestamp:wallClockMilliseconds:function:)
///     writer.put(…); writer.delete(…)
///     writer.end()                     // or discard()
///     …
///     let batch = writer.takeBatch()
///
/// A write of 400 bytes costs one bounds check and a copy, about 20 ns. The buffer stays with the writer and is used again;
/// `takeBatch` copies it out at exact size, which at 10 GB/s is less than growing a new one would cost.
///
/// Calling out of order (a `put` outside of `begin`…`end`, a timestamp that does not grow) is a programmer's error and traps.
package struct CommitRecordWriter: ~Copyable {
  private var storage: UnsafeMutableRawBufferPointer
  /// Bytes of the commits that ended; the open commit is beyond.
  package private(set) var byteCount = 0
  package private(set) var commitCount = 0
  private var firstTimestamp: UInt64 = 0
  private var lastTimestamp: UInt64 = 0
  private var position = 0
  private var open: (timestamp: UInt64, writeCount: UInt32)?
  /// Where the batch has the name of the function that the commit before is of.
  private var lastFunction = 0..<0
  private var openFunction = 0..<0

  package init(capacity: Int = 64 << 10) {
    storage = .allocate(byteCount: max(capacity, 256), alignment: 16)
  }

  deinit { storage.deallocate() }

  package var isEmpty: Bool { commitCount == 0 }

  /// - Parameter function: the name of the function that makes the commit; what is longer than 254 bytes is cut.
  package mutating func begin(
    timestamp: UInt64, wallClockMilliseconds: Double, function: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    precondition(open == nil, "the commit before has not ended")
    precondition(timestamp > lastTimestamp, "timestamps of commits must grow")
    open = (timestamp, 0)
    let nameLength = min(function.count, CommitRecord.Layout.longestFunction)
    reserve(CommitRecord.Layout.lengthPrefix + CommitRecord.Layout.header + 1 + nameLength)
    append(UInt32(0))
    append(timestamp)
    append(wallClockMilliseconds.bitPattern)
    append(UInt32(0))
    if nameLength == lastFunction.count, nameLength > 0,
      memcmp(storage.baseAddress! + lastFunction.lowerBound, function.baseAddress!, nameLength) == 0
    {
      append(CommitRecord.Layout.functionBefore)
      openFunction = lastFunction
    } else {
      append(UInt8(nameLength))
      openFunction = position..<position + nameLength
      append(UnsafeRawBufferPointer(rebasing: function[..<nameLength]))
    }
  }

  package mutating func put(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) {
    put(id, creationTime: creationTime, json: json, UnsafeRawBufferPointer(start: nil, count: 0))
  }

  private mutating func put(
    _ id: DocumentID, creationTime: Double, json head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer
  ) {
    reserve(CommitRecord.Layout.putHeader + head.count + tail.count)
    write(CommitRecord.Layout.put, id)
    append(creationTime.bitPattern)
    append(UInt32(head.count + tail.count))
    append(head)
    append(tail)
  }

  /// Puts a document in its stored form.
  package mutating func put(_ document: DocumentStorage) {
    let (head, tail) = document.storedForm
    put(document.id, creationTime: document.creationTime, json: head, tail)
  }

  package mutating func delete(_ id: DocumentID) {
    reserve(CommitRecord.Layout.deleteWrite)
    write(CommitRecord.Layout.delete, id)
  }

  package mutating func end() {
    guard let open else { preconditionFailure("no commit was begun") }
    let length = position - byteCount - CommitRecord.Layout.lengthPrefix
    storage.storeBytes(of: UInt32(length).littleEndian, toByteOffset: byteCount, as: UInt32.self)
    let countOffset = byteCount + CommitRecord.Layout.lengthPrefix + CommitRecord.Layout.header - 4
    storage.storeBytes(of: open.writeCount.littleEndian, toByteOffset: countOffset, as: UInt32.self)
    if commitCount == 0 { firstTimestamp = open.timestamp }
    lastTimestamp = open.timestamp
    commitCount += 1
    byteCount = position
    lastFunction = openFunction
    self.open = nil
  }

  /// A commit that was encoded before, as a whole.
  package mutating func append(_ record: CommitRecord) {
    begin(timestamp: record.timestamp, wallClockMilliseconds: record.wallClockMilliseconds, function: record.function)
    reserve(record.writes.count)
    append(record.writes)
    open!.writeCount = UInt32(record.writeCount)
    end()
  }

  /// Drops the commit that was begun; those before it stay.
  package mutating func discard() {
    position = byteCount
    open = nil
  }

  /// The commits since the last call, or nil if there are none. Timestamps go on growing after it.
  package mutating func takeBatch() -> LogBatch? {
    precondition(open == nil, "a commit has not ended")
    guard commitCount > 0 else { return nil }
    let batch = LogBatch(
      firstTimestamp: firstTimestamp, lastTimestamp: lastTimestamp, commitCount: commitCount,
      bytes: [UInt8](storage[..<byteCount]))
    position = 0
    byteCount = 0
    commitCount = 0
    lastFunction = 0..<0
    return batch
  }

  private mutating func write(_ kind: UInt8, _ id: DocumentID) {
    precondition(open != nil, "a write outside of a commit")
    open!.writeCount += 1
    append(kind)
    append(id.tableNumber)
    append(id.high)
    append(id.low)
  }

  /// Room must have been reserved.
  private mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
    storage.storeBytes(of: number.littleEndian, toByteOffset: position, as: Number.self)
    position += MemoryLayout<Number>.size
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer) {
    UnsafeMutableRawBufferPointer(rebasing: storage[position...]).copyMemory(from: bytes)
    position += bytes.count
  }

  private mutating func reserve(_ count: Int) {
    guard position + count > storage.count else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(storage.count * 2, position + count), alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<position]))
    storage.deallocate()
    storage = larger
  }
}

// The buffer has one owner, because the writer can't be copied: to send the writer is to send the buffer.
extension CommitRecordWriter: @unchecked Sendable {}
