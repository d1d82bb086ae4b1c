/// Reading and writing documents: `ctx.db` in a mutation. Reads see the transaction's own writes.
public struct DatabaseWriter: ReadsDatabase {
  public let transaction: TransactionHandle
  @usableFromInline init(transaction: Transaction) { self.transaction = TransactionHandle(transaction: transaction) }

  /// Inserts a document, and gives its id. Throws `schema_violation` if a required field was not set.
  ///
  /// ```swift
  /// let id = try ctx.db.insert(Accounts.self) { $0.owner = "alice"; $0.balance = 100 }
  /// ```
  @inlinable
  @discardableResult
  public func insert<T: Table>(
    _ table: T.Type, _ fill: (inout Draft<T>) throws -> Void
  ) throws -> ID<T> {
    let transaction = transaction.transaction
    let table = try transaction.catalog.table(of: T.self)
    let changes = try transaction.beginWrite()
    defer { transaction.endWrite(changes) }
    var draft = Draft<T>(schema: table.schema(), base: nil, changes: changes.lent)
    try fill(&draft)
    return ID(try transaction.insert(into: table.table, isChecked: true))
  }

  /// Changes the fields that are set, and leaves the others. Throws `not_found` where there is no such document.
  @inlinable
  public func patch<T: Table>(_ id: ID<T>, _ change: (inout Draft<T>) throws -> Void) throws {
    let transaction = transaction.transaction
    let (base, table) = try transaction.require(id.raw, of: T.self)
    let changes = try transaction.beginWrite()
    defer { transaction.endWrite(changes) }
    var draft = Draft<T>(schema: table.schema(), base: base, changes: changes.lent)
    try change(&draft)
    try transaction.patch(base, in: table.table, isChecked: true)
  }

  /// Makes the fields that are set the document's only ones. Throws `not_found` where there is no such document.
  @inlinable
  public func replace<T: Table>(_ id: ID<T>, _ fill: (inout Draft<T>) throws -> Void) throws {
    let transaction = transaction.transaction
    let (base, table) = try transaction.require(id.raw, of: T.self)
    let changes = try transaction.beginWrite()
    defer { transaction.endWrite(changes) }
    var draft = Draft<T>(schema: table.schema(), base: nil, changes: changes.lent)
    try fill(&draft)
    try transaction.replace(base, in: table.table, isChecked: true)
  }

  /// Deletes the document. Throws `not_found` where there is none.
  public func delete<T: Table>(_ id: ID<T>) throws {
    let transaction = transaction.transaction
    let (base, table) = try transaction.require(id.raw, of: T.self)
    try transaction.delete(base, in: table.table)
  }
}

extension Transaction {
  /// The list of changes that a write fills, and the one that it took the place of.
  @usableFromInline
  struct LentChanges {
    @usableFromInline let lent: FieldChanges
    /// nil where the write isn't within another.
    fileprivate let outer: FieldChanges?
    fileprivate let outerStart: Int
  }

  /// Lends the transaction's list of changes, empty, until `endWrite`. A write inside the closure of another write gets a
  /// list of its own.
  @usableFromInline
  func beginWrite() throws -> LentChanges {
    try checkIsRunning()
    let outer = changesAreLent ? changes : nil
    if outer != nil { changes = FieldChanges() } else { changes.removeAll() }
    changesAreLent = true
    let outerStart = documentsWrittenAtBegin
    documentsWrittenAtBegin = documentsWritten
    return LentChanges(lent: changes, outer: outer, outerStart: outerStart)
  }

  @usableFromInline
  func endWrite(_ changes: LentChanges) {
    if let outer = changes.outer { self.changes = outer } else { changesAreLent = false }
    documentsWrittenAtBegin = changes.outerStart
  }

  func withChanges<Answer>(_ body: (FieldChanges) throws -> Answer) throws -> Answer {
    let changes = try beginWrite()
    defer { endWrite(changes) }
    return try body(changes.lent)
  }
}
