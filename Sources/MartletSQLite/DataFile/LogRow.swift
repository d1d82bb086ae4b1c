import Martlet

/// A row of `commit_log`, borrowed from the statement that stands on it.
///
/// Each row names the last timestamp of the row before it. So the rows are a chain from the checkpoint on, and one that is missing from the
/// middle is found, though what is left is whole.
struct LogRow {
  static let columns = "last_timestamp, first_timestamp, previous_timestamp, commits, checksum, record_format, payload"

  var lastTimestamp: UInt64
  var firstTimestamp: UInt64
  var previousTimestamp: UInt64
  var commits: Int64
  var format: CommitRecord.Format
  var payload: UnsafeRawBufferPointer

  static func checksum(of batch: LogBatch, previousTimestamp: UInt64, payload: UnsafeRawBufferPointer) -> UInt64 {
    checksum(batch.lastTimestamp, batch.firstTimestamp, previousTimestamp, UInt64(batch.commitCount), .current, payload)
  }

  private static func checksum(
    _ last: UInt64, _ first: UInt64, _ previous: UInt64, _ commits: UInt64, _ format: CommitRecord.Format, _ payload: UnsafeRawBufferPointer
  ) -> UInt64 {
    let seed =
      switch format {
      case .nameless: Checksum.of(last, first, previous, commits)
      case .current: Checksum.of(last, first, previous, commits, UInt64(format.rawValue))
      }
    return Checksum.of(payload, seed: seed)
  }

  /// Reads the row that the statement stands on, and checks it: it must match its checksum, and follow `previous`.
  init(from statement: Statement, after previous: UInt64, path: String) throws {
    lastTimestamp = statement.uint64(0)
    firstTimestamp = statement.uint64(1)
    previousTimestamp = statement.uint64(2)
    commits = statement.int64(3)
    payload = statement.bytes(6)
    let name = "\(path): table commit_log, row \(lastTimestamp)"
    guard let format = CommitRecord.Format(rawValue: statement.int64(5)) else {
      throw StorageError(.corrupt, "\(name) has the unknown format \(statement.int64(5)); restore a snapshot")
    }
    self.format = format
    let checksum = Self.checksum(lastTimestamp, firstTimestamp, previousTimestamp, UInt64(bitPattern: commits), format, payload)
    guard checksum == statement.uint64(4) else {
      throw StorageError(.corrupt, "\(name) (\(payload.count) bytes) does not match its checksum; restore a snapshot")
    }
    guard previousTimestamp == previous else {
      throw StorageError(
        .corrupt, "\(name) follows \(previousTimestamp), but \(previous) is what stands before it: a row is missing; restore a snapshot")
    }
  }

  /// Hands over the commits in order.
  func forEachCommit(path: String, _ body: (CommitRecord) throws -> Void) throws {
    var count: Int64 = 0
    var bounds: (first: UInt64, last: UInt64)?
    do {
      try CommitRecord.decodeAll(payload, format: format) { record in
        count += 1
        bounds = (bounds?.first ?? record.timestamp, record.timestamp)
        try body(record)
      }
    } catch let error as CommitRecordError {
      throw StorageError(.corrupt, "\(path): table commit_log, row \(lastTimestamp) is malformed; restore a snapshot", cause: error)
    }
    guard count == commits, bounds?.first == firstTimestamp, bounds?.last == lastTimestamp else {
      throw StorageError(
        .corrupt,
        "\(path): table commit_log, row \(lastTimestamp) says it holds \(commits) commits from \(firstTimestamp) on, but holds \(count)")
    }
  }
}
