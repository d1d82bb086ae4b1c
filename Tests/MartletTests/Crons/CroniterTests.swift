import Foundation
import Martlet
import Testing

/// `Tests/Fixtures/croniter.txt` holds what Python's croniter, a second implementation, says; `dev/cron-table` made it.
@Suite("Schedules beside croniter")
struct CroniterTests {
  private struct Row {
    let instant: Int64
    let seconds: Int64
    let expression: String
    let timeZone: String?
  }

  private static func rows() throws -> [Row] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("Fixtures/croniter.txt"), encoding: .utf8).split(separator: "\n")
      .filter { !$0.hasPrefix("#") }
      .map { line in
        let parts = line.split(separator: "\t")
        return Row(
          instant: try #require(Int64(parts[0])), seconds: try #require(Int64(parts[1])), expression: String(parts[2]),
          timeZone: parts.count > 3 ? String(parts[3]) : nil)
      }
  }

  @Test("10,000 recorded expressions and instants in UTC, and 1,000 in time zones, have the same next run")
  func table() throws {
    let rows = try Self.rows()
    #expect(rows.count { $0.timeZone == nil } == 10_000)
    #expect(rows.count { $0.timeZone != nil } == 1_000)
    for row in rows {
      let schedule = Schedule.cron(row.expression, timeZone: row.timeZone)
      let next = schedule.next(after: row.instant * 1_000, anchor: 0)
      let expected = (row.instant + row.seconds) * 1_000
      if next != expected {
        let found = next.map { "\($0 / 1_000 - row.instant)" } ?? "nothing"
        Issue.record("\(row.expression) in \(row.timeZone ?? "UTC") after \(row.instant): croniter \(row.seconds) s, here \(found) s")
      }
    }
  }
}
