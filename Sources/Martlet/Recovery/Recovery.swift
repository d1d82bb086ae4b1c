/// Reads a storage into tables.
///
/// The catalog is data like any other: table 1, `_tables`, holds a document `{name, number}` for each table, so that the
/// log and the snapshots need nothing beside documents. Documents are loaded first, the log's tail is applied to them,
/// and the indexes are built at the end, each in one go, while the documents are checked against the schema.
///
/// A restart is as long as this takes, so it uses more than one core: see `DocumentLoader` and `Parallel`. A million documents of 200 bytes without an
/// index of their own take two thirds of a second on two, the start of the process included.
package struct Recovery {
  private let schema: AppSchema
  private let report: (RecoveryStep) -> Void
  private let consequence: String
  /// By the tables' numbers.
  private var loaded: [UInt32: (documents: OrderedTree<InternalID, DocumentEntry>, times: CreationTimes?)] = [:]
  /// By the tables' numbers, with their indexes, where `run` was asked to keep them.
  private(set) var contents: [UInt32: TableContents] = [:]

  package static let catalogNumber: UInt32 = 1
  package static let firstAppTableNumber = Catalog.firstUserNumber
  static let catalogLayout = TableLayout(
    number: catalogNumber,
    definition: TableDefinition(
      name: "_tables",
      fields: [.init(name: "name", shape: .string), .init(name: "number", shape: .float64)], indexes: []))

  /// - Parameter report: is told what is being done, on the thread of `run`.
  /// - Parameter consequence: what follows from documents that don't fit the schema.
  package init(
    schema: AppSchema, consequence: String = "the server does not start", report: @escaping (RecoveryStep) -> Void = { _ in }
  ) {
    self.schema = schema
    self.consequence = consequence
    self.report = report
  }

  /// - Throws: what the storage throws; `SchemaError` where stored documents don't fit the schema.
  package mutating func run(_ storage: any Storage, executor: any SerialExecutor) throws -> RecoveredData {
    try run(executor: executor) { try storage.recover(into: &$0) }
  }

  /// - Parameters:
  ///   - keepingContents: whether they are to be had from `contents`. The tables' first writes then copy what they change.
  ///   - read: hands everything over that there is.
  mutating func run(
    executor: any SerialExecutor, keepingContents: Bool = false, _ read: (inout LoadingSink) throws -> Void
  ) throws -> RecoveredData {
    let timestamp = try load(read)
    let known = try catalogEntries()
    var next = max(Catalog.firstUserNumber, (known.keys.max() ?? 0) + 1)
    var newTables: [TableLayout] = []
    var numbers: [String: UInt32] = [:]
    for (number, name) in known { numbers[name] = number }

    var layouts = [Self.catalogLayout]
    for (number, definition) in schema.systemDefinitions { layouts.append(TableLayout(number: number, definition: definition)) }
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
      layouts.append(layout)
    }
    let declared = layouts.count
    let declaredNames = Set(schema.definitions.map(\.name))
    var unknownTables: [String] = []
    for (number, name) in known.sorted(by: { $0.key < $1.key }) where !declaredNames.contains(name) {
      unknownTables.append(name)
      layouts.append(TableLayout(number: number, definition: TableDefinition(name: name, fields: [], indexes: [])))
    }
    let documentCount = loaded.reduce(0) { $0 + ($1.key < Catalog.firstUserNumber ? 0 : $1.value.documents.count) }
    let contents = try build(layouts, checking: declared)
    // Whoever else holds a tree makes its first writes copy it.
    loaded = [:]
    if keepingContents { self.contents = Dictionary(uniqueKeysWithValues: zip(layouts.map(\.number), contents)) }
    let tables = zip(layouts, contents).map { StoredTable(layout: $0, contents: $1, executor: executor) }
    return RecoveredData(
      schema: schema, catalog: Catalog(tables: tables, types: schema.types(in: tables)), timestamp: timestamp, newTables: newTables,
      unknownTables: unknownTables, documentCount: documentCount)
  }

  /// Answers the last timestamp.
  private mutating func load(_ read: (inout LoadingSink) throws -> Void) throws -> UInt64 {
    let loader = DocumentLoader()
    var sink = LoadingSink(loader: loader, report: report)
    do { try read(&sink) } catch {
      _ = try? loader.finish()
      throw error
    }
    for (number, var table) in try loader.finish() { loaded[number] = table.finish() }
    return sink.timestamp
  }

  private func catalogEntries() throws -> [UInt32: String] {
    var entries: [UInt32: String] = [:]
    loaded[Self.catalogNumber]?.documents.forEach { _, entry in
      if case .object(let members) = entry.document.value, case .string(let name)? = members["name"],
        case .float64(let number)? = members["number"]
      {
        entries[UInt32(exactly: number) ?? 0] = name
      }
      return true
    }
    for number in loaded.keys where number >= Catalog.firstUserNumber && entries[number] == nil {
      throw StorageError(.corrupt, "documents of table number \(number) are stored, but the catalog has no such table; restore a snapshot")
    }
    return entries
  }

  // MARK: Indexes and checks

  /// More of one table's documents than so many are checked in several parts.
  private static let checkedAtOnce = 50_000
  private static let parts: UInt64 = 8

  /// Builds the tables' indexes, and checks that every stored document fits its table, as a function's typed reads rely on it.
  ///
  /// - Parameter declared: so many of the layouts are of tables that the schema has; documents of the others aren't checked.
  private mutating func build(_ layouts: [TableLayout], checking declared: Int) throws -> [TableContents] {
    var contents = layouts.map { layout in
      loaded[layout.number].map { TableContents(documents: $0.documents, layout: layout) } ?? TableContents(layout: layout)
    }
    for (layout, table) in zip(layouts, contents) where table.count > 0 {
      for index in layout.indexes { report(.building(index: index.name, table: layout.name, documents: table.count)) }
    }
    for (layout, table) in zip(layouts, contents).prefix(declared) where table.count > 0 {
      report(.checking(table: layout.name, documents: table.count))
    }

    var builds: [@Sendable () -> Void] = []
    var checks: [@Sendable () -> Void] = []
    let numbers = Dictionary(uniqueKeysWithValues: layouts.map { ($0.name, $0.number) })
    let built = layouts.map { BuiltTable($0) }
    for (position, layout) in layouts.enumerated() where contents[position].count > 0 {
      let (table, result) = (contents[position], built[position])
      let times = loaded[layout.number]?.times
      for index in layout.indexes.indices { builds.append { result.indexes[index].value = table.makeIndex(at: index, layout: layout) } }
      builds.append { result.byCreationTime.value = times?.makeTree() ?? table.makeByCreationTime() }
      guard position < declared else { continue }
      let glance = DocumentGlance(layout, numbers: numbers)
      let parts = table.count > Self.checkedAtOnce ? Self.parts : 1
      for part in 0..<parts {
        let misfits = Slot<Misfits>()
        result.misfits.append(misfits)
        checks.append {
          var found = Misfits()
          table.forEachDocument(inPart: part, of: parts) { document in
            if glance?.fits(document) == true { return }
            do { try layout.check(document, tableNumber: { numbers[$0] }, maximumDepth: 64) } catch { found.add(document, error) }
          }
          misfits.value = found
        }
      }
    }
    Parallel.run(builds + checks)

    var misfits = Misfits()
    for (position, layout) in layouts.enumerated() {
      let result = built[position]
      if let tree = result.byCreationTime.value { contents[position].adopt(byCreationTime: tree) }
      for (index, slot) in result.indexes.enumerated() {
        if let tree = slot.value { contents[position].adopt(tree, at: index) }
      }
      for part in result.misfits { part.value.map { misfits.add($0) } }
      if position < declared { Self.checkUnique(layout, contents[position], &misfits) }
    }
    try misfits.throwIfAny(consequence)
    return contents
  }

  /// Where one job leaves what it made. `@unchecked Sendable` is sound: nobody else looks before all jobs are over.
  private final class Slot<Value>: @unchecked Sendable {
    var value: Value?
  }

  private final class BuiltTable: @unchecked Sendable {
    let byCreationTime = Slot<OrderedTree<UInt64, CreationEntry>>()
    let indexes: [Slot<IndexContents>]
    var misfits: [Slot<Misfits>] = []

    init(_ layout: TableLayout) { indexes = layout.indexes.map { _ in Slot() } }
  }

  /// Documents that lack a default count with it: they get it once the server has started.
  static func checkUnique(_ layout: TableLayout, _ contents: TableContents, _ misfits: inout Misfits) {
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

/// Hands what a storage reads to the loader.
struct LoadingSink: RecoverySink {
  let loader: DocumentLoader
  let report: (RecoveryStep) -> Void
  var timestamp: UInt64 = 0

  mutating func document(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) throws {
    put(id, creationTime, json)
  }

  mutating func commit(_ record: CommitRecord) throws {
    try record.forEachWrite { write in
      if let put = write.put {
        self.put(write.id, put.creationTime, put.json)
      } else {
        loader.delete(write.id)
      }
    }
  }

  mutating func finished(lastTimestamp: UInt64) throws { timestamp = lastTimestamp }

  private func put(_ id: DocumentID, _ creationTime: Double, _ json: UnsafeRawBufferPointer) {
    loader.put(id, creationTime: creationTime, json: json)
    if loader.loaded % 100_000 == 0 { report(.reading(documents: loader.loaded)) }
  }
}
