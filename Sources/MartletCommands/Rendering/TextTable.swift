/// Cells in columns: a heading, a rule, and a line for each row. It knows texts and widths, and nothing of values.
struct TextTable {
  struct Column {
    var title: String
    /// A cell for each row; nil where the row has nothing.
    var cells: [CellText?]
    /// Whether a cell that is too wide goes on in the next line, at a blank, rather than being cut.
    var wraps = false
    /// Signs beside the rows, of one character and under no title.
    var isMargin = false
  }

  var columns: [Column]
  /// No cell is wider; what is longer is cut.
  var maximumCellWidth: Int
  /// The widest columns are narrowed until a line has no more than this, as far as `minimumCellWidth` allows.
  var maximumLineWidth: Int?
  /// Whether a line that is too wide all the same is cut, so that no line of it ever takes two of the terminal.
  var cutsLines = false
  var painter = Painter.plain

  private static let minimumCellWidth = 6
  private static let gap = "  "

  /// Lines, each with its line end and without blanks before it.
  func render(withTitles: Bool = true) -> String {
    let (titles, rows) = lines
    return ((withTitles ? titles : []) + rows.joined()).map { $0 + "\n" }.joined()
  }

  /// The same in pieces, without line ends: the two lines above the rows, and the lines of each row.
  var lines: (titles: [String], rows: [[String]]) {
    let widths = fittedWidths()
    let sides = columns.map(\.alignment)
    let titles = [
      line(zip(columns, sides).map { CellText(title: $0.title, $1) }, widths, sides),
      line(zip(columns, widths).map { CellText(title: String(repeating: $0.isMargin ? " " : "─", count: $1), .left) }, widths, sides),
    ]
    let rows = (0..<(columns.first?.cells.count ?? 0)).map { row in
      let cells = zip(columns, widths).map { column, width in column.lines(ofCell: row, width: width) }
      // A row has as many lines as its tallest cell; nearly always one.
      return (0..<(cells.lazy.map(\.count).max() ?? 1)).map { number in
        line(cells.map { number < $0.count ? $0[number] : nil }, widths, sides)
      }
    }
    return (titles, rows)
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
    var left = cutsLines ? maximumLineWidth ?? .max : .max
    for (index, cell) in cells.enumerated() {
      if index > 0 {
        result += Self.gap
        left -= Self.gap.count
      }
      let width = min(widths[index], left)
      guard width > 0 else { break }
      let text = DisplayWidth.cut(cell?.text ?? "", to: width)
      let padding = String(repeating: " ", count: width - DisplayWidth.of(text))
      let painted = painter.paint(text, cell?.style ?? .plain)
      result += sides[index] == .right ? padding + painted : painted + padding
      left -= width
    }
    while result.last == " " { result.removeLast() }
    return result
  }
}

extension TextTable.Column {
  fileprivate func lines(ofCell row: Int, width: Int) -> [CellText?] {
    guard wraps, let cell = cells[row], DisplayWidth.of(cell.text) > width else { return [cells[row]] }
    var lines: [CellText] = []
    var line = ""
    for word in cell.text.split(separator: " ") {
      if !line.isEmpty, DisplayWidth.of(line) + 1 + DisplayWidth.of(String(word)) > width {
        lines.append(CellText(title: line, cell.alignment))
        // Set in, so that a new line isn't taken for a new row.
        line = "  "
      } else if !line.isEmpty {
        line += " "
      }
      line += word
    }
    return lines + [CellText(title: line, cell.alignment)]
  }

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
