import MartletTesting
import MartletValues
import Synchronization

@testable import Martlet

/// How work ended, as its `onComplete` was told.
struct Ends: Table {
  static let name = "ends"
  let work = Field(.id(WorkItems.self))
  let result = Field(.string)
  let byWork = Index("by_work", \Ends.work)
}

/// Work in three pools: visits to another server, whose names say how they go, and mutations of counters.
enum Working: FunctionModule {
  static let path = "working"
  static let functions: [any ServerFunction] = [
    visit, add, hold, long, enqueue, enqueueLong, enqueueFromAction, enqueueMany, misuse, ended, endedBadly, cancel, cancelFromAction, cancelAll,
    cancelAllThenEnqueue, cancelJob, pause, resume, status, state, counts, isPaused, items, ends, starts,
  ]

  static let one = Workpool("one", maxParallelism: 1)
  static let two = Workpool("two", maxParallelism: 2)
  static let retried = Workpool("retried", maxParallelism: 1, retry: RetryOptions(maxFailures: 2))
  static let pools = [one, two, retried]

  /// Only the name counts.
  static func pool(_ name: String) -> Workpool { Workpool(name, maxParallelism: 99) }

  // MARK: Work

  static let visit = Action("visit", Arg("name", .string)) { ctx, name in
    let attempt = Watch.begin(name)
    defer { Watch.end(name) }
    return try await ctx.fetch("https://work.test/\(name)/\(attempt)").requireSuccess().text
  }

  static let add = Mutation("add", Arg("name", .string)) { ctx, name in
    try CounterFunctions.add(ctx.db, name, 1)
    if name.contains("bad") { throw ApplicationError("no \(name)") }
    return name
  }

  /// Never ends by itself.
  static let hold = Action("hold", Arg("name", .string)) { ctx, name in
    try await Gate.waitForCancellation()
    return name
  }

  /// Answers so many bytes.
  static let long = Action("long", Arg("name", .string)) { ctx, name in String(repeating: "x", count: Int(name)!) }

  // MARK: Enqueueing

  static func call(_ function: String, _ name: String) -> FunctionCall<String> {
    FunctionCall(kind: function == "add" ? .mutation : .action, name: "working:\(function)", arguments: ["name": .string(name)])
  }

  /// Answers `id@time`, with the time from when on it may start.
  static let enqueue = Mutation(
    "enqueue", Arg("pool", .string), Arg("function", .string, default: "visit"), Arg("names", .array(.string)), Arg("after", .double, default: 0),
    Arg("maxFailures", .optional(.wholeNumber)), Arg("then", .string, default: "ended")
  ) { ctx, pool, function, names, after, maxFailures, then in
    let calls = names.map { call(function, $0) }
    let start: WorkStart = after == 0 ? .now : .after(.milliseconds(after))
    let retry = maxFailures.map { RetryOptions(initialBackoff: .milliseconds(20), maxFailures: $0) }
    let works =
      switch then {
      case "nothing": try ctx.workpools.enqueueAll(Working.pool(pool), calls, start: start, retry: retry)
      case "badly": try calls.map { try ctx.workpools.enqueue(Working.pool(pool), $0, start: start, retry: retry, onComplete: endedBadly) }
      default: try ctx.workpools.enqueueAll(Working.pool(pool), calls, start: start, retry: retry, onComplete: ended)
      }
    return works.map { "\($0)@\(ctx.now + after)" }
  }

  /// Goes over the budget of the engine's thread before it enqueues.
  static let enqueueLong = Mutation("enqueueLong", Arg("pool", .string), Arg("names", .array(.string))) { ctx, pool, names -> Void in
    let id = ID<Counters>(DocumentID(tableNumber: 1, high: 0, low: 0))
    for _ in 0..<5_000 { _ = try ctx.db.find(id) }
    for name in names { try ctx.workpools.enqueue(Working.pool(pool), call("visit", name), onComplete: ended) }
  }

