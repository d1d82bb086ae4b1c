/// A field of a cron expression: its numbers, and the names that stand for them.
enum CalendarField: CaseIterable {
  case second, minute, hour, dayOfMonth, month, dayOfWeek

  var name: String {
    switch self {
    case .second: "second"
    case .minute: "minute"
    case .hour: "hour"
    case .dayOfMonth: "day of month"
    case .month: "month"
    case .dayOfWeek: "day of week"
    }
  }

  /// 7 is Sunday as well as 0.
  var numbers: ClosedRange<Int> {
    switch self {
    case .second, .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  /// The number that `*`, and a range that wraps around, goes up to.
  var last: Int { self == .dayOfWeek ? 6 : numbers.upperBound }

  var everything: UInt64 { (numbers.lowerBound...last).reduce(0) { $0 | 1 << UInt64($1) } }

  /// In the order of their numbers, from the field's lowest on.
  var names: [String] {
    switch self {
    case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    default: []
    }
  }

  var isDay: Bool { self == .dayOfMonth || self == .dayOfWeek }

  /// What an error says may stand in the field.
  var allowed: String {
    switch self {
    case .dayOfMonth: "1-31 or L (the last day)"
    case .month: "1-12 or JAN-DEC"
    case .dayOfWeek: "0-7 (0 and 7 are Sunday) or SUN-SAT"
    default: "\(numbers.lowerBound)-\(numbers.upperBound)"
    }
  }
}

/// Cron expressions.
///
///     expression  [second] minute hour day-of-month month day-of-week, between them blanks; or a nickname:
///                 @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually)
///     field       item{,item}
///     item        * │ number │ from-to, each with /step where wished │ L (day of month: the last day) │ ? (for a whole day field: *)
///     number      digits, or a month's or weekday's name of three letters in any case
///
/// What implementations of cron differ in:
///
/// - **Both day fields.** A day matches if both fields do, where one of them has a `*`; if none has, then either is enough: `0 0 13 * FRI` runs on
///   every 13th and on every Friday. That is Vixie's rule. It makes `0 0 */2 * MON` the Mondays with an odd number.
/// - **Steps** count from the beginning of their range, through the place where it wraps around. `5/15` goes up to the field's end: 5, 20, 35, 50. A
///   step beyond the field's highest number, as `*/90` for minutes, is refused: it means something else than what it seems to.
/// - **Ranges wrap around**: `FRI-MON`, `22-2`, `NOV-FEB`. A range of one number, `5-5`, is that number.
/// - **Day of week**: 0 and 7 are Sunday. As the beginning of a range 7 is 0.
/// - Not taken: `L` for weekdays, `W`, `#`, a field of years, `@reboot`.
///
/// Bad ones throw at the first field that is wrong; so does one that no day can match (`0 0 31 4 *`).
extension CalendarFields {
  private static let nicknames = [
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
  ]

  init(cron expression: String) throws(ScheduleError.Reason) {
    if expression.hasPrefix("@") {
      guard let meaning = Self.nicknames[expression.lowercased()] else {
        throw ScheduleError.Reason("schedule", found: "\"\(expression)\"", allowed: Self.nicknames.keys.sorted().joined(separator: ", "))
      }
      try self.init(cron: meaning)
      return
    }
    let parts = expression.split(whereSeparator: \.isWhitespace)
    guard parts.count == 5 || parts.count == 6 else {
      let allowed = "5 (minute, hour, day of month, month, day of week), or 6 with seconds first"
      throw ScheduleError.Reason("fields", found: "\(parts.count)", allowed: allowed)
    }
    let texts = parts.count == 6 ? parts : ["0"] + parts
    let seconds = try Self.numbers(texts[0], .second)
    self.init(minutes: try Self.numbers(texts[1], .minute), hours: try Self.numbers(texts[2], .hour))
    self.seconds = seconds
    days = try Self.numbers(texts[3], .dayOfMonth)
    includesLastDay = days.has(Self.lastDayBit)
    days &= CalendarField.dayOfMonth.everything
    months = try Self.numbers(texts[4], .month)
    weekdays = try Self.numbers(texts[5], .dayOfWeek)
    needsBothDays = texts[3] == "?" || texts[5] == "?" || texts[3].contains("*") || texts[5].contains("*")
    if neverComes {
      let found = "\"\(texts[3])\" in month \"\(texts[4])\", which never comes"
      throw ScheduleError.Reason(CalendarField.dayOfMonth.name, found: found, allowed: "a day that one of the months has")
    }
  }

  /// Where a set of days keeps that it includes the last one.
  private static let lastDayBit = 63

  private static func numbers(_ text: Substring, _ field: CalendarField) throws(ScheduleError.Reason) -> UInt64 {
    if text == "?", field.isDay { return field.everything }
    var numbers: UInt64 = 0
    for item in text.split(separator: ",", omittingEmptySubsequences: false) { numbers |= try Self.item(item, field) }
    return numbers
  }

  private static func item(_ text: Substring, _ field: CalendarField) throws(ScheduleError.Reason) -> UInt64 {
    if field == .dayOfMonth, text == "L" || text == "l" { return 1 << UInt64(lastDayBit) }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, !text.isEmpty else {
      throw ScheduleError.Reason(field.name, found: text.isEmpty ? "nothing in a place of its list" : "\"\(text)\"", allowed: field.allowed)
    }
    let step = parts.count == 2 ? try Self.step(parts[1], field) : nil
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count <= 2 else { throw ScheduleError.Reason(field.name, found: "\"\(text)\"", allowed: field.allowed) }
    if parts[0] == "*" { return every(step ?? 1, from: field.numbers.lowerBound, to: field.last, field) }
    let first = try number(ends[0], field)
    if ends.count == 2 { return every(step ?? 1, from: first, to: try number(ends[1], field), field) }
    guard let step else { return every(1, from: first, to: first, field) }
    return every(step, from: first % (field.last + 1), to: field.last, field)
  }

  /// The numbers of a range, which may wrap around.
  private static func every(_ step: Int, from first: Int, to last: Int, _ field: CalendarField) -> UInt64 {
    let count = field.last - field.numbers.lowerBound + 1
    var (first, last) = (first, last)
    // 7 is 0 at the beginning of a range, and the day after 6 at its end.
    if first > field.last {
      first -= count
      if last > field.last { last -= count }
    }
    if last < first { last += count }
    return stride(from: first, through: last, by: step).reduce(0) { $0 | 1 << UInt64($1 > field.last ? $1 - count : $1) }
  }

  private static func number(_ text: Substring, _ field: CalendarField) throws(ScheduleError.Reason) -> Int {
    if let index = field.names.firstIndex(of: text.uppercased()) { return field.numbers.lowerBound + index }
    guard let number = digits(text), field.numbers.contains(number) else {
      throw ScheduleError.Reason(field.name, found: "\"\(text)\"", allowed: field.allowed)
    }
    return number
  }

  private static func step(_ text: Substring, _ field: CalendarField) throws(ScheduleError.Reason) -> Int {
    guard let step = digits(text), 1...field.numbers.upperBound ~= step else {
      var allowed = "1-\(field.numbers.upperBound) after the /"
      if digits(text) ?? 0 > 0 { allowed += "; steps begin anew in each round of the field, for others there are intervals" }
      throw ScheduleError.Reason(field.name, found: "step \"\(text)\"", allowed: allowed)
    }
    return step
  }

  private static func digits(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? Int(text) : nil
  }
}
