import MartletWire

/// The fields that a filter compares with values, which an index could find instead.
struct FilteredFields {
  var equal: [String] = []
  var bounded: [String] = []

  /// How many of an index's first fields the filter would give a range: equalities, then one bound.
  func served(by fields: [String]) -> Int {
    let equalities = fields.prefix { equal.contains($0) }.count
    guard equalities < fields.count, bounded.contains(fields[equalities]) else { return equalities }
    return equalities + 1
  }
}

extension Transaction {
  /// The error of a scan that read too much, and which index would have served it; any other error as it is.
  func adviseIndex(for range: TableRange, _ error: any Error) -> any Error {
    // What went beyond may be another limit, in a handler's own call within the scan.
    guard case .failed(let failure)? = abort, failure.code == .limitExceeded, documentsRead > limits.documentsRead else { return error }
    return replaceFailure(exceeded(.documentsRead, limits.documentsRead, reached: documentsRead, advice(for: range)))
  }

  private func advice(for range: TableRange) -> String {
    let layout = range.layout
    let indexes = layout.definition.indexes
    func described(_ index: TableDefinition.Index) -> String { "\(index.name) (\(index.fields.joined(separator: ", ")))" }
    let isWholeTable = range.lower == nil && range.upper == nil
    if let filtered = range.filtered {
      let best = indexes.max { filtered.served(by: $0.fields) < filtered.served(by: $1.fields) }
      if let best, filtered.served(by: best.fields) > 0, layout.slot(ofIndex: best.name) != range.slot || isWholeTable {
        return "index \(described(best)) of table \(layout.name) would serve the filter: read a range of it, withIndex"
      }
      let fields = filtered.equal + filtered.bounded.prefix(1)
      if !fields.isEmpty {
        return "no index of table \(layout.name) serves the filter: declare one on (\(fields.joined(separator: ", "))), and read a range of it"
      }
    }
    guard isWholeTable, !indexes.isEmpty else { return "read an index range that holds fewer, or raise the limit" }
    return "it went through the whole of table \(layout.name); read a range of one of its indexes, withIndex: "
      + indexes.map(described).joined(separator: ", ")
  }
}

extension FilterExpression {
  /// What must hold of single fields for the whole to hold: those are what an index could find.
  var filteredFields: FilteredFields {
    var fields = FilteredFields()
    addFilteredFields(to: &fields)
    return fields
  }

  private func addFilteredFields(to fields: inout FilteredFields) {
    switch self {
    case .all(let conditions):
      for condition in conditions { condition.addFilteredFields(to: &fields) }
    case .comparison(let comparison, let left, let right):
      guard let field = Self.field(left, right) else { return }
      switch comparison {
      case .equal: fields.equal.append(field)
      case .notEqual: return
      case .less, .lessOrEqual, .greater, .greaterOrEqual: fields.bounded.append(field)
      }
    default: return
    }
  }

  /// The one of the two that is a field, where the other is a value.
  private static func field(_ left: FilterExpression, _ right: FilterExpression) -> String? {
    switch (left, right) {
    case (.field(let path), .literal), (.field(let path), .missing), (.literal, .field(let path)), (.missing, .field(let path)):
      path.description
    default: nil
    }
  }
}
