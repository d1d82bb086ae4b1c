/// A schedule as one line, for documents and people.
///
/// | text | description |
/// |---|---|
/// | `every 30s` | every 30 seconds |
/// | `hourly :05` | every hour at :05 UTC |
/// | `daily 03:00 in Europe/Berlin` | every day at 03:00 Europe/Berlin |
/// | `weekly monday 09:30` | every Monday at 09:30 UTC |
/// | `monthly 31 00:00` | every month that has a day 31, on it at 00:00 UTC |
/// | `monthly last 00:00` | every month on its last day at 00:00 UTC |
/// | `cron */5 * * * *` | by cron */5 * * * *, UTC |
///
/// The text stores a schedule and restores it: it is the same for equal schedules, differs for others, and will be read by later versions.
extension Schedule {
  public var text: String { Self.text(form, timeZone: timeZone) }

  /// - Throws: also where the text is well formed, and the schedule isn't valid.
  public init(text: String) throws(ScheduleError) {
    guard let schedule = Self.parse(text) else {
      let allowed =
        "every 30s (ms, s, m, h or d), hourly :05, daily 03:00, weekly monday 03:00, monthly 31 03:00, monthly last 03:00 or cron */5 * * * *; "
        + "all but the first may end in a time zone, as in Europe/Berlin"
      throw ScheduleError(schedule: text, reason: ScheduleError.Reason("schedule", found: "another form", allowed: allowed))
    }
    try schedule.validate()
    self = schedule
  }

  static func text(_ form: Form, timeZone: String?) -> String {
    let text =
      switch form {
      case .interval(let interval): "every \(wholeLength(interval).map { "\($0.count)\($0.unit.name)" } ?? "\(interval)")"
      case .hourly(let minute): "hourly :\(padded(minute))"
      case .daily(let hour, let minute): "daily \(time(hour, minute))"
      case .weekly(let weekday, let hour, let minute): "weekly \(weekday.rawValue) \(time(hour, minute))"
      case .monthly(.day(let day), let hour, let minute): "monthly \(day) \(time(hour, minute))"
      case .monthly(.last, let hour, let minute): "monthly last \(time(hour, minute))"
      case .cron(let expression): "cron \(expression)"
      }
    return timeZone.map { "\(text) in \($0)" } ?? text
  }

  // MARK: reading

  private static func parse(_ text: String) -> Schedule? {
    var words = text.split(whereSeparator: \.isWhitespace)
    var timeZone: String?
    if words.count >= 2, words[words.count - 2] == "in" {
      timeZone = String(words.last!)
      words.removeLast(2)
    }
    guard words.count >= 2 else { return nil }
    if words[0] == "cron" { return .cron(words.dropFirst().joined(separator: " "), timeZone: timeZone) }
    switch (words[0], words.count) {
    case ("every", 2) where timeZone == nil:
      return parseLength(words[1]).map { .interval($0) }
    case ("hourly", 2):
      guard words[1].first == ":", let minute = parseNumber(words[1].dropFirst()) else { return nil }
      return .hourly(minute: minute, timeZone: timeZone)
    case ("daily", 2):
      guard let (hour, minute) = parseTime(words[1]) else { return nil }
      return .daily(hour: hour, minute: minute, timeZone: timeZone)
    case ("weekly", 3):
      guard let weekday = Weekday(rawValue: String(words[1])), let (hour, minute) = parseTime(words[2]) else { return nil }
      return .weekly(on: weekday, hour: hour, minute: minute, timeZone: timeZone)
    case ("monthly", 3):
      guard let day = words[1] == "last" ? .last : parseNumber(words[1]).map(MonthDay.day), let (hour, minute) = parseTime(words[2])
      else { return nil }
      return .monthly(day: day, hour: hour, minute: minute, timeZone: timeZone)
    default:
      return nil
    }
  }

  private static func parseNumber(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? Int(text) : nil
  }

  private static func parseTime(_ text: Substring) -> (hour: Int, minute: Int)? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let hour = parseNumber(parts[0]), let minute = parseNumber(parts[1]) else { return nil }
    return (hour, minute)
  }

  private static func parseLength(_ text: Substring) -> Duration? {
    let digits = text.prefix { $0.isNumber }
    guard let count = parseNumber(digits), let unit = units.first(where: { $0.name == text.dropFirst(digits.count) }) else { return nil }
    // What overflows is longer than any valid interval still, and `validate` names the bounds.
    let (milliseconds, overflows) = Int64(count).multipliedReportingOverflow(by: unit.milliseconds)
    return .milliseconds(overflows ? .max : milliseconds)
  }
}
