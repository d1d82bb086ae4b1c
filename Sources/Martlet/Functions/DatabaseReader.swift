import MartletWire

/// Reading documents: `ctx.db` in a query, and (with writing) in a mutation.
public protocol ReadsDatabase {
  var transaction: TransactionHandle { get }
}

/// The running transaction, as the public interface holds it.
public struct TransactionHandle {
  @usableFromInline let transaction: Transaction
}

public struct DatabaseReader: ReadsDatabase {
  public let transaction: TransactionHandle
  @usableFromInline init(transaction: Transaction) { self.transaction = TransactionHandle(transaction: transaction) }
}

extension ReadsDatabase {
  /// The document. Throws `not_found` where there is none. O(log n).
  @inlinable
  public func get<T: Table>(_ id: ID<T>) throws -> Document<T> {
    let (document, table) = try transaction.transaction.require(id.raw, of: T.self)
    return Document(storage: document, schema: table.schema())
  }

  /// The document, or nil where there is none. O(log n).
  @inlinable
  public func find<T: Table>(_ id: ID<T>) throws -> Document<T>? {
    guard let (document, table) = try transaction.transaction.find(id.raw, of: T.self) else { return nil }
    return Document(storage: document, schema: table.schema())
  }

  /// The table's documents, to be narrowed (`withIndex`), ordered and read.
  public func query<T: Table>(_ table: T.Type) throws -> TableQuery<T> {
    let typed = try transaction.transaction.catalog.table(of: table)
    return TableQuery(transaction: transaction.transaction, table: typed.table, schema: typed.schema())
  }
}

// By the table's type as a value, so that only the thin generic functions above are compiled again for each table.
extension Transaction {
  /// A document of a typed id, which must be of the table that its type says.
  @usableFromInline
  func require(_ id: DocumentID, of type: any Table.Type) throws -> (DocumentStorage, Catalog.TypedTable) {
    guard let table = catalog.table(of: id, type) else {
      let table = try catalog.table(of: type).table
      throw WireError(.notFound, "\(id) is not the id of a document of table \(table.layout.name)")
    }
    return (try require(id, in: table.table), table)
  }

  @usableFromInline
  func find(_ id: DocumentID, of type: any Table.Type) throws -> (DocumentStorage, Catalog.TypedTable)? {
    guard let table = catalog.table(of: id, type), let document = try read(id, in: table.table) else { return nil }
    return (document, table)
  }
}
