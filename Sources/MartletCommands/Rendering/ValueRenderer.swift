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
    switch value {
    case .array(let elements): render(elements)
    case .object(let object): render(object)
    default: CellText(value).text + "\n"
    }
  }

  private func render(_ elements: [Value]) -> String {
    guard !elements.isEmpty else { return "(empty)\n" }
    var rows: [ObjectValue] = []
    for element in elements {
      guard case .object(let object) = element else {
        return elements.map { CellText($0).text + "\n" }.joined()
      }
      rows.append(object)
    }
    let columns = fields(of: rows).map { field in
      TextTable.Column(title: CellText(.string(field)).text, cells: rows.map { row in row[field].map { CellText($0, field: field) } })
    }
    // Objects without any field have no column that could show them.
    guard !columns.isEmpty else { return elements.map { CellText($0).text + "\n" }.joined() }
    return table(columns).render()
  }

  private func render(_ object: ObjectValue) -> String {
    let fields = fields(of: [object])
    guard !fields.isEmpty else { return "{}\n" }
    let names = TextTable.Column(title: "", cells: fields.map { CellText(.string($0)) })
    // One value under another is read as a list, so numbers stay at the left with the rest.
    let values = TextTable.Column(
      title: "",
      cells: fields.map { field in
        var cell = CellText(object[field] ?? .null, field: field)
        cell.alignment = .left
        return cell
      })
    return table([names, values]).render(withTitles: false)
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
