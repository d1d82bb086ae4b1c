import MartletWire

/// One run of a query or mutation: its snapshot, what it read, what it writes.
///
/// It is used by one thread at a time: by the engine's, or, for a handler that needs longer, by one beside it. Nothing
/// is shared with other transactions; what it writes reaches the tables only when the engine commits it. So the properties that each call of the
/// database touches are not checked for overlapping accesses at run time.
///
/// Invariants:
/// 1. Every table is read as it was at `snapshotTimestamp` (G3). On the engine's thread nothing commits while a handler runs, so a
///    snapshot is taken only where one is needed: see `TableView`.
/// 2. Where `tracksReads`, `reads` holds everything that the handler saw, absences included.
/// 3. Once `abort` is set the handler's outcome is ignored, whatever it does with the error.
@usableFromInline
package final class Transaction {
  /// Where the handler runs.
  enum Place {
    /// On the engine's thread, within `LoopBudget`, after which it is abandoned.
    case engineThread
    /// On a thread beside it.
    case beside
  }

  /// Why a transaction can't go on, whatever its handler answers.
  enum Abort: Error {
    /// It used up the engine thread's budget.
    case needsOwnThread
    case failed(WireError)
    /// An error that a loop over documents couldn't throw where it came up.
    case deferred(any Error)
  }

  @usableFromInline let catalog: Catalog
  let registry: FunctionRegistry
  let environment: EngineEnvironment
  let defaultLimits: SharedLimits
  let memory: MemoryRoom
  let place: Place
  let scratch: TransactionScratch
  private let snapshots: TableSnapshots

  // Of the current run; set by `begin`.
  private(set) var function: FunctionDefinition
  private(set) var limits: Limits {
    didSet { warnings = LimitWarnings(limits) }
  }
  private(set) var warnings: LimitWarnings
  private(set) var canWrite: Bool
  private(set) var tracksReads: Bool
  private(set) var snapshotTimestamp: UInt64
  private(set) var identity: Identity
  /// The wall clock's time at the start, milliseconds since 1970: the only time that a handler sees.
  private(set) var now: Double
  private var seed: UInt64?
  private var startedRandom: DeterministicRandom?

  /// The tables that were looked at come first, `openViews` of them; behind them are the views of earlier runs, to be used again.
  @exclusivity(unchecked) private var allViews: ContiguousArray<TableView> = []
  @exclusivity(unchecked) private var openViews = 0
  @exclusivity(unchecked) private var lastView: TableView?
  @exclusivity(unchecked) private(set) var reads = ReadSet()
  @exclusivity(unchecked) private(set) var abort: Abort?
  /// The handler has returned. What it kept of its context is of no use any more: the object may run another.
  @exclusivity(unchecked) private var isOver = false
  @exclusivity(unchecked) var logLines: [LogLine] = []
  /// What a handler has thrown whose own failure doesn't end the transaction: that of a job, whose end is written all the same.
  var caught: WireError?
  var events = TransactionEvents()
  /// Whether the server itself writes, which may write its own tables.
  var writesAsServer = false
  /// Where live pages end; nil where none is live.
  var pageJournal: PageJournal?
  /// What the commit is to keep of the answer, for a mutation under a session.
  var sessionAnswer: SessionAnswer?

  private(set) var documentsRead = 0
  private(set) var documentsWritten = 0
  private(set) var bytesWritten = 0
  /// Read when the clock is first looked at: a short transaction doesn't need to know the time.
  private(set) var startNanoseconds: UInt64?
  private var chargesUntilClock = Transaction.chargesPerClock
  private static let chargesPerClock = 16
  /// How many functions run inside each other.
  private var nesting = 0

  /// The changes of the write that is being made; those of `scratch` but for a write inside another's closure.
  @exclusivity(unchecked) var changes: FieldChanges
  @exclusivity(unchecked) var changesAreLent = false
  /// `documentsWritten` as it was when that write began.
  @exclusivity(unchecked) var documentsWrittenAtBegin = 0

  init(
    start: TransactionStart, place: Place, canWrite: Bool, tracksReads: Bool,
    scratch: TransactionScratch, snapshots: TableSnapshots
  ) {
    catalog = start.catalog
    registry = start.registry
    environment = start.environment
    defaultLimits = start.limits
    memory = start.memory
    self.scratch = scratch
    changes = scratch.changes
    self.place = place
    self.snapshots = snapshots
    function = start.function
    limits = start.function.limits(on: start.limits.limits)
    warnings = LimitWarnings(limits)
    snapshotTimestamp = start.timestamp
    identity = start.identity
    now = start.now
    seed = start.seed
    self.canWrite = canWrite
    self.tracksReads = tracksReads
  }

  /// Begins another run with the same object, which is cheaper than to make one: of the same engine, in the same place.
  func begin(
    _ function: FunctionDefinition, _ identity: Identity, at timestamp: UInt64, now: Double, canWrite: Bool, tracksReads: Bool
  ) {
    end()
    if function !== self.function {
      self.function = function
      limits = function.limits(on: defaultLimits.limits)
    }
    self.identity = identity
    snapshotTimestamp = timestamp
    self.now = now
    self.canWrite = canWrite
    self.tracksReads = tracksReads
    seed = nil
    startedRandom = nil
    abort = nil
    isOver = false
    documentsRead = 0
    documentsWritten = 0
    bytesWritten = 0
    startNanoseconds = nil
    chargesUntilClock = Self.chargesPerClock
    if tracksReads { reads = ReadSet() }
    if !logLines.isEmpty { logLines = [] }
    if caught != nil { caught = nil }
    events = TransactionEvents()
    if pageJournal != nil { pageJournal = nil }
    if sessionAnswer != nil { sessionAnswer = nil }
  }

  /// Lets go of what the run saw and wrote.
  func end() {
    handlerReturned()
    for position in 0..<openViews { allViews[position].close() }
    openViews = 0
    lastView = nil
  }

  /// The tables that were looked at.
  var views: ContiguousArray<TableView>.SubSequence { allViews.prefix(openViews) }

  func handlerReturned() { isOver = true }

  @inline(__always)
  func checkIsRunning() throws {
    if abort != nil || isOver { throw notRunning }
  }

  @inline(never)
  private var notRunning: any Error {
    if let abort { return abort }
    return WireError(.functionFailed, "\(functionName): a handler's context was used after the handler had returned")
  }

  /// Lets go of the snapshots, so that the tables' trees can be changed in place; the writes stay.
  func releaseSnapshots() {
    for position in 0..<openViews { allViews[position].releaseSnapshot() }
  }

  var functionName: String { function.name }

  var random: DeterministicRandom {
    // Made at the first use: most handlers have none.
    get { startedRandom ?? DeterministicRandom(seed: randomSeed) }
    set { startedRandom = newValue }
  }

  /// The next UUID of `random`, version 4.
  func nextUUID() -> String {
    var random = random
    defer { self.random = random }
    return UUIDText.make(random.next(), random.next())
  }

  private var randomSeed: UInt64 {
    if let seed { return seed }
    let fresh = environment.entropy.next()
    seed = fresh
    return fresh
  }

  func view(of table: StoredTable) -> TableView {
    if let lastView, lastView.table === table { return lastView }
    let view = findView(of: table)
    lastView = view
    return view
  }

  private func findView(of table: StoredTable) -> TableView {
    var position = 0
    while position < allViews.count, allViews[position].table !== table { position += 1 }
    if position == allViews.count { allViews.append(TableView(table: table, scratch: scratch, snapshots: snapshots)) }
    if position >= openViews {
      if position > openViews { allViews.swapAt(position, openViews) }
      position = openViews
      openViews += 1
      allViews[position].open()
    }
    return allViews[position]
  }

  // MARK: Accounting

  /// Ends the transaction: every later call of the database throws, so that a handler which catches the error can't go on.
  func fail(_ error: WireError) -> Abort {
    let abort = self.abort ?? .failed(error)
    self.abort = abort
    return abort
  }

  /// Ends the transaction by an error that the handler itself made, and that can't be thrown where it came up. Within a nested call it
  /// is that call which fails.
  func fail(throwing error: any Error) {
    if abort == nil { abort = .deferred(error) }
  }

  /// The deferred error, which counts as thrown now.
  private func takeDeferred() -> (any Error)? {
    guard case .deferred(let error)? = abort else { return nil }
    abort = nil
    return error
  }

  /// Says the same failure better.
  func replaceFailure(_ error: WireError) -> Abort {
    let abort = Abort.failed(error)
    self.abort = abort
    return abort
  }

  func charge(reads count: Int = 0) throws {
    try checkIsRunning()
    documentsRead += count
    if documentsRead > limits.documentsRead {
      throw fail(
        exceeded(.documentsRead, limits.documentsRead, reached: documentsRead, "read an index range that holds fewer, or raise the limit"))
    }
    if place == .engineThread, documentsRead + documentsWritten > LoopBudget.documents {
      abort = .needsOwnThread
      throw Abort.needsOwnThread
    }
    chargesUntilClock -= 1
    if chargesUntilClock == 0 {
      chargesUntilClock = 16
      try checkClock()
    }
  }

  func charge(written bytes: Int) throws {
    try charge()
    documentsWritten += 1
    bytesWritten += bytes
    if documentsWritten > limits.documentsWritten {
      throw fail(
        exceeded(
          .documentsWritten, limits.documentsWritten, reached: documentsWritten,
          "split the work over several mutations, or raise the limit"))
    }
    let mostBytes = min(limits.bytesWritten, Limits.mostBytesWritten)
    if bytesWritten > mostBytes {
      throw fail(
        exceeded(
          .bytesWritten, mostBytes, reached: bytesWritten, "split the work over several mutations, or raise the limit"))
    }
  }

  private func checkClock() throws {
    let nanoseconds = environment.clock.monotonicNanoseconds()
    guard let startNanoseconds else {
      self.startNanoseconds = nanoseconds
      return
    }
    let elapsed = nanoseconds &- startNanoseconds
    if place == .engineThread {
      if elapsed > LoopBudget.nanoseconds {
        abort = .needsOwnThread
        throw Abort.needsOwnThread
      }
    } else if elapsed > UInt64(limits.handlerMilliseconds) * 1_000_000 {
      throw fail(
        WireError(
          .timeout,
          "\(functionName) ran for longer than \(limits.handlerMilliseconds) ms; read less, or raise the limit handlerMilliseconds",
          data: Limits.errorData(.handlerMilliseconds, limits.handlerMilliseconds, reached: Int(elapsed / 1_000_000))))
    }
  }

  // MARK: Reads

  func note(point id: DocumentID) {
    if tracksReads { reads.add(point: id) }
  }

  func note(range: ReadRange) {
    if tracksReads { reads.add(range: range) }
  }

  /// Notes a range that grows while it is read: in the place of what it was before, which the caller keeps for the next time.
  func note(range: ReadRange, insteadOf place: Int?) -> Int? {
    tracksReads ? reads.set(range: range, at: place) : nil
  }

  /// The reads, ordered and without repetitions.
  func finishReads() -> ReadSet {
    reads.normalize()
    return reads
  }

  // MARK: Savepoints

  private static let maximumNesting = 64

  /// Runs `body`, and takes back what it wrote if it throws.
  func nested<Answer>(_ body: () throws -> Answer) throws -> Answer {
    // Calls recurse on the thread's stack, which may be 512 KB.
    guard nesting < Self.maximumNesting else {
      throw fail(
        WireError(
          .limitExceeded,
          "\(functionName) exceeded the limit of \(Self.maximumNesting) calls within each other: end the recursion earlier"))
    }
    // What failed outside of the nested call isn't its to fail with.
    try checkIsRunning()
    nesting += 1
    defer {
      nesting -= 1
      if nesting == 0 { for view in views { view.forgetSavepoints() } }
    }
    let savepoints = views.map { $0.savepoint() }
    do {
      let answer = try body()
      if let abort { throw abort }
      return answer
    } catch {
      let error = takeDeferred() ?? error
      for (index, view) in views.enumerated() {
        view.roll(back: index < savepoints.count ? savepoints[index] : nil)
      }
      throw error
    }
  }

  /// Whether it is a commit at all.
  var changesAnything: Bool { hasWrites || sessionAnswer != nil }
  private var hasWrites: Bool {
    for position in 0..<openViews where allViews[position].writes.contains(where: \.changesAnything) { return true }
    return false
  }
}

/// Where a transaction's views get their table's contents from.
struct TableSnapshots {
  /// Whether single documents may be read from the tables themselves, since nothing is committed meanwhile.
  let readsTables: Bool
  /// Perhaps with declared indexes that lag behind.
  let unsettled: (StoredTable) -> TableContents
  let settled: (StoredTable) -> TableContents
}

/// What a transaction begins with.
struct TransactionStart {
  var catalog: Catalog
  var registry: FunctionRegistry
  var environment: EngineEnvironment
  var limits: SharedLimits
  var memory: MemoryRoom
  var timestamp: UInt64
  var function: FunctionDefinition
  var identity: Identity
  var now: Double
  /// What `ctx.random` begins with; nil where any number will do.
  var seed: UInt64?
}
