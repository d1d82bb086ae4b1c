/// Makes tables of what a storage reads, on a thread beside the one that reads.
///
/// Stepping through a million rows takes SQLite as long as it takes to make documents of them, so the two go on at the same time: the reading thread copies what it is
/// handed into parcels, and another one makes documents of a parcel, in order, while the next is filled.
///
///     storage ─▶ parcel ─▶ (mailbox) ─▶ documents ─▶ the table's tree, leaf by leaf
///       └────────── emptied parcels ◀──────┘
///
/// Few documents fill no parcel, and are made where they are read: no thread is started for them. There are so many parcels and no more, so a reader that is faster waits.
///
/// `@unchecked Sendable` is sound: `filling` is the reading thread's, and `tables` and `failure` are the other's from its start until `finish` has its report.
final class DocumentLoader: @unchecked Sendable {
  /// A table as it grows. Its documents come in the order of their ids, until the log's tail changes them; then its tree is one like any other.
  struct LoadedTable {
    private var loader: OrderedTree<InternalID, DocumentEntry>.BulkLoader? = .init()
    private var tree = OrderedTree<InternalID, DocumentEntry>()
    private var times: CreationTimes? = CreationTimes()

    mutating func put(_ document: DocumentStorage) {
      let id = InternalID(document.id)
      if loader?.append(id, DocumentEntry(document: document)) == true {
        times?.append(document.creationTime, id)
        return
      }
      becomeTree()
      tree.insert(DocumentEntry(document: document), for: id)
    }

    mutating func remove(_ id: InternalID) {
      becomeTree()
      tree.remove(id)
    }

    private mutating func becomeTree() {
      guard var loader else { return }
      self.loader = nil
      times = nil
      tree = loader.finish()
    }

    /// The documents, and their times where none was changed since.
    mutating func finish() -> (documents: OrderedTree<InternalID, DocumentEntry>, times: CreationTimes?) {
      if var loader {
        self.loader = nil
        tree = loader.finish()
      }
      return (tree, times)
    }
  }

  private struct Parcel {
    struct Item {
      let id: DocumentID
      let creationTime: Double
      /// nil: the document is deleted.
      let count: Int?
    }

    var items: ContiguousArray<Item> = []
    var bytes: ContiguousArray<UInt8> = []

    mutating func removeAll() {
      items.removeAll(keepingCapacity: true)
      bytes.removeAll(keepingCapacity: true)
    }
  }

  private static let parcelBytes = 256 << 10
  private static let parcelItems = 4_096
  private static let parcels = 6

  private var filling = Parcel()
  private var thread: (full: Mailbox<Parcel>, empty: Mailbox<Parcel>, finished: Mailbox<Void>)?
  private var tables: [UInt32: LoadedTable] = [:]
  /// The table that was loaded last, out of the dictionary: its documents come together.
  private var current: (number: UInt32, table: LoadedTable)?
  private var failure: (any Error)?
  private let restorer = DocumentRestorer()
  private(set) var loaded = 0

  func put(_ id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) {
    filling.items.append(Parcel.Item(id: id, creationTime: creationTime, count: json.count))
    filling.bytes.append(contentsOf: json)
    loaded += 1
    if filling.bytes.count >= Self.parcelBytes || filling.items.count >= Self.parcelItems { hand() }
  }

  func delete(_ id: DocumentID) {
    filling.items.append(Parcel.Item(id: id, creationTime: 0, count: nil))
    if filling.items.count >= Self.parcelItems { hand() }
  }

  private func hand() {
    let (full, empty, _) = thread ?? start()
    full.put(filling)
    guard let next = empty.take(timeoutMilliseconds: nil) else { preconditionFailure("the loading thread lives as long as its mailboxes") }
    filling = next
  }

  private func start() -> (full: Mailbox<Parcel>, empty: Mailbox<Parcel>, finished: Mailbox<Void>) {
    let mailboxes = (full: Mailbox<Parcel>(), empty: Mailbox<Parcel>(), finished: Mailbox<Void>())
    for _ in 1..<Self.parcels { mailboxes.empty.put(Parcel()) }
    thread = mailboxes
    OwnThread.start { [self] in
      while var parcel = mailboxes.full.take(timeoutMilliseconds: nil) {
        if failure == nil { unpack(parcel) }
        parcel.removeAll()
        mailboxes.empty.put(parcel)
      }
      mailboxes.finished.put(())
    }
    return mailboxes
  }

  private func unpack(_ parcel: Parcel) {
    do {
      try parcel.bytes.withUnsafeBytes { bytes in
        var start = 0
        for item in parcel.items {
          guard let count = item.count else {
            select(item.id.tableNumber)
            current!.table.remove(InternalID(item.id))
            continue
          }
          let json = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
          start += count
          let document = try restorer.document(id: item.id, creationTime: item.creationTime, json: json)
          select(item.id.tableNumber)
          current!.table.put(document)
        }
      }
    } catch { failure = error }
  }

  @inline(__always)
  private func select(_ number: UInt32) {
    if current?.number != number { change(to: number) }
  }

  private func change(to number: UInt32) {
    if let current { tables[current.number] = current.table }
    current = nil
    current = (number, tables.removeValue(forKey: number) ?? LoadedTable())
  }

  /// What was loaded, by the tables' numbers. Ends the thread; also to be called when the storage throws.
  func finish() throws -> [UInt32: LoadedTable] {
    if let thread {
      thread.full.put(filling)
      thread.full.close()
      _ = thread.finished.take(timeoutMilliseconds: nil)
      self.thread = nil
    } else {
      unpack(filling)
    }
    filling = Parcel()
    if let failure { throw failure }
    if let current { tables[current.number] = current.table }
    current = nil
    defer { tables = [:] }
    return tables
  }
}
