import MartletValues

/// One commit, as it stands in the log.
///
///     ┌────────────┬───────────────┬────────────────────┬─────────────┬──────────┬────────┬────────┬───
///     │ u32 length │ u64 timestamp │ f64 wall clock, ms │ u32 writes  │ function │ write  │ write  │ …      all little-endian
///     │ of the rest│               │                    │             │          │        │        │
///     └────────────┴───────────────┴────────────────────┴─────────────┴──────────┴────────┴────────┴───
///     function: u8 length of its name, 0 for none │ the name's bytes; or u8 255: that of the commit before it in the batch
///     put:    u8 1 │ u32 table number │ u64 id high │ u64 id low │ f64 creation time │ u32 length │ JSON
///     delete: u8 2 │ u32 table number │ u64 id high │ u64 id low
///
/// The JSON is the document's stored form: see `DocumentStorage.storedForm`.
///
/// The format is binary around the JSON that the engine keeps anyway, because the log is read back whole at each start and written for
/// each commit: both are a copy, not a parse. A record borrows the bytes that it was decoded from.
///
/// The function is who made the commit, for those who read the log later. Commits of one batch are mostly of one function, so that its name costs
/// a byte, and a look at whether it is the same. Format 1 had no function.
///
/// Decoding takes any bytes: it never reads past the end, and never traps. What is wrong is thrown as `CommitRecordError`, by offset.
package struct CommitRecord {
  package var timestamp: UInt64
  /// Milliseconds since 1970 when it was committed.
  package var wallClockMilliseconds: Double
  package var writeCount: Int
  /// The name of the function that made it, borrowed; empty where it isn't known.
  package var function: UnsafeRawBufferPointer
  /// The encoded writes.
  package var writes: UnsafeRawBufferPointer
  /// Where `writes` begins in the bytes that were decoded, for error messages.
  package var writesOffset: Int
}

/// One write of a commit: a document's new contents, or its end.
package struct LoggedWrite {
  package var id: DocumentID
  /// nil: the document was deleted. The JSON is borrowed.
  package var put: (creationTime: Double, json: UnsafeRawBufferPointer)?
}

/// What is wrong with the encoding of a commit, and at which byte of the batch.
package struct CommitRecordError: Error, Equatable, CustomStringConvertible {
  package var offset: Int
  package var reason: String

  package init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  package var description: String { "at byte \(offset) of the batch: \(reason)" }
}

extension CommitRecord {
  /// Sizes in bytes of the parts that do not vary.
  package enum Layout {
    package static let lengthPrefix = 4
    package static let header = 8 + 8 + 4
    package static let deleteWrite = 1 + 4 + 8 + 8
    package static let putHeader = deleteWrite + 8 + 4
    package static let longestFunction = 254
    package static let functionBefore: UInt8 = 255
    package static let put: UInt8 = 1
    package static let delete: UInt8 = 2
  }

  /// Walks a batch. Each record is checked whole, its writes included, before it is handed over; timestamps must grow.
  /// Throws `CommitRecordError`, or what `each` throws.
  package static func decodeAll(
    _ bytes: UnsafeRawBufferPointer, format: Format = .current, each: (CommitRecord) throws -> Void
  ) throws {
    var reader = RecordReader(bytes: bytes, position: 0, base: 0)
    var previous: UInt64?
    var function = UnsafeRawBufferPointer(start: nil, count: 0)
    while !reader.isAtEnd {
      let start = reader.offset
      let record = try CommitRecord(from: &reader, format, after: function)
      if let previous, record.timestamp <= previous {
        throw CommitRecordError(
          offset: start + Layout.lengthPrefix, reason: "timestamp \(record.timestamp) follows \(previous)")
      }
      previous = record.timestamp
      function = record.function
      try record.forEachWrite { _ in }
      try each(record)
    }
  }

  /// How commits were encoded. A log's row says which it has, so that an old one need not be written anew.
  package enum Format: Int64, Sendable {
    /// Without functions.
    case nameless = 1
    case current = 2
  }

