/// What a storage held, ready to serve: the tables with their indexes built, and the last timestamp.
package struct RecoveredData: Sendable {
  let schema: AppSchema
  let catalog: Catalog
  package let timestamp: UInt64
  /// Tables of the schema that the storage doesn't know yet; `Engine.start` commits them.
  package let newTables: [TableLayout]
  /// Tables that the storage holds and the schema doesn't name: kept, and reported.
  package let unknownTables: [String]
  /// Of the app's tables: the server's own don't count.
  package let documentCount: Int
}

/// What recovery is doing. With few documents it is over before one could read it.
package enum RecoveryStep: Sendable, Equatable {
  /// So many documents are read so far.
  case reading(documents: Int)
  case building(index: String, table: String, documents: Int)
  case checking(table: String, documents: Int)
}
