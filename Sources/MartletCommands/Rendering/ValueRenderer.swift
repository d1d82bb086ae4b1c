import MartletValues

/// A query's answer for a person at a terminal.
///
/// - A list of objects is a table. Its columns are all the fields of all rows: `_id` first, `_creationTime` last, and
///   between them the others in the order in which they are met.
/// - An object is two columns, field and value.
/// - Anything else is the value itself; of another list, a line for each element.
///
/// What is rendered is for the eye: long cells are cut. A program asks for JSON.
struct ValueRenderer {
  /// In characters' columns. Ids have 32 characters, and must stay whole to be of use.
  var maximumCellWidth = 48
  /// The terminal's, if known.
  var maximumLineWidth: Int?

  /// Lines, each with its line end.
  func render(_ value: Value) -> String {
    if let table = table(value) { return table.table.render(withTitles: table.hasTitles) }
    return lines(value).map { $0 + "\n" }.joined()
  }

  /// Nil for what is no table, but lines. A table without titles is that of one object.
  func table(_ value: Value) -> (table: TextTable, hasTitles: Bool)? {
    switch value {
    case .array(let elements): table(elements).map { ($0, true) }
    case .object(let object): object.isEmpty ? nil : (table(object), false)
    default: nil
    }
  }

  /// What is no table.
  func lines(_ value: Value) -> [String] {
    switch value {
    case .array(let elements): elements.isEmpty ? ["(empty)"] : elements.map { CellText($0).text }
    default: [CellText(value).text]
    }
  }

  private func table(_ elements: [Value]) -> TextTable? {
    var rows: [ObjectValue] = []
    for element in elements {
      guard case .object(let object) = element else { return nil }
      rows.append(object)
    }
    let columns = fields(of: rows).map { field in
      TextTable.Column(title: CellText(.string(field)).text, cells: rows.map { row in row[field].map { CellText($0, field: field) } })
    }
    // Objects without any field have no column that could show them.
    return columns.isEmpty ? nil : table(columns)
  }

  private func table(_ object: ObjectValue) -> TextTable {
    let fields = fields(of: [object])
    let names = TextTable.Column(title: "", cells: fields.map { CellText(.string($0)) })
    // One value under another is read as a list, so numbers stay at the left with the rest.
    let values = TextTable.Column(
      title: "",
      cells: fields.map { field in
        var cell = CellText(object[field] ?? .null, field: field)
        cell.alignment = .left
        return cell
      })
    return table([names, values])
  }

  private func table(_ columns: [TextTable.Column]) -> TextTable {
    TextTable(columns: columns, maximumCellWidth: maximumCellWidth, maximumLineWidth: maximumLineWidth)
  }

  private func fields(of rows: [ObjectValue]) -> [String] {
    var seen = Set<String>()
    let all = rows.flatMap { $0.map(\.key) }.filter { seen.insert($0).inserted }
    let middle = all.filter { $0 != "_id" && $0 != "_creationTime" }
    return all.filter { $0 == "_id" } + middle + all.filter { $0 == "_creationTime" }
  }
}
