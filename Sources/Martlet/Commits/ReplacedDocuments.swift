import CHints

/// What commits have replaced: kept to take them back if the disk fails, let go of when they are durable.
///
///     ── retired ──┬── writing ──┬── open ──
///     oldest       durable up to sealed up to       newest
///      │ one for each new write                        ▲
///      ▼                                               │
///     SpareDocuments                                 commit
///
/// A write is noted by what it replaced alone. What it put there is not held: while a commit can be taken back, and those after it
/// have been, that is what the table has.
///
/// With thousands of transactions in a batch these documents are in no cache any more when the batch is durable, and each that is
/// looked at is waited for; so is its memory when it is written again. So they are let go of one by one, one for each new write,
/// and fetched into the cache a few writes before. Where a batch is smaller than the one before, some are left for the writes after it,
/// 4,096 at most.
///
/// A ring, so that a batch goes from one state to the next without being moved. It holds as many as were not durable at once, and
/// shrinks again with batches that hold fewer.
struct ReplacedDocuments: ~Copyable {
  struct Entry {
    /// What was there before; nil for an insert. The first property: `fetch` reads its address.
    var old: DocumentStorage?
    let id: DocumentID
  }

  private var ring: UnsafeMutablePointer<Entry>
  /// A power of two.
  private var capacity: Int
  private static let leastCapacity = 64
  private static let mostRetired = 4_096

  // Where which part begins, counted from the first write on. The parts are `start..<durable`, `durable..<sealed` and `sealed..<end`.
  private var start = 0
  private var durable = 0
  private var sealed = 0
  private var end = 0

  /// Two short transactions' writes: a memory access is over well before the first of them is.
  private static let ahead = 4

  init() {
    capacity = Self.leastCapacity
    ring = .allocate(capacity: capacity)
  }

  deinit {
    for position in start..<end { place(position).deinitialize(count: 1) }
    ring.deallocate()
  }

  @inline(__always)
  private func place(_ position: Int) -> UnsafeMutablePointer<Entry> { ring + (position & (capacity - 1)) }

  /// Notes writes that are carried out next, and lets go of as many old documents.
  mutating func note(_ writes: ContiguousArray<DocumentWrite>, _ spares: inout SpareDocuments) {
    writes.withUnsafeBufferPointer { writes in
      for index in writes.indices where writes[index].changesAnything {
        if start < durable {
          spares.keep(&place(start).pointee.old)
          place(start).deinitialize(count: 1)
          start += 1
          if start + Self.ahead < durable { Self.fetch(place(start + Self.ahead)) }
        }
        if end - start == capacity { setCapacity(capacity * 2) }
        place(end).initialize(to: Entry(old: writes[index].old, id: writes[index].id))
        end += 1
      }
    }
  }

  /// The open batch is about to be written; the one before is durable.
  mutating func seal() { sealed = end }

  mutating func batchIsDurable() {
    durable = sealed
    letGo(of: durable - start - Self.mostRetired)
  }

  /// Nobody commits at present.
  mutating func letGoOfRetired() { letGo(of: durable - start) }

  private mutating func letGo(of count: Int) {
    guard count > 0 else { return }
    for position in start..<(start + count) { place(position).deinitialize(count: 1) }
    start += count
    if capacity > 2 * Self.mostRetired, end - start < capacity / 4 { setCapacity(capacity / 2) }
    if start == end, capacity > Self.mostRetired { setCapacity(Self.leastCapacity) }
  }

  /// How many are held, durable or not.
  var count: Int { end - start }

  /// What to put back, in this order: all that isn't durable, the last first. It is held no more.
  mutating func takeAll() -> ContiguousArray<Entry> {
    var entries: ContiguousArray<Entry> = []
    while end > durable {
      end -= 1
      entries.append(place(end).move())
    }
    sealed = end
    return entries
  }

  @inline(never)
  private mutating func setCapacity(_ new: Int) {
    let moved = UnsafeMutablePointer<Entry>.allocate(capacity: new)
    for position in start..<end { (moved + (position & (new - 1))).moveInitialize(from: place(position), count: 1) }
    ring.deallocate()
    ring = moved
    capacity = new
  }

  /// Has the processor fetch a document, without counting a reference: that would wait for it.
  @inline(__always)
  private static func fetch(_ entry: UnsafeMutablePointer<Entry>) {
    guard let document = UnsafeRawPointer(entry).load(as: UnsafeRawPointer?.self) else { return }
    for line in 0..<4 { martlet_prefetch(document + line * 64) }
  }
}

// The ring has one owner, because the struct can't be copied: to send it is to send the ring.
extension ReplacedDocuments: @unchecked Sendable {}
