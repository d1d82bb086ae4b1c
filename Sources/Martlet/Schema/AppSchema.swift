/// An app's tables, each known by its type and as data.
package struct AppSchema: Sendable {
  package private(set) var definitions: [TableDefinition] = []
  private var adapters: [any TableAdapter] = []
  /// The server's own tables, with their numbers.
  let systemDefinitions: [(number: UInt32, definition: TableDefinition)]

  /// - Throws: `SchemaError` where names are ill-formed, or used twice, or a trigger is of no table of these.
  package init(_ tables: [any Table.Type], triggers: [Trigger] = []) throws {
    let types = Set(tables.map { ObjectIdentifier($0) })
    if let stray = triggers.first(where: { !types.contains($0.table) }) {
      throw SchemaError("a trigger is on table \"\(stray.tableName)\", which is not part of the app; list the table too")
    }
    var systemDefinitions: [(number: UInt32, definition: TableDefinition)] = []
    for (number, table) in SystemTables.all {
      let adapter = Self.adapter(of: table)
      adapters.append(adapter)
      systemDefinitions.append((number, adapter.definition))
    }
    self.systemDefinitions = systemDefinitions
    var names: Set<String> = []
    for table in tables {
      let adapter = Self.adapter(of: table)
      var definition = adapter.definition
      definition.triggers = triggers.filter { $0.table == adapter.type }
      try Self.check(definition)
      guard names.insert(definition.name).inserted else {
        throw SchemaError("two tables are called \"\(definition.name)\"; rename one")
      }
      definitions.append(definition)
      adapters.append(adapter)
    }
  }

  func types(in tables: [StoredTable]) -> [ObjectIdentifier: Catalog.TypedTable] {
    var types: [ObjectIdentifier: Catalog.TypedTable] = [:]
    for adapter in adapters {
      guard let table = tables.first(where: { $0.layout.name == adapter.definition.name }) else { continue }
      types[adapter.type] = Catalog.TypedTable(table: table, schema: adapter.schema)
    }
    return types
  }

  private static func adapter<T: Table>(of table: T.Type) -> any TableAdapter { Adapter<T>() }

  private struct Adapter<T: Table>: TableAdapter {
    var type: ObjectIdentifier { ObjectIdentifier(T.self) }
    var schema: any AnyObject & Sendable { TableSchema<T>.of(T.self) }
    var definition: TableDefinition { TableSchema<T>.of(T.self).definition }
  }

  private static func check(_ definition: TableDefinition) throws {
    let table = definition.name
    try checkName(table, "table")
    var fields: Set<String> = []
    for field in definition.fields {
      try checkName(field.name, "field of table \(table)")
      guard fields.insert(field.name).inserted else {
        throw SchemaError("table \(table) has two fields called \"\(field.name)\"; rename one")
      }
      do { try field.check() } catch { throw SchemaError("field \"\(field.name)\" of table \(table): \(error)") }
    }
    var indexes: Set<String> = ["by_id", "by_creation_time"]
    for index in definition.indexes {
      try checkName(index.name, "index of table \(table)")
      guard indexes.insert(index.name).inserted else {
        throw SchemaError("table \(table): \"\(index.name)\" is the name of another index, or of one that every table has")
      }
      try definition.check(index)
    }
    try definition.checkDistinctIndexes()
  }

  private static func checkName(_ name: String, _ what: String) throws {
    let isLetter = { (byte: UInt8) in (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z") }
    let isWellFormed = name.utf8.allSatisfy {
      isLetter($0) || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: "_")
    }
    guard isWellFormed, name.utf8.count <= 64, let first = name.utf8.first, isLetter(first) else {
      throw SchemaError("\"\(name)\" can't be the name of a \(what): it takes a letter, then letters, digits and _, 64 at most")
    }
  }
}

private protocol TableAdapter: Sendable {
  var type: ObjectIdentifier { get }
  var schema: any AnyObject & Sendable { get }
  var definition: TableDefinition { get }
}
