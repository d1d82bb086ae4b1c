import MartletWire

extension Engine {
  /// Writes a snapshot of the head, when all of it is durable, while commits go on. O(1) on the engine's thread; then as
  /// long as writing the documents takes, on another.
  package func writeSnapshot(_ name: SnapshotName) async throws -> SnapshotDescription {
    let snapshots = try snapshotStore
    let snapshot = try await pinned(catalog.tables)
    let shownName =
      switch name {
      case .named(let name): name
      case .timed(let prefix): prefix
      }
    let written = try await doLongWork(.snapshot, shownName, total: snapshot.documentCount) {
      [clock = environment.clock, metrics = configuration.metrics] work in
      let start = clock.monotonicNanoseconds()
      defer { metrics?.snapshotTime.recordNanoseconds(Int64(clock.monotonicNanoseconds() &- start)) }
      return try snapshots.write(snapshot, name) { work.note(documents: $0) }
    }
    knownSnapshots.removeAll { $0.name == written.name }
    knownSnapshots.append(written)
    return written
  }

  /// Reads a snapshot whole, and throws if anything is wrong with it.
  func verifySnapshot(_ name: String) async throws -> SnapshotDescription {
    let snapshots = try snapshotStore
    return try await doLongWork(.verify, name, total: knownDocuments(of: name)) { work in
      var sink = CountingSink(work)
      do { return try snapshots.read(name, into: &sink) } catch let error as StorageError { throw ApplicationError(error.message) }
    }
  }

  func deleteSnapshot(_ name: String) async throws {
    let snapshots = try snapshotStore
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      host.offload { continuation.resume(with: Result { try snapshots.delete(name) }) }
    }
    knownSnapshots.removeAll { $0.name == name }
  }

  func knownDocuments(of snapshot: String) -> Int { knownSnapshots.first { $0.name == snapshot }?.documents ?? 0 }

  var snapshotStore: any SnapshotStore {
    get throws {
      guard let snapshots else { throw WireError(.notFound, "this server has no place for snapshots") }
      return snapshots
    }
  }
}

/// Takes what is read for the sake of its being checked.
private struct CountingSink: RecoverySink {
  let work: LongWork
  var count = 0

  init(_ work: LongWork) { self.work = work }

  mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) {
    count += 1
    if count % 1_024 == 0 { work.note(documents: count) }
  }
  mutating func commit(_ record: CommitRecord) {}
  mutating func finished(lastTimestamp: UInt64) {}
}
