/// How a line that is typed is shown: in one line of the terminal, of which a longer text is a window around the cursor.
struct LineView: Hashable, Sendable {
  var text: String
  /// Where the cursor stands, from 0.
  var column: Int

  /// - Parameter columns: the terminal's.
  init(prompt: String, _ buffer: LineBuffer, columns: Int) {
    // The cursor may stand behind the last character, and never in the terminal's last column, where lines break.
    let room = max(columns - DisplayWidth.of(prompt) - 2, 1)
    let widths = buffer.characters.map { Self.width($0) }
    var start = 0
    var used = widths[..<buffer.cursor].reduce(0, +)
    while used > room {
      used -= widths[start]
      start += 1
    }
    var end = buffer.cursor
    var total = used
    while end < widths.count, total + widths[end] <= room {
      total += widths[end]
      end += 1
    }
    text = prompt + buffer.characters[start..<end].map { Self.isShown($0) ? String($0) : "�" }.joined()
    column = DisplayWidth.of(prompt) + used
  }

  init(_ editor: LineEditor, prompt: String, columns: Int) {
    var prompt = prompt
    if let search = editor.search {
      prompt = "(search: \(search.wanted)\(search.found == nil && !search.wanted.isEmpty ? ", not found" : "")) "
    }
    self.init(prompt: prompt, editor.buffer, columns: columns)
  }

  /// One text, written at once, for a cursor anywhere in the line.
  var drawing: String { "\r\(text)\u{1B}[K\r" + (column > 0 ? "\u{1B}[\(column)C" : "") }

  private static func width(_ character: Character) -> Int { isShown(character) ? DisplayWidth.of(character) : 1 }

  /// A control character from a file of history would do something else.
  private static func isShown(_ character: Character) -> Bool {
    character.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }
  }

  /// Texts in as many columns as fit, each read downwards; no more than `limit` of them.
  static func list(_ texts: [String], columns: Int, limit: Int = 200) -> [String] {
    let shown = texts.prefix(limit)
    let width = (shown.map { DisplayWidth.of($0) }.max() ?? 0) + 2
    let across = max(1, columns / width)
    let height = (shown.count + across - 1) / across
    var lines = (0..<height).map { row in
      let cells = stride(from: row, to: shown.count, by: height).map { index in
        let text = DisplayWidth.cut(shown[index], to: columns)
        return text + String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
      }
      return String(cells.joined().reversed().drop { $0 == " " }.reversed())
    }
    if texts.count > limit { lines.append("… \(texts.count - limit) more") }
    return lines
  }
}
