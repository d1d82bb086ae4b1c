extension Schedule: CustomStringConvertible {
  /// What people read; see the table at `text`.
  public var description: String {
    let zone = timeZone ?? "UTC"
    switch form {
    case .interval(let interval):
      guard let (count, unit) = Self.wholeLength(interval) else { return "every \(interval)" }
      return count == 1 ? "every \(unit.word)" : "every \(count) \(unit.word)s"
    case .hourly(let minute): return "every hour at :\(Self.padded(minute)) \(zone)"
    case .daily(let hour, let minute): return "every day at \(Self.time(hour, minute)) \(zone)"
    case .weekly(let weekday, let hour, let minute):
      return "every \(weekday.rawValue.capitalizedASCII) at \(Self.time(hour, minute)) \(zone)"
    case .monthly(.last, let hour, let minute): return "every month on its last day at \(Self.time(hour, minute)) \(zone)"
    case .monthly(.day(let day), let hour, let minute):
      return "every month\(day > 28 ? " that has a day \(day), on it" : " on day \(day)") at \(Self.time(hour, minute)) \(zone)"
    case .cron(let expression): return "by cron \(expression), \(zone)"
    }
  }

  // MARK: what `text` writes alike

  /// From the longest on: a length is written in the longest unit that it is a whole number of.
  static let units: [(name: String, word: String, milliseconds: Int64)] = [
    ("d", "day", 86_400_000), ("h", "hour", 3_600_000), ("m", "minute", 60_000), ("s", "second", 1_000), ("ms", "millisecond", 1),
  ]

  /// Nil for an interval that isn't valid.
  static func wholeLength(_ interval: Duration) -> (count: Int64, unit: (name: String, word: String, milliseconds: Int64))? {
    guard let milliseconds = try? milliseconds(interval), let unit = units.first(where: { milliseconds % $0.milliseconds == 0 })
    else { return nil }
    return (milliseconds / unit.milliseconds, unit)
  }

  static func time(_ hour: Int, _ minute: Int) -> String { "\(padded(hour)):\(padded(minute))" }

  static func padded(_ number: Int) -> String { 0...9 ~= number ? "0\(number)" : "\(number)" }
}

extension String {
  fileprivate var capitalizedASCII: String { prefix(1).uppercased() + dropFirst() }
}
