import ArgumentParser
import Foundation
import Martlet

/// A length of time as it is typed: `90s`, `15m`, `12h`, `7d`.
struct TimeSpan: ExpressibleByArgument, Equatable {
  var seconds: Double

  init?(argument: String) {
    guard let unit = argument.last, let count = Double(argument.dropLast()), count.isFinite else { return nil }
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let length = units[unit], count * length >= 1, count * length <= 36_600 * 86_400 else { return nil }
    seconds = count * length
  }

  static let help = "written as 90s, 15m, 12h or 7d"
}

/// A moment as it is typed: `2026-11-21T12:00:00Z`, with or without a fraction of the seconds, the seconds, or the time; UTC unless it says otherwise.
enum Moment {
  static func milliseconds(_ text: String) -> Double? {
    var text = text.replacingOccurrences(of: " ", with: "T")
    if !text.contains("T") { text += "T00:00:00" }
    let time = text.drop { $0 != "T" }
    if !time.hasSuffix("Z"), !time.contains("+"), !time.contains("-") { text += "Z" }
    if let match = text.firstMatch(of: /T\d\d:\d\d(Z|[+-])/) { text.insert(contentsOf: ":00", at: text.index(match.range.lowerBound, offsetBy: 6)) }
    for style in [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
      if let date = try? Date(text, strategy: style) { return (date.timeIntervalSince1970 * 1_000).rounded() }
    }
    return nil
  }
}

/// To where a restore goes: a timestamp, or a moment.
extension RestorePoint: ExpressibleByArgument {
  public init?(argument: String) {
    if let timestamp = UInt64(argument) {
      self = .timestamp(timestamp)
    } else if let time = Moment.milliseconds(argument) {
      self = .time(time)
    } else {
      return nil
    }
  }
}
