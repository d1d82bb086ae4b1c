/// One table as one transaction sees it: the table as it was when the transaction began, under the transaction's own writes.
///
/// On the engine's thread nothing is committed while a handler runs, so single documents are read from the table itself: a snapshot would cost
/// references to all of the table's trees. One is taken when a range is read, and from the start where the handler runs beside the engine's thread.
///
/// It is used by one thread at a time, and no access to its properties meets another: so none is checked for that at run time.
final class TableView {
  let table: StoredTable
  let layout: TableLayout
  private let snapshots: TableSnapshots
  /// False while the view is idle, and while its writes are carried out.
  @exclusivity(unchecked) private var isOpen = false
  /// nil until it is needed.
  @exclusivity(unchecked) private var snapshot: TableContents?
  @exclusivity(unchecked) private(set) var writes: ContiguousArray<DocumentWrite> = []

  /// The writes' positions by id. Empty while there are few: then looking through them costs less than hashing.
  @exclusivity(unchecked) private var positions: [InternalID: Int] = [:]
  private static let fewWrites = 8

  /// The snapshot with the writes carried out, made when a range is first read after a write. With persistent trees that is
  /// cheap, and every form of reading (ranges, counts, sums) sees the transaction's own writes by construction.
  @exclusivity(unchecked) private var merged: TableContents?
  private let scratch: TransactionScratch
  /// The document that was read last, nil where there is none: what is changed was mostly read just before.
  @exclusivity(unchecked) private var lastRead: DocumentStorage?
  @exclusivity(unchecked) private var lastID = InternalID(high: 0, low: 0)
  @exclusivity(unchecked) private var hasLastRead = false

  init(table: StoredTable, scratch: TransactionScratch, snapshots: TableSnapshots) {
    self.table = table
    self.scratch = scratch
    self.snapshots = snapshots
    layout = table.layout
  }

  func open() { isOpen = true }

  /// Lets go of what is shared with the table, which can change it in place then.
  func releaseSnapshot() {
    isOpen = false
    if snapshot != nil { snapshot = nil }
    if merged != nil { merged = nil }
  }

  func close() {
    releaseSnapshot()
    lastRead = nil
    hasLastRead = false
    forgetSavepoints()
    if !writes.isEmpty { writes.removeAll(keepingCapacity: true) }
    if !positions.isEmpty { positions = [:] }
  }

  private var openSnapshot: TableContents {
    checkIsOpen()
    if let snapshot { return snapshot }
    let taken = snapshots.unsettled(table)
    snapshot = taken
    return taken
  }

  private func checkIsOpen() { precondition(isOpen, "a transaction reads nothing once it is over") }

  /// Takes the snapshot with its indexes brought up to date, which nobody needed before.
  private func settle() {
    checkIsOpen()
    if let snapshot, snapshot.isSettled { return }
    snapshot = nil
    snapshot = snapshots.settled(table)
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
    if !writes.isEmpty, let position = position(of: id) { return writes[position].new }
    if hasLastRead, lastID.low == id.low, lastID.high == id.high { return lastRead }
    checkIsOpen()
    lastRead = snapshots.readsTables ? table.currentDocument(id) : openSnapshot.document(id)
    lastID = id
    hasLastRead = true
    return lastRead
  }

  /// - Parameter current: what `document(_:)` gives for the id now.
  func write(_ new: DocumentStorage?, under id: DocumentID, replacing current: DocumentStorage?) {
    let internalID = InternalID(id)
    if merged != nil {
      merged!.apply(DocumentWrite(id: id, old: current, new: new), layout: layout, keys: &scratch.keys)
    }
    if !writes.isEmpty, let position = position(of: internalID) {
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
  @exclusivity(unchecked) private var undo: ContiguousArray<(position: Int, new: DocumentStorage?)> = []
  @exclusivity(unchecked) private var hasSavepoint = false

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
