import MartletWire

/// The functions of module `_system`: the server's own state, by the same verbs as an app's functions.
enum SystemFunctions {
  static let all: [FunctionDefinition] =
    [functions, tables, documents, stats, scheduled] + SnapshotFunctions.all + LogFunctions.all + SystemMutations.all + [JobFunctions.cancel]
    + CronFunctions.listed + ImportFunctions.all + ExportFunctions.all

  static let functions = FunctionDefinition(
    name: "_system:functions", visibility: .public, arguments: [],
    body: .system { engine, arguments, answer in
      try arguments.finish()
      let list = engine.registry.functions.map { function -> Value in
        [
          "name": .string(function.name), "kind": .string(function.kind.rawValue),
          "visibility": .string(function.visibility.rawValue), "args": function.arguments.jsonForm,
          "returns": function.returns.jsonForm,
        ]
      }
      answer.write(value: .array(list))
    })

  static let tables = FunctionDefinition(
    name: "_system:tables", visibility: .public, arguments: [],
    body: .query { context, arguments, answer in
      try arguments.finish()
      let transaction = context.transaction
      var list: [Value] = []
      for table in transaction.catalog.tables.sorted(by: { $0.layout.name < $1.layout.name }) {
        let layout = table.layout
        try transaction.charge()
        transaction.note(range: TableRange(table: table).asRead(ofPositions: true))
        list.append([
          "name": .string(layout.name),
          "documents": .float64(Double(transaction.view(of: table).count)),
          "indexes": .array(layout.indexDescriptions),
          "schema": layout.shape.jsonForm, "allowsOtherFields": .boolean(layout.definition.allowsOtherFields),
        ])
      }
      answer.write(value: .array(list))
    })

  static let stats = FunctionDefinition(
    name: "_system:stats", visibility: .public, arguments: [],
    body: .system { engine, arguments, answer in
      try arguments.finish()
      answer.write(value: engine.statisticsValue)
    })

  /// The newest jobs, of one state or of any.
  static let scheduled = FunctionDefinition(
    name: "_system:scheduled", visibility: .public,
    arguments: [
      ("limit", .optional(.wholeNumber)), ("state", .optional(.enumeration(JobState.Kind.allCases.map(\.rawValue)))),
    ],
    body: .query { context, arguments, answer in
      let limit = try arguments.take("limit", Validator.optional(.wholeNumber)) ?? 100
      let state = try arguments.take("state", Validator.optional(.enumeration(JobState.Kind.self)))
      try arguments.finish()
      let jobs = try context.db.query(ScheduledFunctions.self)
      let chosen = try state.map { state in try jobs.withIndex(\.byState) { $0.eq(\.state.kind, state) } } ?? jobs
      try chosen.order(.descending).take(limit).encode(to: &answer)
    })
}

extension TableLayout {
  fileprivate var indexDescriptions: [Value] {
    [
      ["name": "by_id", "fields": ["_id"]],
      ["name": "by_creation_time", "fields": ["_creationTime"]],
    ]
      + definition.indexes.map { index in
        var description: ObjectValue = [
          "name": .string(index.name), "fields": .array(index.fields.map { .string($0) }),
        ]
        if let summed = index.summedField { description["sum"] = .string(summed) }
        if index.isUnique { description["unique"] = true }
        return .object(description)
      }
  }
}

extension Engine {
  fileprivate var statisticsValue: Value {
    let backlog = Backlog(sessions.values)
    let uptime = environment.clock.monotonicNanoseconds() &- statistics.startNanoseconds
    return [
      "commits": .float64(Double(statistics.commits)),
      "batches": .float64(Double(statistics.batches)),
      "mutations": .float64(Double(statistics.mutations)),
      "conflicts": .float64(Double(statistics.conflicts)),
      "queries": .float64(Double(statistics.queries)),
      "queryRuns": .float64(Double(statistics.queryRuns)),
      "actions": .float64(Double(statistics.actions)),
      "actionsRunning": .float64(Double(actions.runningCount)),
      "jobsPending": .float64(Double(pendingJobs)),
      "jobsRun": .float64(Double(jobQueue.statistics.run)),
      "jobsFailed": .float64(Double(jobQueue.statistics.failed)),
      "jobLatenessMs": .float64(jobQueue.statistics.lastLateness),
      "jobLatenessMostMs": .float64(jobQueue.statistics.greatestLateness),
      "liveQueries": .float64(Double(live.count)),
      "subscriptions": .float64(Double(live.subscriptionCount)),
      "connections": .float64(Double(sessions.count)),
      "connectionsBlocked": .float64(Double(backlog.blockedConnections)),
      "connectionsRefused": .float64(Double(statistics.limitsHit[ConnectionLimit.connections.rawValue] ?? 0)),
      "slowConsumers": .float64(Double(statistics.slowConsumers)),
      "heldBytes": .float64(Double(backlog.heldBytes)),
      "documents": .float64(Double(documentCount)),
      "memoryUsed": .float64(Double(memoryUsed)),
      "memoryLimit": memory.isLimited ? .float64(Double(memory.limit)) : .null,
      "headTs": .float64(Double(headTimestamp)),
      "durableTs": .float64(Double(durableTimestamp)),
      "storage": .string(lifecycle.isStorageFailed ? "failed" : "ok"),
      "snapshots": .float64(Double(knownSnapshots.count)),
      "snapshotsFailed": .float64(Double(scheduledSnapshots.failures)),
      "uptimeSeconds": .float64((Double(uptime) / 1e9).rounded(.down)),
    ]
  }
}
