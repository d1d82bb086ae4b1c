import GRDBSQLite
import Martlet
import MartletValues

/// Saying where in the file damage is. Runs only when some was found, and reads as much of the file as it takes to find the place.
extension SQLiteStorage {
  /// Where the row of a document begins: "byte 40992 of data.sqlite".
  func place(of id: DocumentID) -> PageFile.Place? {
    place(in: "documents") { row in
      guard let range = row.bytes(0), range.count == DocumentKey.byteCount else { return false }
      return row.payload[range].withUnsafeBytes { DocumentKey.decode($0) } == id
    }
  }

  func place(ofLogRow timestamp: UInt64) -> PageFile.Place? {
    place(in: "commit_log") { $0.rowid == Int64(bitPattern: timestamp) }
  }

  /// As the catalog has it, if that is whole; else its number.
  func name(ofTable number: UInt32) -> String {
    let name = connection.performWithin { handle -> String? in
      guard let catalog = try? Statement(TableCatalog.sql, on: handle) else { return nil }
      while let isRow = try? catalog.step(), isRow {
        if let entry = TableCatalog.entry(catalog.string(0)), entry.number == number { return entry.name }
      }
      return nil
    }
    return name ?? "number \(number)"
  }

  private func place(in table: String, _ isWanted: (StoredRow) -> Bool) -> PageFile.Place? {
    connection.withPages { pages in
      let walk = TreeWalk(pages)
      guard let table = walk.tables().first(where: { $0.name == table }) else { return nil }
      var place: PageFile.Place?
      walk.walk(table.name, root: table.root, isTable: table.hasRowid) { row in
        guard isWanted(row) else { return true }
        place = row.place
        return false
      }
      return place
    }
  }
}

/// The documents that say which table has which number, as they are stored.
enum TableCatalog {
  static let sql = "SELECT json FROM documents WHERE id >= x'00000001' AND id < x'00000002'"

  static func entry(_ json: String) -> (number: UInt32, name: String)? {
    guard let entry = try? Value(json: json), case .object(let members) = entry, case .string(let name)? = members["name"],
      case .float64(let number)? = members["number"], let number = UInt32(exactly: number)
    else { return nil }
    return (number, name)
  }
}

extension Connection {
  func withPages<Result>(_ body: (PageFile) -> Result?) -> Result? {
    performWithin { handle in
      guard let database = FileBytes(name: path, of: handle, SQLITE_FCNTL_FILE_POINTER) else { return nil }
      let log = FileBytes(name: path + "-wal", of: handle, SQLITE_FCNTL_JOURNAL_POINTER)
      return body(PageFile(database: database, log: log))
    }
  }

  /// What is wrong with the pages themselves, so that SQLite can't read them: the first of each table.
  func damagedPages() -> String? {
    withPages { pages in
      guard pages.hasSoundHeader else { return "the header, bytes 0 to 99 of \(path), is damaged" }
      let walk = TreeWalk(pages)
      for table in walk.tables() { walk.walk(table.name, root: table.root, isTable: table.hasRowid) { _ in true } }
      var tables: Set<String> = []
      let first = walk.damage.filter { tables.insert($0.tree).inserted }
      return first.isEmpty ? nil : first.map { "table \($0.tree), \($0.reason) (\($0.place))" }.joined(separator: "; ")
    }
  }
}

extension StorageError {
  /// Adds where the damage is.
  func at(_ place: PageFile.Place?) -> StorageError {
    guard code == .corrupt, let place else { return self }
    var error = self
    error.message += "; it begins at \(place)"
    return error
  }

  /// Of an error by which SQLite says that it can't read some page: which, and what to do.
  func locating(in connection: Connection) -> StorageError {
    guard code == .corrupt else { return self }
    var error = self
    if cause is SQLiteFailure, let pages = connection.damagedPages() { error.message += "; \(pages)" }
    error.message += "; what is whole can be saved with \"repair\""
    return error
  }
}
