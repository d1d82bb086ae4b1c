/// A day of the Gregorian calendar, and how it is counted: day 0 is 1 January 1970, a Thursday.
struct CivilDate {
  var year: Int
  /// 1 to 12.
  var month: Int
  var day: Int

  /// The years 1 to 9999, in seconds since 1970: between them a schedule is carried out.
  static let firstSecond = -62_135_596_800
  static let lastSecond = 253_402_300_799

  init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The calendar repeats every 400 years, which are 146,097 days. A year that begins in March has its leap day at its end, so that the months before
  /// have the same lengths in every year: 31, 30, 31, 30, 31 and again, 153 days for five months.
  init(dayNumber: Int) {
    let sinceMarchOfYear0 = dayNumber + 719_468
    let cycle = sinceMarchOfYear0.flooringDivided(by: 146_097)
    let inCycle = sinceMarchOfYear0 - cycle * 146_097
    let yearInCycle = (inCycle - inCycle / 1_460 + inCycle / 36_524 - inCycle / 146_096) / 365
    let inYear = inCycle - (yearInCycle * 365 + yearInCycle / 4 - yearInCycle / 100)
    let monthFromMarch = (5 * inYear + 2) / 153
    day = inYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = cycle * 400 + yearInCycle + (month <= 2 ? 1 : 0)
  }

  var dayNumber: Int {
    let marchYear = month <= 2 ? year - 1 : year
    let cycle = marchYear.flooringDivided(by: 400)
    let yearInCycle = marchYear - cycle * 400
    let inYear = (153 * (month <= 2 ? month + 9 : month - 3) + 2) / 5 + day - 1
    return cycle * 146_097 + yearInCycle * 365 + yearInCycle / 4 - yearInCycle / 100 + inYear - 719_468
  }

  /// 0 is Sunday.
  var weekday: Int { (dayNumber + 4).flooringRemainder(by: 7) }

  var daysInMonth: Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension BinaryInteger {
  /// Towards minus infinity, where `/` goes towards 0: times before 1970 are negative. For a positive divisor.
  func flooringDivided(by divisor: Self) -> Self {
    let quotient = self / divisor
    return self - quotient * divisor < 0 ? quotient - 1 : quotient
  }

  func flooringRemainder(by divisor: Self) -> Self { self - flooringDivided(by: divisor) * divisor }
}
