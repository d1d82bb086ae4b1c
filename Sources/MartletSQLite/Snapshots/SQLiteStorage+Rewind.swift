import Foundation
import Martlet
import MartletValues

extension SQLiteStorage {
  package struct Rewound: Sendable {
    /// Of the last commit now, and of the last that the moment has seen.
    package var timestamp: UInt64
    package var restored: UInt64
    /// Documents that were put or deleted.
    package var writes: Int
  }

  /// Takes a data file that no server has open back to an earlier moment: by commits that put every document that was written since as it was then, in one
  /// batch. So it happens whole or not at all, and what is undone stays in the log for as long as that is kept.
  ///
  /// Throws `StorageError`: `unavailable` if the log doesn't lead back so far, `locked` if a server has the file.
  package static func rewindFile(at path: String, to point: RestorePoint, by function: String) throws -> Rewound {
    var options = Options()
    // Nothing is let go of here: that is for the server's options to say.
    options.keptMilliseconds = .infinity
    let storage = try SQLiteStorage(path: path, options: options)
    do {
      var sink = NoSink()
      try storage.recover(into: &sink)
      let rewind = try storage.rewind(to: point)
      let now = options.now()
      var writer = CommitRecordWriter()
      var timestamp = storage.lastTimestamp
      var writes = 0
      var bytes = 0
      let name = Array(function.utf8)
      var commitStart = 0
      // The list of tables only grows: their numbers are in ids.
      for id in rewind.documents.keys.filter({ $0.tableNumber != Recovery.catalogNumber }).sorted() {
        if writes == 0 || bytes - commitStart >= Engine.bytesOfRestoreCommit {
          if writes > 0 { writer.end() }
          commitStart = bytes
          timestamp += 1
          name.withUnsafeBytes { writer.begin(timestamp: timestamp, wallClockMilliseconds: now, function: $0) }
        }
        if let document = rewind.documents[id] ?? nil {
          document.json.withUnsafeBytes { writer.put(id, creationTime: document.creationTime, json: $0) }
          bytes += document.json.count
        } else {
          writer.delete(id)
        }
        bytes += CommitRecord.Layout.putHeader
        writes += 1
      }
      if writes > 0 { writer.end() }
      if let batch = writer.takeBatch() { try storage.append(batch, sync: true) }
      try storage.close()
      return Rewound(timestamp: timestamp, restored: rewind.timestamp, writes: writes)
    } catch {
      try? storage.close()
      throw error
    }
  }

  private struct NoSink: RecoverySink {
    mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) {}
    mutating func commit(_ record: CommitRecord) {}
    mutating func finished(lastTimestamp: UInt64) {}
  }
}
