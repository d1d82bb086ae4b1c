import Foundation
import TestSupport
import Testing

@testable import Martlet

@Suite("Schedules where clocks change")
struct LocalTimeTests {
  /// What the clock of a zone shows at the next runs: `30 03:00 +0200` is the 30th of its month, with the offset.
  private static func runs(_ expression: String, _ zone: String, from start: String, _ count: Int) throws -> [String] {
    let schedule = Schedule.cron(expression, timeZone: zone)
    try schedule.validate()
    var now = Int64(try Date(start, strategy: .iso8601).timeIntervalSince1970 * 1_000)
    return try (0..<count).map { _ in
      now = try #require(schedule.next(after: now, anchor: 0))
      let date = Date(timeIntervalSince1970: Double(now) / 1_000)
      let offset = TimeZone(identifier: zone)!.secondsFromGMT(for: date)
      let day = CivilDate(dayNumber: (Int(now / 1_000) + offset).flooringDivided(by: 86_400)).day
      let minute = (Int(now / 1_000) + offset).flooringRemainder(by: 86_400) / 60
      let zoneText = "\(offset < 0 ? "-" : "+")\(padded(abs(offset) / 3_600))\(padded(abs(offset) / 60 % 60))"
      return "\(padded(day)) \(padded(minute / 60)):\(padded(minute % 60)) \(zoneText)"
    }
  }

  private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  @Test(
    "Berlin goes forward: what is skipped runs once after the gap, and by-the-hour schedules go on",
    arguments: [
      ("30 2 * * *", ["30 03:00 +0200", "31 02:30 +0200"]),
      ("0 2,3 * * *", ["30 03:00 +0200", "31 02:00 +0200", "31 03:00 +0200"]),
      ("*/10 2 * * *", ["30 03:00 +0200", "31 02:00 +0200"]),
      ("* 2-3 * * *", ["30 03:00 +0200", "30 03:01 +0200"]),
      ("0 */2 * * *", ["30 03:00 +0200", "30 04:00 +0200", "30 06:00 +0200"]),
      ("0 2 30 3 *", ["30 03:00 +0200", "30 02:00 +0200"]),
      ("0 3 * * *", ["30 03:00 +0200", "31 03:00 +0200"]),
      ("30 * * * *", ["30 01:30 +0100", "30 03:30 +0200", "30 04:30 +0200"]),
      ("0 * * * *", ["30 03:00 +0200", "30 04:00 +0200"]),
      ("*/30 0-23 * * *", ["30 01:30 +0100", "30 03:00 +0200", "30 03:30 +0200"]),
      ("59 59 1 * * *", ["30 01:59 +0100", "31 01:59 +0200"]),
    ])
  func berlinForward(_ expression: String, _ expected: [String]) throws {
    #expect(try Self.runs(expression, "Europe/Berlin", from: "2025-03-30T00:15:00Z", expected.count) == expected)
  }

  @Test(
    "Berlin goes back: a time that comes twice runs first, and by-the-hour schedules run in both hours",
    arguments: [
      ("30 2 * * *", ["26 02:30 +0200", "27 02:30 +0100"]),
      ("0 2,3 * * *", ["26 02:00 +0200", "26 03:00 +0100", "27 02:00 +0100"]),
      ("0 3 * * *", ["26 03:00 +0100", "27 03:00 +0100"]),
      ("*/30 1-2 * * *", ["26 01:30 +0200", "26 02:00 +0200", "26 02:30 +0200", "27 01:00 +0100"]),
      ("0 */2 * * *", ["26 02:00 +0200", "26 04:00 +0100"]),
      ("30 * * * *", ["26 01:30 +0200", "26 02:30 +0200", "26 02:30 +0100", "26 03:30 +0100"]),
      ("0 * * * *", ["26 02:00 +0200", "26 02:00 +0100", "26 03:00 +0100"]),
      ("*/30 */1 * * *", ["26 01:30 +0200", "26 02:00 +0200", "26 02:30 +0200", "26 02:00 +0100", "26 02:30 +0100", "26 03:00 +0100"]),
    ])
  func berlinBack(_ expression: String, _ expected: [String]) throws {
    #expect(try Self.runs(expression, "Europe/Berlin", from: "2025-10-25T23:15:00Z", expected.count) == expected)
  }

