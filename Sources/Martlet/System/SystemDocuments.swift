import MartletWire

/// `_system:documents`: a page of any table, by any of its indexes.
///
/// `range` is an object such as `{"eq":[…],"gte":…,"lt":…}`: values for the index's first fields in their order, then
/// bounds on the next field. `where` is a `FilterExpression`.
///
/// A subscription shows the first `limit` documents that there are at the time: who looks at the newest 20 wants 20. A page that
/// is to keep its end is given it, as `endCursor`.
extension SystemFunctions {
  static let documents = FunctionDefinition(
    name: "_system:documents", visibility: .public,
    arguments: [
      ("table", .string), ("index", .optional(.string)), ("range", .optional(.record(.any))), ("where", .optional(.any)),
      ("order", .optional(.enumeration(["asc", "desc"]))), ("limit", .optional(.wholeNumber)),
      ("cursor", .optional(.string)), ("endCursor", .optional(.string)),
    ],
    body: .query { context, arguments, answer in
      let transaction = context.transaction
      let name = try arguments.take("table", Validator.string)
      let index = try arguments.take("index", Validator.optional(.string)) ?? "by_creation_time"
      let range = try arguments.take("range", Validator.optional(.record(.any))) ?? [:]
      let filter = try arguments.take("where", Validator.optional(.filter))
      let order = try arguments.take("order", Validator.optional(.enumeration(DocumentOrder.self))) ?? .asc
      let limit = try arguments.take("limit", Validator.optional(.wholeNumber)) ?? 100
      let cursor = try arguments.take("cursor", Validator.optional(.string))
      let endCursor = try arguments.take("endCursor", Validator.optional(.string))
      try arguments.finish()
      let table = try transaction.existingTable(named: name)
      guard limit > 0 else { throw WireError(.invalidArguments, "args.limit: expected 1 or more, found \(limit)") }
      guard let slot = table.layout.slot(ofIndex: index) else { throw WireError(.notFound, table.layout.missingIndex(index)) }
      let (lower, upper) = try UntypedRange(range, table.layout, slot).bounds
      let request = PageRequest(
        range: TableRange(table: table, slot: slot, lower: lower, upper: upper, isDescending: order == .desc), items: limit,
        cursor: cursor, endCursor: endCursor, keepsEnd: false, looksAhead: true)
      let page = try transaction.page(request) { document in
        guard let filter else { return true }
        do { return try filter.holds(for: document) } catch let error as FilterError {
          throw WireError(.invalidArguments, "args.where: document \(document.id): \(error)")
        }
      }
      PageFrame(
        continueCursor: page.continueCursor, isDone: page.isDone, status: page.status, splitCursor: page.splitCursor
      ).write(page.documents, to: &answer) { $1.write(raw: $0.json) }
    })

  enum DocumentOrder: String, CaseIterable, Sendable { case asc, desc }
}