  private init(from reader: inout RecordReader, _ format: Format, after previous: UnsafeRawBufferPointer) throws {
    let start = reader.offset
    let length = Int(try reader.uint32("a commit's length"))
    guard length >= Layout.header else {
      throw CommitRecordError(offset: start, reason: "a commit of \(length) bytes, at least \(Layout.header) expected")
    }
    guard length <= reader.remaining else {
      throw CommitRecordError(offset: start, reason: "a commit of \(length) bytes, but \(reader.remaining) are left")
    }
    timestamp = try reader.uint64("a timestamp")
    wallClockMilliseconds = Double(bitPattern: try reader.uint64("a wall clock time"))
    writeCount = Int(try reader.uint32("a write count"))
    let end = start + Layout.lengthPrefix + length
    function = UnsafeRawBufferPointer(start: nil, count: 0)
    if format == .current {
      let nameLength = try reader.uint8("a function's name")
      function = nameLength == Layout.functionBefore ? previous : try reader.bytes(Int(nameLength), "a function's name")
      guard reader.offset <= end else {
        throw CommitRecordError(offset: start, reason: "a commit of \(length) bytes, but its function's name goes beyond")
      }
    }
    writesOffset = reader.offset
    writes = try reader.bytes(end - reader.offset, "writes")
  }

  /// Hands over the writes in order. Throws `CommitRecordError` if they are malformed, or what `body` throws.
  package func forEachWrite(_ body: (LoggedWrite) throws -> Void) throws {
    var reader = RecordReader(bytes: writes, position: 0, base: writesOffset)
    for _ in 0..<writeCount {
      let start = reader.offset
      let kind = try reader.uint8("a kind of write")
      guard kind == Layout.put || kind == Layout.delete else {
        throw CommitRecordError(offset: start, reason: "unknown kind of write \(kind)")
      }
      let id = DocumentID(
        tableNumber: try reader.uint32("a table number"), high: try reader.uint64("an id"), low: try reader.uint64("an id"))
      guard kind == Layout.put else {
        try body(LoggedWrite(id: id, put: nil))
        continue
      }
      let creationTime = Double(bitPattern: try reader.uint64("a creation time"))
      let length = Int(try reader.uint32("a document's length"))
      try body(LoggedWrite(id: id, put: (creationTime, try reader.bytes(length, "a document"))))
    }
    guard reader.isAtEnd else {
      throw CommitRecordError(offset: reader.offset, reason: "\(reader.remaining) bytes after the last write of a commit")
    }
  }
}

/// A bounds-checked cursor. `base` is added to positions in errors, so that they count from the batch's first byte.
private struct RecordReader {
  let bytes: UnsafeRawBufferPointer
  var position: Int
  let base: Int

  var isAtEnd: Bool { position == bytes.count }
  var remaining: Int { bytes.count - position }
  var offset: Int { base + position }

  mutating func uint8(_ what: StaticString) throws(CommitRecordError) -> UInt8 { try load(what) }
  mutating func uint32(_ what: StaticString) throws(CommitRecordError) -> UInt32 { UInt32(littleEndian: try load(what)) }
  mutating func uint64(_ what: StaticString) throws(CommitRecordError) -> UInt64 { UInt64(littleEndian: try load(what)) }

  mutating func bytes(_ count: Int, _ what: StaticString) throws(CommitRecordError) -> UnsafeRawBufferPointer {
    try require(count, what)
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  private mutating func load<Number: FixedWidthInteger & BitwiseCopyable>(
    _ what: StaticString
  ) throws(CommitRecordError) -> Number {
    try require(MemoryLayout<Number>.size, what)
    defer { position += MemoryLayout<Number>.size }
    return bytes.loadUnaligned(fromByteOffset: position, as: Number.self)
  }

  private func require(_ count: Int, _ what: StaticString) throws(CommitRecordError) {
    guard count <= remaining else {
      throw CommitRecordError(offset: offset, reason: "\(what) needs \(count) bytes, but \(remaining) are left")
    }
  }
}
