import MartletWire

/// Noting how runs of functions went: the tally of every run, and an entry in the log for those that somebody will ask about.
///
/// An entry costs a few hundred nanoseconds, a tenth of a short query. So a run that is a client's, successful, quick and silent has none, unless
/// somebody asks for all: see decision 14.
extension Engine {
  /// When a run began, by one of two clocks.
  struct RunStart {
    let nanoseconds: UInt64
    let isExact: Bool
  }

  @inline(__always)
  func beginRun(of function: FunctionDefinition) -> RunStart {
    let isExact = tallies[function].isTimedNext
    return RunStart(nanoseconds: isExact ? environment.clock.monotonicNanoseconds() : environment.clock.coarseNanoseconds(), isExact: isExact)
  }

  /// How long a run took; nil where it was not timed, and was not slow.
  @inline(__always)
  private func elapsed(since start: RunStart) -> UInt64? {
    if start.isExact { return environment.clock.monotonicNanoseconds() &- start.nanoseconds }
    let elapsed = environment.clock.coarseNanoseconds() &- start.nanoseconds
    return elapsed >= slowNanoseconds ? elapsed : nil
  }

  /// Notes a run on the engine's thread.
  /// - Parameters:
  ///   - error: what the caller is told.
  ///   - thrown: what the handler threw.
  @inline(__always)
  func noteRun(of transaction: Transaction, since start: RunStart, _ error: WireError?, thrown: (any Error)?, isLive: Bool) {
    let nanoseconds = elapsed(since: start)
    // What ran a job's function has caught its error.
    let error = error ?? transaction.caught
    tallies[transaction.function].note(
      documentsRead: transaction.documentsRead, documentsWritten: transaction.documentsWritten, nanoseconds: nanoseconds, hasFailed: error != nil)
    if let nanoseconds, let metrics { metrics.noteTime(nanoseconds, of: transaction.function) }
    if !transaction.events.isEmpty { statistics.note(transaction.events, isCommitted: error == nil || transaction.caught != nil) }
    if error == nil, transaction.logLines.isEmpty, runOrigin == nil, nanoseconds ?? 0 < slowNanoseconds, !tallies[transaction.function].keepsAll { return }
    keepRun(of: transaction, nanoseconds, error, thrown, isLive ? .subscription : runOrigin)
  }

  /// Notes a run that was beside the engine's thread.
  func noteRun(_ run: BesideRun, _ origin: RunOrigin?, _ error: WireError?) {
    let transaction = run.transaction
    let error = error ?? transaction.caught
    tallies[transaction.function].note(
      documentsRead: transaction.documentsRead, documentsWritten: transaction.documentsWritten, nanoseconds: run.nanoseconds,
      hasFailed: error != nil)
    metrics?.noteTime(run.nanoseconds, of: transaction.function)
    if !transaction.events.isEmpty { statistics.note(transaction.events, isCommitted: error == nil || transaction.caught != nil) }
    keepRun(of: transaction, run.nanoseconds, error, run.failure, origin)
  }

  @inline(never)
  private func keepRun(of transaction: Transaction, _ nanoseconds: UInt64?, _ error: WireError?, _ thrown: (any Error)?, _ origin: RunOrigin?) {
    let isSlow = nanoseconds ?? 0 >= slowNanoseconds
    if let error { statistics.noteLimit(error) }
    // The server's own transactions say themselves what goes wrong with them.
    guard transaction.function.number != 0 else { return }
    let isWanted =
      error != nil || isSlow || !transaction.logLines.isEmpty || origin?.isJob == true || tallies[transaction.function].keepsAll
    guard isWanted else { return }
    tallies[transaction.function].timeNext()
    runLog.append(
      FinishedRun(
        function: transaction.functionName, kind: transaction.function.kind, origin: origin ?? .request(session: "", id: ""),
        at: environment.clock.wallMilliseconds(), nanoseconds: nanoseconds, isSlow: isSlow,
        usage: FinishedRun.Usage(
          documentsRead: transaction.documentsRead, documentsWritten: transaction.documentsWritten, bytesWritten: transaction.bytesWritten),
        error: error.map { whole($0, thrown) }))
  }

  /// Notes an action's run.
  func noteRun(
    of function: FunctionDefinition, _ origin: RunOrigin?, since start: UInt64, _ error: WireError?, thrown: (any Error)?
  ) {
    let nanoseconds = environment.clock.monotonicNanoseconds() &- start
    tallies[function].note(documentsRead: 0, documentsWritten: 0, nanoseconds: nanoseconds, hasFailed: error != nil)
    metrics?.noteTime(nanoseconds, of: function)
    if let error { statistics.noteLimit(error) }
    // Actions wait for others; how long is slow is theirs to say.
    runLog.append(
      FinishedRun(
        function: function.name, kind: .action, origin: origin ?? .request(session: "", id: ""), at: environment.clock.wallMilliseconds(),
        nanoseconds: nanoseconds, isSlow: false, usage: nil, error: error.map { whole($0, thrown) }))
  }

  /// The error as those see it who look after the server: callers are not told what their own were.
  private func whole(_ error: WireError, _ thrown: (any Error)?) -> WireError {
    guard error.code == .functionFailed, let thrown, !(thrown is WireError) else { return error }
    return environment.outside.secrets.redact(WireError(error.code, "\(thrown)"))
  }

  // MARK: Every run

  /// For how long each run is kept after somebody has asked for it. Who watches asks four times a second.
  static let keepingAllMilliseconds = 2_000

  /// Has every run kept, until nobody has asked for a while.
  func keepAllRuns() {
    keepsAllUntil = environment.clock.monotonicNanoseconds() + UInt64(Self.keepingAllMilliseconds) * 1_000_000
    guard !keepsAllRuns else { return }
    keepsAllRuns = true
    tallies.keepAll(true)
    awaitEndOfKeeping(Self.keepingAllMilliseconds)
  }

  private func awaitEndOfKeeping(_ milliseconds: Int) {
    host.schedule(afterMilliseconds: milliseconds) {
      self.assumeIsolated { engine in
        let now = engine.environment.clock.monotonicNanoseconds()
        guard now >= engine.keepsAllUntil else { return engine.awaitEndOfKeeping(Int((engine.keepsAllUntil - now) / 1_000_000) + 1) }
        engine.keepsAllRuns = false
        engine.tallies.keepAll(engine.configuration.logsAllRuns)
      }
    }
  }
}
