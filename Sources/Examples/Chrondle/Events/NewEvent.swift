import Foundation
import Martlet

/// An event as it comes from outside: from a caller, a file, a page.
public struct NewEvent: Codable, Hashable, Sendable {
  public var year: Int
  public var event: String

  public init(year: Int, event: String) {
    self.year = year
    self.event = event
  }

  static let validator = Validator<NewEvent>.codable()

  /// Why it can't be in a puzzle; nil if it can.
  /// - Parameter thisYear: nothing that is still to come is history.
  func problem(thisYear: Int) -> String? {
    guard (-3_000...thisYear).contains(year), year != 0 else { return "\(year) is no year of history" }
    guard (10...200).contains(event.count) else { return "an event has 10 to 200 characters, not \(event.count)" }
    let numbers = event.split { !$0.isNumber }
    guard !numbers.contains("\(abs(year))") else { return "the event gives its year away" }
    return nil
  }
}

extension MutationContext {
  /// Stores an event that isn't there yet, and says whether it did. O(log n).
  func store(_ new: NewEvent, from source: EventSource) throws -> Bool {
    let same = try db.query(Events.self).withIndex(\.byYearEvent) { $0.eq(\.year, new.year).eq(\.event, new.event) }
    guard try same.first() == nil else { return false }
    try db.insert(Events.self) {
      $0.year = new.year
      $0.event = new.event
      $0.source = source
      $0.updatedAt = now
    }
    return true
  }

  /// Stores those of several that can be used and aren't there yet, and says how many those were. Never stopped by a single one.
  func storeUsable(_ events: [NewEvent], from source: EventSource) throws -> Stored {
    let thisYear = Day.year(of: now)
    var stored = Stored(stored: 0, skipped: 0)
    for event in events {
      if event.problem(thisYear: thisYear) == nil, try store(event, from: source) { stored.stored += 1 } else { stored.skipped += 1 }
    }
    return stored
  }
}

/// How many events were stored, and how many were there already or can't be used.
public struct Stored: CodableWireValue, Hashable {
  public var stored: Int
  public var skipped: Int
}

/// Days as text, in UTC: `2026-11-21`.
enum Day {
  private static let style = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()

  static func text(_ milliseconds: Double) -> String { Date(timeIntervalSince1970: milliseconds / 1_000).formatted(style) }

  static func isDay(_ text: String) -> Bool { (try? Date(text, strategy: style)).map { $0.formatted(style) == text } ?? false }

  static func year(of milliseconds: Double) -> Int { Int(text(milliseconds).prefix(4))! }
}
