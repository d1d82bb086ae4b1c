import Foundation
import TestSupport
import Testing

@testable import Martlet

@Suite("Schedules, by their properties")
struct SchedulePropertyTests {
  private static func valid(_ random: inout TestRandom, isDense: Bool) -> (expression: String, schedule: Schedule) {
    while true {
      let expression = random.cronExpression(isDense: isDense)
      let schedule = Schedule.cron(expression)
      if (try? schedule.validate()) != nil { return (expression, schedule) }
    }
  }

  @Test("The next time is the first minute that a naive reading of the expression matches", arguments: 1...4)
  func naive(_ seed: UInt64) {
    var random = TestRandom(seed: seed)
    for _ in 0..<600 {
      let (expression, schedule) = Self.valid(&random, isDense: true)
      let cron = NaiveCron(expression)
      let start = random.number(0..<4_000_000_000) / 60 * 60
      let next = schedule.next(after: Int64(start) * 1_000, anchor: 0).map { Int($0 / 1_000) }
      var minute = start + 60
      // Two days are enough for most; the others have no time in them.
      while minute < start + 2 * 86_400, !cron.matches(minute) { minute += 60 }
      if minute < start + 2 * 86_400 {
        #expect(next == minute, "\(expression) after \(start)")
      } else {
        #expect(next ?? .max >= minute, "\(expression) after \(start)")
      }
    }
  }

  @Test("The next time is later, matches the expression, and comes no earlier for a later instant", arguments: 1...4)
  func order(_ seed: UInt64) throws {
    var random = TestRandom(seed: seed &+ 100)
    for _ in 0..<500 {
      let (expression, schedule) = Self.valid(&random, isDense: random.oneIn(2))
      let cron = NaiveCron(expression)
      let start = Int64(random.number(-2_000_000_000_000..<4_000_000_000_000))
      let next = try #require(schedule.next(after: start, anchor: 0))
      #expect(next > start)
      #expect(next % 1_000 == 0 && cron.matches(Int(next / 1_000)), "\(expression) after \(start)")
      let between = start + Int64(random.number(0..<Int(next - start)))
      #expect(schedule.next(after: between, anchor: 0) == next, "\(expression) after \(between)")
      #expect(try #require(schedule.next(after: next, anchor: 0)) > next)
    }
  }

  @Test("Every day from 1 to 9999 is counted as Foundation counts it, and back")
  func days() {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0)!
    var expected = CivilDate(year: 1, month: 1, day: 1)
    var number = CivilDate.firstSecond / 86_400
    while number <= CivilDate.lastSecond / 86_400 {
      let date = CivilDate(dayNumber: number)
      guard date.year == expected.year, date.month == expected.month, date.day == expected.day, date.dayNumber == number else {
        Issue.record("day \(number) is \(date), not \(expected)")
        return
      }
      // Foundation's calendar is Julian before 1582.
      if number > -140_000, number % 97 == 0 {
        let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: Date(timeIntervalSince1970: Double(number) * 86_400))
        #expect(parts.year == date.year && parts.month == date.month && parts.day == date.day && parts.weekday == date.weekday + 1)
      }
      number += 1
      expected.day += 1
      if expected.day > expected.daysInMonth { (expected.day, expected.month) = (1, expected.month + 1) }
      if expected.month > 12 { (expected.month, expected.year) = (1, expected.year + 1) }
    }
    #expect(expected.year == 10_000)
  }

  @Test("29 February on a Sunday is found across 40 years, without a walk through their days")
  func rare() {
    let schedule = Schedule.cron("0 0 29 2 */7")
    // Those of 2088 and 2128: 2100 has none.
    let (first, second) = (Int64(3728851200_000), Int64(4991068800_000))
    #expect(schedule.next(after: first - 1, anchor: 0) == first)
    #expect(schedule.next(after: first, anchor: 0) == second)
    let clock = ContinuousClock()
    let elapsed = clock.measure {
      for shift in 0..<1_000 { #expect(schedule.next(after: first + Int64(shift), anchor: 0) == second) }
    }
    // A walk through 14,610 days would take a hundred times as long, one through minutes a hundred thousand times.
    #expect(elapsed < .seconds(2))
  }
}
