import MartletCommands

// The examples of docs/scheduling.md.

struct Reminders: Table {
  static let name = "reminders"

  let text = Field(.string)
  let isSent = Field(.boolean, default: false)
  let job = Field(.optional(.id(ScheduledFunctions.self)))
  let outcome = Field(.optional(.string))
}

enum Reminding: FunctionModule {
  static let path = "reminders"
  static let functions: [any ServerFunction] = [
    remind, remindAll, forget, send, deliver, order, delivered, sweep, beat, pending, everyDay,
    isSent, deliveries, count, mail, mailAll, mailed, howFar, stopMailing, outcome,
  ]

  static let remind = Mutation("remind", Arg("text", .string), Arg("seconds", .wholeNumber)) { ctx, text, seconds in
    let reminder = try ctx.db.insert(Reminders.self) { $0.text = text }
    let job = try ctx.scheduler.run(after: .seconds(seconds), send(reminder))
    try ctx.db.patch(reminder) { $0.job = job }
    return reminder
  }

  static let forget = Mutation("forget", Arg("reminder", .id(Reminders.self))) { ctx, reminder in
    if let job = try ctx.db.get(reminder).job { try ctx.scheduler.cancel(job) }
  }

  static let send = Mutation("send", Arg("reminder", .id(Reminders.self)), visibility: .internal) { ctx, reminder in
    try ctx.db.patch(reminder) { $0.isSent = true }
  }

  static let reminding = RateLimit("reminders", .tokenBucket(10, per: .seconds(60), capacity: 30))

  static let remindAll = Mutation("remindAll", Arg("user", .string), Arg("texts", .array(.string))) { ctx, user, texts in
    try ctx.rateLimiter.require(reminding, key: user, count: Double(texts.count))
    for text in texts { try ctx.run(remind(text, 0)) }
  }

  static let pending = Query("pending") { ctx in
    try ctx.db.query(ScheduledFunctions.self)
      .withIndex(\.byState) { $0.eq(\.state.kind, .pending) }
      .collect().map { $0.function }
  }

  static let deliver = Action("deliver", Arg("reminder", .id(Reminders.self)), visibility: .internal) { ctx, reminder in
    try await PostOffice.deliver()
  }

  static let order = Mutation("order", Arg("reminder", .id(Reminders.self))) { ctx, reminder in
    try ctx.retrier.run(deliver(reminder), options: RetryOptions(maxFailures: 6), onComplete: delivered)
  }

  static let delivered = Mutation(
    "delivered", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult), visibility: .internal
  ) { ctx, run, result in
    switch result {
    case .success(let receipt): ctx.log.info("delivered: \(receipt.json)")
    case .failed(let error): ctx.log.error("not delivered: \(error)")
    case .canceled: ctx.log.info("not wanted any more")
    }
  }

  static let mailing = Workpool("mail", maxParallelism: 4, retry: RetryOptions(maxFailures: 6))

  static let mail = Mutation("mail", Arg("reminder", .id(Reminders.self))) { ctx, reminder in
    try ctx.workpools.enqueue(mailing, deliver(reminder), onComplete: mailed)
  }

  static let mailAll = Mutation("mailAll") { ctx in
    let unsent = try ctx.db.query(Reminders.self).filter { !$0.isSent }.take(1_000)
    try ctx.workpools.enqueueAll(mailing, unsent.map { deliver($0.id) }, start: .after(.seconds(60)))
  }

  static let mailed = Mutation(
    "mailed", Arg("work", .id(WorkItems.self)), Arg("result", .workResult), visibility: .internal
  ) { ctx, work, result in
    let reminder = try ctx.db.get(work).argument("reminder", .id(Reminders.self))
    try ctx.db.patch(reminder) {
      switch result {
      case .success(let receipt): $0.outcome = receipt.json
      case .failed(let error): $0.outcome = error
      case .canceled: $0.outcome = "canceled"
      }
    }
  }

  static let howFar = Query("howFar", Arg("work", .id(WorkItems.self))) { ctx, work -> String in
    switch try ctx.workpools.status(work) {
    case .pending(let position, _): "\(position) before it"
    case .running(let attempt): "attempt \(attempt) runs"
    case .finished, nil: "over"
    }
  }

  static let stopMailing = Mutation("stopMailing") { ctx in
    let counts = try ctx.workpools.counts(mailing)
    ctx.log.info("\(counts.pending) wait, \(counts.running) run")
    try ctx.workpools.cancelAll(mailing)
  }

  static let sweep = Mutation("sweep", visibility: .internal) { ctx in
    for reminder in try ctx.db.query(Reminders.self).take(1_000) where reminder.isSent { try ctx.db.delete(reminder.id) }
  }

  static let beat = Mutation("beat", visibility: .internal) { ctx in
    ctx.log.info("still alive")
  }

  // What the test looks at.
  static let outcome = Query("outcome", Arg("reminder", .id(Reminders.self))) { ctx, reminder in try ctx.db.get(reminder).outcome }
  static let isSent = Query("isSent", Arg("reminder", .id(Reminders.self))) { ctx, reminder in try ctx.db.get(reminder).isSent }
  static let deliveries = Query("deliveries") { ctx in try ctx.db.query(RetryRuns.self).collect().map(\.state.rawValue) }
  static let count = Query("count") { ctx in try ctx.db.query(Reminders.self).count() }

  static let everyDay = Mutation("everyDay", Arg("text", .string), Arg("hour", .wholeNumber)) { ctx, text, hour in
    try ctx.crons.register("daily: \(text)", .daily(hour: hour, timeZone: "Europe/Berlin"), remind(text, 0))
  }
}

enum PostOffice {
  static func deliver() async throws -> String { "receipt 1" }
}

let reminding = MartletApp(
  schema: [Reminders.self], functions: [Reminding.self],
  crons: [
    Cron("sweep", .daily(hour: 3), Reminding.sweep()),
    Cron("heartbeat", .interval(.seconds(30)), Reminding.beat()),
    Cron("month's end", .cron("0 22 L * *"), Reminding.beat()),
  ],
  workpools: [Reminding.mailing],
  name: "reminders")
