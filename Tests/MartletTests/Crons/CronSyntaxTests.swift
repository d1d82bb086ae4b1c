import TestSupport
import Testing

@testable import Martlet

@Suite("Cron expressions")
struct CronSyntaxTests {
  @Test(
    "Spellings of the same times",
    arguments: [
      ("0 0 * * MON-FRI", "0 0 * * 1-5"), ("0 0 * * fri-mon", "0 0 * * 0,1,5,6"), ("0 0 * * Sat-Sun", "0 0 * * 0,6"),
      ("0 0 * * 5-7", "0 0 * * 5,6,0"),
      ("0 0 * * 7-2", "0 0 * * 0-2"), ("0 0 * * 7", "0 0 * * 0"), ("0 0 * * 7-7", "0 0 * * SUN"), ("0 0 * * 0-7", "0 0 * * *"),
      ("0 0 * * 5/2", "0 0 * * 5"),
      ("0 0 * * 7/3", "0 0 * * 0,3,6"), ("0 22-2 * * *", "0 22,23,0,1,2 * * *"), ("0 22-3/2 * * *", "0 22,0,2 * * *"),
      ("50-10/7 * * * *", "50,57,4 * * * *"),
      ("5/15 * * * *", "5,20,35,50 * * * *"), ("*/15 * * * *", "0,15,30,45 * * * *"), ("10-50/20 * * * *", "10,30,50 * * * *"),
      ("5-5 * * * *", "5 * * * *"),
      ("0 0 1 NOV-FEB *", "0 0 1 1,2,11,12 *"), ("0 0 1 jan,Jul *", "0 0 1 1,7 *"), ("0 0 28-3 * *", "0 0 1-3,28-31 * *"),
      ("0 0 l * *", "0 0 L * *"),
      ("0 0 L 2 *", "0 0 L FEB *"), ("0 0 ? * MON", "0 0 * * MON"), ("0 0 1 * ?", "0 0 1 * *"), ("05 007 * * *", "5 7 * * *"),
      ("0 0 0 * * *", "0 0 * * *"),
      ("@hourly", "0 * * * *"), ("@Daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@weekly", "0 0 * * SUN"), ("@monthly", "0 0 1 * *"),
      ("@yearly", "0 0 1 JAN *"), ("@annually", "0 0 1 1 *"),
    ])
  func spellings(_ one: String, _ other: String) throws {
    let (one, other) = (Schedule.cron(one), Schedule.cron(other))
    var now: Int64 = 1_700_000_000_000
    for _ in 0..<300 {
      let next = try #require(one.next(after: now, anchor: 0))
      #expect(next == other.next(after: now, anchor: 0))
      now = next
    }
  }

  @Test("Both day fields: either is enough, unless one has a star; then both must match")
  func bothDays() throws {
    func days(_ expression: String, _ count: Int) -> [Int] {
      // January 2026 begins on a Thursday: 5, 12, 19 and 26 are Mondays.
      var now: Int64 = 1_767_225_599_999
      return (0..<count).map { _ in
        now = Schedule.cron(expression).next(after: now, anchor: 0)!
        return Int((now - 1_767_225_600_000) / 86_400_000) + 1
      }
    }
    #expect(days("0 0 13 * MON", 6) == [5, 12, 13, 19, 26, 33])
    #expect(days("0 0 * * MON", 4) == [5, 12, 19, 26])
    #expect(days("0 0 13 * *", 2) == [13, 44])
    #expect(days("0 0 */2 * MON", 3) == [5, 19, 40])
    #expect(days("0 0 13 * */2", 1) == [13])
    #expect(days("0 0 L * MON", 5) == [5, 12, 19, 26, 31])
    #expect(days("0 0 1-31 * MON", 3) == [1, 2, 3])
  }

