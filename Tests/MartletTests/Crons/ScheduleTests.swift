import Martlet
import TestSupport
import Testing

@Suite("Schedules")
struct ScheduleTests {
  /// What docs/scheduling.md shows.
  static let samples: [(schedule: Schedule, text: String, description: String)] = [
    (.interval(.seconds(30)), "every 30s", "every 30 seconds"),
    (.interval(.milliseconds(1)), "every 1ms", "every millisecond"),
    (.interval(.milliseconds(1_500)), "every 1500ms", "every 1500 milliseconds"),
    (.interval(.seconds(90)), "every 90s", "every 90 seconds"),
    (.interval(.seconds(7_200)), "every 2h", "every 2 hours"),
    (.interval(.seconds(36_525 * 86_400)), "every 36525d", "every 36525 days"),
    (.hourly(minute: 5), "hourly :05", "every hour at :05 UTC"),
    (.hourly(minute: 45, timeZone: "Asia/Kolkata"), "hourly :45 in Asia/Kolkata", "every hour at :45 Asia/Kolkata"),
    (.daily(hour: 3, minute: 30), "daily 03:30", "every day at 03:30 UTC"),
    (.daily(hour: 3, timeZone: "Europe/Berlin"), "daily 03:00 in Europe/Berlin", "every day at 03:00 Europe/Berlin"),
    (.weekly(on: .monday, hour: 9), "weekly monday 09:00", "every Monday at 09:00 UTC"),
    (.monthly(day: 1, hour: 12), "monthly 1 12:00", "every month on day 1 at 12:00 UTC"),
    (.monthly(day: 31, hour: 0), "monthly 31 00:00", "every month that has a day 31, on it at 00:00 UTC"),
    (.monthly(day: .last, hour: 0), "monthly last 00:00", "every month on its last day at 00:00 UTC"),
    (.cron("*/5  * *\t* *"), "cron */5 * * * *", "by cron */5 * * * *, UTC"),
    (.cron("@daily", timeZone: "America/New_York"), "cron @daily in America/New_York", "by cron @daily, America/New_York"),
  ]

  @Test("A schedule is restored from its text, and described for people", arguments: samples.indices)
  func texts(_ index: Int) throws {
    let (schedule, text, description) = Self.samples[index]
    try schedule.validate()
    #expect(schedule.text == text)
    #expect(schedule.description == description)
    let restored = try Schedule(text: text)
    #expect(restored == schedule)
    #expect(restored.hashValue == schedule.hashValue)
    let now: Int64 = 1_767_225_600_123
    #expect(restored.next(after: now, anchor: 77) == schedule.next(after: now, anchor: 77))
  }

  @Test("Schedules are equal if their texts are")
  func equality() {
    let schedules = Self.samples.map(\.schedule)
    #expect(Set(schedules).count == schedules.count)
    #expect(Schedule.interval(.seconds(60)) == .interval(.milliseconds(60_000)))
    #expect(Schedule.daily(hour: 3, timeZone: "UTC") == .daily(hour: 3))
    #expect(Schedule.cron("0 3 * * *") != .daily(hour: 3))
  }

  @Test(
    "A text of another form is refused with those that there are",
    arguments: [
      "", "every", "every 30", "every s", "every -3s", "every 30s in Europe/Berlin", "every 99999999999999999999s", "hourly 5", "daily 3",
      "daily 03:00 UTC",
      "weekly mon 03:00", "weekly 03:00", "monthly 03:00", "monthly first 03:00", "cron", "*/5 * * * *", "in Europe/Berlin",
    ])
  func unreadableTexts(_ text: String) {
    let error = #expect(throws: ScheduleError.self) { try Schedule(text: text) }
    #expect(error?.field == "schedule")
    #expect(error?.schedule == text)
    #expect(error?.allowed.contains("daily 03:00") == true)
  }

