import MartletWire

/// Giving stored documents the defaults of fields that were declared after them.
extension Engine {
  /// Commits the defaults that stored documents lack, a thousand documents at a time, and calls `done` when all of it is
  /// durable, with the error if the disk fails. For the start, before the first session comes; no trigger runs.
  func fillDefaults(_ done: @escaping @Sendable (WireError?) -> Void) {
    var lacking: ContiguousArray<DocumentStorage> = []
    for table in catalog.tables where !table.layout.defaults.isEmpty {
      table.assumeIsolated { $0.snapshot }.forEachDocument { document in
        if table.layout.defaults.contains(where: { document.value(named: $0.name.bytes) == nil }) { lacking.append(document) }
      }
    }
    fillDefaults(of: lacking[...], done)
  }

  private func fillDefaults(of documents: ArraySlice<DocumentStorage>, _ done: @escaping @Sendable (WireError?) -> Void) {
    guard let first = documents.first, let table = catalog.table(number: first.id.tableNumber) else { return done(nil) }
    let chunk = documents.prefix { $0.id.tableNumber == first.id.tableNumber }.prefix(1_000)
    let changes = FieldChanges()
    var builder = DocumentBuilder()
    let writes = chunk.map { document in
      changes.removeAll()
      for field in table.layout.defaults where document.value(named: field.name.bytes) == nil {
        changes.add(field.name.bytes, json: field.json)
      }
      changes.apply(to: document, with: &builder)
      return DocumentWrite(
        id: document.id, old: document, new: builder.finish(id: document.id, creationTime: document.creationTime))
    }
    _ = commit(TableWrites(table: table, writes: ContiguousArray(writes)), at: environment.clock.wallMilliseconds())
    let rest = documents.dropFirst(chunk.count)
    whenDurable { failure in
      if let failure { return done(failure) }
      self.host.enqueue { self.assumeIsolated { $0.fillDefaults(of: rest, done) } }
    }
  }
}
