/// The editor of one line: keys go in, and what is to be done about them comes out. It knows of no terminal.
///
/// The keys are those of other prompts: arrows, Home, End; Ctrl-A, -E, -B, -F, -H, -D, -K, -U, -W, -Y, -L, -P, -N; Alt-B, -F, -D; Ctrl and Alt
/// with arrows for words; Ctrl-R searches what was typed before; Ctrl-C gives a line up; Ctrl-D on an empty line ends.
struct LineEditor: Sendable {
  private(set) var buffer = LineBuffer()
  /// What was typed before, the oldest first.
  private let history: [String]
  /// Which of these the line shows, and `history.count` for the one that is new.
  private var place: Int
  /// The new line, while another is shown.
  private var unsent = ""
  private(set) var search: Search?

  struct Search: Hashable, Sendable {
    var wanted = ""
    /// Where in the history it was found.
    var found: Int?
    /// The line as it was before, which comes back when the search is given up.
    fileprivate var before: LineBuffer
  }

  enum Action: Hashable, Sendable {
    case none
    /// The line is to be drawn again.
    case draw
    case submit(String)
    /// Ctrl-C: the line is given up.
    case abandon
    /// Ctrl-D: there will be no more lines.
    case end
    case clearScreen
    /// What may stand here, as nothing more of it is certain.
    case list([String])
    case bell
  }

  init(history: [String] = [], text: String = "") {
    self.history = history
    place = history.count
    buffer = LineBuffer(text)
  }

  mutating func handle(_ key: Key, complete: (_ beforeCursor: String) -> Completion) -> Action {
    if search != nil, let action = handleSearching(key) { return action }
    switch key {
    case .character(let character): buffer.insert(character)
    case .enter: return .submit(buffer.text)
    case .tab: return self.complete(complete(buffer.beforeCursor))
    case .left, .control("b"): buffer.move(by: -1)
    case .right, .control("f"): buffer.move(by: 1)
    case .home, .control("a"): buffer.moveToStart()
    case .end, .control("e"): buffer.moveToEnd()
    case .wordLeft: buffer.moveToWord(.before)
    case .wordRight: buffer.moveToWord(.behind)
    case .up, .control("p"): return show(place - 1)
    case .down, .control("n"): return show(place + 1)
    case .backspace: return buffer.delete(.before) ? .draw : .bell
    case .delete: return buffer.delete(.behind) ? .draw : .bell
    case .control("d"):
      if buffer.isEmpty { return .end }
      return buffer.delete(.behind) ? .draw : .bell
    case .control("k"): buffer.cutToEnd()
    case .control("u"): buffer.cutToStart()
    case .control("w"): buffer.cutToBlank()
    case .control("y"): buffer.insertCut()
    case .deleteWord: buffer.cutWord(.before)
    case .alt("d"): buffer.cutWord(.behind)
    case .control("l"): return .clearScreen
    case .control("c"): return .abandon
    case .control("r"): search = Search(before: buffer)
    case .control, .alt, .escape: return .none
    }
    return .draw
  }

  // MARK: History

  private mutating func show(_ wanted: Int) -> Action {
    guard wanted >= 0, wanted <= history.count else { return .bell }
    if place == history.count { unsent = buffer.text }
    place = wanted
    buffer.replace(with: wanted == history.count ? unsent : history[wanted])
    return .draw
  }

  /// Nil where the key ends the search, keeps the line that was found, and is then handled as ever.
  private mutating func handleSearching(_ key: Key) -> Action? {
    guard var search else { return nil }
    switch key {
    case .character(let character):
      search.wanted.append(character)
      return find(search, from: search.found ?? history.count - 1)
    case .backspace:
      guard !search.wanted.isEmpty else { return .bell }
      search.wanted.removeLast()
      return find(search, from: history.count - 1)
    case .control("r"):
      return find(search, from: (search.found ?? history.count) - 1)
    case .control("g"), .control("c"), .escape:
      buffer = search.before
      self.search = nil
      return .draw
    default:
      self.search = nil
      return nil
    }
  }

  /// The newest line that has the text, at the place or before it.
  private mutating func find(_ wanted: Search, from place: Int) -> Action {
    var search = wanted
    defer { self.search = search }
    guard !search.wanted.isEmpty else {
      search.found = nil
      buffer = search.before
      return .draw
    }
    guard place >= 0, let found = history[...place].lastIndex(where: { $0.contains(search.wanted) }) else {
      return .bell
    }
    search.found = found
    self.place = found
    buffer.replace(with: history[found])
    return .draw
  }

  // MARK: Completion

  private mutating func complete(_ completion: Completion) -> Action {
    guard let first = completion.candidates.first else { return .bell }
    if completion.candidates.count == 1 {
      buffer.insert(first.text + first.suffix, replacing: completion.typed)
      return .draw
    }
    let common = completion.candidates.dropFirst().reduce(first.text) { $0.commonPrefix(with: $1.text) }
    guard common.count > completion.typed else { return .list(completion.candidates.map(\.text)) }
    buffer.insert(common, replacing: completion.typed)
    return .draw
  }
}

/// What may stand at the cursor.
struct Completion: Hashable, Sendable {
  struct Candidate: Hashable, Sendable {
    var text: String
    /// What comes behind it when it is the only one: a blank, mostly.
    var suffix = " "
  }

  /// How many characters before the cursor a candidate stands in place of.
  var typed = 0
  /// Each begins with what was typed.
  var candidates: [Candidate] = []
}

extension String {
  fileprivate func commonPrefix(with other: String) -> String {
    String(zip(self, other).prefix { $0 == $1 }.map(\.0))
  }
}
