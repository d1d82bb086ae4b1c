import MartletWire

/// The server's own functions for crons.
enum CronFunctions {
  /// What a client may call.
  static let listed = [crons, runs, run]

  /// All crons, each with its newest run as `lastRun`.
  static let crons = FunctionDefinition(
    name: "_system:crons", visibility: .public, arguments: [],
    body: .query { context, arguments, answer in
      try arguments.finish()
      let crons = try context.db.query(Crons.self).withIndex(\.byName).collect().map { cron -> Value in
        let run = try context.db.query(CronRuns.self).withIndex(\.byCron) { $0.eq(\.cron, cron.cron) }.order(.descending).first()
        guard let run, case .object(var members) = cron.value else { return cron.value }
        members["lastRun"] = run.value
        return .object(members)
      }
      answer.write(value: .array(crons))
    })

  /// The newest runs, of one cron or of all.
  static let runs = FunctionDefinition(
    name: "_system:cronRuns", visibility: .public, arguments: [("limit", .optional(.wholeNumber)), ("name", .optional(.string))],
    body: .query { context, arguments, answer in
      let limit = try arguments.take("limit", Validator.optional(.wholeNumber)) ?? 100
      let name = try arguments.take("name", Validator.optional(.string))
      try arguments.finish()
      let runs = try context.db.query(CronRuns.self)
      let chosen = try name.map { name in try runs.withIndex(\.byCron) { $0.eq(\.cron, name) } } ?? runs
      try chosen.order(.descending).take(limit).encode(to: &answer)
    })

  /// Runs a cron now, beside its schedule; skipped where a run is still going.
  static let run = FunctionDefinition(
    name: "_system:runCron", visibility: .public, arguments: [("name", .string)],
    body: .mutation { context, arguments, answer in
      let name = try arguments.take("name", Validator.string)
      try arguments.finish()
      guard let cron = try context.transaction.cron(name) else {
        throw WireError(.notFound, "there is no cron \"\(name)\"; _system:crons lists them")
      }
      try context.transaction.beginByHand(cron)
      answer.writeNull()
    })

  static let begin = FunctionDefinition(
    name: "_system:beginCrons", visibility: .internal, arguments: [],
    limits: Limits.ofServer,
    body: .mutation { context, _, answer in
      try context.transaction.beginDueCrons()
      answer.writeNull()
    })

  static func declare(_ crons: [Cron]) -> FunctionDefinition {
    FunctionDefinition(
      name: "_system:declareCrons", visibility: .internal, arguments: [],
      limits: Limits.ofServer,
      body: .mutation { context, _, answer in
        try context.transaction.declare(crons)
        answer.writeNull()
      })
  }
}
