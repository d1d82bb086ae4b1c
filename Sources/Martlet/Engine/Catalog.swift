import MartletWire

/// The tables of a running engine, by number, name and Swift type. Immutable: made at start.
@usableFromInline
final class Catalog: Sendable {
  let tables: [StoredTable]
  private let byNumber: [UInt32: StoredTable]
  private let byName: [String: StoredTable]
  private let byType: [ObjectIdentifier: TypedTable]

  /// The numbers of the app's tables follow each other from here, so that most look-ups are by position.
  static let firstUserNumber: UInt32 = 10_001
  private let userTables: [StoredTable?]
  private let userTypes: [TypedTable?]
  /// The types of those, by themselves: whether an id is of a type's table is asked of each argument, and costs no reference then.
  private let userTypeIDs: [ObjectIdentifier?]

  /// A table of the app's schema, with what its Swift type was registered with. A class, so that handing it on takes one reference.
  @usableFromInline
  final class TypedTable: Sendable {
    @usableFromInline let table: StoredTable
    @usableFromInline let anySchema: any AnyObject & Sendable

    init(table: StoredTable, schema: any AnyObject & Sendable) {
      self.table = table
      anySchema = schema
    }

    /// To be asked only for the type by which the table was found.
    @inlinable
    func schema<T: Table>() -> TableSchema<T> { unsafeDowncast(anySchema, to: TableSchema<T>.self) }
  }

  init(tables: [StoredTable], types: [ObjectIdentifier: TypedTable]) {
    self.tables = tables
    byNumber = Dictionary(uniqueKeysWithValues: tables.map { ($0.layout.number, $0) })
    byName = Dictionary(uniqueKeysWithValues: tables.map { ($0.layout.name, $0) })
    byType = types
    let last = tables.map(\.layout.number).max() ?? 0
    var userTables: [StoredTable?] = []
    var userTypes: [TypedTable?] = []
    var userTypeIDs: [ObjectIdentifier?] = []
    let typesByName = Dictionary(uniqueKeysWithValues: types.map { ($1.table.layout.name, (type: $0, table: $1)) })
    if last >= Self.firstUserNumber, last - Self.firstUserNumber < 10_000 {
      let count = Int(last - Self.firstUserNumber) + 1
      userTables = Array(repeating: nil, count: count)
      userTypes = Array(repeating: nil, count: count)
      userTypeIDs = Array(repeating: nil, count: count)
      for table in tables where table.layout.number >= Self.firstUserNumber {
        let position = Int(table.layout.number - Self.firstUserNumber)
        let typed = typesByName[table.layout.name]
        userTables[position] = table
        userTypes[position] = typed?.table
        userTypeIDs[position] = typed?.type
      }
    }
    self.userTables = userTables
    self.userTypes = userTypes
    self.userTypeIDs = userTypeIDs
  }

  @inline(__always)
  func table(number: UInt32) -> StoredTable? {
    let position = Int(number) - Int(Self.firstUserNumber)
    if position >= 0, position < userTables.count { return userTables[position] }
    return byNumber[number]
  }

  /// The table of a typed id; nil where the id is of another table than its type says.
  @inline(__always)
  func table(of id: DocumentID, _ type: any Table.Type) -> TypedTable? {
    let position = Int(id.tableNumber) - Int(Self.firstUserNumber)
    guard position >= 0, position < userTables.count else { return systemTable(of: id, type) }
    return userTypeIDs[position] == ObjectIdentifier(type) ? userTypes[position] : nil
  }

  @inline(never)
  private func systemTable(of id: DocumentID, _ type: any Table.Type) -> TypedTable? {
    byType[ObjectIdentifier(type)].flatMap { $0.table.layout.number == id.tableNumber ? $0 : nil }
  }

  /// Whether an id is one of a table's, told by its number alone.
  @inline(__always)
  func isOf<T: Table>(_ type: T.Type, _ id: DocumentID) -> Bool {
    let position = Int(id.tableNumber) - Int(Self.firstUserNumber)
    guard position >= 0, position < userTables.count else { return systemTable(of: id, type) != nil }
    return userTypeIDs[position] == ObjectIdentifier(type)
  }

  func table(named name: String) -> StoredTable? { byName[name] }

  /// The table of a Swift type.
  @usableFromInline
  func table(of type: any Table.Type) throws -> TypedTable {
    guard let typed = byType[ObjectIdentifier(type)] else {
      throw WireError(.notFound, "table \"\(type.name)\" is not part of this app's schema; list it in MartletApp(schema:)")
    }
    return typed
  }
}