  @Test(
    "A schedule that can't be is refused with its field, what was found and what is allowed, and never runs",
    arguments: [
      (.interval(.zero), #"every 0.0 seconds: interval: found 0.0 seconds, expected whole milliseconds, from 1 ms to 36,525 days"#),
      (
        .interval(.microseconds(1_500)),
        "every 0.0015 seconds: interval: found 0.0015 seconds, expected whole milliseconds, from 1 ms to 36,525 days"
      ),
      (.hourly(minute: 60), "hourly :60: minute: found 60, expected 0-59"),
      (.daily(hour: 24), "daily 24:00: hour: found 24, expected 0-23"),
      (.daily(hour: 3, minute: -1), "daily 03:-1: minute: found -1, expected 0-59"),
      (.weekly(on: .friday, hour: -1), "weekly friday -1:00: hour: found -1, expected 0-23"),
      (.monthly(day: 0, hour: 3), "monthly 0 03:00: day of month: found 0, expected 1-31"),
      (.monthly(day: 32, hour: 3), "monthly 32 03:00: day of month: found 32, expected 1-31"),
      (
        .daily(hour: 3, timeZone: "Europe/Nowhere"),
        #"daily 03:00 in Europe/Nowhere: time zone: found "Europe/Nowhere", expected UTC, or a known IANA name, as Europe/Berlin"#
      ),
      (
        .daily(hour: 3, timeZone: "EST"),
        #"daily 03:00 in EST: time zone: found "EST", expected UTC, or a known IANA name, as Europe/Berlin"#
      ),
    ] as [(Schedule, String)])
  func refused(_ schedule: Schedule, _ message: String) {
    let error = #expect(throws: ScheduleError.self) { try schedule.validate() }
    #expect(error?.description == message)
    #expect(schedule.next(after: 0, anchor: 0) == nil)
  }

  @Test("A text that is well formed is refused with what is wrong in it")
  func invalidTexts() {
    for (text, field) in [
      ("every 0s", "interval"), ("every 36526d", "interval"), ("every 999999999999d", "interval"), ("daily 27:00", "hour"),
      ("monthly 32 00:00", "day of month"),
      ("daily 03:00 in Mars/Phobos", "time zone"), ("cron 0 0 30 2 *", "day of month"),
    ] {
      let error = #expect(throws: ScheduleError.self) { try Schedule(text: text) }
      #expect(error?.field == field)
    }
  }

  // MARK: times

  @Test("Intervals are whole multiples from the anchor, on both sides of it")
  func intervals() {
    var random = TestRandom(seed: 11)
    for _ in 0..<5_000 {
      let length = Int64(random.number(1..<random.element(of: [3, 1_000, 100_000_000])))
      let anchor = Int64(random.number(-2_000_000_000_000..<2_000_000_000_000))
      let after =
        random.oneIn(4) ? anchor + length * Int64(random.number(-9..<9)) : Int64(random.number(-2_000_000_000_000..<2_000_000_000_000))
      let next = Schedule.interval(.milliseconds(length)).next(after: after, anchor: anchor)!
      #expect(next > after && next - after <= length)
      #expect((next - anchor) % length == 0)
    }
  }

  @Test("A thousand late runs of an interval cause no drift")
  func drift() {
    var random = TestRandom(seed: 12)
    let schedule = Schedule.interval(.seconds(30))
    var now: Int64 = 1_767_225_600_007
    let anchor = now
    for _ in 0..<1_000 {
      now = schedule.next(after: now, anchor: anchor)!
      #expect((now - anchor) % 30_000 == 0)
      now += Int64(random.number(0..<29_000))
    }
    #expect(schedule.next(after: now, anchor: anchor)! - anchor <= 1_000 * 59_000 + 30_000)
  }

  @Test("Instants at the ends of what can be counted cause no crash")
  func extremes() {
    for (schedule, _, _) in Self.samples {
      for instant in [Int64.min, .min + 1, .max - 1, .max, -62_135_596_800_001, 253_402_300_799_000] {
        for anchor in [Int64.min, 0, .max] {
          if let next = schedule.next(after: instant, anchor: anchor) { #expect(next > instant) }
        }
      }
    }
    #expect(Schedule.daily(hour: 0).next(after: .max, anchor: 0) == nil)
    #expect(Schedule.daily(hour: 0).next(after: 253_402_300_799_000, anchor: 0) == nil)
    #expect(Schedule.interval(.seconds(1)).next(after: .max, anchor: 0) == nil)
  }

  @Test("Hours, days, weeks and months are what the same cron expressions are")
  func equivalents() {
    let pairs: [(Schedule, String)] = [
      (.hourly(minute: 5), "5 * * * *"), (.hourly(), "@hourly"), (.daily(hour: 3, minute: 30), "30 3 * * *"),
      (.weekly(on: .sunday, hour: 9), "0 9 * * 7"), (.weekly(on: .saturday, hour: 9, minute: 1), "1 9 * * SAT"),
      (.monthly(day: 31, hour: 23, minute: 59), "59 23 31 * *"), (.monthly(day: .last, hour: 0), "0 0 L * *"),
    ]
    var random = TestRandom(seed: 13)
    for (schedule, expression) in pairs {
      for zone in [nil, "Europe/Berlin"] {
        let written = zone == nil ? schedule : try! Schedule(text: "\(schedule.text) in \(zone!)")
        for _ in 0..<200 {
          let instant = Int64(random.number(0..<4_000_000_000_000))
          #expect(written.next(after: instant, anchor: 0) == Schedule.cron(expression, timeZone: zone).next(after: instant, anchor: 0))
        }
      }
    }
  }

  @Test(
    "A month of every minute has 43,200 times, a year of days 365, a year of 31sts seven",
    arguments: [
      ("* * * * *", 30, 43_200), ("* * * * * *", 1, 86_400), ("*/5 * * * *", 30, 8_640), ("0 0 * * *", 365, 365), ("0 0 31 * *", 365, 7),
      ("0 0 L * *", 365, 12),
      ("0 12 * * MON-FRI", 365, 261), ("0 0 13 * FRI", 365, 12 + 52 - 3),
    ])
  func counts(_ expression: String, _ days: Int, _ count: Int) throws {
    // 2026 begins on a Thursday, and has three Fridays on a 13th.
    let start: Int64 = 1_767_225_600_000
    let schedule = Schedule.cron(expression)
    var (found, now) = (0, start - 1)
    while let next = schedule.next(after: now, anchor: 0), next < start + Int64(days) * 86_400_000 {
      (found, now) = (found + 1, next)
    }
    #expect(found == count)
  }
}
