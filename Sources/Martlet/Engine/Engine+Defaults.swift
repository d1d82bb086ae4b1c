import MartletWire

/// Giving stored documents the defaults of fields that were declared after them.
extension Engine {
  /// Commits the defaults that stored documents lack, some documents at a time, and calls `done` when all of it is
  /// durable, with the error if the disk fails. For the start, before the first session comes; no trigger runs.
  func fillDefaults(_ done: @escaping @Sendable (WireError?) -> Void) {
    var lacking: ContiguousArray<DocumentStorage> = []
    for table in catalog.tables where !table.layout.defaults.isEmpty {
      table.assumeIsolated { $0.snapshot }.forEachDocument { document in
        if table.layout.lacksDefaults(document) { lacking.append(document) }
      }
    }
    fillDefaults(of: lacking[...], done)
  }

  /// A commit is of a thousand documents at most, or of fewer large ones: it is held in memory, and written as one.
  private static let mostDocuments = 1_000
  private static let mostBytes = 8 << 20

  private func fillDefaults(of documents: ArraySlice<DocumentStorage>, _ done: @escaping @Sendable (WireError?) -> Void) {
    guard let first = documents.first, let table = catalog.table(number: first.id.tableNumber) else { return done(nil) }
    let filler = DefaultFiller()
    var writes: ContiguousArray<DocumentWrite> = []
    var bytes = 0
    for document in documents.prefix(Self.mostDocuments) where bytes < Self.mostBytes {
      guard document.id.tableNumber == first.id.tableNumber else { break }
      let new = filler.filled(document, of: table.layout)
      bytes += new.jsonCount
      writes.append(DocumentWrite(id: document.id, old: document, new: new))
    }
    let rest = documents.dropFirst(writes.count)
    _ = commit(TableWrites(table: table, writes: writes), at: environment.clock.wallMilliseconds(), by: "_system:fillDefaults")
    whenDurable { failure in
      if let failure { return done(failure) }
      self.host.enqueue { self.assumeIsolated { $0.fillDefaults(of: rest, done) } }
    }
  }
}

extension TableLayout {
  func lacksDefaults(_ document: DocumentStorage) -> Bool {
    defaults.contains { document.value(named: $0.name.bytes) == nil }
  }
}

/// Makes the documents that stored ones become by their table's defaults.
final class DefaultFiller {
  private let changes = FieldChanges()
  private var builder = DocumentBuilder()

  func filled(_ document: DocumentStorage, of table: TableLayout) -> DocumentStorage {
    guard table.lacksDefaults(document) else { return document }
    changes.removeAll()
    for field in table.defaults where document.value(named: field.name.bytes) == nil {
      changes.add(field.name.bytes, json: field.json)
    }
    changes.apply(to: document, with: &builder)
    return builder.finish(id: document.id, creationTime: document.creationTime)
  }
}
