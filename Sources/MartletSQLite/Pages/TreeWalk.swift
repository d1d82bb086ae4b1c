/// Visits the rows of a file's trees, and goes on behind what is damaged.
///
/// It remembers which pages it has seen, in all trees: a page that is pointed to twice is damage, and not an endless walk; and those that nothing
/// points to are found (`forEachStrayRow`).
final class TreeWalk {
  /// Something that can't be read: a page, a cell, or a row.
  struct Damage {
    var tree: String
    var place: PageFile.Place
    var reason: String
    /// Rows below it, of which nobody knows how many there were.
    var hidesRows: Bool
  }

  let file: PageFile
  private(set) var seen: Set<UInt32> = []
  private(set) var damage: [Damage] = []

  init(_ file: PageFile) { self.file = file }

  /// Walks from a root, in the order of keys. `body` returns false to end the walk.
  @discardableResult
  func walk(_ tree: String, root: UInt32, isTable: Bool, _ body: (StoredRow) throws -> Bool) rethrows -> Bool {
    try visit(root, tree, isTable, depth: 0, body)
  }

  private func visit(_ number: UInt32, _ tree: String, _ isTable: Bool, depth: Int, _ body: (StoredRow) throws -> Bool) rethrows -> Bool {
    guard let page = file.page(number) else {
      let place = PageFile.Place(file: file.database.name, offset: max(0, Int(number) - 1) * file.pageSize)
      damage.append(Damage(tree: tree, place: place, reason: "page \(number) is beyond the end of the file", hidesRows: true))
      return true
    }
    guard seen.insert(number).inserted, depth < 40 else {
      damage.append(Damage(tree: tree, place: page.place, reason: "page \(number) is pointed to twice", hidesRows: true))
      return true
    }
    guard let node = TreePage(page, usableSize: file.usableSize), node.kind.isOfTable == isTable else {
      // It may be a page of another tree, which is still to come.
      seen.remove(number)
      damage.append(Damage(tree: tree, place: page.place, reason: "page \(number) holds no rows of this table", hidesRows: true))
      return true
    }
    if node.brokenCells > 0 {
      damage.append(
        Damage(tree: tree, place: page.place, reason: "\(node.brokenCells) cells of page \(number) can't be read", hidesRows: true))
    }
    for cell in node.cells {
      if let child = cell.child, try !visit(child, tree, isTable, depth: depth + 1, body) { return false }
      if cell.payload != nil {
        if let row = row(cell, of: node) {
          if try !body(row) { return false }
        } else {
          damage.append(Damage(tree: tree, place: page.place + cell.offset, reason: "a row can't be read", hidesRows: true))
        }
      }
    }
    if let child = node.rightChild { return try visit(child, tree, isTable, depth: depth + 1, body) }
    return true
  }

  /// A row, with what of it lies on pages of its own.
  private func row(_ cell: TreePage.Cell, of node: TreePage) -> StoredRow? {
    guard let (count, local, overflow) = cell.payload else { return nil }
    var payload = Array(node.page.bytes[local])
    var next = overflow
    while payload.count < count {
      guard let number = next, number > 0, let page = file.page(number) else { return nil }
      // A chain that turns back on itself would be longer than what it holds.
      payload += page.bytes[4..<min(file.usableSize, 4 + count - payload.count)]
      seen.insert(number)
      next = page.bytes.number(0)
    }
    return StoredRow(payload: payload, rowid: cell.rowid, place: node.page.place + cell.offset)
  }

  /// The pages that the file says are free. False where the list of them is damaged.
  func walkFreePages() -> Bool {
    guard let first = file.page(1) else { return false }
    var trunk = first.bytes.number(32)
    while trunk != 0 {
      guard let page = file.page(trunk), seen.insert(trunk).inserted else { return false }
      let count = Int(page.bytes.number(4))
      guard 8 + 4 * count <= file.usableSize else { return false }
      for index in 0..<count { seen.insert(page.bytes.number(8 + 4 * index)) }
      trunk = page.bytes.number(0)
    }
    return true
  }

  /// Rows on pages that nothing led to: of tables by rowid, or of those without.
  func forEachStrayRow(ofTable isTable: Bool, _ body: (StoredRow) throws -> Void) rethrows {
    guard file.pageCount > 1 else { return }
    for number in 2...UInt32(file.pageCount) where !seen.contains(number) {
      guard let page = file.page(number), let node = TreePage(page, usableSize: file.usableSize), node.kind.isOfTable == isTable
      else { continue }
      for cell in node.cells { if let row = row(cell, of: node) { try body(row) } }
    }
  }

  /// The tables that the file's first page lists, with their roots.
  func tables() -> [Table] {
    var tables: [Table] = []
    walk("the list of tables", root: 1, isTable: true) { row in
      if row.text(0) == "table", let name = row.text(1), let root = row.integer(3), let number = UInt32(exactly: root), let sql = row.text(4) {
        tables.append(Table(name: name, root: number, sql: sql))
      }
      return true
    }
    return tables
  }

  struct Table {
    var name: String
    var root: UInt32
    var sql: String

    var hasRowid: Bool { !sql.uppercased().hasSuffix("WITHOUT ROWID") }
  }
}
