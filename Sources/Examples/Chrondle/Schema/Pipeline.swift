import Martlet

// The tables by which events come in.

/// Events that players have suggested, and that wait to be looked at.
public struct EventQueue: Table {
  public static let name = "event_queue"

  public let event = Field(.string)
  public let year = Field(.wholeNumber)
  public let status = Field(.enumeration(QueueStatus.self))
  /// Why it was rejected.
  public let reason = Field(.optional(.string))
  public let createdAt = Field(.double)

  public let byStatusTime = Index("by_status_time", \EventQueue.status, \EventQueue.createdAt)

  public init() {}
}

public enum QueueStatus: String, CaseIterable, Sendable {
  case pending, rejected
}

/// A long import, batch by batch. Each batch is a job of its own, so neither the time of an action nor a restart ends an import.
public struct Imports: Table {
  public static let name = "imports"

  public let url = Field(.string)
  public let status = Field(.enumeration(ImportStatus.self))
  /// How many events of the source have been dealt with: where the next batch begins.
  public let progress = Field(.wholeNumber)
  public let stored = Field(.wholeNumber)
  /// Events that were there already, or that can't be used.
  public let skipped = Field(.wholeNumber)
  public let timeLimitSeconds = Field(.wholeNumber)
  public let timeoutCheck = Field(.optional(.id(ScheduledFunctions.self)))
  /// 1, or of an import that goes on with one whose time was up, the number after that one's.
  public let part = Field(.wholeNumber)
  public let continues = Field(.optional(.id(Imports.self)))
  public let error = Field(.optional(.string))
  public let startedAt = Field(.double)
  public let endedAt = Field(.optional(.double))

  public let byStatus = Index("by_status", \Imports.status, \Imports.endedAt)

  public init() {}
}

public enum ImportStatus: String, CaseIterable, Sendable {
  case running, completed, failed, timeout, cancelled
}

/// A walk through years, one after another.
public struct Scrapes: Table {
  public static let name = "scrapes"

  public let startYear = Field(.wholeNumber)
  public let endYear = Field(.wholeNumber)
  public let status = Field(.enumeration(ScrapeStatus.self))
  public let yearsDone = Field(.wholeNumber)
  public let yearsFailed = Field(.wholeNumber)
  public let stored = Field(.wholeNumber)
  public let skipped = Field(.wholeNumber)
  public let startedAt = Field(.double)
  public let endedAt = Field(.optional(.double))

  public let byStatus = Index("by_status", \Scrapes.status)

  public init() {}
}

public enum ScrapeStatus: String, CaseIterable, Sendable {
  case running, completed
}

/// Years that couldn't be scraped, and when each is tried again.
public struct ScrapeFailures: Table {
  public static let name = "scrape_failures"

  public let year = Field(.wholeNumber)
  public let attemptCount = Field(.wholeNumber)
  public let lastError = Field(.string)
  public let nextRetryAt = Field(.double)

  public let byYear = Index("by_year", \ScrapeFailures.year, unique: true)
  public let byRetryTime = Index("by_retry_time", \ScrapeFailures.nextRetryAt)

  public init() {}
}
