import MartletWire

/// Writing whole files: what `martlet import` is made of. `importBegin`, then `importDocuments` as often as needed, then `importCommit`.
///
/// Until the last one nothing is changed. Triggers don't run: an import puts documents where they were, and what their triggers wrote elsewhere comes
/// with the other tables, or is for a mutation to write.
enum ImportFunctions {
  static let all = [begin, documents, commit, end]

  private static let begin = FunctionDefinition(
    name: "_system:importBegin", visibility: .public,
    arguments: [("tables", .array(.string)), ("mode", .enumeration(ImportSession.Mode.allCases.map(\.rawValue)))],
    body: .action { context, json in
      let (names, mode) = try json.withUnsafeBytes { json in
        var arguments = try Arguments(json)
        let names = try arguments.take("tables", Validator.array(.string))
        let mode = try arguments.take("mode", Validator.enumeration(ImportSession.Mode.self))
        try arguments.finish()
        return (names, mode)
      }
      guard Set(names).count == names.count else { throw WireError(.invalidArguments, "args.tables: expected each table once") }
      return try await Array(context.engine.beginImport(names, mode, context.run.session).json.utf8)
    })

  /// `lines` are the documents' places in the file, for messages. → `{"problems":[{"table","line","field"?,"message"}],"count"}`
  private static let documents = FunctionDefinition(
    name: "_system:importDocuments", visibility: .public,
    arguments: [("import", .string), ("table", .string), ("lines", .optional(.array(.wholeNumber))), ("documents", .array(.any))],
    body: .action { context, json in
      let engine = context.engine
      let (reply, grown) = try json.withUnsafeBytes { json throws -> ([UInt8], Int) in
        var arguments = try Arguments(json)
        let name = try arguments.take("import", Validator.string)
        let table = try arguments.take("table", Validator.string)
        let lines = try arguments.take("lines", Validator.optional(.array(.wholeNumber))) ?? []
        guard let documents = try arguments.find(UnsafeRawBufferPointer(start: documentsName.utf8Start, count: documentsName.utf8CodeUnitCount)),
          documents.first == UInt8(ascii: "[")
        else { throw WireError(.invalidArguments, "args.documents: expected array") }
        try arguments.finish()
        let session = try engine.transfers.importing(name, engine.environment)
        // What is held for nothing would keep others from writing.
        guard engine.memory.holds(json.count) else {
          engine.transfers.end(name)
          throw engine.memory.refusal(of: "nothing was changed: the import")
        }
        let (problems, count, grown) = try session.stage(documents, lines: lines, into: table, engine.environment)
        return (Array(answer(problems, count).json.utf8), grown)
      }
      if engine.memory.isLimited { await engine.noteStaged(grown) }
      return reply
    })

  private static let documentsName: StaticString = "documents"

  private static func answer(_ problems: [ImportSession.Problem], _ count: Int) -> Value {
    ["problems": .array(problems.map(\.value)), "count": .float64(Double(count))]
  }

  /// → `{"tables":[{"table","inserted","deleted"}],"commits","timestamp"}`, or the problems, as `importDocuments` has them.
  private static let commit = FunctionDefinition(
    name: "_system:importCommit", visibility: .public, arguments: [("import", .string)],
    limits: { $0.actionMilliseconds = max($0.actionMilliseconds, 86_400_000) },
    body: .action { context, json in
      let engine = context.engine
      let name = try takeName(json)
      let session = try engine.transfers.importing(name, engine.environment)
      defer { engine.transfers.end(name) }
      let result = try await engine.write(session)
      guard result.problems.isEmpty else { return Array(answer(result.problems, result.problemCount).json.utf8) }
      let tables = session.tables.enumerated().map { position, table -> Value in
        [
          "table": .string(table.layout.name), "inserted": .float64(Double(result.inserted[position])),
          "deleted": .float64(Double(result.deleted[position])),
        ]
      }
      let answer: Value = [
        "tables": .array(tables), "commits": .float64(Double(result.commits)), "timestamp": .float64(Double(result.timestamp)),
      ]
      return Array(answer.json.utf8)
    })

  private static let end = FunctionDefinition(
    name: "_system:importEnd", visibility: .public, arguments: [("import", .string)],
    body: .action { context, json in
      context.engine.transfers.end(try takeName(json))
      return Array("null".utf8)
    })

  private static func takeName(_ json: [UInt8]) throws -> String {
    try json.withUnsafeBytes { json in
      var arguments = try Arguments(json)
      let name = try arguments.take("import", Validator.string)
      try arguments.finish()
      return name
    }
  }
}

extension Engine {
  fileprivate func beginImport(_ names: [String], _ mode: ImportSession.Mode, _ session: SessionID?) throws -> Value {
    let tables = try transferredTables(names)
    let counts = tables.map { table in table.assumeIsolated { $0.documentCount } }
    if mode == .new, let position = counts.firstIndex(where: { $0 > 0 }) { throw Self.notEmpty(tables[position].layout) }
    let name = try addTransfer(.importing(ImportSession(tables, mode, self)), of: session)
    return [
      "import": .string(name),
      "tables": .array(zip(tables, counts).map { table, count in table.layout.transferDescription(documents: count) }),
    ]
  }
}
