import MartletWire

/// Snapshots, going back to them, and the log of commits, in the module `_system`.
enum SnapshotFunctions {
  static let all = [snapshots, snapshot, verifySnapshot, deleteSnapshot, restore, commits, progress]

  static let snapshots = FunctionDefinition(
    name: "_system:snapshots", visibility: .public, arguments: [],
    body: .system { engine, arguments, answer in
      try arguments.finish()
      answer.write(value: .array(engine.knownSnapshots.map(\.value)))
    })

  static let snapshot = FunctionDefinition(
    name: "_system:snapshot", visibility: .public, arguments: [("name", .optional(.string))],
    body: .action { context, json in
      let name = try json.withUnsafeBytes { json in
        var arguments = try Arguments(json)
        let name = try arguments.take("name", Validator.optional(.string))
        try arguments.finish()
        return name
      }
      // They would be removed as those are.
      if let name, name.hasPrefix(ScheduledSnapshots.prefix) {
        throw ApplicationError("\(name): names that begin with \(ScheduledSnapshots.prefix) are those of --snapshot-every, of which only --keep stay; choose another")
      }
      do { return try await context.engine.writeSnapshot(name.map { .named($0) } ?? .timed(prefix: "")).value.utf8JSON } catch let error as StorageError {
        throw ApplicationError(error.message)
      }
    })

  static let verifySnapshot = FunctionDefinition(
    name: "_system:verifySnapshot", visibility: .public, arguments: [("name", .string)],
    body: .action { context, json in try await context.engine.verifySnapshot(try name(json)).value.utf8JSON })

  static let deleteSnapshot = FunctionDefinition(
    name: "_system:deleteSnapshot", visibility: .public, arguments: [("name", .string)],
    body: .action { context, json in
      try await context.engine.deleteSnapshot(try name(json))
      return Array("null".utf8)
    })

  private static func name(_ json: [UInt8]) throws -> String {
    try json.withUnsafeBytes { json in
      var arguments = try Arguments(json)
      let name = try arguments.take("name", Validator.string)
      try arguments.finish()
      return name
    }
  }

  /// Exactly one of the three says to where.
  static let restore = FunctionDefinition(
    name: "_system:restore", visibility: .public,
    arguments: [("snapshot", .optional(.string)), ("timestamp", .optional(.wholeNumber)), ("time", .optional(.float64))],
    body: .action { context, json in
      let source = try json.withUnsafeBytes { json in
        var arguments = try Arguments(json)
        let snapshot = try arguments.take("snapshot", Validator.optional(.string))
        let timestamp = try arguments.take("timestamp", Validator.optional(.wholeNumber))
        let time = try arguments.take("time", Validator.optional(.double))
        try arguments.finish()
        switch (snapshot, timestamp, time) {
        case (let name?, nil, nil): return Engine.RestoreSource.snapshot(name)
        case (nil, let timestamp?, nil) where timestamp >= 0: return .moment(.timestamp(UInt64(timestamp)))
        case (nil, nil, let time?): return .moment(.time(time))
        default: throw WireError(.invalidArguments, "args: expected one of snapshot, timestamp and time")
        }
      }
      return try await context.engine.restore(source).value.utf8JSON
    })

  static let commits = FunctionDefinition(
    name: "_system:commits", visibility: .public,
    arguments: [
      ("limit", .optional(.wholeNumber)), ("before", .optional(.wholeNumber)), ("since", .optional(.float64)), ("table", .optional(.string)),
    ],
    body: .action { context, json in
      let engine = context.engine
      let request = try json.withUnsafeBytes { json in
        var arguments = try Arguments(json)
        let limit = try arguments.take("limit", Validator.optional(.wholeNumber)) ?? 20
        let before = try arguments.take("before", Validator.optional(.wholeNumber))
        let since = try arguments.take("since", Validator.optional(.double))
        let table = try arguments.take("table", Validator.optional(.string))
        try arguments.finish()
        guard (1...10_000).contains(limit) else { throw WireError(.invalidArguments, "args.limit: expected 1 to 10000, found \(limit)") }
        return LogRequest(
          before: before.map { UInt64(max(0, $0)) } ?? .max, limit: limit, table: try table.map { try engine.table(named: $0).layout.number },
          since: since)
      }
      let commits = try await engine.loggedCommits(request)
      return Value.array(commits.map { engine.value(of: $0) }).utf8JSON
    })

  /// What is being done that takes its time.
  static let progress = FunctionDefinition(
    name: "_system:progress", visibility: .public, arguments: [],
    body: .system { engine, arguments, answer in
      try arguments.finish()
      answer.write(value: .array(engine.longWorks.map(\.value)))
    })
}

extension Value {
  fileprivate var utf8JSON: [UInt8] { Array(json.utf8) }
}

extension Engine {
  fileprivate nonisolated func table(named name: String) throws -> StoredTable {
    guard let table = catalog.table(named: name) else {
      let names = catalog.tables.map(\.layout.name).sorted().joined(separator: ", ")
      throw WireError(.notFound, "there is no table \"\(name)\"; there are: \(names)")
    }
    return table
  }

  /// The newest commits of the log, as far as it reaches back. It is read on the log's thread, a bounded part at a time, so that commits go on.
  func loggedCommits(_ request: LogRequest) async throws -> [LoggedCommit] {
    var request = request
    var commits: [LoggedCommit] = []
    let wanted = request.limit
    while commits.count < wanted {
      request.limit = wanted - commits.count
      let page = try await readLog { [request] storage in try storage.log(request) }
      commits += page.commits
      guard let next = page.next else { break }
      request.before = next
    }
    return commits
  }

  func readLog<Answer: Sendable>(_ work: @escaping @Sendable (any Storage) throws -> Answer) async throws -> Answer {
    do {
      return try await withCheckedThrowingContinuation { continuation in
        log.read { storage in continuation.resume(with: Result { try work(storage) }) }
      }
    } catch let error as StorageError where error.code == .unavailable {
      throw ApplicationError(error.message)
    }
  }

  fileprivate nonisolated func value(of commit: LoggedCommit) -> Value {
    [
      "timestamp": .float64(Double(commit.timestamp)), "at": .float64(commit.wallMilliseconds),
      "function": commit.function.isEmpty ? .null : .string(commit.function),
      "writes": .float64(Double(commit.writeCount)),
      "documents": .array(
        commit.writes.map { write in
          [
            "table": .string(catalog.table(number: write.id.tableNumber)?.layout.name ?? "table \(write.id.tableNumber)"),
            "id": .string(write.id.description), "op": write.isDeletion ? "delete" : "put",
          ]
        }),
    ]
  }
}
