import MartletWire

// Documents that are stored nowhere: what a client shows before the server has answered.

extension ID {
  /// An id that no document has. It stands for a document's until the server has given that one.
  public static var placeholder: ID<T> {
    // A number beyond those of tables, which are given from 1 on.
    ID(DocumentID(tableNumber: .max, high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)))
  }
}

extension Document {
  /// A document that is stored nowhere, for an optimistic update to show.
  ///
  /// ```swift
  /// let message = try Document<Messages>(placeholder: id, creationTime: now) { $0.text = text }
  /// ```
  ///
  /// - Parameters:
  ///   - id: made outside of the update, which may run more than once: a list that is shown would see another document each time.
  ///   - creationTime: milliseconds since 1970.
  ///   - fill: sets the fields; those with defaults get them where it leaves them out.
  /// - Throws: where the document isn't one that the table could hold, as `ctx.db.insert` would; what `fill` throws.
  public init(placeholder id: ID<T>, creationTime: Double, _ fill: (inout Draft<T>) throws -> Void) throws {
    let schema = TableSchema<T>.of(T.self)
    let changes = FieldChanges()
    var draft = Draft(schema: schema, base: nil, changes: changes)
    try fill(&draft)
    changes.setSystemFields(id: id.raw, creationTime: creationTime)
    for field in schema.definition.fields {
      guard let json = field.standard else { continue }
      changes.add(InternedName(field.name).bytes, json: json)
    }
    self.init(storage: try changes.document(id: id.raw, creationTime: creationTime, base: nil, schema), schema: schema)
  }

  /// Changes this copy of the document as `ctx.db.patch` would change the stored one. Nothing is stored.
  ///
  /// - Throws: where the document isn't one that the table could hold any more; what `change` throws. It is as it was then.
  public mutating func patch(_ change: (inout Draft<T>) throws -> Void) throws {
    let changes = FieldChanges()
    var draft = Draft(schema: schema, base: storage, changes: changes)
    try change(&draft)
    self = Document(
      storage: try changes.document(id: storage.id, creationTime: storage.creationTime, base: storage, schema), schema: schema)
  }
}

extension FieldChanges {
  fileprivate func document<T: Table>(
    id: DocumentID, creationTime: Double, base: DocumentStorage?, _ schema: TableSchema<T>
  ) throws -> DocumentStorage {
    if let name = illNamed {
      throw WireError(.schemaViolation, "document of table \(T.name): \(FieldName.problem(of: name) ?? name)")
    }
    var builder = DocumentBuilder()
    apply(to: base, with: &builder)
    guard builder.count < DocumentStorage.maximumJSONCount else {
      throw WireError(.schemaViolation, "document of table \(T.name): it has \(builder.count) bytes, 16 MiB are the most")
    }
    let document = builder.finish(id: id, creationTime: creationTime)
    try TableLayout(number: id.tableNumber, definition: schema.definition).check(document, catalog: nil, maximumDepth: 60)
    return document
  }
}
