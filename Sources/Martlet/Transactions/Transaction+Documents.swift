import MartletWire

/// Reading and writing single documents, without their types.
extension Transaction {
  /// The table that an id belongs to.
  func table(of id: DocumentID) throws -> StoredTable {
    guard let table = catalog.table(number: id.tableNumber) else {
      throw WireError(.notFound, "\(id) is not the id of a document of this server: there is no such table")
    }
    return table
  }

  /// The document, or nil. The absence is read as much as the document.
  func read(_ id: DocumentID, in table: StoredTable) throws -> DocumentStorage? {
    try charge(reads: 1)
    note(point: id)
    return view(of: table).document(InternalID(id))
  }

  func require(_ id: DocumentID, in table: StoredTable) throws -> DocumentStorage {
    guard let document = try read(id, in: table) else {
      throw WireError(.notFound, "there is no document \(id) in table \(table.layout.name)")
    }
    return document
  }

  /// Inserts a document of the members in `changes`.
  @usableFromInline
  func insert(into table: StoredTable, isChecked: Bool) throws -> DocumentID {
    let id = environment.entropy.nextID(table: table.layout.number)
    let creationTime = table.nextCreationTime(now: now)
    changes.setSystemFields(id: id, creationTime: creationTime)
    let document = try build(id: id, creationTime: creationTime, base: nil, table: table, isChecked: isChecked)
    view(of: table).write(document, under: id, replacing: nil)
    return id
  }

  /// Changes the members in `changes`, and leaves the others.
  @usableFromInline
  func patch(_ base: DocumentStorage, in table: StoredTable, isChecked: Bool) throws {
    try requireUnchanged(base, in: table)
    let document = try build(
      id: base.id, creationTime: base.creationTime, base: base, table: table, isChecked: isChecked)
    view(of: table).write(document, under: base.id, replacing: base)
  }

  /// Makes the members in `changes` the document's only ones.
  @usableFromInline
  func replace(_ base: DocumentStorage, in table: StoredTable, isChecked: Bool) throws {
    try requireUnchanged(base, in: table)
    changes.setSystemFields(id: base.id, creationTime: base.creationTime)
    let document = try build(
      id: base.id, creationTime: base.creationTime, base: nil, table: table, isChecked: isChecked)
    view(of: table).write(document, under: base.id, replacing: base)
  }

  /// The closure that fills a write may itself write. Not the same document: one of the two writes would be lost.
  private func requireUnchanged(_ base: DocumentStorage, in table: StoredTable) throws {
    if let current = view(of: table).document(InternalID(base.id)), current.isIdentical(to: base) { return }
    throw fail(
      WireError(
        .functionFailed,
        "\(functionName): document \(base.id) of table \(table.layout.name) was written inside the closure of another write of it; "
          + "write it before or after"))
  }

  func delete(_ base: DocumentStorage, in table: StoredTable) throws {
    try charge(written: 0)
    view(of: table).write(nil, under: base.id, replacing: base)
  }

  /// - Parameter isChecked: the members came through typed fields, which can't be of the wrong type; they may be missing
  ///   from a new document, though.
  private func build(
    id: DocumentID, creationTime: Double, base: DocumentStorage?, table: StoredTable, isChecked: Bool
  ) throws -> DocumentStorage {
    changes.apply(to: base, with: &scratch.builder)
    guard scratch.builder.count <= min(limits.documentBytes, DocumentStorage.maximumJSONCount - 1) else {
      throw fail(exceeded("bytes in a document", limits.documentBytes, "split the document of table \(table.layout.name)"))
    }
    let document = scratch.builder.finish(id: id, creationTime: creationTime)
    if base == nil || !isChecked || changes.mustCheck {
      try table.layout.check(document, catalog: catalog, maximumDepth: limits.documentDepth)
    }
    try charge(written: document.jsonCount)
    return document
  }
}
