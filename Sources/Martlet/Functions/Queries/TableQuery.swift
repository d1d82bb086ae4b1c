import MartletWire

/// A reading of a table: which index and range, in which order, filtered how. Nothing is read until one of the methods
/// at the end of the chain is called.
///
///     query ─▶ withIndex ─▶ order ─▶ filter ─┬─▶ collect, take, first, unique     documents
///                                            ├─▶ documents(), forEach             one after another
///                                            ├─▶ paginate                         a page of them
///                                            ├─▶ count, sum, min, max, rank       a figure
///                                            └─▶ offset ─▶ collect, take, …       without the first ones
///
/// Without `withIndex` the whole table is read in the order of creation; every document that is passed counts as read.
public struct TableQuery<T: Table> {
  let transaction: Transaction
  let schema: TableSchema<T>
  var range: TableRange
  var predicates: [(Document<T>) throws -> Bool] = []

  init(transaction: Transaction, table: StoredTable, schema: TableSchema<T>) {
    self.transaction = transaction
    self.schema = schema
    range = TableRange(table: table)
  }

  /// Reads by an index, all of it or a range.
  ///
  /// ```swift
  /// try ctx.db.query(Accounts.self).withIndex(\.byOwner) { $0.eq(\.owner, "alice") }.collect()
  /// ```
  public func withIndex(
    _ index: KeyPath<T, Index<T>>, _ range: (IndexRange<T>) throws -> IndexRange<T> = { $0 }
  ) throws -> TableQuery<T> {
    try withIndex(.declared(schema.prototype[keyPath: index].label.position), range)
  }

  /// The same by the index's name on the wire: for `by_creation_time`, which every table has, and `by_id`, of which there are no ranges.
  ///
  /// ```swift
  /// try ctx.db.query(Messages.self).withIndex("by_creation_time") { $0.gte("_creationTime", .float64(since)) }.collect()
  /// ```
  public func withIndex(
    _ name: String, _ range: (IndexRange<T>) throws -> IndexRange<T> = { $0 }
  ) throws -> TableQuery<T> {
    guard let slot = self.range.layout.slot(ofIndex: name) else {
      throw WireError(.functionFailed, "withIndex: \(self.range.layout.missingIndex(name))")
    }
    return try withIndex(slot, range)
  }

  private func withIndex(_ slot: IndexSlot, _ range: (IndexRange<T>) throws -> IndexRange<T>) throws -> TableQuery<T> {
    var query = self
    query.range.slot = slot
    let range = try range(IndexRange(schema: schema, layout: query.range.table.layout, slot: slot))
    (query.range.lower, query.range.upper) = try range.bounds
    return query
  }

  public func order(_ order: QueryOrder) -> TableQuery<T> {
    var query = self
    query.range.isDescending = order == .descending
    return query
  }

  /// Keeps the documents that `predicate` holds for. The others are read all the same: an index range reads less.
  public func filter(_ predicate: @escaping (Document<T>) throws -> Bool) -> TableQuery<T> {
    var query = self
    query.predicates.append(predicate)
    return query
  }

  /// The same with an expression instead of a closure: data, which a caller may have sent. It looks at the fields that it
  /// names, and at nothing else of the document.
  ///
  /// ```swift
  /// .filter(.field("likes") > 0 && .field("kind") == "open")
  /// ```
  public func filter(_ expression: FilterExpression) -> TableQuery<T> {
    var query = filter { document in
      do { return try expression.holds(for: document.storage) } catch let error as FilterError {
        throw WireError(.functionFailed, "filter of table \(T.name): \(error)")
      }
    }
    let fields = expression.filteredFields
    query.range.filtered = FilteredFields(
      equal: (range.filtered?.equal ?? []) + fields.equal, bounded: (range.filtered?.bounded ?? []) + fields.bounded)
    return query
  }

  // MARK: Documents

  public func collect() throws -> [Document<T>] { try read(limit: .max) }

  /// The first `count` documents, or fewer if there are fewer. Only what was passed to find them counts as read.
  public func take(_ count: Int) throws -> [Document<T>] { try read(limit: Self.checked(count, "take")) }

  public func first() throws -> Document<T>? { try read(limit: 1).first }

  /// The only document; nil where there is none. Throws where there are two or more.
  public func unique() throws -> Document<T>? {
    let found = try read(limit: 2)
    guard found.count < 2 else {
      throw WireError(
        .functionFailed,
        "unique() found more than one document in table \(T.name): \(found[0].id), \(found[1].id)")
    }
    return found.first
  }

  /// - Parameter offset: how many documents to leave out first. Those that no predicate asks to see are not even read.
  func read(offset: Int = 0, limit: Int) throws -> [Document<T>] {
    var found: [Document<T>] = []
    guard limit > 0 else { return found }
    var left = predicates.isEmpty ? 0 : offset
    try transaction.scan(range, skipping: predicates.isEmpty ? offset : 0) { _, storage in
      let document = Document(storage: storage, schema: schema)
      for predicate in predicates where try !predicate(document) { return true }
      guard left == 0 else {
        left -= 1
        return true
      }
      found.append(document)
      return found.count < limit
    }
    return found
  }

  static func checked(_ count: Int, _ call: String) throws -> Int {
    guard count >= 0 else {
      throw ApplicationError("\(call)(\(count)) of table \(T.name): the number of documents can't be negative")
    }
    return count
  }
}

public enum QueryOrder: Sendable { case ascending, descending }
