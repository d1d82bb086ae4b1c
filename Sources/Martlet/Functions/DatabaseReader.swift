import MartletWire

/// Reading documents: `ctx.db` in a query, and (with writing) in a mutation.
public protocol ReadsDatabase {
  var transaction: TransactionHandle { get }
}

/// The running transaction, as the public interface holds it.
public struct TransactionHandle {
  let transaction: Transaction
}

public struct DatabaseReader: ReadsDatabase {
  public let transaction: TransactionHandle
  init(transaction: Transaction) { self.transaction = TransactionHandle(transaction: transaction) }
}

extension ReadsDatabase {
  /// The document. Throws `not_found` where there is none. O(log n).
  public func get<T: Table>(_ id: ID<T>) throws -> Document<T> {
    let transaction = transaction.transaction
    let (table, schema) = try transaction.table(of: id)
    return Document(storage: try transaction.require(id.raw, in: table), schema: schema)
  }

  /// The document, or nil where there is none. O(log n).
  public func find<T: Table>(_ id: ID<T>) throws -> Document<T>? {
    let transaction = transaction.transaction
    guard let (table, schema) = transaction.catalog.table(of: id) else { return nil }
    return try transaction.read(id.raw, in: table).map { Document(storage: $0, schema: schema) }
  }

  /// The table's documents, to be narrowed (`withIndex`), ordered and read.
  public func query<T: Table>(_ table: T.Type) throws -> TableQuery<T> {
    let (stored, schema) = try transaction.transaction.catalog.table(of: table)
    return TableQuery(transaction: transaction.transaction, table: stored, schema: schema)
  }
}

extension Transaction {
  /// The stored table of a typed id, which must be of that table.
  func table<T: Table>(of id: ID<T>) throws -> (StoredTable, TableSchema<T>) {
    if let typed = catalog.table(of: id) { return typed }
    _ = try catalog.table(of: T.self)
    throw WireError(.notFound, "\(id) is not the id of a document of table \(T.name)")
  }
}
