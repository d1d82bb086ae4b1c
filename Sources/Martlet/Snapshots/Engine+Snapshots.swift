import MartletWire

extension Engine {
  /// Writes a snapshot of the head, when all of it is durable, while commits go on. O(1) on the engine's thread; then as
  /// long as writing the documents takes, on another.
  /// - Parameter name: the time, where it is left out.
  package func writeSnapshot(name: String?) async throws -> SnapshotDescription {
    guard let snapshots else { throw WireError(.notFound, "this server has no place for snapshots") }
    let snapshot = DatabaseSnapshot(
      timestamp: headTimestamp, wallMilliseconds: environment.clock.wallMilliseconds(),
      tables: catalog.tables.map { table in
        DatabaseSnapshot.Table(layout: table.layout, contents: table.assumeIsolated { $0.unsettledSnapshot })
      })
    let written: SnapshotDescription = try await withCheckedThrowingContinuation { continuation in
      whenDurable { [host, clock = environment.clock, metrics = configuration.metrics] failure in
        if let failure { return continuation.resume(throwing: failure) }
        host.offload {
          let start = clock.monotonicNanoseconds()
          let result = Result { try snapshots.write(snapshot, name: name) }
          metrics?.snapshotTime.recordNanoseconds(Int64(clock.monotonicNanoseconds() &- start))
          continuation.resume(with: result)
        }
      }
    }
    knownSnapshots.removeAll { $0.name == written.name }
    knownSnapshots.append(written)
    return written
  }
}
