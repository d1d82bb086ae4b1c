import MartletClient
import Testing

@testable import MartletCommands

@Suite("A live table on a terminal")
struct LiveViewTests {
  private var view = LiveView(title: "accounts:all")

  private mutating func show(
    _ result: Result<Value, MartletError>, number: Int = 1, rows: Int = 24, columns: Int = 100, _ painter: Painter = .plain
  ) -> [String] {
    view.take(Update(result: result, timestamp: 40 + UInt64(number)), number: number, time: "12:40:53")
    return view.lines(Terminal.Size(rows: rows, columns: columns), painter).map(\.text)
  }

  private static func accounts(_ balances: KeyValuePairs<String, Double>) -> Result<Value, MartletError> {
    .success(.array(balances.map { ["_id": .string($0), "balance": .float64($1)] }))
  }

  @Test("The first value has no marks; then rows that came, went or changed have, by their ids, and what is gone stands once more")
  mutating func marks() {
    #expect(
      show(Self.accounts(["a": 1, "b": 2, "c": 3])) == [
        "── accounts:all · update 1 · timestamp 41 · 12:40:53 · connected ──", "   _id  balance", "   ───  ───────", "   a          1",
        "   b          2", "   c          3",
      ])
    #expect(
      show(Self.accounts(["c": 3, "d": 4, "a": 9]), number: 2) == [
        "── accounts:all · update 2 · timestamp 42 · 12:40:53 · connected · 1 added, 1 removed, 1 changed ──", "   _id  balance",
        "   ───  ───────", "   c          3", "+  d          4", "~  a          9", "-  b          2",
      ])
    #expect(show(Self.accounts(["c": 3, "d": 4, "a": 9]), number: 3).dropFirst(3) == ["   c          3", "   d          4", "   a          9"])
  }

  @Test("With colours only the cell that changed stands out; NO_COLOR leaves weight")
  mutating func colors() {
    _ = show(Self.accounts(["a": 1]))
    let colored = show(Self.accounts(["a": 2]), number: 2, Painter(means: .color))
    #expect(colored[3] == "\u{1B}[1;33m~\u{1B}[0m  a          \u{1B}[1;33m2\u{1B}[0m")
    #expect(show(Self.accounts(["a": 3]), number: 3, Painter(means: .weight))[3] == "\u{1B}[1m~\u{1B}[0m  a          \u{1B}[1m3\u{1B}[0m")
  }

  @Test("What doesn't fit into the window is counted, and how much of it changed; no line is wider than the window")
  mutating func window() {
    let balances = { (changed: Double) -> Result<Value, MartletError> in
      .success(
        .array(
          (0..<40).map { number in
            ["_id": .string("id-\(number)"), "note": .string(String(repeating: "x", count: 60)), "balance": .float64(number == 39 ? changed : 0)]
          }))
    }
    #expect(show(balances(0), rows: 10, columns: 40).last == "… 35 more rows")
    let lines = show(balances(1), number: 2, rows: 10, columns: 40)
    #expect(lines.last == "… 35 more rows, 1 of them changed" && lines.count == 9)
    for columns in 1...120 {
      for rows in 1...12 {
        let lines = view.lines(Terminal.Size(rows: rows, columns: columns), .plain)
        #expect(lines.allSatisfy { DisplayWidth.of($0.text) < max(columns, 2) } && lines.count <= max(rows - 1, 1))
      }
    }
  }

  @Test("One object shows which of its fields changed, a plain value that it did, and a failure stands in the value's place")
  mutating func others() {
    _ = show(.success(["count": 5, "total": 10]))
    #expect(show(.success(["count": 5, "total": 12]), number: 2).dropFirst() == ["   count  5", "~  total  12"])
    let failed = show(.failure(MartletError(.application, "no such order")), number: 3)
    #expect(failed == ["── accounts:all · update 3 · timestamp 43 · 12:40:53 · connected ──", "failed: no such order (application)"])
    #expect(show(.success(["count": 6, "total": 12]), number: 4).dropFirst() == ["~  count  6", "   total  12"])
    _ = show(.success("x"), number: 5)
    #expect(show(.success("y"), number: 6, Painter(means: .weight)).last == "\u{1B}[1my\u{1B}[0m")
  }

  @Test("A list that becomes empty shows what is gone, and one that was empty shows all as new")
  mutating func empty() {
    #expect(show(.success([])).dropFirst() == ["(empty)"])
    #expect(show(Self.accounts(["a": 1]), number: 2).last == "+  a          1")
    #expect(show(.success([]), number: 3).last == "-  a          1")
    #expect(show(.success([]), number: 4).dropFirst() == ["(empty)"])
    #expect(show(Self.accounts(["b": 1]), number: 5).last == "+  b          1")
  }

  @Test("How the connection stands is in the first line")
  mutating func connection() {
    let size = Terminal.Size(rows: 24, columns: 120)
    #expect(view.lines(size, .plain).map(\.text) == ["── accounts:all · connected ──"])
    _ = show(Self.accounts(["a": 1]))
    view.state = .reconnecting(attempt: 3, reason: "Connection refused")
    #expect(view.lines(size, .plain)[0].text.hasPrefix("── accounts:all · connecting again, attempt 3: Connection refused · update 1"))
    #expect(view.lines(size, .plain).count == 4)
  }
}

