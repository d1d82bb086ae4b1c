import Logging
import MartletWire

/// Running queries and mutations.
extension Engine {
  /// What running a function on the engine's thread led to. The answer's JSON, if there is one, is in `answer`.
  enum Outcome {
    /// It ran at this timestamp: the commit's, or the snapshot's.
    case answered(UInt64)
    case failed(WireError)
    /// It is too long for this thread.
    case needsOwnThread
  }

  func transactionStart(_ function: FunctionDefinition, _ identity: Identity, seed: UInt64?, now: Double) -> TransactionStart {
    TransactionStart(
      catalog: catalog, registry: registry, environment: environment, limits: limits, memory: memory,
      timestamp: headTimestamp, function: function, identity: identity, now: now, seed: seed)
  }

  /// Runs a query at the head.
  func runQuery(_ function: FunctionDefinition, arguments: UnsafeRawBufferPointer, identity: Identity) -> Outcome {
    statistics.queries += 1
    if case .system(let body) = function.body { return runSystemQuery(body, arguments) }
    let start = beginRun(of: function)
    let transaction = liveTransaction(function, identity, canWrite: false, tracksReads: false)
    return finish(runHandler(function, transaction, arguments, into: &answer), of: transaction, since: start) { headTimestamp }
  }

  /// Runs a mutation at the head, and commits it.
  func runMutation(_ function: FunctionDefinition, arguments: UnsafeRawBufferPointer, identity: Identity) -> Outcome {
    statistics.mutations += 1
    let start = beginRun(of: function)
    let transaction = liveTransaction(function, identity, canWrite: true, tracksReads: false)
    return finish(runHandler(function, transaction, arguments, into: &answer), of: transaction, since: start) { commit(transaction) }
  }

  /// Runs a live query at the head, and notes what it reads.
  func runLiveQuery(_ query: LiveQuery) -> (Outcome, ReadSet) {
    statistics.queryRuns += 1
    // Who subscribed may have become somebody else since.
    if let refusal = refusal(of: query.function, query.key.identity) { return (.failed(refusal), ReadSet()) }
    return query.key.arguments.withUnsafeBytes { arguments in
      if case .system(let body) = query.function.body { return (runSystemQuery(body, arguments), ReadSet()) }
      let start = beginRun(of: query.function)
      let transaction = liveTransaction(query.function, query.key.identity, canWrite: false, tracksReads: true)
      transaction.pageJournal = PageJournal(query.pageEnds)
      let failure = runHandler(query.function, transaction, arguments, into: &answer)
      let outcome = finish(failure, of: transaction, since: start, isLive: true) { headTimestamp }
      if case .answered = outcome { query.keepPageEnds(of: transaction) }
      return (outcome, transaction.finishReads())
    }
  }

  private func liveTransaction(
    _ function: FunctionDefinition, _ identity: Identity, canWrite: Bool, tracksReads: Bool
  ) -> Transaction {
    // The one that ran last, unless its handler kept it.
    if var transaction = idleTransaction.take(), isKnownUniquelyReferenced(&transaction) {
      transaction.begin(
        function, identity, at: headTimestamp, now: wallMilliseconds, canWrite: canWrite, tracksReads: tracksReads)
      return transaction
    }
    return Transaction(
      start: transactionStart(function, identity, seed: nil, now: wallMilliseconds),
      place: .engineThread, canWrite: canWrite, tracksReads: tracksReads, scratch: scratch,
      snapshots: TableSnapshots(
        readsTables: true,
        unsettled: { $0.unsettledSnapshot },
        settled: { table in table.assumeIsolated { $0.snapshot } }))
  }

  private func runSystemQuery(
    _ body: @Sendable (isolated Engine, inout Arguments, inout JSONWriter) throws -> Void,
    _ json: UnsafeRawBufferPointer
  ) -> Outcome {
    lastLogLines = []
    answer.removeAll()
    do {
      var arguments = try Arguments(json)
      try body(self, &arguments, &answer)
      return .answered(headTimestamp)
    } catch {
      return .failed(describe(error, in: "_system"))
    }
  }

  private func finish(
    _ failure: (any Error)?, of transaction: Transaction, since start: RunStart, isLive: Bool = false, _ timestamp: () -> UInt64
  ) -> Outcome {
    defer {
      transaction.end()
      idleTransaction = transaction
    }
    if case .needsOwnThread? = transaction.abort { return .needsOwnThread }
    keepLogLines(of: transaction)
    if let error = self.failure(of: transaction) ?? failure.map({ describe($0, in: transaction.functionName) }) {
      noteRun(of: transaction, since: start, error, thrown: failure, isLive: isLive)
      return .failed(error)
    }
    let at = timestamp()
    noteRun(of: transaction, since: start, nil, thrown: nil, isLive: isLive)
    return .answered(at)
  }

  func keepLogLines(of transaction: Transaction) {
    transaction.warnOfLimits()
    guard !transaction.logLines.isEmpty else {
      lastLogLines = []
      return
    }
    let lines = environment.outside.secrets.redact(transaction.logLines)
    for line in lines { writeToServerLog(line) }
    keep(lines)
  }

