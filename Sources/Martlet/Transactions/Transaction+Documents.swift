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
    for field in table.layout.defaults { changes.add(field.name.bytes, json: field.json) }
    let document = try build(id: id, creationTime: creationTime, base: nil, table: table, isChecked: isChecked)
    try requireRoom(for: document, replacing: nil)
    try write(document, under: id, replacing: nil, in: table)
    return id
  }

  /// Changes the members in `changes`, and leaves the others.
  @usableFromInline
  func patch(_ base: DocumentStorage, in table: StoredTable, isChecked: Bool) throws {
    try requireUnchanged(base, in: table)
    // Typed fields with a default can't be removed, those that are named by a string can.
    if changes.mustCheck { for field in table.layout.defaults { changes.restore(field.name.bytes, json: field.json) } }
    let document = try build(
      id: base.id, creationTime: base.creationTime, base: base, table: table, isChecked: isChecked)
    try requireRoom(for: document, replacing: base)
    try write(document, under: base.id, replacing: base, in: table)
  }

  /// Makes the members in `changes` the document's only ones.
  @usableFromInline
  func replace(_ base: DocumentStorage, in table: StoredTable, isChecked: Bool) throws {
    try requireUnchanged(base, in: table)
    changes.setSystemFields(id: base.id, creationTime: base.creationTime)
    for field in table.layout.defaults { changes.add(field.name.bytes, json: field.json) }
    let document = try build(
      id: base.id, creationTime: base.creationTime, base: nil, table: table, isChecked: isChecked)
    try requireRoom(for: document, replacing: base)
    try write(document, under: base.id, replacing: base, in: table)
  }

  /// The closure that fills a write may itself write. Not the same document: one of the two writes would be lost. Where nothing was written
  /// since the write began, `base` can't have changed: it is read just before.
  @inline(__always)
  private func requireUnchanged(_ base: DocumentStorage, in table: StoredTable) throws {
    if documentsWritten != documentsWrittenAtBegin { try requireUnwritten(base, in: table) }
  }

  @inline(never)
  private func requireUnwritten(_ base: DocumentStorage, in table: StoredTable) throws {
    if let current = view(of: table).document(InternalID(base.id)), current.isIdentical(to: base) { return }
    throw fail(
      WireError(
        .functionFailed,
        "\(functionName): document \(base.id) of table \(table.layout.name) was written inside the closure of another write of it; "
          + "write it before or after"))
  }

  func delete(_ base: DocumentStorage, in table: StoredTable) throws {
    try charge(written: 0)
    try write(nil, under: base.id, replacing: base, in: table)
  }

  private func write(
    _ new: DocumentStorage?, under id: DocumentID, replacing old: DocumentStorage?, in table: StoredTable
  ) throws {
    guard !table.layout.hasPlainWrites else {
      view(of: table).write(new, under: id, replacing: old)
      return
    }
    guard !table.layout.definition.isSystem || writesAsServer else {
      throw WireError(.forbidden, "table \(table.layout.name) is the server's own; only the server writes it")
    }
    if let new { try requireUnique(new, replacing: old, in: table) }
    guard !table.layout.definition.triggers.isEmpty else {
      view(of: table).write(new, under: id, replacing: old)
      return
    }
    // One that throws takes the write back.
    try nested {
      view(of: table).write(new, under: id, replacing: old)
      let write = DocumentWrite(id: id, old: old, new: new)
      for trigger in table.layout.definition.triggers { try trigger.run(self, write) }
    }
  }

  /// - Parameter isChecked: the members came through typed fields, which can't be of the wrong type; they may be missing
  ///   from a new document, though.
  private func build(
    id: DocumentID, creationTime: Double, base: DocumentStorage?, table: StoredTable, isChecked: Bool
  ) throws -> DocumentStorage {
    if changes.mustCheck, let name = changes.illNamed {
      throw WireError(.schemaViolation, "document of table \(table.layout.name): \(FieldName.problem(of: name) ?? name)")
    }
    changes.apply(to: base, with: &scratch.builder)
    guard scratch.builder.count <= min(limits.documentBytes, DocumentStorage.maximumJSONCount - 1) else {
      throw fail(
        exceeded(
          .documentBytes, limits.documentBytes, reached: scratch.builder.count, "split the document of table \(table.layout.name)"))
    }
    let document = scratch.builder.finish(id: id, creationTime: creationTime)
    if base == nil || !isChecked || changes.mustCheck {
      try table.layout.check(document, catalog: catalog, maximumDepth: limits.documentDepth)
    }
    try charge(written: document.jsonCount)
    return document
  }
}
