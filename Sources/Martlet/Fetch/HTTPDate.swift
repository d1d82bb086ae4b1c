/// A date as HTTP writes it, in any of the three forms of RFC 9110:
///
///     Sun, 06 Nov 1994 08:49:37 GMT
///     Sunday, 06-Nov-94 08:49:37 GMT
///     Sun Nov  6 08:49:37 1994
enum HTTPDate {
  private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

  /// Milliseconds since 1970; nil for what is no such date. The name of the day isn't looked at.
  static func milliseconds(_ text: String) -> Double? {
    var words = text.lowercased().split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
    guard words.count >= 5 else { return nil }
    words.removeFirst()
    if words.last == "gmt" || words.last == "utc" { words.removeLast() }
    guard words.count == 4 else { return nil }
    // `nov 6 08:49:37 1994` or `06 nov 1994 08:49:37`
    let isC = months.contains(words[0])
    let (day, month, year, time) = isC ? (words[1], words[0], words[3], words[2]) : (words[0], words[1], words[2], words[3])
    let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number(String($0)) }
    guard let index = months.firstIndex(of: month), let day = number(day), var year = number(year), clock.count == 3,
      let hour = clock[0], let minute = clock[1], let second = clock[2]
    else { return nil }
    // RFC 850 has two digits; those of the past century are told by their size, as everybody does.
    if year < 100 { year += year < 70 ? 2_000 : 1_900 }
    guard (1...9_999).contains(year), (1...length(ofMonth: index + 1, year)).contains(day), hour < 24, minute < 60, second <= 60 else {
      return nil
    }
    let seconds = ((days(year, index + 1, day) * 24 + hour) * 60 + minute) * 60 + second
    return Double(seconds) * 1_000
  }

  private static func number(_ text: String) -> Int? {
    guard !text.isEmpty, text.count <= 4, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
    return Int(text)
  }

  private static func length(ofMonth month: Int, _ year: Int) -> Int {
    let (next, nextYear) = month == 12 ? (1, year + 1) : (month + 1, year)
    return days(nextYear, next, 1) - days(year, month, 1)
  }

  /// Days from 1970-01-01, by years that begin in March.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
