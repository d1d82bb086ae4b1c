/// Cells in columns: a heading, a rule, and a line for each row. It knows texts and widths, and nothing of values.
struct TextTable {
  struct Column {
    var title: String
    /// A cell for each row; nil where the row has nothing.
    var cells: [CellText?]
  }

  var columns: [Column]
  /// No cell is wider; what is longer is cut.
  var maximumCellWidth: Int
  /// The widest columns are narrowed until a line has no more than this, as far as `minimumCellWidth` allows.
  var maximumLineWidth: Int?

  private static let minimumCellWidth = 6
  private static let gap = "  "

  /// Lines, each with its line end and without blanks before it.
  func render(withTitles: Bool = true) -> String {
    let widths = fittedWidths()
    let sides = columns.map(\.alignment)
    var result = ""
    if withTitles {
      result += line(zip(columns, sides).map { CellText(title: $0.title, $1) }, widths, sides)
      result += line(widths.map { CellText(title: String(repeating: "─", count: $0), .left) }, widths, sides)
    }
    for row in 0..<(columns.first?.cells.count ?? 0) {
      result += line(columns.map { $0.cells[row] }, widths, sides)
    }
    return result
  }

  private func fittedWidths() -> [Int] {
    var widths = columns.map { column in
      let widest = column.cells.lazy.compactMap { $0.map { DisplayWidth.of($0.text) } }.max() ?? 0
      return min(max(widest, DisplayWidth.of(column.title), 1), max(maximumCellWidth, 1))
    }
    guard let maximumLineWidth else { return widths }
    var excess = widths.reduce(0, +) + Self.gap.count * max(0, widths.count - 1) - maximumLineWidth
    while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }) {
      guard widths[widest] > Self.minimumCellWidth else { break }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  private func line(_ cells: [CellText?], _ widths: [Int], _ sides: [CellText.Alignment]) -> String {
    var result = ""
    for (index, cell) in cells.enumerated() {
      if index > 0 { result += Self.gap }
      let text = DisplayWidth.cut(cell?.text ?? "", to: widths[index])
      let padding = String(repeating: " ", count: widths[index] - DisplayWidth.of(text))
      result += sides[index] == .right ? padding + text : text + padding
    }
    while result.last == " " { result.removeLast() }
    return result + "\n"
  }
}

extension TextTable.Column {
  /// Numbers stand under each other by their last digit, if all of a column are numbers.
  fileprivate var alignment: CellText.Alignment {
    let present = cells.compactMap { $0 }
    return !present.isEmpty && present.allSatisfy { $0.alignment == .right } ? .right : .left
  }
}

extension CellText {
  fileprivate init(title: String, _ alignment: Alignment) {
    self.text = title
    self.alignment = alignment
  }
}
