import Martlet

// Times are milliseconds since 1970. Years are numbers: 1969, and -44 for 44 BC.

/// What happened in a year, in a sentence that doesn't name it. Each is used for one puzzle at most.
public struct Events: Table {
  public static let name = "events"

  public let year = Field(.wholeNumber)
  public let event = Field(.string)
  /// The puzzle that shows it; nil as long as it is unused.
  public let puzzle = Field("puzzleId", .optional(.id(Puzzles.self)))
  public let source = Field(.enumeration(EventSource.self))
  public let updatedAt = Field(.double)

  public let byYear = Index("by_year", \Events.year)
  public let byPuzzle = Index("by_puzzle", \Events.puzzle)
  /// A year's unused events are a range of it: those that lack a puzzle come first.
  public let byYearAvailable = Index("by_year_available", \Events.year, \Events.puzzle)
  /// Unique: whatever stores events, none is there twice.
  public let byYearEvent = Index("by_year_event", \Events.year, \Events.event, unique: true)

  public init() {}
}

public enum EventSource: String, CaseIterable, Sendable {
  case history, added, suggested, imported, scraped
}

/// How many unused events a year has. A trigger on `events` keeps it, so that a year with enough of them is found in O(log n).
public struct Years: Table {
  public static let name = "years"

  public let year = Field(.wholeNumber)
  public let available = Field(.wholeNumber)

  public let byYear = Index("by_year", \Years.year, unique: true)
  public let byAvailable = Index("by_available", \Years.available)

  public init() {}
}

/// A puzzle a day: guess the year of these events. What changes with every guess is not in here, but in `plays`.
public struct Puzzles: Table {
  public static let name = "puzzles"

  /// `2026-11-21`, in UTC. Two of a day can't be.
  public let date = Field(.string)
  /// 1, 2, 3 and so on.
  public let number = Field("puzzleNumber", .wholeNumber)
  public let targetYear = Field(.wholeNumber)
  /// In the order in which players see them.
  public let events = Field(.array(.string))

  /// What a language model tells about the year.
  public let context = Field("historicalContext", .optional(.string))
  public let contextModel = Field(.optional(.string))
  public let contextStatus = Field(.enumeration(ContextStatus.self))
  /// Why it failed last.
  public let contextError = Field(.optional(.string))
  /// The run of the retrier that makes it, or made it.
  public let contextRun = Field(.optional(.id(RetryRuns.self)))

  public let byDate = Index("by_date", \Puzzles.date, unique: true)
  public let byNumber = Index("by_number", \Puzzles.number, unique: true)
  public let byContextStatus = Index("by_context_status", \Puzzles.contextStatus)

  public init() {}
}

///     pending ──▶ generating ──┬─▶ success
///        ▲                     └─▶ failed ──┐
///        └──── the hourly cron ─────────────┘
public enum ContextStatus: String, CaseIterable, Codable, Sendable {
  case pending, generating, success, failed
}

/// Contexts that failed, and when each is tried again.
public struct ContextFailures: Table {
  public static let name = "context_failures"

  public let puzzle = Field("puzzleId", .id(Puzzles.self))
  /// Runs of the retrier that failed, of three attempts each.
  public let attemptCount = Field(.wholeNumber)
  public let lastError = Field(.string)
  public let nextRetryAt = Field(.double)

  public let byPuzzle = Index("by_puzzle", \ContextFailures.puzzle, unique: true)
  public let byRetryTime = Index("by_retry_time", \ContextFailures.nextRetryAt)

  public init() {}
}
