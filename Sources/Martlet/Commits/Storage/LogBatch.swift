/// Some commits in order, encoded one after another: what one group commit makes durable together.
///
/// A storage keeps a batch whole or loses it whole; it never looks inside except to fold it.
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
}
