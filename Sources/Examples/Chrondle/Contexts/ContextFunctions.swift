import Martlet

/// What a language model tells about a puzzle's year. A puzzle is playable without; so this comes after it, and may fail.
///
///     mutation (the puzzle, and a run of the retrier)  ──▶  action, three attempts at most  ──▶  mutation (the context, or why there is none)
public enum ContextFunctions: FunctionModule {
  public static let path = "contexts"
  public static let functions: [any ServerFunction] = [generate, begin, save, ended, retryFailed, progress]

  /// Three attempts, with a second and then two between them, each half to one and a half of that.
  static let retries = RetryOptions(initialBackoff: .seconds(1), base: 2, maxFailures: 2)

  static let generate = Action("generate", Arg("puzzle", .id(Puzzles.self)), visibility: .internal, pool: "models") { ctx, puzzle in
    let model = try LanguageModel(ctx.environment)
    // Nil where an attempt that was interrupted has saved it already.
    guard let prompt = try await ctx.run(begin(puzzle)) else { return }
    let completion = try await model.complete(prompt, in: ctx)
    try await ctx.run(save(puzzle, completion.text, completion.model))
  }

  /// What to ask for.
  static let begin = Mutation("begin", Arg("puzzle", .id(Puzzles.self)), visibility: .internal) { ctx, id -> String? in
    let puzzle = try ctx.db.get(id)
    guard puzzle.contextStatus != .success else { return nil }
    try ctx.db.patch(id) { $0.contextStatus = .generating }
    let events = puzzle.events.map { "- \($0)" }.joined(separator: "\n")
    return """
      In the year \(puzzle.targetYear), among other things, this happened:
      \(events)
      Tell in 150 words or less what kind of year it was, for readers who have just guessed it.
      """
  }

  static let save = Mutation(
    "save", Arg("puzzle", .id(Puzzles.self)), Arg("text", .string), Arg("model", .string), visibility: .internal
  ) { ctx, puzzle, text, model in
    try ctx.db.patch(puzzle) {
      $0.context = text
      $0.contextModel = model
      $0.contextStatus = .success
      $0.contextError = nil
    }
    if let failure = try ctx.failure(of: puzzle) { try ctx.db.delete(failure.id) }
  }

  /// The end of a run, exactly once for each. What failed is put down, for the hourly cron.
  static let ended = Mutation(
    "ended", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult), visibility: .internal
  ) { ctx, run, result in
    let puzzle = try ctx.db.get(run).argument("puzzle", .id(Puzzles.self))
    let error: String
    switch result {
    case .success: return
    case .failed(let reason): error = reason
    case .canceled: error = "canceled"
    }
    try ctx.db.patch(puzzle) {
      $0.contextStatus = .failed
      $0.contextError = error
    }
    let failure = try ctx.failure(of: puzzle)
    let attempts = (failure?.attemptCount ?? 0) + 1
    let next = nextRetry(after: attempts, ctx.now)
    if let failure {
      try ctx.db.patch(failure.id) {
        $0.attemptCount = attempts
        $0.lastError = error
        $0.nextRetryAt = next
      }
    } else {
      try ctx.db.insert(ContextFailures.self) {
        $0.puzzle = puzzle
        $0.attemptCount = attempts
        $0.lastError = error
        $0.nextRetryAt = next
      }
    }
    ctx.log.error("No context for the puzzle: \(error)")
  }

  /// Half an hour after the first failure, so the next run of the hourly cron; then longer, a day at most. It is never given up: a key that is set
  /// later heals what failed without it.
  static func nextRetry(after attempts: Int, _ now: Double) -> Double {
    now + min(1_800_000 * Double(1 << min(attempts - 1, 6)), 86_400_000)
  }

  /// The hourly cron.
  static let retryFailed = Mutation("retryFailed", visibility: .internal) { ctx in
    let due = try ctx.db.query(ContextFailures.self).withIndex(\.byRetryTime) { $0.lte(\.nextRetryAt, ctx.now) }.take(20)
    var retried = 0
    for failure in due where try ctx.db.get(failure.puzzle).contextStatus == .failed {
      try ctx.generateContext(of: failure.puzzle)
      retried += 1
    }
    if retried > 0 { ctx.log.info("Another try for \(retried) contexts") }
    return retried
  }

  /// How far the retrier is: attempts are jobs, and jobs are documents.
  static let progress = Query("progress", Arg("puzzle", .id(Puzzles.self)), visibility: .internal) { ctx, puzzle -> ContextProgress? in
    guard let id = try ctx.db.get(puzzle).contextRun, let run = try ctx.db.find(id) else { return nil }
    let attempt = try run.job.flatMap { try ctx.db.find($0) }
    return ContextProgress(state: run.state.rawValue, failures: run.failures, lastError: run.error, attemptAt: attempt?.scheduledTime)
  }
}

struct ContextProgress: CodableWireValue {
  var state: String
  var failures: Int
  var lastError: String?
  /// When the attempt that runs began, or the next one will.
  var attemptAt: Double?
}

extension MutationContext {
  /// Orders a puzzle's context, as a part of this transaction. Nothing that goes wrong with it later can take the puzzle back.
  func generateContext(of puzzle: ID<Puzzles>) throws {
    let run = try retrier.run(
      ContextFunctions.generate(puzzle), options: ContextFunctions.retries, onComplete: ContextFunctions.ended)
    try db.patch(puzzle) {
      $0.contextStatus = .pending
      $0.contextRun = run
    }
  }

  fileprivate func failure(of puzzle: ID<Puzzles>) throws -> Document<ContextFailures>? {
    try db.query(ContextFailures.self).withIndex(\.byPuzzle) { $0.eq(\.puzzle, puzzle) }.first()
  }
}
