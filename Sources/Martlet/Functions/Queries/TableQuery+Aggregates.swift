import MartletWire

/// Figures of a range: how many, how much, the least and the greatest, and how many come before one.
///
/// Without filters each costs O(log n) where the index knows it, and what it read is no more than what it follows from: so
/// a live figure runs again only when a commit changes that part of the index. Where a filter must see the
/// documents, or the index doesn't know the field, the range is read.
///
/// `count`, `rank`, `min` and `max` follow from the positions alone: a document of their part that changes and keeps its
/// position concerns them no more than one elsewhere.
extension TableQuery {
  /// How many documents the range holds. O(log n), or with a filter as much as reading them.
  public func count() throws -> Int {
    guard predicates.isEmpty else { return try read(limit: .max).count }
    return try transaction.count(range)
  }

  /// The range's sum of `field`. O(log n) on an index that was declared with `summing:` this field; else as much as
  /// reading the range. The sum of a declared index is exact, and rounded once: see `ExactSum`.
  public func sum(_ field: KeyPath<T, Field<Double>>) throws -> Double {
    let field = schema.prototype[keyPath: field]
    let isDeclared = range.slot.declaredPosition >= 0
      && range.layout.indexes[range.slot.declaredPosition].summedField == field.label.interned
    guard isDeclared, predicates.isEmpty else {
      return try read(limit: .max).reduce(0) { $0 + $1.storage.read(field) }
    }
    return try transaction.sum(range)
  }

  /// The least value of `field` in the range, by the order of values; nil where the range is empty. O(log n) where `field`
  /// is the index's field after those that the range holds to one value; else as much as reading the range.
  public func min<Value>(_ field: KeyPath<T, Field<Value>>) throws -> Value? { try extreme(field, isGreatest: false) }

  /// The same of an optional field: documents without it are passed over. Nil where no document has it.
  public func min<Value>(_ field: KeyPath<T, Field<Value?>>) throws -> Value? { try extreme(field, isGreatest: false) ?? nil }

  /// The greatest value of `field` in the range; nil where the range is empty. Costs what `min` does.
  public func max<Value>(_ field: KeyPath<T, Field<Value>>) throws -> Value? { try extreme(field, isGreatest: true) }

  public func max<Value>(_ field: KeyPath<T, Field<Value?>>) throws -> Value? { try extreme(field, isGreatest: true) ?? nil }

  private func extreme<Value>(_ field: KeyPath<T, Field<Value>>, isGreatest: Bool) throws -> Value? {
    let field = schema.prototype[keyPath: field]
    if predicates.isEmpty {
      switch try transaction.extremePart(of: range, field.wireName) {
      case .part(var part):
        part.isDescending = isGreatest
        return try transaction.firstPosition(part)?.read(field)
      case .empty: return nil
      case .unknown: break
      }
    }
    var best: (key: IndexKey, document: DocumentStorage)?
    var keys = IndexKeyWriter()
    for document in try read(limit: .max) {
      guard let json = document.storage.value(of: field.label) else { continue }
      keys.removeAll()
      var reader = JSONReader(json)
      try keys.append(json: &reader)
      let key = keys.key()
      if let best, isGreatest ? key <= best.key : key >= best.key { continue }
      best = (key, document.storage)
    }
    return best?.document.read(field)
  }

  /// How many documents of the query come before this one, in the query's order; nil where it is not among them. O(log n),
  /// or with a filter as much as reading those before it.
  public func rank(of id: ID<T>) throws -> Int? {
    let layout = range.layout
    guard id.raw.tableNumber == layout.number else {
      throw WireError(.notFound, "\(id) is not the id of a document of table \(T.name)")
    }
    guard let document = try transaction.read(id.raw, in: range.table) else { return nil }
    let position = layout.position(of: document, in: range.slot, with: &transaction.scratch.keys)
    guard range.contains(position) else { return nil }
    for predicate in predicates where try !predicate(Document(storage: document, schema: schema)) { return nil }
    // The document itself is noted as read already: only what is before it is a matter of the range.
    var before = self
    before.range.end(before: position)
    return try before.count()
  }

  public func rank(of document: Document<T>) throws -> Int? { try rank(of: document.id) }
}

/// Where in a range the least and the greatest value of a field stand.
enum ExtremePart {
  /// In the order of the field's values, and without the documents that lack it.
  case part(TableRange)
  /// The range is empty.
  case empty
  /// The range isn't in the order of this field.
  case unknown
}

extension Transaction {
  /// A range is in the order of a field where all fields before it in the index have one value within its bounds.
  ///
  /// Which value, any entry tells: what lies between bounds that both begin with the same values begins with them as well.
  func extremePart(of range: TableRange, _ field: String) throws -> ExtremePart {
    guard range.slot.declaredPosition >= 0 else { return .unknown }
    try charge()
    let fields = range.layout.definition.indexes[range.slot.declaredPosition].fields
    guard let place = fields.firstIndex(of: field) else { return .unknown }
    var part = range
    if place == 0 {
      part.raiseLower(to: .afterMissing([]))
      return .part(part)
    }
    guard !range.isEmpty, let entry = view(of: range.table).contents.position(in: range, offset: 0) else {
      note(range: range.asRead)
      return .empty
    }
    guard let prefix = entry.prefix(values: place), let lower = range.lower, lower >= IndexKey(prefix),
      let upper = range.upper, upper <= IndexKey(prefix).prefixSuccessor()
    else { return .unknown }
    part.raiseLower(to: .afterMissing(prefix))
    return .part(part)
  }
}
