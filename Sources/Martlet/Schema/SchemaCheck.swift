import MartletWire

extension TableLayout {
  /// Throws `schema_violation` where the document doesn't fit the table's schema.
  ///
  /// - Parameter catalog: knows of which tables ids are. Nil where nobody does, at a client: then any id will do.
  func check(_ document: DocumentStorage, catalog: Catalog?, maximumDepth: Int) throws {
    var number: ((String) -> UInt32?)?
    if let catalog { number = { table in catalog.table(named: table)?.layout.number } }
    try check(document, tableNumber: number, maximumDepth: maximumDepth)
  }

  /// - Parameter number: of the table that is called so.
  func check(_ document: DocumentStorage, tableNumber number: ((String) -> UInt32?)?, maximumDepth: Int) throws {
    let maximumDepth = min(maximumDepth, 60)
    var reader = JSONReader(document.json, maximumDepth: maximumDepth)
    do {
      if definition.allowsOtherFields { try checkDeclared(document, &reader, number) } else { try shape.check(&reader, tableNumber: number) }
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
        "a document of table \(name) exceeded the limit of \(maximumDepth) levels (documentDepth): nest less, or raise the limit",
        data: Limits.errorData(.documentDepth, maximumDepth))
    }
  }
}

extension TableLayout {
  /// The declared fields of a document that may have others.
  private func checkDeclared(
    _ document: DocumentStorage, _ reader: inout JSONReader, _ tableNumber: ((String) -> UInt32?)?
  ) throws {
    guard case .object(let members) = shape else { preconditionFailure("a document is an object") }
    try reader.readObject { reader, key throws in
      let member = members.first { $0.name.utf8.elementsEqual(key) }
      do { try (member?.shape ?? .any).check(&reader, tableNumber: tableNumber) } catch {
        throw ValidationError.prefixing(error, .field(String(decoding: key, as: UTF8.self)))
      }
    }
    for member in members where !member.optional && document.value(of: member.name) == nil {
      throw ValidationError(path: [.field(member.name)], expected: member.shape.description, found: "nothing")
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
