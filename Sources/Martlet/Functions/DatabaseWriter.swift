/// Reading and writing documents: `ctx.db` in a mutation. Reads see the transaction's own writes.
public struct DatabaseWriter: ReadsDatabase {
  public let transaction: TransactionHandle
  init(transaction: Transaction) { self.transaction = TransactionHandle(transaction: transaction) }

  /// Inserts a document, and gives its id. Throws `schema_violation` if a required field was not set.
  ///
  /// ```swift
  /// let id = try ctx.db.insert(Accounts.self) { $0.owner = "alice"; $0.balance = 100 }
  /// ```
  @discardableResult
  public func insert<T: Table>(
    _ table: T.Type, _ fill: (inout Draft<T>) throws -> Void
  ) throws -> ID<T> {
    let transaction = transaction.transaction
    let (stored, schema) = try transaction.catalog.table(of: table)
    return try transaction.withChanges {
      var draft = Draft(schema: schema, base: nil, changes: $0)
      try fill(&draft)
      return ID(try transaction.insert(into: stored, isChecked: true))
    }
  }

  /// Changes the fields that are set, and leaves the others. Throws `not_found` where there is no such document.
  public func patch<T: Table>(_ id: ID<T>, _ change: (inout Draft<T>) throws -> Void) throws {
    let transaction = transaction.transaction
    let (stored, schema) = try transaction.table(of: id)
    let base = try transaction.require(id.raw, in: stored)
    try transaction.withChanges {
      var draft = Draft(schema: schema, base: base, changes: $0)
      try change(&draft)
      try transaction.patch(base, in: stored, isChecked: true)
    }
  }

  /// Makes the fields that are set the document's only ones. Throws `not_found` where there is no such document.
  public func replace<T: Table>(_ id: ID<T>, _ fill: (inout Draft<T>) throws -> Void) throws {
    let transaction = transaction.transaction
    let (stored, schema) = try transaction.table(of: id)
    let base = try transaction.require(id.raw, in: stored)
    try transaction.withChanges {
      var draft = Draft(schema: schema, base: nil, changes: $0)
      try fill(&draft)
      try transaction.replace(base, in: stored, isChecked: true)
    }
  }

  /// Deletes the document. Throws `not_found` where there is none.
  public func delete<T: Table>(_ id: ID<T>) throws {
    let transaction = transaction.transaction
    let (stored, _) = try transaction.table(of: id)
    try transaction.delete(try transaction.require(id.raw, in: stored), in: stored)
  }
}

extension Transaction {
  /// Lends the transaction's list of changes, empty. A write inside the closure of another write gets a list of its own.
  func withChanges<Answer>(_ body: (FieldChanges) throws -> Answer) throws -> Answer {
    let outer = changes
    let isNested = changesAreLent
    if isNested { changes = FieldChanges() } else { outer.removeAll() }
    changesAreLent = true
    defer {
      changes = outer
      changesAreLent = isNested
    }
    return try body(changes)
  }
}
