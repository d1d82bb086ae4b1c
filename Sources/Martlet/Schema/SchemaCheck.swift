import MartletWire

extension TableLayout {
  /// Throws `schema_violation` where the document doesn't fit the table's schema.
  func check(_ document: DocumentStorage, catalog: Catalog, maximumDepth: Int) throws {
    let maximumDepth = min(maximumDepth, 60)
    var reader = JSONReader(document.json, maximumDepth: maximumDepth)
    do {
      try shape.check(&reader) { catalog.table(named: $0)?.layout.number }
      for field in objectFields {
        do { try field.checkObjects?(document.value(of: field.name)) } catch {
          if let error = error as? ValidationError {
            throw WireError(.schemaViolation, "document of table \(name): \(error.prefixed(by: .field(field.name)))")
          }
          throw WireError(.schemaViolation, "document of table \(name): \(field.name): \(error)")
        }
      }
    } catch let error as ValidationError {
      throw WireError(.schemaViolation, "document of table \(name): \(error)")
    } catch let error as JSONError {
      // The text is the server's own: what can be wrong with it is its depth, or the name of a field within.
      guard error.isTooDeep else { throw WireError(.schemaViolation, "document of table \(name): \(error.message)") }
      throw WireError(
        .limitExceeded,
        "a document of table \(name) exceeded the limit of \(maximumDepth) levels (documentDepth): nest less, or raise the limit")
    }
  }
}

extension ValidatorShape {
  /// Whether a Swift value of this shape's type may not fit the shape: an id can be of another table, `any` can nest too
  /// deep, an `Int` can be too large for a float64, a `String` be another than the literal, a record's name be no field's.
  var isWiderThanItsType: Bool {
    switch self {
    case .null, .boolean, .int64, .float64, .string, .bytes, .enumeration: false
    case .any, .id, .wholeNumber, .union, .literal, .record: true
    case .array(let element), .optional(let element): element.isWiderThanItsType
    case .object(let members): members.contains { $0.shape.isWiderThanItsType }
    }
  }
}
