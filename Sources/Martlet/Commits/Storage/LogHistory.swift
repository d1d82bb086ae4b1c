import MartletValues

/// A commit, as those are told of it who read the log.
package struct LoggedCommit: Sendable, Equatable {
  package struct Write: Sendable, Equatable {
    package var id: DocumentID
    package var isDeletion: Bool

    package init(id: DocumentID, isDeletion: Bool) {
      self.id = id
      self.isDeletion = isDeletion
    }
  }

  package var timestamp: UInt64
  /// Milliseconds since 1970.
  package var wallMilliseconds: Double
  /// Who made it; empty for commits of format 1, which don't say.
  package var function: String
  package var writeCount: Int
  /// The first of them.
  package var writes: [Write]

  /// Writes that are told one by one.
  package static let mostWrites = 100

  package init(_ record: CommitRecord) throws {
    timestamp = record.timestamp
    wallMilliseconds = record.wallClockMilliseconds
    function = String(decoding: record.function, as: UTF8.self)
    writeCount = record.writeCount
    var writes: [Write] = []
    try record.forEachWrite { write in
      if writes.count < Self.mostWrites { writes.append(Write(id: write.id, isDeletion: write.put == nil)) }
    }
    self.writes = writes
  }
}

/// Which commits are looked for.
package struct LogRequest: Sendable {
  /// Only commits before this timestamp.
  package var before: UInt64
  package var limit: Int
  /// Only commits that wrote to this table.
  package var table: UInt32?
  /// Only commits from this time on, in milliseconds since 1970.
  package var since: Double?

  package init(before: UInt64 = .max, limit: Int, table: UInt32? = nil, since: Double? = nil) {
    self.before = before
    self.limit = limit
    self.table = table
    self.since = since
  }
}

package struct LogPage: Sendable, Equatable {
  /// The newest first.
  package var commits: [LoggedCommit]
  /// Where the next page begins, as its `before`; nil at the log's end.
  package var next: UInt64?

  package init(commits: [LoggedCommit], next: UInt64?) {
    self.commits = commits
    self.next = next
  }
}

/// A moment that was.
package enum RestorePoint: Sendable, Hashable {
  /// After the commit of this timestamp.
  case timestamp(UInt64)
  /// Before the first commit that was made later than this, in milliseconds since 1970.
  case time(Double)
}

/// The way back: what those documents were that have been written since.
package struct Rewind: Sendable {
  package struct Document: Sendable, Equatable {
    package var creationTime: Double
    /// In stored form.
    package var json: [UInt8]

    package init(creationTime: Double, json: [UInt8]) {
      self.creationTime = creationTime
      self.json = json
    }
  }

  /// The last commit that the moment has seen.
  package var timestamp: UInt64
  /// nil for one that there was not.
  package var documents: [DocumentID: Document?]

  package init(timestamp: UInt64, documents: [DocumentID: Document?]) {
    self.timestamp = timestamp
    self.documents = documents
  }
}