  static let enqueueMany = Mutation("enqueueMany", Arg("pool", .string), Arg("count", .wholeNumber)) { ctx, pool, count -> Void in
    for number in 0..<count { try ctx.workpools.enqueue(Working.pool(pool), call("add", "many \(number % 100)")) }
  }

  static let enqueueFromAction = Action("enqueueFromAction", Arg("names", .array(.string))) { ctx, names in
    let first = try await ctx.workpools.enqueue(one, call("visit", names[0]), onComplete: ended)
    try await ctx.workpools.enqueue(one, call("visit", names[1]), start: .after(.seconds(1)))
    return [first] + (try await ctx.workpools.enqueueAll(one, names[2...].map { call("visit", $0) }, onComplete: ended))
  }

  static let misuse = Mutation("misuse", Arg("how", .string)) { ctx, how -> Void in
    switch how {
    case "pool": try ctx.workpools.enqueue(Working.pool("none"), call("visit", "x"))
    case "pause": try ctx.workpools.pause(Working.pool("none"))
    case "query": try ctx.workpools.enqueue(one, FunctionCall<Null>(kind: .query, name: "working:ends", arguments: [:]))
    case "unknown": try ctx.workpools.enqueue(one, call("nothing", "x"))
    case "arguments": try ctx.workpools.enqueue(one, FunctionCall<Null>(kind: .action, name: "working:visit", arguments: ["name": 1]))
    case "mutation": try ctx.workpools.enqueue(one, call("add", "x"), retry: RetryOptions())
    case "options": try ctx.workpools.enqueue(one, call("visit", "x"), retry: RetryOptions(base: 0.5))
    case "time": try ctx.workpools.enqueue(one, call("visit", "x"), start: .at(.infinity))
    case "long": try ctx.workpools.enqueue(one, call("visit", String(repeating: "x", count: 1_048_000)))
    default: try ctx.workpools.enqueue(one, call("visit", "x"))
    }
    if how == "throw" { throw ApplicationError("taken back") }
  }

  static let ended = Mutation("ended", Arg("work", .id(WorkItems.self)), Arg("result", .workResult), visibility: .internal) { ctx, work, result in
    let told =
      switch result {
      case .success(let value): "success \(value.json)"
      case .failed(let error): "failed \(error)"
      case .canceled: "canceled"
      }
    try ctx.db.insert(Ends.self) {
      $0.work = work
      $0.result = told
    }
  }

  static let endedBadly = Mutation("endedBadly", Arg("work", .id(WorkItems.self)), Arg("result", .workResult)) { ctx, work, result in
    try CounterFunctions.add(ctx.db, "badly", 1)
    throw ApplicationError("I don't care")
  }

  // MARK: Cancelling, pausing

  static let cancel = Mutation("cancel", Arg("work", .id(WorkItems.self))) { ctx, work in try ctx.workpools.cancel(work) }

  static let cancelFromAction = Action("cancelFromAction", Arg("work", .id(WorkItems.self))) { ctx, work in try await ctx.workpools.cancel(work) }

  static let cancelJob = Mutation("cancelJob", Arg("work", .id(WorkItems.self))) { ctx, work in
    if let job = try ctx.db.get(work).job { try ctx.scheduler.cancel(job) }
  }

  static let cancelAll = Mutation("cancelAll", Arg("pool", .string)) { ctx, pool in try ctx.workpools.cancelAll(Working.pool(pool)) }

  static let cancelAllThenEnqueue = Mutation("cancelAllThenEnqueue", Arg("pool", .string), Arg("name", .string)) { ctx, pool, name in
    try ctx.workpools.cancelAll(Working.pool(pool))
    return try ctx.workpools.enqueue(Working.pool(pool), call("visit", name), onComplete: ended)
  }

  static let pause = Mutation("pause", Arg("pool", .string)) { ctx, pool in try ctx.workpools.pause(Working.pool(pool)) }

  static let resume = Mutation("resume", Arg("pool", .string)) { ctx, pool in try ctx.workpools.resume(Working.pool(pool)) }