@Suite("Drawing again in place")
struct TerminalRedrawTests {
  @Test("Whatever was drawn before, the last drawing stands below what was there, and nothing of another does", arguments: 1...20)
  func model(seed: UInt64) {
    var random = Generator(seed: seed)
    let (rows, columns) = (Int.random(in: 3...12, using: &random), Int.random(in: 10...30, using: &random))
    var terminal = PaperTerminal(rows: rows, columns: columns)
    let before = (0..<Int.random(in: 0...15, using: &random)).map { "$ \($0)" }
    for line in before { terminal.write(line + "\n") }
    var redraw = TerminalRedraw()
    for number in 0..<30 {
      let lines = (0..<Int.random(in: 1..<rows, using: &random)).map { line in
        String(repeating: ["a", "日", "é"].randomElement(using: &random)!, count: Int.random(in: 0...20, using: &random)) + "\(number).\(line)"
      }
      let styled = lines.map { StyledLine($0, .added, columns: columns - 1, painter: Painter(means: .color)) }
      // What a person types meanwhile, where it is shown.
      if Bool.random(using: &random) { terminal.write("^C") }
      terminal.write(redraw.draw(styled, columns: columns))
      #expect(terminal.paper == before + lines.map { DisplayWidth.cut($0, to: columns - 1) })
      #expect(!terminal.isCursorHidden && terminal.column == 0)
    }
    terminal.write("^C" + TerminalRedraw.tidy)
    #expect(terminal.column == 0 && !terminal.paper.contains { $0.contains("^C") })
  }

  @Test("In a window that was made narrower, lines that broke count as those that they take")
  func narrower() {
    var redraw = TerminalRedraw()
    let lines = ["12345678901234567890", "123"].map { StyledLine($0, columns: 20, painter: .plain) }
    _ = redraw.draw(lines, columns: 40)
    #expect(redraw.draw(lines, columns: 8).contains("\u{1B}[4A"))
    #expect(StyledLine(painted: Painter(means: .color).paint("日本", .added) + " m").width == 6)
  }
}

@Suite("Updates as a feed")
struct UpdateFeedTests {
  private func feed(isJSON: Bool) -> String {
    var feed = UpdateFeed(isJSON: isJSON, isDiff: true)
    let results: [Result<Value, MartletError>] = [
      .success(["n": 1]), .success(["n": 2]), .failure(MartletError(.application, "no")), .success(["n": 3]),
    ]
    return results.enumerated().map { feed.text(of: Update(result: $1, timestamp: UInt64($0))) }.joined()
  }

  @Test("Of changes the first is a whole value, and so is what follows a failure")
  func changes() {
    #expect(
      feed(isJSON: true) == """
        {"timestamp":0,"value":{"n":1}}
        {"timestamp":1,"changes":[{"from":1,"op":"set","path":["n"],"value":2}]}
        {"timestamp":2,"error":{"code":"application","message":"no"}}
        {"timestamp":3,"value":{"n":3}}

        """)
    #expect(
      feed(isJSON: false) == """
        ── update 1, timestamp 0 ──
        n  1

        ── update 2, timestamp 1: 1 changed ──
        ~  n  1 → 2

        ── update 3, timestamp 2 ──
        failed: no (application)

        ── update 4, timestamp 3 ──
        n  3


        """)
  }
}
