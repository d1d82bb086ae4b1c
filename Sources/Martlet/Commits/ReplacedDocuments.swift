import CHints

/// What commits have replaced: kept to take them back if the disk fails, let go of when they are durable.
///
///     commit ──▶ open ──seal()──▶ writing ──batchIsDurable()──▶ retired ──one for each write──▶ SpareDocuments
///                  └──────────────────┴──takeAll()──▶ back to the tables
///
/// A write is noted by what it replaced alone. What it put there is not held: while a commit can be taken back, and those after it
/// have been, that is what the table has.
///
/// With thousands of transactions in a batch these documents are in no cache any more when the batch is durable, and each that is
/// looked at is waited for; so is its memory when it is written again. So they are let go of one by one, one for each new write,
/// and fetched into the cache a few writes before.
struct ReplacedDocuments: ~Copyable {
  struct Entry {
    /// What was there before; nil for an insert. The first property: `fetchAhead` reads its address.
    var old: DocumentStorage?
    let id: DocumentID
  }

  private var open: ContiguousArray<Entry> = []
  private var writing: ContiguousArray<Entry> = []
  private var retired: ContiguousArray<Entry> = []

  /// Two short transactions' writes: a memory access is over well before the first of them is.
  private static let ahead = 4

  /// Notes writes that are carried out next, and lets go of as many old documents.
  mutating func note(_ writes: ContiguousArray<DocumentWrite>, _ spares: inout SpareDocuments) {
    writes.withUnsafeBufferPointer { writes in
      for index in writes.indices where writes[index].changesAnything {
        if !retired.isEmpty {
          spares.keep(&retired[retired.count - 1].old)
          retired.removeLast()
          fetchAhead()
        }
        open.append(Entry(old: writes[index].old, id: writes[index].id))
      }
    }
  }

  /// The open batch is about to be written, the one before is durable.
  mutating func seal() { swap(&open, &writing) }

  mutating func batchIsDurable() {
    while !retired.isEmpty {
      retired.removeLast()
      fetchAhead()
    }
    swap(&retired, &writing)
  }

  /// Nobody commits at present.
  mutating func letGoOfRetired() { retired.removeAll(keepingCapacity: retired.capacity <= 4_096) }

  /// What to put back, in this order.
  mutating func takeAll() -> ReversedCollection<ContiguousArray<Entry>> {
    defer {
      writing = []
      open = []
    }
    return (writing + open).reversed()
  }

  /// Has the processor fetch a document, without counting a reference: that would wait for it.
  @inline(__always)
  private func fetchAhead() {
    guard retired.count >= Self.ahead else { return }
    retired.withUnsafeBufferPointer { entries in
      let entry = UnsafeRawPointer(entries.baseAddress! + (entries.count - Self.ahead))
      guard let document = entry.load(as: UnsafeRawPointer?.self) else { return }
      for line in 0..<4 { martlet_prefetch(document + line * 64) }
    }
  }
}
