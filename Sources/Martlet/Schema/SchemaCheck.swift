import MartletWire

extension TableLayout {
  /// Throws `schema_violation` where the document doesn't fit the table's schema.
  func check(_ document: DocumentStorage, catalog: Catalog, maximumDepth: Int) throws {
    var reader = JSONReader(document.json, maximumDepth: maximumDepth)
    do {
      try shape.check(&reader) { catalog.table(named: $0)?.layout.number }
    } catch let error as ValidationError {
      throw WireError(.schemaViolation, "document of table \(name): \(error)")
    }
  }
}
