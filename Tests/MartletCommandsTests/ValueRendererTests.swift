import MartletValues
import Testing

@testable import MartletCommands

@Suite("Values at a terminal")
struct ValueRendererTests {
  @Test("A list of objects is a table of all their fields, numbers at the right")
  func table() {
    let rows: Value = [
      ["_id": "k17", "_creationTime": 1_795_240_800_000, "name": "Ada", "balance": 1998],
      ["_id": "k2", "_creationTime": 1_795_240_800_001.5, "name": "Grace Hopper", "tags": ["x", 1], "balance": 0.5],
    ]
    expect(
      rows,
      """
      _id  balance  name          tags     _creationTime
      ───  ───────  ────────────  ───────  ────────────────────────
      k17     1998  Ada                    2026-11-21T06:00:00.000Z
      k2       0.5  Grace Hopper  ["x",1]  2026-11-21T06:00:00.001Z
      """)
  }

  @Test("A column with anything but numbers stands at the left")
  func mixedColumn() {
    expect([["a": 1, "b": 1], ["a": "text", "b": .int64(-10)]], "a       b\n────  ───\n1       1\ntext  -10")
  }

  @Test("An object is two columns")
  func object() {
    expect(["total": 1998, "orderId": "k1", "nested": ["a": nil]], "nested   {\"a\":null}\norderId  k1\ntotal    1998")
    expect([:], "{}")
  }

  static let plain: [(Value, String)] = [
    (.null, "null"), (true, "true"), (1998, "1998"), (.int64(.min), "-9223372036854775808"), ("text", "text"),
    (.float64(.nan), "NaN"), (.float64(-.infinity), "-Infinity"), (.float64(-0.0), "-0"), (.bytes([1, 2]), "2 bytes"),
    ([], "(empty)"), ([1, "a", [2]], "1\na\n[2]"), ([[:], [:]], "{}\n{}"), ([["a": 1], 2], "{\"a\":1}\n2"),
  ]

  @Test("Other values stand plainly", arguments: plain)
  func plainly(value: Value, text: String) {
    expect(value, text)
  }

  @Test("What a terminal would obey is shown and not sent")
  func controls() {
    expect("a\u{1B}[2Jb\nc\t\r\u{202E}d\u{9B}", "a\\u{1b}[2Jb\\nc\\t\\r\\u{202e}d\\u{9b}")
    expect([["k": "x\ny"]], "k\n────\nx\\ny")
  }

  @Test("A long cell is cut, and a line is kept in its width by the widest columns")
  func cutting() {
    let row: Value = [["a": .string(String(repeating: "x", count: 60)), "b": "short", "c": .string(String(repeating: "y", count: 30))]]
    let wide = ValueRenderer(maximumCellWidth: 20).render(row).split(separator: "\n")
    #expect(wide[2] == "xxxxxxxxxxxxxxxxxxx…  short  yyyyyyyyyyyyyyyyyyy…")
    for width in [24, 30, 41, 60, 80] {
      let lines = ValueRenderer(maximumLineWidth: width).render(row).split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= width }, "\(width)")
      #expect(lines[2].contains("short"))
    }
  }

  @Test("Wide characters take two columns")
  func wideCharacters() {
    #expect(DisplayWidth.of("aé日本") == 6)
    #expect(DisplayWidth.of("e\u{301}🙂") == 3)
    #expect(DisplayWidth.cut("日本語", to: 5) == "日本…")
    #expect(DisplayWidth.cut("日本語", to: 4) == "日…")
    #expect(DisplayWidth.cut("日本語", to: 6) == "日本語")
    #expect(DisplayWidth.cut("abc", to: 0) == "")
  }

  private func expect(_ value: Value, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(ValueRenderer().render(value) == text + "\n", sourceLocation: sourceLocation)
  }
}
