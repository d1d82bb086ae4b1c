/// Milliseconds since 1970 as `2026-11-21T09:00:00.000Z`.
///
/// The calendar is computed here (days to a date of the proleptic Gregorian calendar), so that the same value prints the
/// same text on every machine, whatever its locale and time zone.
enum ISOTime {
  private static let millisecondsPerDay = 86_400_000

  /// Nil for what isn't a time in the years 0 to 9999.
  static func text(milliseconds: Double) -> String? {
    // From 0000-01-01 until the last millisecond of 9999.
    guard milliseconds >= -62_167_219_200_000, milliseconds < 253_402_300_800_000 else { return nil }
    let whole = Int(milliseconds.rounded(.down))
    let day = whole.floorDivided(by: millisecondsPerDay)
    let rest = whole - day * millisecondsPerDay
    let date = civilDate(daysSince1970: day)
    let parts = [
      padded(date.year, 4), "-", padded(date.month, 2), "-", padded(date.day, 2), "T", padded(rest / 3_600_000, 2), ":",
      padded(rest / 60_000 % 60, 2), ":", padded(rest / 1000 % 60, 2), ".", padded(rest % 1000, 3), "Z",
    ]
    return parts.joined()
  }

  /// Counts in years that begin in March: the leap day is then a year's last, and months have a regular length.
  /// 400 years have 146,097 days.
  private static func civilDate(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468  // since 0000-03-01
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension Int {
  fileprivate func floorDivided(by divisor: Int) -> Int {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
