/// Tables as of one timestamp.
package struct DatabaseSnapshot: Sendable {
  package struct Table: Sendable {
    package let layout: TableLayout
    package let contents: TableContents
  }

  package let timestamp: UInt64
  package let wallMilliseconds: Double
  private let held: HeldTables

  init(timestamp: UInt64, wallMilliseconds: Double, tables: [Table], host: any EngineHost) {
    self.timestamp = timestamp
    self.wallMilliseconds = wallMilliseconds
    held = HeldTables(tables, host)
  }

  package var tables: [Table] { held.tables }
  package var documentCount: Int { tables.reduce(0) { $0 + $1.contents.count } }
}

/// The tables of a snapshot, until nobody needs them any more.
///
/// By then all that commits have replaced since is theirs alone. To free it takes some 0.2 µs for each document, tens of milliseconds after a snapshot of a
/// busy database; so that is done beside the engine's thread, whoever lets go of them last.
///
/// `@unchecked Sendable` is sound: `tables` changes only when nobody else has it.
private final class HeldTables: @unchecked Sendable {
  private(set) var tables: [DatabaseSnapshot.Table]
  private let host: any EngineHost

  init(_ tables: [DatabaseSnapshot.Table], _ host: any EngineHost) {
    self.tables = tables
    self.host = host
  }

  deinit {
    let leftovers = Leftovers(tables)
    tables = []
    host.free { leftovers.tables = [] }
  }

  /// `@unchecked Sendable` is sound: it is handed over, and nobody else looks.
  private final class Leftovers: @unchecked Sendable {
    var tables: [DatabaseSnapshot.Table]
    init(_ tables: [DatabaseSnapshot.Table]) { self.tables = tables }
  }
}

extension Engine {
  /// All tables, or some, as of one timestamp; when it is durable. O(1) for each table, but for the changes that its indexes have gathered
  /// where they are asked for.
  func pinned(_ tables: [StoredTable], settled: Bool = false) async throws -> DatabaseSnapshot {
    let snapshot = DatabaseSnapshot(
      timestamp: headTimestamp, wallMilliseconds: environment.clock.wallMilliseconds(),
      tables: tables.map { table in
        DatabaseSnapshot.Table(layout: table.layout, contents: table.assumeIsolated { settled ? $0.snapshot : $0.unsettledSnapshot })
      }, host: host)
    try await untilDurable()
    return snapshot
  }

  /// Returns when all that the head shows is on the disk.
  func untilDurable() async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      whenDurable { failure in
        if let failure { continuation.resume(throwing: failure) } else { continuation.resume() }
      }
    }
  }
}
