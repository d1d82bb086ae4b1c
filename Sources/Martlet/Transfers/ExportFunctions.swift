import MartletWire

/// Reading whole tables as of one timestamp, page by page: what `martlet export` is made of.
///
/// The pages come off the engine's thread, from a version of the tables that `exportBegin` pinned; commits go on meanwhile, and copy what they change.
enum ExportFunctions {
  static let all = [begin, page, end]

  /// What a page has at most, but for a document that alone is longer.
  private static let mostPageBytes = 1 << 20

  private static let begin = FunctionDefinition(
    name: "_system:exportBegin", visibility: .public, arguments: [("tables", .optional(.array(.string)))],
    body: .action { context, json in
      let names = try json.withUnsafeBytes { json in
        var arguments = try Arguments(json)
        let names = try arguments.take("tables", Validator.optional(.array(.string)))
        try arguments.finish()
        return names
      }
      let engine = context.engine
      let snapshot = try await engine.pinned(engine.transferredTables(names))
      let name = try await engine.addTransfer(.exporting(snapshot), of: context.run.session)
      let answer: Value = [
        "export": .string(name), "timestamp": .float64(Double(snapshot.timestamp)), "createdAt": .float64(snapshot.wallMilliseconds),
        "tables": .array(snapshot.tables.map { $0.layout.transferDescription(documents: $0.contents.count) }),
      ]
      return Array(answer.json.utf8)
    })

  /// Documents by their creation time. `after` is what the page before gave; a page without `continue` is the last.
  private static let page = FunctionDefinition(
    name: "_system:exportPage", visibility: .public,
    arguments: [("export", .string), ("table", .string), ("after", .optional(.string))],
    body: .action { context, json in
      let (export, table, after) = try json.withUnsafeBytes { json in
        var arguments = try Arguments(json)
        let export = try arguments.take("export", Validator.string)
        let table = try arguments.take("table", Validator.string)
        let after = try arguments.take("after", Validator.optional(.string))
        try arguments.finish()
        return (export, table, after)
      }
      let snapshot = try context.engine.transfers.exporting(export, context.engine.environment)
      guard let contents = snapshot.tables.first(where: { $0.layout.name == table })?.contents else {
        throw WireError(.notFound, "the export has no table \"\(table)\"")
      }
      var from: IndexKey?
      if let after {
        guard let bits = UInt64(after, radix: 16) else { throw WireError(.invalidArguments, "args.after: expected what the page before gave as continue") }
        from = IndexKey([], tie: bits)
      }
      var answer = JSONWriter(capacity: mostPageBytes + 4_096)
      var next: UInt64?
      var isFirst = true
      answer.write(raw: #"{"documents":["#)
      contents.forEach(in: .byCreationTime, from: from, to: nil, descending: false) { position, document in
        guard isFirst || answer.count + document.jsonCount < mostPageBytes else {
          next = position.tie
          return false
        }
        if !isFirst { answer.write(byte: UInt8(ascii: ",")) }
        isFirst = false
        answer.write(raw: document.json)
        return true
      }
      answer.write(byte: UInt8(ascii: "]"))
      if let next {
        answer.write(raw: #","continue":"#)
        answer.write(string: String(next, radix: 16))
      }
      answer.write(byte: UInt8(ascii: "}"))
      return answer.bytes
    })

  private static let end = FunctionDefinition(
    name: "_system:exportEnd", visibility: .public, arguments: [("export", .string)],
    body: .action { context, json in
      try json.withUnsafeBytes { json in
        var arguments = try Arguments(json)
        let export = try arguments.take("export", Validator.string)
        try arguments.finish()
        context.engine.transfers.end(export)
      }
      return Array("null".utf8)
    })
}
