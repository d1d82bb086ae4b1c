import Martlet
import MartletValues
import Synchronization

/// Snapshots in memory, for simulation: they outlive an engine's crash, as files do.
package final class MemorySnapshots: SnapshotStore {
  package struct Document: Sendable, Equatable {
    package var id: DocumentID
    package var creationTime: Double
    package var json: [UInt8]

    package init(id: DocumentID, creationTime: Double, json: [UInt8]) {
      self.id = id
      self.creationTime = creationTime
      self.json = json
    }
  }

  private struct State {
    var files: [String: (description: SnapshotDescription, documents: [Document])] = [:]
    var written = 0
    var refusal: String?
  }

  private let state = Mutex(State())

  package init() {}

  /// Writing is refused from now on, as by a disk that is full; nil: no longer.
  package func refuseWriting(_ reason: String?) { state.withLock { $0.refusal = reason } }

  /// A snapshot that another server has written.
  package func add(_ name: String, timestamp: UInt64, _ documents: [Document]) {
    let description = SnapshotDescription(name: name, timestamp: timestamp, createdAt: 0, documents: documents.count, bytes: 0)
    state.withLock { $0.files[name] = (description, documents) }
  }

  package func documents(of name: String) -> [Document] { state.withLock { $0.files[name]?.documents ?? [] } }

  package var names: [String] { state.withLock { $0.files.keys.sorted() } }

  package func write(_ snapshot: DatabaseSnapshot, _ name: SnapshotName, progress: (Int) -> Void) throws -> SnapshotDescription {
    var documents: [Document] = []
    for table in snapshot.tables {
      table.contents.forEachDocument { documents.append(Document(id: $0.id, creationTime: $0.creationTime, json: [UInt8]($0.json))) }
    }
    return try state.withLock { state in
      if let refusal = state.refusal { throw StorageError(.failed, refusal) }
      state.written += 1
      let text =
        switch name {
        case .named(let name): name
        case .timed(let prefix): "\(prefix)\(state.written)"
        }
      guard state.files[text] == nil else { throw ApplicationError("there is a snapshot \"\(text)\" already") }
      let description = SnapshotDescription(
        name: text, timestamp: snapshot.timestamp, createdAt: snapshot.wallMilliseconds, documents: documents.count, bytes: 0)
      state.files[text] = (description, documents)
      return description
    }
  }

  package func list() throws -> [SnapshotDescription] {
    state.withLock { $0.files.values.map(\.description).sorted { $0.timestamp < $1.timestamp } }
  }

  package func read(_ name: String, into sink: inout some RecoverySink) throws -> SnapshotDescription {
    guard let file = state.withLock({ $0.files[name] }) else { throw StorageError(.unavailable, "there is no snapshot \"\(name)\"") }
    for document in file.documents {
      try document.json.withUnsafeBytes { try sink.document(document.id, creationTime: document.creationTime, json: $0) }
    }
    try sink.finished(lastTimestamp: file.description.timestamp)
    return file.description
  }

  package func delete(_ name: String) throws {
    guard state.withLock({ $0.files.removeValue(forKey: name) }) != nil else { throw ApplicationError("there is no snapshot \"\(name)\"") }
  }
}
