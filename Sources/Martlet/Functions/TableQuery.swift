import MartletWire

/// A reading of a table: which index and range, in which order, filtered how. Nothing is read until one of the methods
/// at the end of the chain is called: `collect`, `take`, `first`, `unique`, `count`, `sum`.
///
/// Without `withIndex` the whole table is read in the order of creation; every document that is passed counts as read.
public struct TableQuery<T: Table> {
  let transaction: Transaction
  let table: StoredTable
  let schema: TableSchema<T>
  var slot = IndexSlot.byCreationTime
  var lower: IndexKey?
  var upper: IndexKey?
  var isDescending = false
  var predicates: [(Document<T>) throws -> Bool] = []

  init(transaction: Transaction, table: StoredTable, schema: TableSchema<T>) {
    self.transaction = transaction
    self.table = table
    self.schema = schema
  }

  /// Reads by an index, all of it or a range.
  ///
  /// ```swift
  /// try ctx.db.query(Accounts.self).withIndex(\.byOwner) { $0.eq(\.owner, "alice") }.collect()
  /// ```
  public func withIndex(
    _ index: KeyPath<T, Index<T>>, _ range: (IndexRange<T>) throws -> IndexRange<T> = { $0 }
  ) throws -> TableQuery<T> {
    var query = self
    query.slot = .declared(schema.prototype[keyPath: index].label.position)
    let range = try range(IndexRange(schema: schema, layout: table.layout, slot: query.slot))
    (query.lower, query.upper) = try range.bounds
    return query
  }

  public func order(_ order: QueryOrder) -> TableQuery<T> {
    var query = self
    query.isDescending = order == .descending
    return query
  }

  /// Keeps the documents that `predicate` holds for. The others are read all the same: an index range reads less.
  public func filter(_ predicate: @escaping (Document<T>) throws -> Bool) -> TableQuery<T> {
    var query = self
    query.predicates.append(predicate)
    return query
  }

  public func collect() throws -> [Document<T>] { try read(limit: .max) }

  /// The first `count` documents, or fewer if there are fewer. Only what was passed to find them counts as read.
  public func take(_ count: Int) throws -> [Document<T>] {
    guard count >= 0 else { throw ApplicationError("take(\(count)): the number of documents can't be negative") }
    return try read(limit: count)
  }

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

  /// How many documents the range holds. O(log n), or with a filter as much as reading them.
  public func count() throws -> Int {
    guard predicates.isEmpty else { return try read(limit: .max).count }
    try transaction.charge()
    noteRange()
    return contents.count(in: slot, from: lower, to: upper)
  }

  /// The range's sum of `field`. O(log n) on an index that was declared with `summing:` this field; else as much as
  /// reading the range. The sum of a declared index is exact, and rounded once: see `ExactSum`.
  public func sum(_ field: KeyPath<T, Field<Double>>) throws -> Double {
    let field = schema.prototype[keyPath: field]
    let isDeclared = slot.declaredPosition >= 0
      && table.layout.indexes[slot.declaredPosition].summedField == field.label.interned
    guard isDeclared, predicates.isEmpty else {
      return try read(limit: .max).reduce(0) { $0 + $1.storage.read(field) }
    }
    try transaction.charge()
    noteRange()
    return contents.sum(in: slot, from: lower, to: upper)
  }

  private var contents: TableContents { transaction.view(of: table).contents }

  private func noteRange() {
    transaction.note(range: ReadRange(table: table.layout.number, index: slot, lower: lower, upper: upper))
  }

  private func read(limit: Int) throws -> [Document<T>] {
    var found: [Document<T>] = []
    guard limit > 0 else { return found }
    try transaction.scan(table, slot, from: lower, to: upper, descending: isDescending) { _, storage in
      let document = Document(storage: storage, schema: schema)
      for predicate in predicates where try !predicate(document) { return true }
      found.append(document)
      return found.count < limit
    }
    return found
  }
}

public enum QueryOrder: Sendable { case ascending, descending }

extension Transaction {
  /// Goes through a range, counts what it passes, and notes as read no more than that: up to the last document that
  /// `body` was shown, where it ended the scan.
  func scan(
    _ table: StoredTable, _ slot: IndexSlot, from lower: IndexKey?, to upper: IndexKey?, descending: Bool,
    _ body: (IndexKey, DocumentStorage) throws -> Bool
  ) throws {
    try charge()
    var range = ReadRange(table: table.layout.number, index: slot, lower: lower, upper: upper)
    // Noted on every way out: a handler may catch what `body` throws.
    defer { note(range: range) }
    if let lower, let upper, lower >= upper { return }
    try view(of: table).contents.forEach(in: slot, from: lower, to: upper, descending: descending) { position, document in
      try charge(reads: 1)
      let goesOn = try body(position, document)
      if !goesOn {
        if descending { range.lower = position } else { range.upper = position.successor }
      }
      return goesOn
    }
  }
}
