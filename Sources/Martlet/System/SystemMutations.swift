import MartletWire

/// Writing documents without their Swift types: what `martlet data`, an import, or a person with `nc` does. The table's
/// schema is enforced as for any writer.
enum SystemMutations {
  static let all = [insert, patch, replace, delete]

  static let insert = FunctionDefinition(
    name: "_system:insert", visibility: .public, arguments: [("table", .string), ("document", .record(.any))],
    body: .mutation { context, arguments, answer in
      let name = try arguments.take("table", Validator.string)
      let document = try arguments.take("document", Validator.record(.any))
      try arguments.finish()
      let transaction = context.transaction
      let table = try transaction.writableTable(named: name)
      let id = try transaction.withChanges { changes in
        try changes.set(document, existing: nil)
        return try transaction.insert(into: table, isChecked: false)
      }
      answer.write(id: id)
    })

  static let patch = FunctionDefinition(
    name: "_system:patch", visibility: .public, arguments: [("id", .string), ("fields", .record(.any))],
    body: .mutation { context, arguments, answer in
      let (base, table, fields) = try context.transaction.target(&arguments, "fields", .record(.valueOrUndefined))
      try context.transaction.withChanges { changes in
        try changes.set(fields, existing: base)
        try context.transaction.patch(base, in: table, isChecked: false)
      }
      answer.writeNull()
    })

  static let replace = FunctionDefinition(
    name: "_system:replace", visibility: .public, arguments: [("id", .string), ("document", .record(.any))],
    body: .mutation { context, arguments, answer in
      let (base, table, fields) = try context.transaction.target(&arguments, "document", .record(.any))
      try context.transaction.withChanges { changes in
        try changes.set(fields, existing: base)
        try context.transaction.replace(base, in: table, isChecked: false)
      }
      answer.writeNull()
    })

  static let delete = FunctionDefinition(
    name: "_system:delete", visibility: .public, arguments: [("id", .string)],
    body: .mutation { context, arguments, answer in
      let text = try arguments.take("id", Validator.string)
      try arguments.finish()
      let (base, table) = try context.transaction.target(text)
      try context.transaction.delete(base, in: table)
      answer.writeNull()
    })
}

extension Transaction {
  func existingTable(named name: String) throws -> StoredTable {
    if let table = catalog.table(named: name) { return table }
    let names = catalog.tables.map(\.layout.name).filter { !$0.hasPrefix("_") }.sorted().joined(separator: ", ")
    throw WireError(.notFound, "there is no table \"\(name)\"; there are: \(names)")
  }

  fileprivate func writableTable(named name: String) throws -> StoredTable {
    try writable(existingTable(named: name))
  }

  private func writable(_ table: StoredTable) throws -> StoredTable {
    guard !table.layout.definition.isSystem else {
      throw WireError(.forbidden, "table \(table.layout.name) is the server's own; only the server writes it")
    }
    return table
  }

  fileprivate func target(_ text: String) throws -> (DocumentStorage, StoredTable) {
    guard let id = DocumentID(text) else {
      throw WireError(.invalidArguments, "args.id: expected an id, found another string")
    }
    let table = try writable(table(of: id))
    return (try require(id, in: table), table)
  }

  fileprivate func target<Members>(
    _ arguments: inout Arguments, _ members: String, _ validator: Validator<Members>
  ) throws -> (DocumentStorage, StoredTable, Members) {
    let text = try arguments.take("id", Validator.string)
    let fields = try arguments.take(members, validator)
    try arguments.finish()
    let (base, table) = try target(text)
    return (base, table, fields)
  }
}

extension FieldChanges {
  /// Sets members as a client sent them, and removes those that are nil. The system fields can't be changed: they may come along if they are the same.
  fileprivate func set(_ members: [String: Value?], existing: DocumentStorage?) throws {
    for (name, value) in members {
      if name.hasPrefix("_") {
        let isSame =
          switch name {
          case "_id": existing.map { value == .string($0.id.description) } ?? false
          case "_creationTime": existing.map { value == .float64($0.creationTime) } ?? false
          default: false
          }
        if isSame { continue }
      }
      set(name: name, to: value)
    }
  }
}

extension Validator where T == Value? {
  /// A value, or `{"$undefined":null}`, nil, which is Convex's form of a field that is to be removed.
  fileprivate static var valueOrUndefined: Validator {
    Validator(
      shape: .any,
      decode: { reader in
        guard try reader.nextKindName() == "object", reader.isSpecialForm else { return try reader.readValue() }
        guard case .missing = try FilterExpression.decode(from: &reader) else {
          throw ValidationError(expected: #"a value or {"$undefined":null}"#, found: "an expression")
        }
        return nil
      },
      encode: { value, writer in if let value { writer.write(value: value) } else { writer.writeNull() } })
  }
}
