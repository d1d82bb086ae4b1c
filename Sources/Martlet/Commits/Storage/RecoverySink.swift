import MartletValues

/// Takes what a storage reads at start: the documents of the last checkpoint, then the commits after it, then the end.
///
/// The bytes that are handed over are borrowed: they are gone when the call returns. Anything the sink throws ends the recovery and
/// reaches its caller as it was thrown.
package protocol RecoverySink {
  /// A document as of the last checkpoint. Documents come in the order of their ids, so those of one table come together.
  mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) throws
  /// A commit of the log's tail. Timestamps grow strictly, and the first is greater than the checkpoint's.
  mutating func commit(_ record: CommitRecord) throws
  /// Everything was handed over, verified. `lastTimestamp` is that of the last commit, or of the checkpoint if there is none after it; 0 for new data.
  mutating func finished(lastTimestamp: UInt64) throws
}
