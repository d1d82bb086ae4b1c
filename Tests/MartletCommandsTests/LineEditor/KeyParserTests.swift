import Testing

@testable import MartletCommands

@Suite("Keys from a terminal's bytes")
struct KeyParserTests {
  private func keys(_ text: String) -> [Key] {
    var parser = KeyParser()
    return parser.keys(text.utf8)
  }

  @Test("Characters, controls and sequences are keys; sequences that nobody knows are none")
  func known() {
    #expect(keys("aé日\u{1F600}") == [.character("a"), .character("é"), .character("日"), .character("😀")])
    #expect(keys("\r\t\u{7F}\u{1}\u{12}") == [.enter, .tab, .backspace, .control("a"), .control("r")])
    #expect(keys("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D\u{1B}OH\u{1B}[F") == [.up, .down, .right, .left, .home, .end])
    #expect(keys("\u{1B}[1~\u{1B}[4~\u{1B}[3~\u{1B}[1;5C\u{1B}[1;3D") == [.home, .end, .delete, .wordRight, .wordLeft])
    #expect(keys("\u{1B}b\u{1B}f\u{1B}\u{7F}\u{1B}d") == [.wordLeft, .wordRight, .deleteWord, .alt("d")])
    #expect(keys("a\u{1B}[15~\u{1B}[?1;2cb\u{0}") == [.character("a"), .character("b")])
    #expect(keys("\u{1B}") == [.escape])
    #expect(keys("\u{1B}\u{1B}[A") == [.escape, .up])
  }

  @Test("Bytes that are no UTF-8 are dropped, and hide nothing behind them")
  func invalid() {
    var parser = KeyParser()
    #expect(parser.keys([0xFF, 0x61, 0xC3, 0x28, 0x80, 0x62]) == [.character("a"), .character("("), .character("b")])
  }

  @Test("Keys are the same in whatever pieces their bytes come, unless a piece ends with an Escape", arguments: 1...10)
  func pieces(seed: UInt64) {
    var random = Generator(seed: seed)
    let all = (0..<60).map { _ in ["a", "é", "日", "😀", "\u{1B}[A", "\u{1B}[1;5C", "\u{1B}OH", "\r", "\u{1}", "\u{1B}[99~"].randomElement(using: &random)! }
    let bytes = Array(all.joined().utf8)
    var parser = KeyParser()
    var found: [Key] = []
    var start = 0
    while start < bytes.count {
      var end = min(bytes.count, start + Int.random(in: 1...4, using: &random))
      while bytes[end - 1] == 0x1B { end += 1 }
      found += parser.keys(bytes[start..<end])
      start = end
    }
    #expect(found == keys(all.joined()))
  }
}