  @Test("Asked in the second of two hours, a daily schedule goes on to the next day")
  func withinTheSecondHour() throws {
    for minute in ["00", "10", "30", "45", "59"] {
      let start = "2025-10-26T01:\(minute):00Z"
      #expect(try Self.runs("30 2 * * *", "Europe/Berlin", from: start, 1) == ["27 02:30 +0100"])
      #expect(try Self.runs("* 2-3 * * *", "Europe/Berlin", from: start, 1) == ["26 03:00 +0100"])
      #expect(try Self.runs("* * 2 * * *", "Europe/Berlin", from: start, 1) == ["27 02:00 +0100"])
    }
  }

  @Test("New York")
  func newYork() throws {
    let zone = "America/New_York"
    #expect(try Self.runs("30 2 * * *", zone, from: "2025-03-09T05:30:00Z", 2) == ["09 03:00 -0400", "10 02:30 -0400"])
    #expect(try Self.runs("30 * * * *", zone, from: "2025-03-09T05:30:00Z", 2) == ["09 01:30 -0500", "09 03:30 -0400"])
    #expect(try Self.runs("30 1 * * *", zone, from: "2025-11-02T04:30:00Z", 2) == ["02 01:30 -0400", "03 01:30 -0500"])
    #expect(try Self.runs("30 * * * *", zone, from: "2025-11-02T04:30:00Z", 3) == ["02 01:30 -0400", "02 01:30 -0500", "02 02:30 -0500"])
  }

