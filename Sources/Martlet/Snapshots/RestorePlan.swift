import MartletWire

/// The writes that make the database what it was: the difference between what there is and what there is to be, so that a document which is the same in both
/// is not touched, and who watches it hears nothing.
///
/// It is made beside the engine's thread, and checked against the schema as a whole before anything changes.
struct RestorePlan: Sendable {
  private(set) var parts: [TableWrites] = []
  /// The documents that were put or deleted.
  private(set) var writeCount = 0
  private static let refusal = "nothing is restored"

  /// To what a snapshot holds.
  ///
  /// The snapshot's ids name its tables by number, so a table must have the number here that it has there: as in every snapshot that this server, or one
  /// that began with its data, has written. What tables the snapshot lacks become empty.
  static func to(
    snapshot recovery: Recovery, _ recovered: RecoveredData, of catalog: Catalog, now: [UInt32: TableContents]
  ) throws -> RestorePlan {
    var plan = RestorePlan()
    let new = Set(recovered.newTables.map(\.number))
    let stored = recovered.catalog.tables.filter { !new.contains($0.layout.number) }
    let misplaced = stored.filter { catalog.table(named: $0.layout.name)?.layout.number != $0.layout.number }.map { table in
      catalog.table(named: table.layout.name).map { "\(table.layout.name) (number \(table.layout.number), here \($0.layout.number))" }
        ?? "\(table.layout.name) (not here)"
    }
    guard misplaced.isEmpty else {
      throw ApplicationError(
        "the snapshot has tables that this server has otherwise, or not: \(misplaced.sorted().joined(separator: ", ")). Ids name tables by number, "
          + "so it can only become a data file of its own: stop the server, and restore with --data to a file that isn't there yet")
    }
    let storedNumbers = Set(stored.map(\.layout.number))
    let filler = DefaultFiller()
    for table in catalog.tables where table.layout.number != Recovery.catalogNumber {
      let old = now[table.layout.number]!
      let target = storedNumbers.contains(table.layout.number) ? recovery.contents[table.layout.number] : nil
      var writes = RestoreWrites()
      target?.forEachDocument { document in
        let document = filler.filled(document, of: table.layout)
        let present = old.document(InternalID(document.id))
        if let present, present.isEqual(to: document) { return }
        writes.add(document.id, from: present, to: document)
      }
      old.forEachDocument { document in
        if target?.document(InternalID(document.id)) == nil { writes.add(document.id, from: document, to: nil) }
      }
      plan.add(writes.inOrder, to: table)
    }
    return plan
  }

  /// Back along the log.
  static func to(_ rewind: Rewind, of catalog: Catalog, now: [UInt32: TableContents], memory: MemoryRoom) throws -> RestorePlan {
    var room = memory.left
    var plan = RestorePlan()
    var misfits = Misfits()
    let filler = DefaultFiller()
    let restorer = DocumentRestorer()
    for (number, ids) in Dictionary(grouping: rewind.documents.keys, by: \.tableNumber).sorted(by: { $0.key < $1.key })
    where number != Recovery.catalogNumber {
      guard let table = catalog.table(number: number) else { continue }
      var contents = now[number]!
      var writes = RestoreWrites()
      for id in ids.sorted() {
        let present = contents.document(InternalID(id))
        var document: DocumentStorage?
        if let target = rewind.documents[id] ?? nil {
          document = try target.json.withUnsafeBytes { try restorer.document(id: id, creationTime: target.creationTime, json: $0) }
          document = filler.filled(document!, of: table.layout)
          room -= document!.jsonCount + MemoryRoom.documentBytes
          guard room >= 0 else { throw memory.refusal(of: "nothing was restored: what is to be put back, beside what there is,") }
        }
        if let document {
          if let present, present.isEqual(to: document) { continue }
          do { try table.layout.check(document, catalog: catalog, maximumDepth: 64) } catch { misfits.add(document, error) }
        } else if present == nil {
          continue
        }
        writes.add(id, from: present, to: document)
      }
      if !table.layout.uniqueIndexes.isEmpty {
        var keys = IndexKeyWriter()
        for write in writes.inOrder { contents.apply(write, layout: table.layout, keys: &keys) }
        contents.settle()
        Recovery.checkUnique(table.layout, contents, &misfits)
      }
      plan.add(writes.inOrder, to: table)
    }
    try misfits.throwIfAny(refusal)
    return plan
  }

  private mutating func add(_ writes: ContiguousArray<DocumentWrite>, to table: StoredTable) {
    guard !writes.isEmpty else { return }
    writeCount += writes.count
    parts.append(TableWrites(table: table, writes: writes))
  }

  static func recovery(
    _ schema: AppSchema, _ read: (inout LoadingSink) throws -> Void, executor: any SerialExecutor
  ) throws -> (Recovery, RecoveredData) {
    var recovery = Recovery(schema: schema, consequence: refusal)
    let recovered = try recovery.run(executor: executor, keepingContents: true, read)
    return (recovery, recovered)
  }
}

extension DocumentStorage {
  func isEqual(to other: DocumentStorage) -> Bool {
    creationTime == other.creationTime && compareBytes(json, other.json) == 0
  }
}

/// What a restore writes to a table: first what goes, then what comes.
///
/// An import may have given a document another creation time than it had, or a new document that of an old one. A creation time is a place that one
/// document has; so it is made free before another comes there, and a document that moves goes and comes.
private struct RestoreWrites {
  private var going: ContiguousArray<DocumentWrite> = []
  private var coming: ContiguousArray<DocumentWrite> = []

  var inOrder: ContiguousArray<DocumentWrite> { going + coming }

  mutating func add(_ id: DocumentID, from present: DocumentStorage?, to document: DocumentStorage?) {
    if let present, let document, present.creationTime == document.creationTime {
      coming.append(DocumentWrite(id: id, old: present, new: document))
    } else {
      if present != nil { going.append(DocumentWrite(id: id, old: present, new: nil)) }
      if document != nil { coming.append(DocumentWrite(id: id, old: nil, new: document)) }
    }
  }
}
