/// Reads a storage into tables.
///
/// The catalog is data like any other: table 1, `_tables`, holds a document `{name, number}` for each table, so that the
/// log and the snapshots need nothing beside documents. Documents are loaded first, the log's tail is applied to them,
/// and the indexes are built at the end, each in one go.
package struct Recovery {
  private let schema: AppSchema
  private var contents: [UInt32: TableContents] = [:]
  private var layouts: [UInt32: TableLayout] = [:]
  private var timestamp: UInt64 = 0
  private let restorer = DocumentRestorer()
  private let report: (RecoveryStep) -> Void
  private var loaded = 0

  package static let catalogNumber: UInt32 = 1
  package static let firstAppTableNumber = Catalog.firstUserNumber
  static let catalogLayout = TableLayout(
    number: catalogNumber,
    definition: TableDefinition(
      name: "_tables",
      fields: [.init(name: "name", shape: .string), .init(name: "number", shape: .float64)], indexes: []))

  /// - Parameter report: is told what is being done, on the thread of `run`.
  package init(schema: AppSchema, report: @escaping (RecoveryStep) -> Void = { _ in }) {
    self.schema = schema
    self.report = report
  }

  /// - Throws: what the storage throws; `SchemaError` where stored documents don't fit the schema.
  package mutating func run(_ storage: any Storage, executor: any SerialExecutor) throws -> RecoveredData {
    try recover(storage)
    let known = try catalogEntries()
    var next = max(Catalog.firstUserNumber, (known.keys.max() ?? 0) + 1)
    var newTables: [TableLayout] = []
    var numbers: [String: UInt32] = [:]
    for (number, name) in known { numbers[name] = number }

    var tables = [table(Self.catalogLayout, executor)]
    for (number, definition) in schema.systemDefinitions {
      tables.append(table(TableLayout(number: number, definition: definition), executor))
    }
    var unknownTables: [String] = []
    for definition in schema.definitions {
      let number: UInt32
      if let stored = numbers[definition.name] {
        number = stored
      } else {
        number = next
        next += 1
      }
      let layout = TableLayout(number: number, definition: definition)
      if numbers[definition.name] == nil { newTables.append(layout) }
      tables.append(table(layout, executor))
    }
    let declared = Set(schema.definitions.map(\.name))
    for (number, name) in known.sorted(by: { $0.key < $1.key }) where !declared.contains(name) {
      unknownTables.append(name)
      tables.append(
        table(TableLayout(number: number, definition: TableDefinition(name: name, fields: [], indexes: [])), executor))
    }
    let catalog = Catalog(tables: tables, types: schema.types(in: tables))
    try check(tables, catalog, except: Set(unknownTables))
    return RecoveredData(
      catalog: catalog, timestamp: timestamp, newTables: newTables, unknownTables: unknownTables,
      documentCount: contents.reduce(0) { $0 + ($1.key < Catalog.firstUserNumber ? 0 : $1.value.count) })
  }

  private mutating func recover(_ storage: any Storage) throws {
    var sink = self
    try storage.recover(into: &sink)
    self = sink
  }

  private mutating func table(_ layout: TableLayout, _ executor: any SerialExecutor) -> StoredTable {
    var contents = TableContents(layout: layout)
    if let loaded = self.contents[layout.number] { contents.adoptDocuments(of: loaded) }
    let documents = contents.count
    contents.buildIndexes(layout: layout) {
      if documents > 0 { report(.building(index: $0, table: layout.name, documents: documents)) }
    }
    self.contents[layout.number] = contents
    return StoredTable(layout: layout, contents: contents, executor: executor)
  }

  private func catalogEntries() throws -> [UInt32: String] {
    var entries: [UInt32: String] = [:]
    contents[Self.catalogNumber]?.forEachDocument { document in
      if case .object(let members) = document.value, case .string(let name)? = members["name"],
        case .float64(let number)? = members["number"]
      {
        entries[UInt32(exactly: number) ?? 0] = name
      }
    }
    for number in contents.keys where number >= Catalog.firstUserNumber && entries[number] == nil {
      throw StorageError(.corrupt, "documents of table number \(number) are stored, but the catalog has no such table; restore a snapshot")
    }
    return entries
  }

  /// Every stored document must fit its table: a function's typed reads rely on it.
  private func check(_ tables: [StoredTable], _ catalog: Catalog, except unknown: Set<String>) throws {
    var misfits = Misfits()
    for table in tables where !unknown.contains(table.layout.name) {
      guard let contents = contents[table.layout.number] else { continue }
      if contents.count > 0 { report(.checking(table: table.layout.name, documents: contents.count)) }
      contents.forEachDocument { document in
        do { try table.layout.check(document, catalog: catalog, maximumDepth: 64) } catch { misfits.add(document, error) }
      }
      checkUnique(table.layout, contents, &misfits)
    }
    try misfits.throwIfAny()
  }

  /// Documents that lack a default count with it: they get it once the server has started.
  private func checkUnique(_ layout: TableLayout, _ contents: TableContents, _ misfits: inout Misfits) {
    let filler = DefaultFiller()
    for slot in layout.uniqueIndexes {
      let index = layout.indexes[slot.declaredPosition]
      var seen: Set<IndexKey> = []
      var last: IndexKey?
      var keys = IndexKeyWriter()
      // An index that holds a default is not in the order that it will have.
      let isOrdered = !index.isOfDefaults(layout)
      contents.forEach(in: slot, from: nil, to: nil, descending: false) { key, document in
        let document = filler.filled(document, of: layout)
        let key = isOrdered ? key.with(tie: 0) : index.key(of: document, with: &keys).with(tie: 0)
        if isOrdered ? key == last : !seen.insert(key).inserted, let values = index.values(of: document) {
          misfits.add(document, ApplicationError.notUnique(values, in: layout, index))
        }
        last = key
        return true
      }
    }
  }
}

extension Recovery: RecoverySink {
  package mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) throws {
    try load(id, creationTime, json)
  }

  package mutating func commit(_ record: CommitRecord) throws {
    try record.forEachWrite { write in
      if let put = write.put {
        try load(write.id, put.creationTime, put.json)
      } else {
        contents[write.id.tableNumber]?.unload(InternalID(write.id))
      }
    }
  }

  package mutating func finished(lastTimestamp: UInt64) throws { timestamp = lastTimestamp }

  private mutating func load(_ id: DocumentID, _ creationTime: Double, _ json: UnsafeRawBufferPointer) throws {
    let document = try restorer.document(id: id, creationTime: creationTime, json: json)
    contents[id.tableNumber, default: TableContents(unindexed: ())].load(document)
    loaded += 1
    if loaded % 100_000 == 0 { report(.reading(documents: loaded)) }
  }
}
