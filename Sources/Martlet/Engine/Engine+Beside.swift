import MartletWire

/// Running a function beside the engine's thread.
extension Engine {
  /// A function's answer: its JSON, and the timestamp of its commit or snapshot.
  typealias Completion = @Sendable (isolated Engine, Result<(timestamp: UInt64, json: [UInt8]), WireError>) -> Void

  /// One function to run, and whom to tell. What it begins with is kept, so that another try begins with the same.
  struct BesideRequest: Sendable {
    let function: FunctionDefinition
    let arguments: [UInt8]
    let identity: Identity
    let seed: UInt64
    let now: Double
    var tries = 0
    /// Where a live query's pages ended when it ran last; nil for anything else.
    var pageEnds: PageJournal.Ends?
    /// Who has it run; nil for a client.
    var origin: RunOrigin?
    let completion: Completion
  }

  func besideRequest(
    _ function: FunctionDefinition, arguments: [UInt8], identity: Identity, completion: @escaping Completion
  ) -> BesideRequest {
    BesideRequest(
      function: function, arguments: arguments, identity: identity, seed: environment.entropy.next(),
      now: wallMilliseconds, origin: runOrigin, completion: completion)
  }

  func runQueryBeside(_ request: BesideRequest) {
    runBeside(request, canWrite: false, tracksReads: false) { engine, run in
      let timestamp = run.transaction.snapshotTimestamp
      engine.beside.end(at: timestamp)
      guard timestamp <= engine.headTimestamp else { return request.completion(engine, engine.lost()) }
      let result = run.result(in: engine)
      engine.noteRun(run, request.origin, result.failure)
      request.completion(engine, result.map { (timestamp, $0) })
    }
  }

  /// Runs a mutation beside, and again if it conflicts; alone, after some tries.
  func runMutationBeside(_ request: BesideRequest) {
    if beside.isExclusive {
      beside.waitForExclusive { $0.runMutationBeside(request) }
      return
    }
    let isAlone = request.tries >= BesideTransactions.optimisticTries
    if isAlone { beside.beginExclusive() }
    runBeside(request, canWrite: true, tracksReads: true) { engine, run in
      engine.finishMutation(request, run, ranAlone: isAlone)
    }
  }

  private func finishMutation(_ request: BesideRequest, _ run: BesideRun, ranAlone: Bool) {
    if beside.isExclusive, !ranAlone {
      // Its commit would be one that the mutation which runs alone must not meet.
      beside.waitForExclusive { $0.finishMutation(request, run, ranAlone: false) }
      return
    }
    let transaction = run.transaction
    let isTouched = beside.isTouched(transaction.finishReads(), since: transaction.snapshotTimestamp)
    beside.end(at: transaction.snapshotTimestamp)
    defer { if ranAlone { for work in beside.endExclusive() { work(self) } } }
    if lifecycle.isStorageFailed {
      request.completion(self, lost())
      return
    }
    if isTouched {
      precondition(!ranAlone, "a mutation that runs alone meets no commit")
      statistics.conflicts += 1
      var again = request
      again.tries += 1
      runMutationBeside(again)
      return
    }
    let result = run.result(in: self)
    switch result {
    case .failure(let error):
      noteRun(run, request.origin, error)
      request.completion(self, .failure(error))
    case .success(let json):
      let refusal = transaction.changesAnything ? commitRefusal : nil
      noteRun(run, request.origin, refusal)
      if let refusal { return request.completion(self, .failure(refusal)) }
      request.completion(self, .success((commit(transaction), json)))
    }
  }

  /// The answer of a request whose snapshot showed commits that the disk then refused, or that would have been one itself.
  private func lost() -> Result<(timestamp: UInt64, json: [UInt8]), WireError> {
    lastLogLines = []
    return .failure(Self.storageFailure)
  }

  /// A handler's run on another thread. `@unchecked Sendable` is sound: the transaction is handed from the engine's thread to
  /// the other and back, and is never used by two at a time.
  struct BesideRun: @unchecked Sendable {
    let transaction: Transaction
    let failure: (any Error)?
    let json: [UInt8]
    /// How long the handler ran.
    let nanoseconds: UInt64

    func result(in engine: isolated Engine) -> Result<[UInt8], WireError> {
      engine.keepLogLines(of: transaction)
      if let error = engine.failure(of: transaction) { return .failure(error) }
      if let failure { return .failure(engine.describe(failure, in: transaction.functionName)) }
      return .success(json)
    }
  }

  func runBeside(
    _ request: BesideRequest, canWrite: Bool, tracksReads: Bool,
    then finish: @escaping @Sendable (isolated Engine, BesideRun) -> Void
  ) {
    var snapshot: [UInt32: TableContents] = [:]
    for table in catalog.tables { snapshot[table.layout.number] = table.unsettledSnapshot }
    let start = transactionStart(request.function, request.identity, seed: request.seed, now: request.now)
    beside.begin(at: start.timestamp)
    let tables = snapshot
    host.offload {
      let transaction = Transaction(
        start: start, place: .beside, canWrite: canWrite, tracksReads: tracksReads, scratch: TransactionScratch(),
        snapshots: TableSnapshots(
          readsTables: false,
          unsettled: { tables[$0.layout.number]! },
          settled: {
            var contents = tables[$0.layout.number]!
            contents.settle()
            return contents
          }))
      transaction.pageJournal = request.pageEnds.map(PageJournal.init)
      var answer = JSONWriter(capacity: 4096)
      let clock = self.environment.clock
      let start = clock.monotonicNanoseconds()
      let failure = request.arguments.withUnsafeBytes {
        runHandler(request.function, transaction, $0, into: &answer)
      }
      transaction.handlerReturned()
      let run = BesideRun(
        transaction: transaction, failure: failure, json: answer.bytes, nanoseconds: clock.monotonicNanoseconds() &- start)
      self.host.enqueue { self.assumeIsolated { finish($0, run) } }
    }
  }
}

extension Result {
  var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}