  /// Lines for the caller of what has just run, and for `_system:logs`.
  func keep(_ lines: [LogLine]) {
    lastLogLines = lines
    for line in lines { runLog.append(line) }
  }

  nonisolated func writeToServerLog(_ line: LogLine) {
    logger.log(level: line.level.logLevel, "\(line.message)", metadata: ["function": "\(line.function)"])
  }

  /// What the caller is told of an error. Only what was meant for callers: the rest stays in the server's log.
  nonisolated func describe(_ error: any Error, in function: String) -> WireError {
    environment.outside.secrets.redact(describeWhole(error, in: function))
  }

  private nonisolated func describeWhole(_ error: any Error, in function: String) -> WireError {
    switch error {
    case let error as WireError: return error
    case let error as ApplicationError: return WireError(.application, error.message, data: error.data)
    case Transaction.Abort.failed(let error): return error
    case Transaction.Abort.deferred(let error): return describeWhole(error, in: function)
    case is CancellationError: return WireError(.cancelled, "\(function) was cancelled")
    default:
      logger.error("a function failed", metadata: ["function": "\(function)", "error": "\(error)"])
      return WireError(.functionFailed, "\(function) failed; the details are in the server's log")
    }
  }

  /// What the caller is told where the transaction itself failed, whatever its handler made of that; nil where it didn't.
  nonisolated func failure(of transaction: Transaction) -> WireError? {
    switch transaction.abort {
    case .failed(let error): environment.outside.secrets.redact(error)
    case .deferred(let error): describe(error, in: transaction.functionName)
    case .needsOwnThread, nil: nil
    }
  }

  /// Why this caller may not call the function; nil if it may.
  private func refusal(of function: FunctionDefinition, _ identity: Identity) -> WireError? {
    if identity.isAdmin { return nil }
    if function.visibility == .internal {
      return WireError(.forbidden, "\(function.name) is internal: only other functions may call it")
    }
    if function.isSystem, configuration.adminKey != nil {
      return WireError(.forbidden, "\(function.name) needs the admin key: send \"auth <id> <key>\"")
    }
    return nil
  }

  /// Finds a function that a client may call with a verb.
  func resolve(_ name: UnsafeRawBufferPointer, kind: FunctionKind, identity: Identity) throws(WireError) -> FunctionDefinition {
    guard let function = find(name) else { throw registry.unknown(String(decoding: name, as: UTF8.self)) }
    if let refusal = refusal(of: function, identity) { throw refusal }
    guard function.kind == kind else {
      throw WireError(.wrongKind, "\(function.name) is \(function.kind.withArticle), so call it with \"\(function.kind.verb)\"")
    }
    return function
  }
}

extension Engine {
  /// The function that was called last is mostly the one that is called next: comparing its name costs less than hashing.
  private func find(_ name: UnsafeRawBufferPointer) -> FunctionDefinition? {
    if let last = lastFunction, last.utf8Name.withUnsafeBytes({ compareBytes($0, name) }) == 0 { return last }
    lastFunction = registry.find(name)
    return lastFunction
  }
}

/// Throws where an answer was encoded that its type can't hold.
@usableFromInline
func checkAnswer(_ answer: borrowing JSONWriter, of function: String) throws {
  guard answer.unfitNumber != 0 else { return }
  guard answer.unfitNumber != JSONWriter.unencodable else {
    throw WireError(.schemaViolation, "the answer of \(function) can't be encoded: \(answer.unfitReason)")
  }
  throw WireError(
    .schemaViolation,
    "the answer of \(function): expected whole number within ±2^53, found \(answer.unfitNumber); answer an Int64 or a Double")
}

/// Runs a handler. Its answer is in `answer` unless it gave an error.
func runHandler(
  _ function: FunctionDefinition, _ transaction: Transaction, _ json: UnsafeRawBufferPointer, into answer: inout JSONWriter
) -> (any Error)? {
  answer.removeAll()
  do {
    var arguments = try Arguments(json, transaction.catalog)
    switch function.body {
    case .query(let body):
      try body(QueryContext(transaction: transaction), &arguments, &answer)
    case .mutation(let body):
      try body(MutationContext(transaction: transaction), &arguments, &answer)
    case .action, .system:
      preconditionFailure("\(function.name) does not run in a transaction")
    }
    try checkAnswer(answer, of: function, transaction.catalog)
    return nil
  } catch {
    return error
  }
}

extension FunctionKind {
  var verb: String {
    switch self {
    case .query: "query"
    case .mutation: "mutation"
    case .action: "action"
    }
  }

  var withArticle: String { self == .action ? "an action" : "a \(verb)" }
}

extension FunctionLog.Level {
  fileprivate var logLevel: Logger.Level {
    switch self {
    case .debug: .debug
    case .info: .info
    case .warning: .warning
    case .error: .error
    }
  }
}
