import Testing

@testable import ChrondleExample

@Suite("Chrondle: the history that comes with it")
struct HistoryTests {
  private let events = History.events

  @Test("There are events of at least 200 years, and six or more of each of at least 60")
  func counts() {
    let years = Dictionary(grouping: events, by: \.year)
    #expect(years.count >= 200)
    #expect(years.values.count { $0.count >= PuzzleFunctions.eventsOfPuzzle } >= 60)
  }

  @Test("No event is there twice, and no year in two places")
  func duplicates() {
    let texts = Dictionary(grouping: events, by: \.event).filter { $0.value.count > 1 }
    #expect(texts.isEmpty, "\(texts.keys)")
    let playable = Set(History.parse(History.playableYears).map(\.year))
    #expect(playable.isDisjoint(with: History.parse(History.otherYears).map(\.year)))
  }

  @Test("Each can be used: none gives its year away, none is too long, none is still to come")
  func usable() {
    for event in events { #expect(event.problem(thisYear: 2_026) == nil, "\(event)") }
  }

  @Test("Each is a short sentence")
  func sentences() {
    for event in events {
      #expect(event.event.first?.isUppercase == true || event.event.first?.isNumber == true, "\(event)")
      #expect(event.event.last != "." && !event.event.contains("  ") && event.event.split(separator: " ").count >= 2, "\(event)")
    }
  }
}
