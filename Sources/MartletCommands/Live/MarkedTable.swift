import MartletValues

/// A table as it is shown, beside the one that was shown before: rows that came, went or changed are marked, and the cells that did.
///
/// Rows are matched by their documents' ids; where there are none, by their places. What counts is what is shown: a value that reads as it did
/// before has not changed.
struct MarkedTable {
  private(set) var table: TextTable
  private(set) var marks: [RowMark?]
  private(set) var count = ChangeCount()

  /// - Parameters:
  ///   - keys: a key for each row, if there are any.
  ///   - old: what was shown before, with its keys. Nil: nothing is marked.
  init(_ table: TextTable, keys: [String]?, after old: (table: TextTable, keys: [String]?)?) {
    self.table = table
    marks = Array(repeating: nil, count: table.rowCount)
    guard let old else {
      addMargin()
      return
    }
    let keys = keys ?? (0..<table.rowCount).map(String.init)
    let oldKeys = old.keys ?? (0..<old.table.rowCount).map(String.init)
    let oldRows = Dictionary(uniqueKeysWithValues: zip(oldKeys, 0..<old.table.rowCount))
    markRows(keys, old.table, oldRows)
    let isKept = Set(keys)
    insert(oldKeys.indices.filter { !isKept.contains(oldKeys[$0]) }, of: old.table, oldKeys, among: keys)
    for mark in marks { mark.map { count.add($0) } }
    addMargin()
  }

  private mutating func markRows(_ keys: [String], _ old: TextTable, _ oldRows: [String: Int]) {
    let oldColumns = Dictionary(old.columns.map { ($0.title, $0) }, uniquingKeysWith: { first, _ in first })
    // A table of one object has two columns without titles: they are known by their places.
    let hasTitles = oldColumns.count == old.columns.count
    for (row, key) in keys.enumerated() {
      guard let oldRow = oldRows[key] else {
        mark(row, .added)
        continue
      }
      for place in table.columns.indices {
        let before = hasTitles ? oldColumns[table.columns[place].title] : old.columns[place]
        guard table.columns[place].cells[row] != before?.cells[oldRow] else { continue }
        marks[row] = .changed
        // Where a cell was and nothing is now, the row's mark says enough.
        table.columns[place].cells[row]?.style = .changed
      }
    }
  }

  private mutating func mark(_ row: Int, _ mark: RowMark) {
    marks[row] = mark
    for place in table.columns.indices { table.columns[place].cells[row]?.style = mark.rowStyle }
  }

  /// What is gone stands once more, behind the row that it stood behind.
  private mutating func insert(_ rows: [Int], of old: TextTable, _ oldKeys: [String], among keys: [String]) {
    let oldColumns = table.columns.indices.map { index in
      let title = table.columns[index].title
      return title.isEmpty ? old.columns[index] : old.columns.first { $0.title == title }
    }
    var keys = keys
    for row in rows {
      // That row is shown: it is there still, or was inserted just now.
      let place = row > 0 ? keys.firstIndex(of: oldKeys[row - 1])! + 1 : 0
      keys.insert(oldKeys[row], at: place)
      marks.insert(.removed, at: place)
      for index in table.columns.indices {
        var cell = oldColumns[index]?.cells[row]
        cell?.style = RowMark.removed.rowStyle
        table.columns[index].cells.insert(cell, at: place)
      }
    }
  }

  private mutating func addMargin() {
    table.columns.insert(TextTable.Column(marks: marks.map { CellText(mark: $0) }), at: 0)
  }
}

extension TextTable {
  var rowCount: Int { columns.first?.cells.count ?? 0 }
}
