/// The events that come with the example: more than three hundred years, and six events of each of 86.
///
/// They are text that is parsed when it is asked for, and not a literal of many elements, which the compiler would take minutes for.
enum History {
  static var events: [NewEvent] { parse(playableYears) + parse(otherYears) }

  /// A line that is a number is a year; the lines after it happened in it.
  static func parse(_ text: String) -> [NewEvent] {
    var events: [NewEvent] = []
    var year = 0
    for line in text.split(separator: "\n") {
      if let number = Int(line) { year = number } else { events.append(NewEvent(year: year, event: String(line))) }
    }
    return events
  }
}
