import Synchronization

/// The actor that owns one table: its documents and indexes, and the live queries' interest in them.
///
/// It runs on the engine's executor, so that the engine uses it without changing thread. A transaction on that thread reads single documents
/// where they are; any other takes the contents as an O(1) snapshot, and reads that without a lock wherever it likes.
@usableFromInline
package actor StoredTable {
  package nonisolated let layout: TableLayout
  private nonisolated let executor: any SerialExecutor

  // `nonisolated(unsafe)` for what the engine does with each transaction: it is on the executor, and asking the runtime whether it is would
  // take 1 % of a transfer each time; debug builds ask. (A handler's context isn't `Sendable`, so no handler can be elsewhere.) `@exclusivity(unchecked)`, since what is done with them
  // calls nothing that uses them.
  @exclusivity(unchecked) private nonisolated(unsafe) var contents: TableContents
  @exclusivity(unchecked) private nonisolated(unsafe) var interest = TableInterest()
  @exclusivity(unchecked) private nonisolated(unsafe) var keys = IndexKeyWriter()
  var hasInterest: Bool { !interest.isEmpty }

  /// The last creation time given out. Not the actor's, but under its own lock: mutations that run beside the engine's
  /// thread insert as well.
  private nonisolated let lastCreationTime: Mutex<Double>

  @usableFromInline package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(layout: TableLayout, contents: TableContents, executor: any SerialExecutor) {
    self.layout = layout
    self.contents = contents
    self.executor = executor
    lastCreationTime = Mutex(contents.lastCreationTime)
  }

  /// The table as it stands. O(1) but for the changes that its indexes have gathered; as long as the copy lives, writes
  /// copy what they change.
  package var snapshot: TableContents {
    contents.settle()
    return contents
  }

  /// For the engine: the same for who may never read a declared index, or settles a copy of its own.
  nonisolated var unsettledSnapshot: TableContents {
    assert(isOnExecutor)
    return contents
  }

  /// For the engine: a document as it stands.
  nonisolated func currentDocument(_ id: InternalID) -> DocumentStorage? {
    assert(isOnExecutor)
    return contents.document(id)
  }

  var documentCount: Int { contents.count }

  /// For the engine. Has the processor fetch these documents, where there are such.
  nonisolated func prefetch(_ ids: UnsafeBufferPointer<DocumentID>) {
    assert(isOnExecutor)
    contents.prefetch(ids)
  }

  /// For assertions: traps where it isn't so. (`assertIsolated` checks nothing where the standard library is an optimized one.)
  private nonisolated var isOnExecutor: Bool {
    preconditionIsolated()
    return true
  }

  /// A creation time for a new document: `now`, or just after the last one given out, so that times are distinct within
  /// the table and growing. Milliseconds since 1970, in steps of a microsecond.
  package nonisolated func nextCreationTime(now: Double) -> Double {
    lastCreationTime.withLock { last in
      last = now > last ? now : max(((last + 0.001) * 1000).rounded() / 1000, last.nextUp)
      return last
    }
  }

  /// Notes a creation time that a document brings along: those given out later come after it.
  nonisolated func note(creationTime: Double) {
    lastCreationTime.withLock { $0 = max($0, creationTime) }
  }

  func checkInvariants() throws { try contents.checkInvariants(layout: layout) }

  /// For the engine. Carries out a commit's writes to this table, and gives the live queries that they may concern, perhaps repeatedly.
  nonisolated func apply(_ writes: ContiguousArray<DocumentWrite>) -> ContiguousArray<LiveQueryID> {
    assert(isOnExecutor)
    guard !interest.isEmpty else {
      writes.withUnsafeBufferPointer { writes in
        for index in writes.indices where writes[index].changesAnything {
          contents.apply(writes[index], layout: layout, keys: &keys)
        }
      }
      return []
    }
    var positions: ContiguousArray<TableInterest.ChangedPosition> = []
    for write in writes where write.changesAnything {
      contents.apply(write, layout: layout, keys: &keys) { positions.append(($0, $1, isKept: $2)) }
    }
    return interest.queries(at: positions)
  }

  /// For the engine. Makes `old` the document again (nil: makes it gone), and gives the live queries that this may concern.
  nonisolated func putBack(_ old: DocumentStorage?, under id: DocumentID) -> ContiguousArray<LiveQueryID> {
    apply([DocumentWrite(id: id, old: contents.document(InternalID(id)), new: old)])
  }

  /// Notes what a live query has read of this table. Gives a token for each range, for `removeInterest`.
  func addInterest(_ query: LiveQueryID, _ reads: ReadSet.TablePart) -> [TableInterest.RangeToken] {
    for point in reads.points { interest.add(query, point: InternalID(point)) }
    return reads.ranges.map { interest.add(query, range: $0) }
  }

  func removeInterest(_ query: LiveQueryID, _ reads: ReadSet.TablePart, _ tokens: [TableInterest.RangeToken]) {
    for point in reads.points { interest.remove(query, point: InternalID(point)) }
    for (range, token) in zip(reads.ranges, tokens) { interest.remove(range: range, token) }
  }
}
