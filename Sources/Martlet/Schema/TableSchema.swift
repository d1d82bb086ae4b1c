import Synchronization

/// A table's type, looked at once: its prototype (the instance that key paths are applied to) and its definition.
///
/// The prototype is read by reflection here, once for each process and never on a request's path.
@usableFromInline
package final class TableSchema<T: Table>: Sendable {
  @usableFromInline package let prototype: T
  package let definition: TableDefinition

  private init() {
    let prototype = T()
    var fields: [TableDefinition.Field] = []
    var indexes: [TableDefinition.Index] = []
    for child in Mirror(reflecting: prototype).children {
      if let field = child.value as? any AnyField {
        field.label.settle(name: child.label ?? "", position: fields.count)
        fields.append(
          .init(
            name: field.label.name, shape: field.shape, standard: field.standardJSON, checkObjects: field.checkObjects))
      }
    }
    for child in Mirror(reflecting: prototype).children {
      if let index = child.value as? Index<T> {
        index.label.settle(name: child.label ?? "", position: indexes.count)
        indexes.append(
          .init(
            name: index.label.name,
            fields: index.fields(prototype).map(\.name),
            summedField: index.summed?(prototype).name,
            problem: (index.fields(prototype) + [index.summed?(prototype)]).lazy.compactMap { $0?.problem }.first,
            isUnique: index.isUnique))
      }
    }
    self.prototype = prototype
    definition = TableDefinition(name: T.name, fields: fields, indexes: indexes, allowsOtherFields: T.allowsOtherFields)
  }

  /// The one schema of `T` in this process.
  package static func of(_ table: T.Type) -> TableSchema<T> {
    knownSchemas.withLock { known in
      if let schema = known[ObjectIdentifier(table)] {
        return unsafeDowncast(schema, to: TableSchema<T>.self)  // Only this function writes, under the type it writes.
      }
      let schema = TableSchema<T>()
      known[ObjectIdentifier(table)] = schema
      return schema
    }
  }
}

private let knownSchemas = Mutex<[ObjectIdentifier: AnyObject & Sendable]>([:])
