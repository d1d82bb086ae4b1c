import Martlet

/// The log of syncs, for people: what ran when, what came of it, and whether something is wrong.
public enum SyncFunctions: FunctionModule {
  public static let path = "syncs"
  public static let functions: [any ServerFunction] = [recent, health]

  /// The newest first.
  public static let recent = Query("recent", Arg("limit", .wholeNumber, default: 50)) { ctx, limit in
    try ctx.db.query(SyncLogs.self).withIndex(\.byStartedAt).order(.descending).take(limit)
  }

  /// How many of each kind run, went well and failed, of those that are kept. O(log n).
  public static let health = Query("health") { ctx in
    var health: [String: SyncHealth] = [:]
    for type in SyncType.allCases {
      func count(_ status: SyncStatus) throws -> Int {
        try ctx.db.query(SyncLogs.self).withIndex(\.byTypeStatus) { $0.eq(\.type, type).eq(\.status, status) }.count()
      }
      health[type.rawValue] = SyncHealth(running: try count(.running), completed: try count(.completed), failed: try count(.failed))
    }
    return health
  }
}

public struct SyncHealth: CodableWireValue, Hashable {
  public var running: Int
  public var completed: Int
  public var failed: Int
}

extension MutationContext {
  /// Begins a sync; nil where one of its kind still runs, because the exchange is slow or asked for patience.
  func beginSync(_ type: SyncType) throws -> ID<SyncLogs>? {
    let running = try db.query(SyncLogs.self).withIndex(\.byTypeStatus) { $0.eq(\.type, type).eq(\.status, .running) }
    if let last = try running.first() {
      log.warning("the sync of \(type.rawValue) that began at \(last.startedAt) still runs; this one is left out")
      return nil
    }
    return try db.insert(SyncLogs.self) {
      $0.type = type
      $0.status = .running
      $0.startedAt = now
    }
  }

  /// The sync that waits for a retried fetch.
  func sync(waitingFor run: ID<RetryRuns>) throws -> Document<SyncLogs>? {
    try db.query(SyncLogs.self).withIndex(\.byRun) { $0.eq(\.run, run) }.unique()
  }

  func addToSync(_ sync: ID<SyncLogs>, items: Int, errors: [String] = []) throws {
    guard items > 0 || !errors.isEmpty else { return }
    try db.patch(sync) {
      $0.itemCount += items
      $0.errorCount += errors.count
      if let last = errors.last { $0.error = last }
    }
  }

  /// Notes how a retried fetch ended. What it stored is counted already, where it was stored.
  func addToSync(_ sync: ID<SyncLogs>, _ result: RetryResult) throws {
    switch result {
    case .success: break
    case .failed(let error): try addToSync(sync, items: 0, errors: [error])
    case .canceled: try addToSync(sync, items: 0, errors: ["the fetch was canceled"])
    }
  }

  func endSync(_ sync: ID<SyncLogs>) throws {
    let failed = try db.get(sync).errorCount > 0
    try db.patch(sync) {
      $0.status = failed ? .failed : .completed
      $0.endedAt = now
    }
  }
}
