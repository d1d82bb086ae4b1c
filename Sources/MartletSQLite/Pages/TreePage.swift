/// One page of a tree: what it points to, and the rows on it.
struct TreePage {
  enum Kind: UInt8 {
    case innerIndex = 2, innerTable = 5, leafIndex = 10, leafTable = 13

    /// Tables by rowid keep rows on leaves only; those `WITHOUT ROWID` are kept as SQLite keeps an index, with rows on inner pages too.
    var isOfTable: Bool { self == .innerTable || self == .leafTable }
    var isInner: Bool { self == .innerTable || self == .innerIndex }
  }

  struct Cell {
    /// Where it begins within the page.
    var offset: Int
    var child: UInt32?
    var rowid: Int64?
    /// nil on the inner pages of a table.
    var payload: (count: Int, local: Range<Int>, overflow: UInt32?)?
  }

  let page: PageFile.Page
  let kind: Kind
  let cells: [Cell]
  /// Cells that can't be read.
  let brokenCells: Int
  let rightChild: UInt32?

  /// nil where the page is no page of a tree.
  init?(_ page: PageFile.Page, usableSize: Int) {
    let start = page.number == 1 ? 100 : 0
    let bytes = page.bytes
    guard let kind = Kind(rawValue: bytes[start]) else { return nil }
    let count = Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
    let pointers = start + (kind.isInner ? 12 : 8)
    guard pointers + 2 * count <= usableSize else { return nil }
    var cells: [Cell] = []
    var broken = 0
    for index in 0..<count {
      let offset = Int(bytes[pointers + 2 * index]) << 8 | Int(bytes[pointers + 2 * index + 1])
      if offset >= pointers + 2 * count, let cell = Self.cell(at: offset, of: bytes, kind, usableSize) {
        cells.append(cell)
      } else {
        broken += 1
      }
    }
    self.page = page
    self.kind = kind
    self.cells = cells
    brokenCells = broken
    rightChild = kind.isInner ? bytes.number(start + 8) : nil
  }

  private static func cell(at offset: Int, of bytes: [UInt8], _ kind: Kind, _ usableSize: Int) -> Cell? {
    var position = offset
    var cell = Cell(offset: offset)
    if kind.isInner {
      guard position + 4 <= usableSize else { return nil }
      cell.child = bytes.number(position)
      position += 4
    }
    var count = 0
    if kind != .innerTable {
      guard let stated = varint(bytes, &position, usableSize), stated >= 0, stated <= Int64(Int32.max) else { return nil }
      count = Int(stated)
    }
    if kind.isOfTable {
      guard let rowid = varint(bytes, &position, usableSize) else { return nil }
      cell.rowid = rowid
    }
    guard kind != .innerTable else { return cell }
    let most = kind == .leafTable ? usableSize - 35 : (usableSize - 12) * 64 / 255 - 23
    let least = (usableSize - 12) * 32 / 255 - 23
    var local = count
    if count > most {
      let fitting = least + (count - least) % (usableSize - 4)
      local = fitting <= most ? fitting : least
    }
    guard position + local + (local < count ? 4 : 0) <= usableSize else { return nil }
    cell.payload = (count, position..<position + local, local < count ? bytes.number(position + local) : nil)
    return cell
  }

  /// SQLite's numbers of 1 to 9 bytes.
  static func varint(_ bytes: [UInt8], _ position: inout Int, _ end: Int) -> Int64? {
    var value: UInt64 = 0
    for index in 0..<9 {
      guard position < end else { return nil }
      let byte = bytes[position]
      position += 1
      if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
      value = value << 7 | UInt64(byte & 0x7F)
      if byte < 0x80 { break }
    }
    return Int64(bitPattern: value)
  }
}
