import Foundation
import Testing

@testable import MartletCommands

@Suite("What was typed before")
struct LineHistoryTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/martlet-\(UUID().uuidString)"

  @Test("Lines are there again in the next shell, 1,000 of them, in a file that only its owner reads")
  func file() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = try #require(LineHistory.path(["XDG_STATE_HOME": folder, "HOME": "/nowhere"]))
    var history = LineHistory(path: path)
    for number in 0..<1_200 { history.add("line \(number)") }
    #expect(history.lines.count == 1_000 && history.lines.first == "line 200")
    #expect(LineHistory(path: path).lines == history.lines)
    #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 1_000, "it was cut at the start")
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test("Two shells keep each other's lines")
  func shared() {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var (one, other) = (LineHistory(path: folder + "/history"), LineHistory(path: folder + "/history"))
    one.add("a")
    other.add("b")
    one.add("c")
    #expect(LineHistory(path: folder + "/history").lines == ["a", "b", "c"])
  }

  @Test("Repetitions, secrets, and lines that begin with a blank are not kept; a place that can't be written is no error")
  func unwanted() {
    var history = LineHistory(path: "/proc/nothing/history")
    for line in ["stats", "stats", " secret", "", "  ", "tables --token key", "stats --json"] { history.add(line) }
    #expect(history.lines == ["stats", "stats --json"])
    #expect(LineHistory.path(["HOME": "/home/ada"]) == "/home/ada/.martlet_history" && LineHistory.path([:]) == nil)
  }
}
