/// A table's schema as data: what the engine, the wire and a snapshot know of it, without its Swift type.
package struct TableDefinition: Sendable {
  package struct Field: Sendable {
    package var name: String
    package var shape: ValidatorShape
    /// The JSON that a document gets for the field where a write leaves it out; nil where there is no default.
    var standard: [UInt8]?
    /// Makes the field's objects of its JSON, and throws where one can't be made; nil for a field without objects.
    package var checkObjects: (@Sendable (UnsafeRawBufferPointer?) throws -> Void)?
  }

  package struct Index: Sendable {
    package var name: String
    package var fields: [String]
    package var summedField: String?
    /// Why one of the fields doesn't exist, where a key path led to none.
    package var problem: String?
    var isUnique = false
  }

  package var name: String
  package var fields: [Field]
  package var indexes: [Index]
  /// Whether documents may have fields that are not declared.
  var allowsOtherFields = false
  var triggers: [Trigger] = []

  /// System tables (`_tables`) hold the server's own state: functions read them, and only the engine writes them.
  package var isSystem: Bool { name.hasPrefix("_") }

  /// The shape that each document must have, system fields included.
  package var documentShape: ValidatorShape {
    .object(
      [
        .init(name: "_creationTime", shape: .float64, optional: false),
        .init(name: "_id", shape: .id(table: name), optional: false),
      ] + fields.map { ValidatorShape.Member(field: $0) })
  }
}

extension ValidatorShape.Member {
  fileprivate init(field: TableDefinition.Field) {
    if case .optional(let inner) = field.shape {
      self.init(name: field.name, shape: inner, optional: true)
    } else {
      self.init(name: field.name, shape: field.shape, optional: false)
    }
  }
}
