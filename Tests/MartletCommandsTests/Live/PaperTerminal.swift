@testable import MartletCommands

/// A terminal of a test: it carries out what the commands write, and knows what it shows. It has the sequences that they use, and stops the test
/// at any other.
struct PaperTerminal {
  let rows: Int
  let columns: Int
  /// What has left the window at its top.
  private(set) var scrolled: [String] = []
  private var screen: [[String]]
  private(set) var row = 0
  private(set) var column = 0
  private(set) var isCursorHidden = false

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    screen = Array(repeating: Array(repeating: " ", count: columns), count: rows)
  }

  /// The window's lines, without blanks at their ends.
  var lines: [String] { screen.map(Self.text) }
  /// All that was ever written and not written over, without the empty lines at the end.
  var paper: [String] {
    var all = scrolled + lines
    while all.last == "" { all.removeLast() }
    return all
  }

  private static func text(_ cells: [String]) -> String {
    var text = cells.joined()
    while text.last == " " { text.removeLast() }
    return text
  }

  mutating func write(_ text: String) {
    var rest = Array(text)[...]
    while let character = rest.popFirst() {
      switch character {
      case "\u{1B}": escape(&rest)
      case "\r": column = 0
      // As a terminal is set up: a line feed goes to the next line's beginning.
      case "\n", "\r\n": feed()
      case "\u{7}": break
      default: put(character)
      }
    }
  }

  private mutating func feed() {
    column = 0
    if row < rows - 1 {
      row += 1
    } else {
      scrolled.append(Self.text(screen.removeFirst()))
      screen.append(Array(repeating: " ", count: columns))
    }
  }

  private mutating func put(_ character: Character) {
    let width = DisplayWidth.of(character)
    if column + width > columns { feed() }
    screen[row][column] = String(character)
    if width == 2 { screen[row][column + 1] = "" }
    column += width
  }

  private mutating func escape(_ rest: inout ArraySlice<Character>) {
    precondition(rest.popFirst() == "[")
    var parameters = ""
    while let next = rest.first, !next.isLetter { parameters.append(rest.removeFirst()); _ = next }
    let number = Int(parameters) ?? 1
    switch (rest.popFirst(), parameters) {
    case ("A", _): row = max(0, row - number)
    case ("C", _): column = min(columns - 1, column + number)
    case ("K", ""): for index in column..<columns { screen[row][index] = " " }
    case ("J", ""):
      for index in column..<columns { screen[row][index] = " " }
      for below in screen.indices.dropFirst(row + 1) { screen[below] = Array(repeating: " ", count: columns) }
    case ("l", "?25"): isCursorHidden = true
    case ("h", "?25"): isCursorHidden = false
    case ("m", _): break
    case (let letter, _): preconditionFailure("a sequence that this terminal doesn't know: \(parameters)\(letter ?? " ")")
    }
  }
}
