import MartletWire

/// What a query is told that has read too much: which index would have served it.
///
/// Of a filter that is an expression it is known which fields it looks at; so the index is named that begins with those, or the fields are
/// that one should be declared on. What a closure looks at nobody knows, and all of the table's indexes are named.
extension TableQuery {
  /// Runs `body`, and adds the advice where that exceeds `documentsRead`.
  func advised<R>(_ body: () throws -> R) throws -> R {
    let couldGoOn = transaction.abort == nil
    do { return try body() } catch {
      guard couldGoOn else { throw error }
      throw transaction.failure(error, advising: advice)
    }
  }

  private var advice: String {
    let layout = range.layout
    let compared = expressions.reduce(into: ComparedFields()) { $0.add($1) }
    let isWhole = range.lower == nil && range.upper == nil
    let read =
      isWhole ? "it scans table \(T.name)" : "it reads a range of index \(T.name).\(layout.name(of: range.slot)) (\(fields(of: range.slot)))"
    return "\(read); \(remedy(layout, compared)), or raise the limit"
  }

  private func remedy(_ layout: TableLayout, _ compared: ComparedFields) -> String {
    let indexes = layout.definition.indexes
    let best = indexes.indices.max { compared.served(by: indexes[$0].fields) < compared.served(by: indexes[$1].fields) }
    if let best, compared.served(by: indexes[best].fields) > 0, .declared(best) != range.slot {
      return "what it looks for is a range of index \(T.name).\(indexes[best].name) (\(fields(of: .declared(best))))"
    }
    if let field = compared.first { return "declare an index that begins with \"\(field)\", and read a range of it" }
    let others = indexes.indices.filter { .declared($0) != range.slot }.prefix(8)
      .map { "\(indexes[$0].name) (\(fields(of: .declared($0))))" }
    if range.lower != nil || range.upper != nil { return "narrow the range" }
    guard !others.isEmpty else { return "declare an index on the fields that it looks for, and read a range of it" }
    return "read a range of one of the table's indexes: \(others.joined(separator: ", "))"
  }

  private func fields(of slot: IndexSlot) -> String {
    slot.declaredPosition < 0
      ? range.layout.fields(of: slot).joined(separator: ", ")
      : range.layout.definition.indexes[slot.declaredPosition].fields.joined(separator: ", ")
  }
}

extension Transaction {
  /// The error of a query, with the advice if it is the one of too many documents.
  fileprivate func failure(_ error: any Error, advising advice: @autoclosure () -> String) -> any Error {
    guard case .failed(let failure)? = abort, case .failed? = error as? Abort, failure.code == .limitExceeded,
      documentsRead > limits.documentsRead
    else { return error }
    return replaceFailure(exceeded(.documentsRead, limits.documentsRead, reached: documentsRead, advice()))
  }
}

/// The fields that an expression compares with values, all of whose comparisons must hold.
private struct ComparedFields {
  private var equal: [String] = []
  private var ordered: [String] = []

  var first: String? { equal.first ?? ordered.first }

  mutating func add(_ expression: FilterExpression) {
    switch expression {
    case .all(let conditions): for condition in conditions { add(condition) }
    case .comparison(let comparison, .field(let field), let other), .comparison(let comparison, let other, .field(let field)):
      switch (comparison, other) {
      case (.equal, .literal), (.equal, .missing): equal.append(field.description)
      case (.notEqual, _): break
      case (_, .literal): ordered.append(field.description)
      default: break
      }
    default: break
    }
  }

  /// How many fields of an index a range of it could name.
  func served(by fields: [String]) -> Int {
    let equalities = fields.prefix { equal.contains($0) }.count
    return equalities + (equalities < fields.count && ordered.contains(fields[equalities]) ? 1 : 0)
  }
}
