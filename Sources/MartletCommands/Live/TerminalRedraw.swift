/// Lines that are drawn again in place, below whatever the terminal showed before.
///
/// Each drawing is one text that is written at once, and clears no more than it must, so nothing flickers: back to the first line, each line over
/// what stood there, the rest cleared. It uses no second screen: the last drawing stays, and can be scrolled back to. Between drawings the cursor
/// stands below the lines.
///
/// A window that was made narrower has broken the lines that were too wide for it; those count as the lines that they take now. All of them are
/// cleared then, as a terminal remembers which lines it broke. The drawing must be less high than the window, as what has left it at the top
/// can't be drawn over.
struct TerminalRedraw {
  /// The columns that each line of the last drawing takes.
  private var widths: [Int] = []
  /// The window's, then.
  private var columns = 0

  /// - Parameters:
  ///   - lines: each not wider than the window, by its columns.
  ///   - columns: the window's, now.
  mutating func draw(_ lines: [StyledLine], columns: Int) -> String {
    // Hidden while it runs over the lines, and never for longer: a process that is killed leaves it as it was.
    var text = "\u{1B}[?25l" + toTheFirstLine(columns) + (columns == self.columns ? "" : "\u{1B}[J")
    for line in lines { text += line.text + "\u{1B}[K\n" }
    widths = lines.map(\.width)
    self.columns = columns
    return text + "\u{1B}[J\u{1B}[?25h"
  }

  /// What takes away what was typed below the lines, at the end.
  static let tidy = "\r\u{1B}[J"

  private func toTheFirstLine(_ columns: Int) -> String {
    let rows = widths.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(columns, 1)) }
    return rows > 0 ? "\r\u{1B}[\(rows)A" : "\r"
  }
}

/// A line with the columns that it takes: its text may hold escape sequences, which take none.
struct StyledLine: Hashable, Sendable {
  var text: String
  var width: Int

  /// Cut to a width, and painted.
  init(_ text: String, _ style: TextStyle = .plain, columns: Int, painter: Painter) {
    let text = DisplayWidth.cut(text, to: columns)
    self.text = painter.paint(text, style)
    width = DisplayWidth.of(text)
  }

  /// A line that is painted already.
  init(painted text: String) {
    self.text = text
    // A sequence begins with an Escape and ends with its m: cells have no Escape of their own.
    let pieces = text.split(separator: "\u{1B}", omittingEmptySubsequences: false)
    width = pieces.dropFirst().reduce(DisplayWidth.of(String(pieces[0]))) { $0 + DisplayWidth.of(String($1.drop { $0 != "m" }.dropFirst())) }
  }
}
