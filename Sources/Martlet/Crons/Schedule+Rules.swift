/// From what was written to what was meant, or to what is wrong with it.
extension Schedule {
  /// A hundred years.
  private static let longestInterval = Duration.seconds(36_525 * 86_400)

  static func rules(_ form: Form, timeZone: String?) throws(ScheduleError.Reason) -> Rules {
    switch form {
    case .interval(let interval):
      return .interval(milliseconds: try milliseconds(interval))
    case .hourly(let minute):
      return .calendar(CalendarFields(minutes: try bit(minute, .minute), hours: CalendarField.hour.everything), try zone(timeZone))
    case .daily(let hour, let minute):
      return .calendar(CalendarFields(minutes: try bit(minute, .minute), hours: try bit(hour, .hour)), try zone(timeZone))
    case .weekly(let weekday, let hour, let minute):
      var fields = CalendarFields(minutes: try bit(minute, .minute), hours: try bit(hour, .hour))
      fields.weekdays = 1 << Weekday.allCases.firstIndex(of: weekday)!
      return .calendar(fields, try zone(timeZone))
    case .monthly(let day, let hour, let minute):
      var fields = CalendarFields(minutes: try bit(minute, .minute), hours: try bit(hour, .hour))
      switch day {
      case .day(let day): fields.days = try bit(day, .dayOfMonth)
      case .last: (fields.days, fields.includesLastDay) = (0, true)
      }
      return .calendar(fields, try zone(timeZone))
    case .cron(let expression):
      return .calendar(try CalendarFields(cron: expression), try zone(timeZone))
    }
  }

  static func milliseconds(_ interval: Duration) throws(ScheduleError.Reason) -> Int64 {
    let (seconds, attoseconds) = interval.components
    guard interval >= .milliseconds(1), interval <= longestInterval, attoseconds % 1_000_000_000_000_000 == 0 else {
      throw ScheduleError.Reason("interval", found: "\(interval)", allowed: "whole milliseconds, from 1 ms to 36,525 days")
    }
    return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
  }

  private static func bit(_ number: Int, _ field: CalendarField) throws(ScheduleError.Reason) -> UInt64 {
    guard field.numbers.contains(number) else {
      throw ScheduleError.Reason(field.name, found: "\(number)", allowed: "\(field.numbers.lowerBound)-\(field.numbers.upperBound)")
    }
    return 1 << UInt64(number)
  }

  private static func zone(_ name: String?) throws(ScheduleError.Reason) -> LocalTimeRules? {
    guard let name else { return nil }
    guard let zone = LocalTimeRules(name) else {
      let allowed = "UTC, or a known IANA name, as Europe/Berlin"
      throw ScheduleError.Reason("time zone", found: "\"\(name)\"", allowed: allowed)
    }
    return zone
  }
}
