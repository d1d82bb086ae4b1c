/// A line that is being typed: its characters, and where the cursor stands among them.
///
/// Characters are what a person sees as one: an accent that is typed after its letter joins it.
struct LineBuffer: Hashable, Sendable {
  private(set) var characters: [Character] = []
  /// From 0 to the number of characters; the cursor stands before the character of this number.
  private(set) var cursor = 0
  /// What was cut last, to be put in elsewhere.
  private(set) var cut: [Character] = []

  var text: String { String(characters) }
  var beforeCursor: String { String(characters[..<cursor]) }
  var isEmpty: Bool { characters.isEmpty }

  init(_ text: String = "") {
    characters = Array(text)
    cursor = characters.count
  }

  /// Another line in its place, with the cursor at its end. What was cut stays.
  mutating func replace(with text: String, cursor: Int? = nil) {
    characters = Array(text)
    self.cursor = min(cursor ?? characters.count, characters.count)
  }

  mutating func insert(_ character: Character) {
    if cursor > 0 {
      let joined = String(characters[cursor - 1]) + String(character)
      if joined.count == 1 {
        characters[cursor - 1] = joined.first!
        return
      }
    }
    characters.insert(character, at: cursor)
    cursor += 1
  }

  /// - Parameter count: how many characters before the cursor it stands in place of.
  mutating func insert(_ text: String, replacing count: Int = 0) {
    let start = cursor - min(count, cursor)
    characters.replaceSubrange(start..<cursor, with: Array(text))
    cursor = start + text.count
  }

  mutating func insertCut() { insert(String(cut)) }

  mutating func move(by distance: Int) { cursor = min(max(cursor + distance, 0), characters.count) }
  mutating func moveToStart() { cursor = 0 }
  mutating func moveToEnd() { cursor = characters.count }
  mutating func moveToWord(_ side: Side) { cursor = word(side) }

  /// False where there is nothing to delete.
  mutating func delete(_ side: Side) -> Bool {
    switch side {
    case .before:
      guard cursor > 0 else { return false }
      cursor -= 1
    case .behind:
      guard cursor < characters.count else { return false }
    }
    characters.remove(at: cursor)
    return true
  }

  mutating func cutToStart() { cut(0..<cursor) }
  mutating func cutToEnd() { cut(cursor..<characters.count) }
  mutating func cutWord(_ side: Side) { cut(side == .before ? word(.before)..<cursor : cursor..<word(.behind)) }

  /// Back to the blank before the word: as shells do with Ctrl-W, where a word is whatever has no blank.
  mutating func cutToBlank() {
    var start = cursor
    while start > 0, characters[start - 1] == " " { start -= 1 }
    while start > 0, characters[start - 1] != " " { start -= 1 }
    cut(start..<cursor)
  }

  enum Side: Sendable { case before, behind }

  private mutating func cut(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    cut = Array(characters[range])
    characters.removeSubrange(range)
    cursor = range.lowerBound
  }

  /// Where the word before the cursor begins, or the one behind it ends: of letters and digits.
  private func word(_ side: Side) -> Int {
    let isOfWord = { (index: Int) in characters[index].isLetter || characters[index].isNumber }
    var place = cursor
    switch side {
    case .before:
      while place > 0, !isOfWord(place - 1) { place -= 1 }
      while place > 0, isOfWord(place - 1) { place -= 1 }
    case .behind:
      while place < characters.count, !isOfWord(place) { place += 1 }
      while place < characters.count, isOfWord(place) { place += 1 }
    }
    return place
  }
}
