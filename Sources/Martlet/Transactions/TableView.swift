/// One table as one transaction sees it: the snapshot, under the transaction's own writes.
final class TableView {
  let table: StoredTable
  let layout: TableLayout
  /// nil while the view is idle, and while its writes are carried out.
  private var snapshot: TableContents?
  private(set) var writes: ContiguousArray<DocumentWrite> = []

  /// The writes' positions by id. Empty while there are few: then looking through them costs less than hashing.
  private var positions: [InternalID: Int] = [:]
  private static let fewWrites = 8

  /// The snapshot with the writes carried out, made when a range is first read after a write. With persistent trees that is
  /// cheap, and every form of reading (ranges, counts, sums) sees the transaction's own writes by construction.
  private var merged: TableContents?
  private let scratch: TransactionScratch
  private let settled: (StoredTable) -> TableContents
  /// The document that was read last: what is changed was mostly read just before.
  private var lastRead: (id: InternalID, document: DocumentStorage?)?

  /// - Parameter settled: gives the same snapshot with its indexes up to date.
  init(table: StoredTable, scratch: TransactionScratch, settled: @escaping (StoredTable) -> TableContents) {
    self.table = table
    self.scratch = scratch
    self.settled = settled
    layout = table.layout
  }

  func open(_ snapshot: TableContents) { self.snapshot = snapshot }

  func releaseSnapshot() {
    snapshot = nil
    merged = nil
  }

  func close() {
    releaseSnapshot()
    lastRead = nil
    forgetSavepoints()
    writes.removeAll(keepingCapacity: true)
    if !positions.isEmpty { positions = [:] }
  }

  /// Takes the snapshot again with its indexes brought up to date, which nobody needed before.
  private func settle() {
    guard snapshot?.isSettled == false else { return }
    snapshot = nil
    snapshot = settled(table)
  }

  private var openSnapshot: TableContents {
    guard let snapshot else { preconditionFailure("a transaction reads nothing once it is over") }
    return snapshot
  }

  /// How many documents the table has.
  var count: Int { writes.isEmpty ? openSnapshot.count : contents.count }

  /// What a range is read from.
  var contents: TableContents {
    settle()
    if writes.isEmpty { return openSnapshot }
    if merged != nil {
      merged!.settle()
      return merged!
    }
    var contents = openSnapshot
    for write in writes where write.changesAnything { contents.apply(write, layout: layout, keys: &scratch.keys) }
    contents.settle()
    merged = contents
    return contents
  }

  func document(_ id: InternalID) -> DocumentStorage? {
    if let position = position(of: id) { return writes[position].new }
    if let lastRead, lastRead.id == id { return lastRead.document }
    let document = openSnapshot.document(id)
    lastRead = (id, document)
    return document
  }

  /// - Parameter current: what `document(_:)` gives for the id now.
  func write(_ new: DocumentStorage?, under id: DocumentID, replacing current: DocumentStorage?) {
    let internalID = InternalID(id)
    if merged != nil {
      merged!.apply(DocumentWrite(id: id, old: current, new: new), layout: layout, keys: &scratch.keys)
    }
    if let position = position(of: internalID) {
      if hasSavepoint { undo.append((position, writes[position].new)) }
      writes[position].new = new
      return
    }
    writes.append(DocumentWrite(id: id, old: current, new: new))
    if writes.count == Self.fewWrites + 1 {
      for (position, write) in writes.enumerated() { positions[write.internalID] = position }
    } else if writes.count > Self.fewWrites {
      positions[internalID] = writes.count - 1
    }
  }

  private func position(of id: InternalID) -> Int? {
    if writes.count > Self.fewWrites { return positions[id] }
    return writes.firstIndex { $0.id.low == id.low && $0.id.high == id.high }
  }

  // MARK: Savepoints

  /// What the writes have replaced of their own since the first savepoint, in order. So a savepoint costs nothing that grows with the writes: a table with
  /// a trigger has one for each of them.
  private var undo: ContiguousArray<(position: Int, new: DocumentStorage?)> = []
  private var hasSavepoint = false

  struct Savepoint {
    fileprivate let writes: Int
    fileprivate let undo: Int
  }

  func savepoint() -> Savepoint {
    hasSavepoint = true
    return Savepoint(writes: writes.count, undo: undo.count)
  }

  /// - Parameter savepoint: nil takes back every write.
  func roll(back savepoint: Savepoint?) {
    let (keptWrites, keptUndo) = (savepoint?.writes ?? 0, savepoint?.undo ?? 0)
    guard writes.count > keptWrites || undo.count > keptUndo else { return }
    while undo.count > keptUndo, let last = undo.popLast() { writes[last.position].new = last.new }
    if keptWrites > Self.fewWrites {
      for write in writes[keptWrites...] { positions[write.internalID] = nil }
    } else {
      positions = [:]
    }
    writes.removeSubrange(keptWrites...)
    merged = nil
  }

  /// When the outermost of them is over.
  func forgetSavepoints() {
    guard hasSavepoint else { return }
    hasSavepoint = false
    undo.removeAll(keepingCapacity: true)
  }
}