  @Test("Lord Howe changes by half an hour")
  func lordHowe() throws {
    let zone = "Australia/Lord_Howe"
    // 02:00 becomes 02:30.
    #expect(try Self.runs("15 2 * * *", zone, from: "2025-10-04T14:00:00Z", 2) == ["05 02:30 +1100", "06 02:15 +1100"])
    #expect(
      try Self.runs("15,45 2 * * *", zone, from: "2025-10-04T14:00:00Z", 3) == ["05 02:30 +1100", "05 02:45 +1100", "06 02:15 +1100"])
    #expect(try Self.runs("15 * * * *", zone, from: "2025-10-04T14:00:00Z", 3) == ["05 01:15 +1030", "05 03:15 +1100", "05 04:15 +1100"])
    // 02:00 becomes 01:30.
    #expect(try Self.runs("45 1 * * *", zone, from: "2025-04-05T14:00:00Z", 2) == ["06 01:45 +1100", "07 01:45 +1030"])
    #expect(try Self.runs("45 * * * *", zone, from: "2025-04-05T14:00:00Z", 3) == ["06 01:45 +1100", "06 01:45 +1030", "06 02:45 +1030"])
    #expect(try Self.runs("15 * * * *", zone, from: "2025-04-05T14:00:00Z", 2) == ["06 01:15 +1100", "06 02:15 +1030"])
  }

  @Test("Beirut has a day without a midnight, and one with two")
  func beirut() throws {
    let zone = "Asia/Beirut"
    #expect(try Self.runs("0 0 * * *", zone, from: "2025-03-29T12:00:00Z", 2) == ["30 01:00 +0300", "31 00:00 +0300"])
    #expect(try Self.runs("30 0 30 * *", zone, from: "2025-03-29T12:00:00Z", 2) == ["30 01:00 +0300", "30 00:30 +0300"])
    #expect(try Self.runs("0 0 * * SUN", zone, from: "2025-03-29T12:00:00Z", 2) == ["30 01:00 +0300", "06 00:00 +0300"])
    // Midnight comes, and is 23:00 of the day before again: 00:00 on the 26th is the only one, 23:30 on the 25th comes twice.
    #expect(try Self.runs("30 23 * * *", zone, from: "2025-10-25T12:00:00Z", 2) == ["25 23:30 +0300", "26 23:30 +0200"])
    #expect(try Self.runs("0 0 * * *", zone, from: "2025-10-25T12:00:00Z", 2) == ["26 00:00 +0200", "27 00:00 +0200"])
    #expect(try Self.runs("30 * * * SAT", zone, from: "2025-10-25T20:00:00Z", 3) == ["25 23:30 +0300", "25 23:30 +0200", "01 00:30 +0200"])
  }

  @Test("Samoa skipped a day, and made up for it at the first moment of the next")
  func samoa() throws {
    let runs = try Self.runs("0 3 * * *", "Pacific/Apia", from: "2011-12-28T14:00:00Z", 3)
    #expect(runs == ["29 03:00 -1000", "31 00:00 +1400", "31 03:00 +1400"])
    let hours = try Self.runs("0 * * * *", "Pacific/Apia", from: "2011-12-30T08:30:00Z", 3)
    #expect(hours == ["29 23:00 -1000", "31 00:00 +1400", "31 01:00 +1400"])
  }

  @Test("A zone without changes is UTC, shifted")
  func withoutChanges() throws {
    var random = TestRandom(seed: 21)
    for _ in 0..<500 {
      let expression = random.cronExpression(isDense: false)
      let instant = Int64(random.number(1_000_000_000..<3_000_000_000)) * 1_000
      let shift: Int64 = 19_800_000
      let there = Schedule.cron(expression, timeZone: "Asia/Kolkata").next(after: instant, anchor: 0)
      #expect(there == Schedule.cron(expression).next(after: instant + shift, anchor: 0).map { $0 - shift })
    }
  }

  @Test(
    "Around every change, runs are those that a walk through all minutes finds",
    arguments: ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/Santiago", "Africa/Casablanca"])
  func everyMinute(_ name: String) throws {
    let zone = try #require(TimeZone(identifier: name))
    func offset(_ instant: Int) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant))) }
    var random = TestRandom(seed: 22)
    var changes = 0
    // Days of 2015 to 2021 that end with another offset than they began with.
    for day in 16_436..<18_993 where offset(day * 86_400) != offset((day + 1) * 86_400) {
      changes += 1
      for _ in 0..<5 {
        let fields = [
          random.element(of: ["0", "30", "15,45", "*/20", "7"]), random.element(of: ["*", "*/2", "0", "1-3", "2", "23,0,1", "0-23"]),
          random.element(of: ["*", "*", "L", "28-31"]), "*", random.element(of: ["*", "*", "SAT,SUN"]),
        ]
        let expression = fields.joined(separator: " ")
        let cron = NaiveCron(expression)
        let (start, end) = ((day - 1) * 86_400, (day + 2) * 86_400)
        var expected: [Int] = []
        var shown: Set<Int> = []
        for instant in stride(from: start - 86_400, to: end, by: 60) {
          let (before, reading) = (instant - 60 + offset(instant - 60), instant + offset(instant))
          let isFirst = shown.insert(reading).inserted
          let skipped = stride(from: before + 60, to: reading, by: 60)
          let runs =
            cron.runsEveryHour ? cron.matches(reading) : isFirst && cron.matches(reading) || skipped.contains { cron.matches($0) }
          if runs, instant >= start { expected.append(instant) }
        }
        var (found, now): ([Int], Int64) = ([], Int64(start) * 1_000 - 1)
        let schedule = Schedule.cron(expression, timeZone: name)
        while let next = schedule.next(after: now, anchor: 0), next < end * 1_000 {
          found.append(Int(next / 1_000))
          now = next
        }
        #expect(found == expected, "\(expression) in \(name) from \(start)")
      }
    }
    #expect(changes >= 12)
  }

  @Test(
    "Other names of zones",
    arguments: [
      ("Etc/UTC", true), ("GMT", true), ("US/Eastern", true), ("Asia/Calcutta", true), ("CET", false), ("", false),
      ("Europe/Nowhere", false), ("/etc/localtime", false), ("+02:00", false),
    ])
  func names(_ name: String, _ isTaken: Bool) {
    #expect(((try? Schedule.daily(hour: 3, timeZone: name).validate()) != nil) == isTaken)
  }
}
