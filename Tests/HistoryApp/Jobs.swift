import MartletCommands

/// What was asked for, by the number of who asked.
struct Plans: Table {
  static let name = "plans"
  let number = Field(.wholeNumber)
  let byNumber = Index("by_number", \Plans.number)
}

/// What jobs did that are mutations: an element each, and how many there are in all.
struct Added: Table {
  static let name = "added"
  let element = Field(.string)
  let byElement = Index("by_element", \Added.element)
}

struct Tallies: Table {
  static let name = "tallies"
  let tally = Field("name", .string)
  let count = Field(.wholeNumber)
  let byName = Index("by_name", \Tallies.tally, unique: true)
}

struct Completions: Table {
  static let name = "completions"
  let run = Field(.id(RetryRuns.self))
  let result = Field(.retryResult)
}

struct Ticks: Table {
  static let name = "ticks"
  let cron = Field(.string)
  let at = Field(.double)
}

/// Jobs whose outcome is known beforehand: that of mutations follows from a number, that of actions from what the peer answers whom they ask, another
/// server that goes on where this one is killed.
enum JobFunctions: FunctionModule {
  static let path = "jobs"
  static let functions: [any ServerFunction] = [plan, add, cancel, visit, fetch, attempt, completed, progress, tick, say]

  /// How many failures are followed by another attempt, for what always fails and for what only does now and then.
  static let impatience = 2
  static let patience = 40

  // MARK: Scheduling

  /// Schedules what belongs to a number, and answers the ids of its jobs.
  /// - Parameter peer: the URL of whom actions ask.
  static let plan = Mutation("plan", Arg("number", .wholeNumber), Arg("peer", .string)) { ctx, number, peer in
    try ctx.db.insert(Plans.self) { $0.number = number }
    var jobs = [try ctx.scheduler.run(after: delay(number, 0), add(number, number % 3))]
    if number % 2 == 0 { jobs.append(try ctx.scheduler.run(after: delay(number, 1), visit(number, peer))) }
    if number % 13 == 0 {
      let never = try ctx.scheduler.run(after: .seconds(3_600), add(number, 100))
      jobs += [never, try ctx.scheduler.run(after: delay(number, 2), cancel(never))]
    }
    let options = RetryOptions(
      initialBackoff: .milliseconds(20), base: 1.2, maxFailures: number % 5 == 1 ? impatience : patience)
    try ctx.retrier.run(fetch(number, peer), options: options, onComplete: completed)
    return jobs
  }

  /// Adds an element, and schedules the next one, down to 0. What is divisible by 11 fails when it has done so.
  static let add: Mutation<Int, Int, Int> = Mutation(
    "add", Arg("number", .wholeNumber), Arg("depth", .wholeNumber), visibility: .internal
  ) { ctx, number, depth in
    try ctx.db.insert(Added.self) { $0.element = "\(number).\(depth)" }
    try count("added", ctx.db)
    if depth > 0 { try ctx.scheduler.run(after: delay(number, depth), add(number, depth - 1)) }
    if number % 11 == 0 { throw ApplicationError("as planned") }
    return depth
  }

  static let cancel = Mutation("cancel", Arg("job", .id(ScheduledFunctions.self)), visibility: .internal) { ctx, job in
    try ctx.scheduler.cancel(job)
  }

  static func delay(_ number: Int, _ part: Int) -> Duration { .milliseconds(Int(hash(number, part) % 300)) }

  // MARK: Actions

  static let visit = Action("visit", Arg("number", .wholeNumber), Arg("peer", .string), visibility: .internal) { ctx, number, peer in
    try await ask("\(peer)/visit/\(number)/0", ctx)
  }

  static let fetch = Action("fetch", Arg("number", .wholeNumber), Arg("peer", .string), visibility: .internal) { ctx, number, peer in
    let attempt = try await ctx.run(attempt(number))
    return try await ask("\(peer)/fetch/\(number)/\(attempt)", ctx)
  }

  private static func ask(_ url: String, _ ctx: ActionContext) async throws -> Value {
    try await ctx.fetch(url, timeout: .seconds(60)).requireSuccess().json()
  }

  /// Which attempt at fetching for a number is under way, from 0 on: as many have failed.
  static let attempt = Query("attempt", Arg("number", .wholeNumber), visibility: .internal) { ctx, number in
    let underWay = try ctx.db.query(ScheduledFunctions.self).withIndex(\.byState) { $0.eq(\.state.kind, .inProgress).eq(\.kind, .action) }
    for job in try underWay.collect() where job.args["number"] == .float64(Double(number)) {
      if let run = job.retry { return try ctx.db.get(run).failures }
    }
    throw ApplicationError("no attempt at fetching for \(number) is under way")
  }

  static let completed = Mutation(
    "completed", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult), visibility: .internal
  ) { ctx, run, result in
    try ctx.db.insert(Completions.self) {
      $0.run = run
      $0.result = result
    }
    try count("completed", ctx.db)
  }

  // MARK: Looking

  /// How much was done, and how many jobs are left.
  static let progress = Query("progress") { ctx in
    let jobs = try ctx.db.query(ScheduledFunctions.self)
    let left = try [JobState.Kind.pending, .inProgress].reduce(0) { sum, kind in
      try sum + jobs.withIndex(\.byState) { $0.eq(\.state.kind, kind) }.count()
    }
    let done = try ctx.db.query(Added.self).count() + ctx.db.query(Completions.self).count()
    return [done, left]
  }

  // MARK: Crons

  static let crons = [Cron("often", .interval(.milliseconds(100)), tick("often")), Cron("seldom", .interval(.milliseconds(170)), tick("seldom"))]

  static let tick = Mutation("tick", Arg("cron", .string), visibility: .internal) { ctx, cron in
    try ctx.db.insert(Ticks.self) {
      $0.cron = cron
      $0.at = ctx.now
    }
  }

  static let say = Mutation("say", Arg("text", .string)) { ctx, text in ctx.log.info(text) }

  private static func count(_ name: String, _ db: DatabaseWriter) throws {
    if let tally = try db.query(Tallies.self).withIndex(\.byName, { $0.eq(\.tally, name) }).unique() {
      try db.patch(tally.id) { $0.count += 1 }
    } else {
      try db.insert(Tallies.self) {
        $0.tally = name
        $0.count = 1
      }
    }
  }

  /// SplitMix64's mixing.
  static func hash(_ number: Int, _ part: Int) -> UInt64 {
    var z = UInt64(number) &* 64 &+ UInt64(part) &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
