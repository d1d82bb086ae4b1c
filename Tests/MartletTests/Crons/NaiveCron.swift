import Foundation
import TestSupport

/// A cron expression read in the simplest way, as an oracle: sets of numbers, asked for every minute. It shares no code with what it checks, down to
/// the calendar, which is Foundation's.
struct NaiveCron {
  let fields: [String]
  private static let ranges = [0...59, 0...59, 0...23, 1...31, 1...12, 0...6]
  private static let names = [
    4: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    5: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
  ]
  private var allowed: [Set<Int>] = []
  private var isStar: [Bool] = []
  private var hasLastDay = false

  init(_ expression: String) {
    let parts = expression.split(separator: " ").map(String.init)
    fields = parts.count == 5 ? ["0"] + parts : parts
    for (field, text) in fields.enumerated() {
      var numbers: Set<Int> = []
      for item in text.split(separator: ",") {
        if item.uppercased() == "L" { hasLastDay = true } else { numbers.formUnion(Self.numbers(String(item), field)) }
      }
      allowed.append(numbers)
      isStar.append(text.contains("*") || text == "?")
    }
  }

  var runsEveryHour: Bool { allowed[2].count == 24 }

  private static func numbers(_ item: String, _ field: Int) -> Set<Int> {
    let range = ranges[field]
    let halves = item.split(separator: "/").map(String.init)
    let step = halves.count == 2 ? Int(halves[1])! : 1
    func number(_ text: String) -> Int {
      if let index = names[field]?.firstIndex(of: text.uppercased()) { return index + range.lowerBound }
      return Int(text)!
    }
    var walk: [Int] = []
    if halves[0] == "*" || halves[0] == "?" {
      walk = Array(range)
    } else {
      let ends = halves[0].split(separator: "-").map { number(String($0)) }
      var last = ends.count == 2 ? ends[1] : halves.count == 2 ? range.upperBound : ends[0]
      if field == 5, ends[0] == 7, last == 7 { last = 0 }
      var current = field == 5 && ends[0] == 7 ? 0 : ends[0]
      walk = [current]
      while current != last {
        // Sunday at a range's end is 7, if that is what stands there.
        if field == 5, current == 6, last == 7 {
          walk.append(0)
          break
        }
        current = current == range.upperBound ? range.lowerBound : current + 1
        walk.append(current)
      }
    }
    return Set(walk.enumerated().filter { $0.offset % step == 0 }.map(\.element))
  }

  /// Whether a clock that reads so, in seconds since 1970 as if it were UTC's, matches.
  func matches(_ reading: Int) -> Bool {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0)!
    let date = Date(timeIntervalSince1970: Double(reading))
    let parts = calendar.dateComponents([.second, .minute, .hour, .day, .month, .weekday], from: date)
    guard allowed[0].contains(parts.second!), allowed[1].contains(parts.minute!), allowed[2].contains(parts.hour!),
      allowed[4].contains(parts.month!)
    else { return false }
    let isLastDay = calendar.component(.day, from: date.addingTimeInterval(86_400)) == 1
    let byNumber = allowed[3].contains(parts.day!) || hasLastDay && isLastDay
    let byWeekday = allowed[5].contains(parts.weekday! - 1)
    return isStar[3] || isStar[5] ? byNumber && byWeekday : byNumber || byWeekday
  }
}

extension TestRandom {
  /// `isDense`: something that runs within a few days.
  mutating func cronExpression(isDense: Bool) -> String {
    var fields = [field(0...59), field(0...23), field(1...31), field(1...12), field(0...7)]
    if isDense {
      fields[3] = "*"
      if oneIn(2) { fields[2] = "*" }
      if fields[2].contains("*") && !oneIn(3) { fields[4] = "*" }
    }
    return fields.joined(separator: " ")
  }

  private mutating func field(_ range: ClosedRange<Int>) -> String {
    func number() -> Int { Int.random(in: range, using: &self) }
    let step = { (random: inout TestRandom) in random.number(1..<min(range.upperBound, 20) + 1) }
    switch self.number(0..<8) {
    case 0, 1, 2: return "*"
    case 3: return "*/\(step(&self))"
    case 4: return "\(number())"
    case 5: return "\(number())/\(step(&self))"
    case 6: return "\(number())-\(number())/\(step(&self)),\(number())"
    default: return "\(number())-\(number()),\(number())-\(number())"
    }
  }
}
