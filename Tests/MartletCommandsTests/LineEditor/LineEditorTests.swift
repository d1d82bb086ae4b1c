import Testing

@testable import MartletCommands

@Suite("Editing a line")
struct LineEditorTests {
  private var editor = LineEditor(history: ["first one", "second", "third one"])

  private mutating func type(_ keys: Key..., complete: (String) -> Completion = { _ in Completion() }) -> LineEditor.Action {
    keys.map { editor.handle($0, complete: complete) }.last ?? .none
  }

  private mutating func type(_ text: String) { for character in text { _ = type(.character(character)) } }

  @Test("A line is typed, changed in its middle, and sent")
  mutating func typing() {
    type("acount")
    _ = type(.home, .right, .character("c"), .end, .character("s"))
    #expect(type(.enter) == .submit("accounts"))
    #expect(type(.left, .backspace, .delete, .delete) == .bell && editor.buffer.text == "accoun")
  }

  @Test("An accent joins its letter, and they are deleted as one")
  mutating func combining() {
    type("ae\u{301}")
    #expect(editor.buffer.characters.count == 2)
    _ = type(.backspace)
    #expect(editor.buffer.text == "a")
  }

  @Test("What is cut comes back where it is wanted")
  mutating func cutting() {
    type("data orders --limit 5")
    _ = type(.control("w"), .control("w"))
    #expect(editor.buffer.text == "data orders ")
    _ = type(.wordLeft, .control("k"), .home, .control("y"))
    #expect(editor.buffer.text == "orders data " && editor.buffer.cursor == 7)
    _ = type(.control("u"), .alt("d"))
    #expect(editor.buffer.text == " ")
    _ = type(.end)
    type("a.b")
    _ = type(.deleteWord)
    #expect(editor.buffer.text == " a.")
  }

  @Test("Up and Down go through what was typed, and back to the line that is new, as it was")
  mutating func history() {
    type("new")
    _ = type(.up, .up)
    #expect(editor.buffer.text == "second")
    _ = type(.up)
    #expect(type(.up) == .bell && editor.buffer.text == "first one")
    _ = type(.down, .down, .down)
    #expect(editor.buffer.text == "new" && type(.down) == .bell)
  }

  @Test("Ctrl-R finds the newest line that has a text, and again the one before; another key goes on with it")
  mutating func search() {
    type("draft")
    _ = type(.control("r"))
    type("one")
    #expect(editor.buffer.text == "third one")
    _ = type(.control("r"))
    #expect(editor.buffer.text == "first one" && type(.control("r")) == .bell && editor.buffer.text == "first one")
    _ = type(.control("g"))
    #expect(editor.buffer.text == "draft" && editor.search == nil)
    _ = type(.control("r"))
    type("sec")
    #expect(type(.enter) == .submit("second"))
  }

  @Test("Ctrl-C gives the line up; Ctrl-D ends on an empty line only")
  mutating func ends() {
    #expect(type(.control("d")) == .end)
    type("a")
    #expect(type(.control("d")) == .bell && type(.control("c")) == .abandon && type(.control("l")) == .clearScreen)
  }

  @Test("Tab inserts what is certain, with a blank when it is all, and lists what may come where nothing more is")
  mutating func completion() {
    let complete = { (before: String) -> Completion in
      let piece = before.split(separator: " ", omittingEmptySubsequences: false).last ?? ""
      return Completion(
        typed: piece.count, candidates: ["accounts:get", "accounts:open", "orders:list"].filter { $0.hasPrefix(piece) }.map { .init(text: $0) })
    }
    type("run a")
    #expect(type(.tab, complete: complete) == .draw && editor.buffer.text == "run accounts:")
    #expect(type(.tab, complete: complete) == .list(["accounts:get", "accounts:open"]))
    type("o")
    #expect(type(.tab, complete: complete) == .draw && editor.buffer.text == "run accounts:open ")
    type("zzz")
    #expect(type(.tab, complete: complete) == .bell)
  }

  @Test("Any keys leave the line that a plain text and a number would be", arguments: 1...20)
  func model(seed: UInt64) {
    var random = Generator(seed: seed)
    var editor = LineEditor()
    var (text, cursor) = ("", 0)
    func at(_ offset: Int) -> String.Index { text.index(text.startIndex, offsetBy: offset) }
    for _ in 0..<300 {
      let key = [Key.character("a"), .character("日"), .character(" "), .left, .right, .home, .end, .backspace, .delete, .control("k"), .control("u")]
        .randomElement(using: &random)!
      _ = editor.handle(key) { _ in Completion() }
      switch key {
      case .character(let character):
        text.insert(character, at: at(cursor))
        cursor += 1
      case .left: cursor = max(0, cursor - 1)
      case .right: cursor = min(text.count, cursor + 1)
      case .home: cursor = 0
      case .end: cursor = text.count
      case .backspace:
        if cursor > 0 {
          cursor -= 1
          text.remove(at: at(cursor))
        }
      case .delete: if cursor < text.count { text.remove(at: at(cursor)) }
      case .control("k"): text = String(text.prefix(cursor))
      case .control("u"):
        text = String(text.dropFirst(cursor))
        cursor = 0
      default: break
      }
      #expect(editor.buffer.text == text && editor.buffer.cursor == cursor)
      // What is shown is a piece of it, with the cursor at its place, and never as wide as the terminal.
      for columns in [4, 12, 40] {
        let view = LineView(editor, prompt: "> ", columns: columns)
        let shown = String(view.text.dropFirst(2))
        #expect(text.contains(shown) || shown.isEmpty)
        #expect(DisplayWidth.of(view.text) < max(columns, 6) && view.column < max(columns, 6))
        let before = view.text.reduce(into: "") { if DisplayWidth.of($0) < view.column { $0.append($1) } }
        #expect(("> " + text.prefix(cursor)).hasSuffix(before.dropFirst(2)))
      }
      var terminal = PaperTerminal(rows: 1, columns: 40)
      let view = LineView(editor, prompt: "> ", columns: 40)
      terminal.write("something that stood there before")
      terminal.write(view.drawing)
      #expect(terminal.column == view.column && terminal.lines == [String(view.text.reversed().drop { $0 == " " }.reversed())])
    }
  }

  @Test("Candidates stand in columns, as many as fit, and are cut off where there are too many")
  func list() {
    #expect(LineView.list(["aa", "b", "cc", "d", "e"], columns: 12) == ["aa  cc  e", "b   d"])
    #expect(LineView.list(["aa", "bb", "cc"], columns: 3, limit: 2) == ["aa", "bb", "… 1 more"])
  }
}
