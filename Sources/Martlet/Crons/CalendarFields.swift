/// Which readings of a clock and calendar a schedule matches: a set of numbers for each field, as bits.
///
/// A reading is a number of seconds since 1970 as a clock shows it that knows no zone. `next(from:)` goes through the fields from the largest to the
/// smallest, and in each to the next bit that is set: months first, of which it passes those without a matching day, then the day, then the time of
/// day. No field is counted through.
struct CalendarFields: Sendable {
  var seconds: UInt64 = 1
  var minutes: UInt64
  var hours: UInt64
  /// Bits 1 to 31.
  var days: UInt64 = CalendarField.dayOfMonth.everything
  /// The last day of the month too, whichever it is.
  var includesLastDay = false
  /// Bits 1 to 12.
  var months: UInt64 = CalendarField.month.everything
  /// Bits 0 to 6, from Sunday on.
  var weekdays: UInt64 = 0b111_1111
  /// Whether a day must match by its number and by its weekday, or either is enough.
  var needsBothDays = true

  init(minutes: UInt64, hours: UInt64) {
    self.minutes = minutes
    self.hours = hours
  }

  /// Whether the schedule follows the clock from hour to hour, so that in an hour that comes twice it runs twice: `LocalTimeRules`.
  var matchesEveryHour: Bool { hours == CalendarField.hour.everything }

  /// The first matching reading that isn't before another one. Nil if there is none in the 400 years after which the calendar repeats.
  func next(from reading: Int) -> Int? {
    let day = reading.flooringDivided(by: 86_400)
    if matches(CivilDate(dayNumber: day)), let time = time(from: reading - day * 86_400) { return day * 86_400 + time }
    guard let day = nextDay(from: day + 1), let time = time(from: 0) else { return nil }
    return day * 86_400 + time
  }

  // MARK: days

  private func matches(_ date: CivilDate) -> Bool { months.has(date.month) && matchingDays(date).has(date.day) }

  private func nextDay(from number: Int) -> Int? {
    var date = CivilDate(dayNumber: number)
    let lastYear = date.year + 400
    while date.year <= lastYear {
      if months.has(date.month), let day = matchingDays(date).first(from: date.day) {
        return CivilDate(year: date.year, month: date.month, day: day).dayNumber
      }
      if let month = months.first(from: date.month + 1) {
        date = CivilDate(year: date.year, month: month, day: 1)
      } else {
        guard let month = months.first(from: 1) else { return nil }
        date = CivilDate(year: date.year + 1, month: month, day: 1)
      }
    }
    return nil
  }

  /// Of the date's month, bits 1 to 31.
  private func matchingDays(_ date: CivilDate) -> UInt64 {
    let length = date.daysInMonth
    let all = (UInt64(1) << UInt64(length + 1)) - 2
    var byNumber = days & all
    if includesLastDay { byNumber |= 1 << UInt64(length) }
    if needsBothDays, weekdays == 0b111_1111 { return byNumber }
    // The week, rotated so that its first bit is the 1st's weekday, and repeated.
    let first = UInt64(CivilDate(year: date.year, month: date.month, day: 1).weekday)
    let week = (weekdays >> first | weekdays << (7 - first)) & 0b111_1111
    let byWeekday = (week | week << 7 | week << 14 | week << 21 | week << 28) << 1 & all
    return needsBothDays ? byNumber & byWeekday : byNumber | byWeekday
  }

  /// Whether no year has a day that matches.
  var neverComes: Bool { nextDay(from: 0) == nil }

  // MARK: the time of day

  /// In seconds since midnight.
  private func time(from time: Int) -> Int? {
    let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60)
    guard let firstMinute = minutes.first(from: 0), let firstSecond = seconds.first(from: 0) else { return nil }
    if hours.has(hour) {
      if minutes.has(minute), let second = seconds.first(from: second) { return hour * 3_600 + minute * 60 + second }
      if let minute = minutes.first(from: minute + 1) { return hour * 3_600 + minute * 60 + firstSecond }
    }
    return hours.first(from: hour + 1).map { $0 * 3_600 + firstMinute * 60 + firstSecond }
  }
}

extension UInt64 {
  func has(_ number: Int) -> Bool { self >> UInt64(number) & 1 == 1 }

  /// The lowest bit set that isn't below `number`, which is 64 at most.
  func first(from number: Int) -> Int? {
    let rest = number < 64 ? (self >> UInt64(number)) << UInt64(number) : 0
    return rest == 0 ? nil : rest.trailingZeroBitCount
  }
}
