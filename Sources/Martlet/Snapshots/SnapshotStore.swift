/// Where snapshots are kept: complete copies of all tables as of one timestamp. Called on threads beside the engine's.
package protocol SnapshotStore: Sendable {
  /// Writes a snapshot, whole or not at all: a crash leaves none.
  func write(_ snapshot: DatabaseSnapshot, name: String?) throws -> SnapshotDescription
  func list() throws -> [SnapshotDescription]
}

/// All tables as of one timestamp.
package struct DatabaseSnapshot: Sendable {
  package struct Table: Sendable {
    package let layout: TableLayout
    package let contents: TableContents
  }

  package let timestamp: UInt64
  package let wallMilliseconds: Double
  package let tables: [Table]
}

package struct SnapshotDescription: Sendable {
  package var name: String
  package var timestamp: UInt64
  /// Milliseconds since 1970.
  package var createdAt: Double
  package var documents: Int
  package var bytes: Int

  package init(name: String, timestamp: UInt64, createdAt: Double, documents: Int, bytes: Int) {
    self.name = name
    self.timestamp = timestamp
    self.createdAt = createdAt
    self.documents = documents
    self.bytes = bytes
  }

  package var value: Value {
    [
      "name": .string(name), "timestamp": .float64(Double(timestamp)), "createdAt": .float64(createdAt),
      "documents": .float64(Double(documents)), "bytes": .float64(Double(bytes)),
    ]
  }
}
