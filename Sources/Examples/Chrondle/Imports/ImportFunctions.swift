import Martlet

/// Imports of any length: batches of a hundred events, each fetched by an action of its own and stored in one transaction, which also orders the
/// next one. So it can't be stored without going on, and a restart of the server interrupts one attempt of one batch.
///
/// The source answers `GET <url>?offset=200&limit=100` with `{"events":[{"year":1969,"event":"…"}]}`, fewer than asked for at its end.
public enum ImportFunctions: FunctionModule {
  public static let path = "imports"
  public static let functions: [any ServerFunction] = [start, cancel, status, fetchBatch, position, storeBatch, batchEnded, checkTimeout]

  static let batchSize = 100
  /// An import whose time is up is continued so often.
  static let mostParts = 5
  static let importing = Workpool("imports", maxParallelism: 2, retry: RetryOptions(initialBackoff: .seconds(1), base: 2, maxFailures: 2))

  static let start = Mutation(
    "start", Arg("url", .string), Arg("timeLimitSeconds", .wholeNumber, default: 600), visibility: .internal
  ) { ctx, url, timeLimitSeconds in
    guard timeLimitSeconds >= 1 else { throw ApplicationError("timeLimitSeconds must be 1 or more") }
    return try ctx.beginImport(url, timeLimitSeconds)
  }

  static let cancel = Mutation("cancel", Arg("import", .id(Imports.self)), visibility: .internal) { ctx, id in
    try ctx.end(id, .cancelled)
  }

  /// Live: whoever subscribes sees its progress.
  static let status = Query("status", Arg("import", .id(Imports.self)), visibility: .internal) { ctx, id in try ctx.db.get(id) }

  // MARK: A batch

  static let fetchBatch = Action("fetchBatch", Arg("import", .id(Imports.self)), visibility: .internal) { ctx, id in
    guard let position = try await ctx.run(position(id)) else { return }
    let response = try await ctx.fetch("\(position.url)?offset=\(position.offset)&limit=\(batchSize)", timeout: .seconds(20))
    let batch = try response.requireSuccess().decode(as: Batch.self)
    try await ctx.run(storeBatch(id, position.offset, batch.events))
  }

  private struct Batch: Decodable { var events: [NewEvent] }

  /// Nil where it doesn't run any more.
  static let position = Query("position", Arg("import", .id(Imports.self)), visibility: .internal) { ctx, id -> Position? in
    let current = try ctx.db.get(id)
    return current.status == .running ? Position(url: current.url, offset: current.progress) : nil
  }

  struct Position: CodableWireValue {
    var url: String
    var offset: Int
  }

  /// A batch that comes twice, or after the import's end, is none: an attempt may have been interrupted after it had stored its batch.
  static let storeBatch = Mutation(
    "storeBatch", Arg("import", .id(Imports.self)), Arg("offset", .wholeNumber), Arg("events", .array(NewEvent.validator)), visibility: .internal
  ) { ctx, id, offset, events in
    let current = try ctx.db.get(id)
    guard current.status == .running, current.progress == offset else { return }
    let stored = try ctx.storeUsable(events, from: .imported)
    try ctx.db.patch(id) {
      $0.progress += events.count
      $0.stored += stored.stored
      $0.skipped += stored.skipped
    }
    if events.count < batchSize { try ctx.end(id, .completed) } else { try ctx.fetchNextBatch(of: id) }
  }

  /// A batch that has failed for good fails the import.
  static let batchEnded = Mutation(
    "batchEnded", Arg("work", .id(WorkItems.self)), Arg("result", .workResult), visibility: .internal
  ) { ctx, work, result in
    guard case .failed(let error) = result else { return }
    try ctx.end(try ctx.db.get(work).argument("import", .id(Imports.self)), .failed, error)
  }

  /// An import that takes too long ends, and another goes on where it was, some times.
  static let checkTimeout = Mutation("checkTimeout", Arg("import", .id(Imports.self)), visibility: .internal) { ctx, id in
    let current = try ctx.db.get(id)
    guard current.status == .running else { return }
    try ctx.end(id, .timeout, "it took more than \(current.timeLimitSeconds) s")
    guard current.part < mostParts else { return ctx.log.error("The import from \(current.url) is given up: \(mostParts) parts were too slow") }
    try ctx.beginImport(current.url, current.timeLimitSeconds, continuing: current)
  }
}

extension MutationContext {
  @discardableResult
  fileprivate func beginImport(_ url: String, _ seconds: Int, continuing last: Document<Imports>? = nil) throws -> ID<Imports> {
    let id = try db.insert(Imports.self) {
      $0.url = url
      $0.status = .running
      $0.progress = last?.progress ?? 0
      $0.stored = 0
      $0.skipped = 0
      $0.timeLimitSeconds = seconds
      $0.part = (last?.part ?? 0) + 1
      $0.continues = last?.id
      $0.startedAt = now
    }
    let check = try scheduler.run(after: .seconds(seconds), ImportFunctions.checkTimeout(id))
    try db.patch(id) { $0.timeoutCheck = check }
    try fetchNextBatch(of: id)
    return id
  }

  fileprivate func fetchNextBatch(of id: ID<Imports>) throws {
    try workpools.enqueue(ImportFunctions.importing, ImportFunctions.fetchBatch(id), onComplete: ImportFunctions.batchEnded)
  }

  /// Ends an import that runs; one that is over stays as it is.
  fileprivate func end(_ id: ID<Imports>, _ status: ImportStatus, _ error: String? = nil) throws {
    let current = try db.get(id)
    guard current.status == .running else { return }
    try db.patch(id) {
      $0.status = status
      $0.error = error
      $0.endedAt = now
    }
    if let check = current.timeoutCheck { try scheduler.cancel(check) }
    log.info("The import from \(current.url) is over: \(status)")
  }
}
