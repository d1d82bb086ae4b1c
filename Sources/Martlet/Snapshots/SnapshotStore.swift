/// Where snapshots are kept: complete copies of all tables as of one timestamp. Called on threads beside the engine's.
package protocol SnapshotStore: Sendable {
  /// Writes a snapshot, whole or not at all: a crash leaves none.
  /// - Parameter progress: is told now and then how many documents are written.
  func write(_ snapshot: DatabaseSnapshot, _ name: SnapshotName, progress: (Int) -> Void) throws -> SnapshotDescription
  func list() throws -> [SnapshotDescription]
  /// Hands over a snapshot's documents, checked; what was handed over before a throw is worthless.
  /// - Parameter name: a name, or the path of a file that begins with a slash.
  func read(_ name: String, into sink: inout some RecoverySink) throws -> SnapshotDescription
  func delete(_ name: String) throws
}

/// How a snapshot is to be called.
package enum SnapshotName: Sendable, Hashable {
  case named(String)
  /// By its time, behind a prefix.
  case timed(prefix: String)
}

package struct SnapshotDescription: Sendable, Equatable {
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