  // MARK: Looking

  static let status = Query("status", Arg("work", .id(WorkItems.self))) { ctx, work in try ctx.workpools.status(work) }

  static let state = Query("state", Arg("work", .id(WorkItems.self))) { ctx, work in try ctx.db.get(work).state.rawValue }

  static let counts = Query("counts", Arg("pool", .string)) { ctx, pool in
    let counts = try ctx.workpools.counts(Working.pool(pool))
    return [counts.pending, counts.running]
  }

  static let isPaused = Query("isPaused", Arg("pool", .string)) { ctx, pool in try ctx.workpools.isPaused(Working.pool(pool)) }

  /// All work: `id pool function name state failures`, and how much there is of each pool: `counts pool pending running`.
  static let items = Query("items") { ctx in
    let works = try ctx.db.query(WorkItems.self).collect().map { work -> String in
      guard case .object(let args) = work.args, case .string(let name)? = args["name"] else { return "?" }
      return "\(work.id) \(work.pool) \(work.function.dropFirst(path.count + 1)) \(name.prefix(40)) \(work.state.rawValue) \(work.failures)"
    }
    return try works + pools.map { pool in
      let counts = try ctx.workpools.counts(pool)
      return "counts \(pool.name) \(counts.pending) \(counts.running)"
    }
  }

  static let ends = Query("ends") { ctx in try ctx.db.query(Ends.self).collect().map { "\($0.work) \($0.result)" } }

  /// The work that each job was an attempt of, in the order in which jobs were made.
  static let starts = Query("starts") { ctx in
    try ctx.db.query(ScheduledFunctions.self).collect().compactMap { $0.work?.description }
  }
}

/// Which visits are under way: `tag.pool.number`, by tag and pool. A tag is one test's own.
enum Watch {
  private struct State {
    var running: [String: Set<String>] = [:]
    var most: [String: Int] = [:]
    var attempts: [String: Int] = [:]
  }

  private static let state = Mutex(State())

  private static func group(_ name: String) -> String { name.split(separator: ".").prefix(2).joined(separator: ".") }

  /// Counts from 1.
  static func begin(_ name: String) -> Int {
    state.withLock { state in
      let group = group(name)
      state.running[group, default: []].insert(name)
      state.most[group] = max(state.most[group] ?? 0, state.running[group]!.count)
      state.attempts[name, default: 0] += 1
      return state.attempts[name]!
    }
  }

  /// It is over, or nobody expects more of it.
  static func end(_ name: String) { _ = state.withLock { $0.running[group(name)]?.remove(name) } }

  /// All that runs of a test is lost.
  static func lose(_ tag: String) {
    state.withLock { state in
      for group in state.running.keys where group.hasPrefix(tag + ".") { state.running[group] = [] }
    }
  }

  static func most(_ group: String) -> Int { state.withLock { $0.most[group] ?? 0 } }
  static func running(_ group: String) -> [String] { state.withLock { ($0.running[group] ?? []).sorted() } }
  static func attempts(_ name: String) -> Int { state.withLock { $0.attempts[name] ?? 0 } }
}

extension EngineHarness {
  /// - Parameter visits: how the other server answers: it takes a second unless that says otherwise.
  static func work(
    seed: UInt64 = 1, pools: [Workpool] = Working.pools, disk: MemoryStorage.Disk = .init(), modules: [any FunctionModule.Type] = [Working.self],
    pace: SimulatedLogWriter.Pace = .immediate,
    _ visits: @escaping @Sendable (Request) -> SimulatedFetcher.Reply = { request in
      .response(Response(status: 200, body: Array("fine".utf8)), after: 1_000)
    }
  ) throws -> EngineHarness {
    try EngineHarness(
      tables: [Counters.self, Ends.self], modules: [CounterFunctions.self] + modules, workpools: pools, seed: seed, disk: disk, pace: pace,
      fetcher: SimulatedFetcher(visits))
  }
}
