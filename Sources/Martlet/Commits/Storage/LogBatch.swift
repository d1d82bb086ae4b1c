/// Some commits in order, encoded one after another: what one group commit makes durable together.
///
/// A storage keeps a batch whole or loses it whole; it never looks inside except to fold it, or to make several rows of a large one.
package struct LogBatch: Sendable, Equatable {
  package var firstTimestamp: UInt64
  package var lastTimestamp: UInt64
  package var commitCount: Int
  /// Encodings of `CommitRecord`, concatenated.
  package var bytes: [UInt8]

  /// The size that every storage takes as one row. SQLite's own bound is 1,000,000,000 bytes; a quarter of it leaves room for a transaction
  /// whose limits were raised, and keeps recovery from asking for more memory than a small server has.
  package static let maximumByteCount = 256 << 20

  package init(firstTimestamp: UInt64, lastTimestamp: UInt64, commitCount: Int, bytes: [UInt8]) {
    self.firstTimestamp = firstTimestamp
    self.lastTimestamp = lastTimestamp
    self.commitCount = commitCount
    self.bytes = bytes
  }

  /// The same commits in parts of about this many bytes. A commit stays whole, so a part may be larger; and each names its first commit's function.
  package func split(upTo byteCount: Int) -> [LogBatch] {
    var writer = CommitRecordWriter(capacity: byteCount)
    var parts: [LogBatch] = []
    bytes.withUnsafeBytes { bytes in
      do {
        try CommitRecord.decodeAll(bytes) { record in
          if !writer.isEmpty, writer.byteCount + record.writes.count > byteCount, let part = writer.takeBatch() { parts.append(part) }
          writer.append(record)
        }
      } catch { preconditionFailure("a batch that was just encoded: \(error)") }
    }
    if let part = writer.takeBatch() { parts.append(part) }
    return parts
  }
}
