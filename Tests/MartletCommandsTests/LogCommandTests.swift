import Martlet
import MartletValues
import Testing

@testable import MartletCommands

@Suite("The commands of the log and of going back")
struct LogCommandTests {
  @Test("A commit is a line: its documents by their ids where they are few, else how many; the app's tables first")
  func table() {
    func write(_ table: String, _ id: String, _ op: String = "put") -> Value {
      ["table": .string(table), "id": .string(id), "op": .string(op)]
    }
    let commits: [Value] = [
      [
        "timestamp": 12, "at": 1_795_264_852_981, "function": "accounts:transferFunds", "writes": 3,
        "documents": [write("_session_answers", "s1"), write("accounts", "a1"), write("accounts", "a2", "delete")],
      ],
      [
        "timestamp": 11, "at": 1_795_264_852_900, "function": .null, "writes": 1_200,
        "documents": .array((0..<100).map { write("accounts", "a\($0)", $0 < 10 ? "delete" : "put") }),
      ],
    ]
    #expect(
      LogCommand.table(commits).render() == """
        timestamp  time                      function                documents
        ─────────  ────────────────────────  ──────────────────────  ─────────────────────────────────────────
               12  2026-11-21T12:40:52.981Z  accounts:transferFunds  accounts a1, −a2; _session_answers s1
               11  2026-11-21T12:40:52.900Z                          accounts 100 (10 deleted); and 1,100 more

        """)
  }

  @Test("Lengths of time and moments are taken as people write them, and nothing else is")
  func times() throws {
    for (text, seconds) in [("90s", 90.0), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("1.5h", 5_400)] {
      #expect(TimeSpan(argument: text)?.seconds == seconds)
    }
    for text in ["", "7", "d", "-1h", "0s", "7w", "nand", "infd", "1e9d"] { #expect(TimeSpan(argument: text) == nil, "\(text)") }
    let noon = 1_795_262_400_000.0
    for text in [
      "2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000Z", "2026-11-21 12:00:00", "2026-11-21T12:00", "2026-11-21T13:00:00+01:00",
    ] {
      #expect(Moment.milliseconds(text) == noon, "\(text)")
    }
    #expect(Moment.milliseconds("2026-11-21") == noon - 43_200_000)
    #expect(Moment.milliseconds("2026-11-21T12:00:00.125Z") == noon + 125)
    for text in ["", "noon", "2026-13-01", "12:00"] { #expect(Moment.milliseconds(text) == nil, "\(text)") }
    #expect(RestorePoint(argument: "17") == .timestamp(17))
    #expect(RestorePoint(argument: "2026-11-21T12:00:00Z") == .time(noon))
    let since = try #require(try RootCommand.parseAsRoot(["log", "--since", "1h", "--table", "a"]) as? LogCommand)
    #expect(try since.arguments(now: noon).json == #"{"limit":20,"since":\#(Int(noon) - 3_600_000),"table":"a"}"#)
  }

  @Test("Progress is a bar where it is known how much there is, else a count")
  func progress() {
    #expect(
      ServerWork.line(of: ["kind": "snapshot", "name": "monday", "documents": 12_000, "of": 24_000])
        == "snapshot monday ▕████████████░░░░░░░░░░░░▏ 50 %, 12,000 of 24,000 documents")
    #expect(ServerWork.line(of: ["kind": "restore", "name": "", "documents": 5, "of": 0]) == "restore, 5 documents")
  }
}