  @Test(
    "A bad expression is refused with its field, what was found and what is allowed",
    arguments: [
      ("60 * * * *", "minute", "\"60\"", "0-59"), ("* 24 * * *", "hour", "\"24\"", "0-23"),
      ("* * 0 * *", "day of month", "\"0\"", "1-31 or L (the last day)"),
      ("* * 32 * *", "day of month", "\"32\"", "1-31 or L (the last day)"), ("* * * 13 *", "month", "\"13\"", "1-12 or JAN-DEC"),
      ("* * * JANUARY *", "month", "\"JANUARY\"", "1-12 or JAN-DEC"),
      ("* * * * 8", "day of week", "\"8\"", "0-7 (0 and 7 are Sunday) or SUN-SAT"),
      ("* * * * L", "day of week", "\"L\"", "0-7 (0 and 7 are Sunday) or SUN-SAT"),
      ("* * * * MON#1", "day of week", "\"MON#1\"", "0-7 (0 and 7 are Sunday) or SUN-SAT"),
      ("* * LW * *", "day of month", "\"LW\"", "1-31 or L (the last day)"),
      ("* * L-3 * *", "day of month", "\"L\"", "1-31 or L (the last day)"),
      ("* * L/2 * *", "day of month", "\"L\"", "1-31 or L (the last day)"), ("? * * * *", "minute", "\"?\"", "0-59"),
      ("JAN * * * *", "minute", "\"JAN\"", "0-59"),
      ("60 * * * * *", "second", "\"60\"", "0-59"), ("-5 * * * *", "minute", "\"\"", "0-59"), ("5- * * * *", "minute", "\"\"", "0-59"),
      ("1-2-3 * * * *", "minute", "\"1-2-3\"", "0-59"), ("*-5 * * * *", "minute", "\"*\"", "0-59"),
      ("1,,2 * * * *", "minute", "nothing in a place of its list", "0-59"),
      ("1, * * * *", "minute", "nothing in a place of its list", "0-59"), ("*/0 * * * *", "minute", "step \"0\"", "1-59 after the /"),
      ("*/ * * * *", "minute", "step \"\"", "1-59 after the /"), ("*/5/5 * * * *", "minute", "\"*/5/5\"", "0-59"),
      ("*/x * * * *", "minute", "step \"x\"", "1-59 after the /"),
      (
        "*/90 * * * *", "minute", "step \"90\"",
        "1-59 after the /; steps begin anew in each round of the field, for others there are intervals"
      ),
      ("+5 * * * *", "minute", "\"+5\"", "0-59"), ("٥ * * * *", "minute", "\"٥\"", "0-59"),
      ("99999999999999999999 * * * *", "minute", "\"99999999999999999999\"", "0-59"),
      ("* * * *", "fields", "4", "5 (minute, hour, day of month, month, day of week), or 6 with seconds first"),
      ("* * * * * * *", "fields", "7", "5 (minute, hour, day of month, month, day of week), or 6 with seconds first"),
      ("", "fields", "0", "5 (minute, hour, day of month, month, day of week), or 6 with seconds first"),
      ("@reboot", "schedule", "\"@reboot\"", "@annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly"),
    ])
  func refused(_ expression: String, _ field: String, _ found: String, _ allowed: String) {
    let schedule = Schedule.cron(expression)
    let error = #expect(throws: ScheduleError.self) { try schedule.validate() }
    #expect(error?.field == field)
    #expect(error?.found == found)
    #expect(error?.allowed == allowed)
    #expect(error?.schedule == "cron \(expression)")
    #expect(schedule.next(after: 0, anchor: 0) == nil)
  }

  @Test(
    "A day that never comes is refused for that reason",
    arguments: ["0 0 30 2 *", "0 0 31 2,4,6,SEP,11 *", "0 0 30,31 FEB ?", "0 0 30 2 */7"])
  func never(_ expression: String) {
    let error = #expect(throws: ScheduleError.self) { try Schedule.cron(expression).validate() }
    #expect(error?.field == "day of month")
    #expect(error?.found.hasSuffix("which never comes") == true)
    #expect(error?.allowed == "a day that one of the months has")
  }

  @Test(
    "A day that comes seldom, or beside a weekday, is taken",
    arguments: ["0 0 29 2 *", "0 0 30 2 MON", "0 0 31 2,3 *", "0 0 29 2 */7", "0 0 30,L 2 *"])
  func seldom(_ expression: String) throws { try Schedule.cron(expression).validate() }

  @Test("An error of an endless expression is short")
  func longErrors() {
    let error = #expect(throws: ScheduleError.self) { try Schedule.cron(String(repeating: "9", count: 100_000) + " * * * *").validate() }
    #expect((error?.description.count ?? .max) < 600)
  }

  @Test("Random bytes are refused or taken, and never crash")
  func fuzz() {
    var random = TestRandom(seed: 7)
    let alphabet = Array("0123456789 */-,?L#@JANFEBMONSUNé \t")
    for _ in 0..<20_000 {
      let expression = String((0..<random.number(0..<24)).map { _ in random.element(of: alphabet) })
      let schedule = Schedule.cron(expression)
      let isValid = (try? schedule.validate()) != nil
      #expect((schedule.next(after: 1_767_225_600_000, anchor: 0) != nil) == isValid)
      if isValid { #expect((try? Schedule(text: schedule.text)) == schedule) }
    }
  }
}
