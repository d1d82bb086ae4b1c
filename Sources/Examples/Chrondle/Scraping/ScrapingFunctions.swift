import Martlet

/// Reads the pages of years, one after another, a second apart, from `$HISTORY_URL/1969`, and stores what isn't there yet.
///
/// Each year is a run of the retrier, and its end has the next one scheduled: no action waits for another, and the walk goes on after a restart.
/// A year that fails three times is put down and tried again later; it stops nobody.
public enum ScrapingFunctions: FunctionModule {
  public static let path = "scraping"
  public static let functions: [any ServerFunction] = [start, startYear, scrapeYear, storeEvents, yearEnded, retryFailures, status]

  static let retries = RetryOptions(initialBackoff: .seconds(1), base: 2, maxFailures: 2)
  static let pause = Duration.seconds(1)

  /// One walk at a time: where one is under way, that is it.
  static let start = Mutation(
    "start", Arg("startYear", .wholeNumber), Arg("endYear", .wholeNumber), visibility: .internal
  ) { ctx, startYear, endYear in
    guard startYear <= endYear else { throw ApplicationError("startYear must not be after endYear") }
    if let running = try ctx.db.query(Scrapes.self).withIndex(\.byStatus, { $0.eq(\.status, .running) }).first() { return running.id }
    let scrape = try ctx.db.insert(Scrapes.self) {
      $0.startYear = startYear
      $0.endYear = endYear
      $0.status = .running
      $0.yearsDone = 0
      $0.yearsFailed = 0
      $0.stored = 0
      $0.skipped = 0
      $0.startedAt = ctx.now
    }
    try ctx.run(Self.startYear(startYear, scrape))
    return scrape
  }

  static let status = Query("status", Arg("scrape", .id(Scrapes.self)), visibility: .internal) { ctx, scrape in try ctx.db.get(scrape) }

  // MARK: A year

  /// `scrape` is the walk that the year is a part of; nil for one that is tried again by itself.
  ///
  /// (Its type is written down, as the end of a year starts the next one.)
  static let startYear: Mutation<ID<RetryRuns>, Int, ID<Scrapes>?> = Mutation(
    "startYear", Arg("year", .wholeNumber), Arg("scrape", .optional(.id(Scrapes.self))), visibility: .internal
  ) { ctx, year, scrape in
    try ctx.retrier.run(scrapeYear(year, scrape), options: retries, onComplete: yearEnded)
  }

  static let scrapeYear = Action(
    "scrapeYear", Arg("year", .wholeNumber), Arg("scrape", .optional(.id(Scrapes.self))), visibility: .internal
  ) { ctx, year, scrape in
    let page = try await ctx.fetch("\(try ctx.environment.require("HISTORY_URL"))/\(year)", timeout: .seconds(30)).requireSuccess()
    let events = YearPage.events(in: page.text)
    guard !events.isEmpty else { throw LanguageModel.Failure("the page of \(year) lists no events") }
    let stored = try await ctx.run(storeEvents(year, events, scrape))
    ctx.log.info("\(year): \(stored.stored) new events, \(stored.skipped) skipped")
  }

  static let storeEvents = Mutation(
    "storeEvents", Arg("year", .wholeNumber), Arg("events", .array(.string)), Arg("scrape", .optional(.id(Scrapes.self))), visibility: .internal
  ) { ctx, year, events, scrape in
    let stored = try ctx.storeUsable(events.map { NewEvent(year: year, event: $0) }, from: .scraped)
    if let scrape {
      try ctx.db.patch(scrape) {
        $0.stored += stored.stored
        $0.skipped += stored.skipped
      }
    }
    return stored
  }

  /// The end of a year, exactly once: its failure is put down or forgotten, and the next year follows.
  static let yearEnded = Mutation(
    "yearEnded", Arg("run", .id(RetryRuns.self)), Arg("result", .retryResult), visibility: .internal
  ) { ctx, run, result in
    let call = try ctx.db.get(run)
    let year = try call.argument("year", .wholeNumber)
    let scrape = try call.argument("scrape", .optional(.id(Scrapes.self)))
    let error: String? =
      switch result {
      case .success: nil
      case .failed(let reason): reason
      case .canceled: "canceled"
      }
    try ctx.note(error, of: year)
    guard let scrape else { return }
    try ctx.db.patch(scrape) { if error == nil { $0.yearsDone += 1 } else { $0.yearsFailed += 1 } }
    if year < (try ctx.db.get(scrape)).endYear {
      try ctx.scheduler.run(after: pause, startYear(year + 1, scrape))
    } else {
      try ctx.db.patch(scrape) {
        $0.status = .completed
        $0.endedAt = ctx.now
      }
    }
  }

  /// The hourly cron: what has failed, again, a second apart.
  static let retryFailures = Mutation("retryFailures", visibility: .internal) { ctx in
    let due = try ctx.db.query(ScrapeFailures.self).withIndex(\.byRetryTime) { $0.lte(\.nextRetryAt, ctx.now) }.take(60)
    for (index, failure) in due.enumerated() {
      try ctx.scheduler.run(after: pause * index, startYear(failure.year, nil))
      // Not before this try has had its time.
      try ctx.db.patch(failure.id) { $0.nextRetryAt = ctx.now + 3_000_000 }
    }
    return due.count
  }
}

extension MutationContext {
  /// Puts down that a year failed, or forgets it where it succeeded.
  fileprivate func note(_ error: String?, of year: Int) throws {
    let known = try db.query(ScrapeFailures.self).withIndex(\.byYear) { $0.eq(\.year, year) }.first()
    guard let error else {
      if let known { try db.delete(known.id) }
      return
    }
    log.error("The year \(year) could not be scraped: \(error)")
    let attempts = (known?.attemptCount ?? 0) + 1
    let next = ContextFunctions.nextRetry(after: attempts, now)
    if let known {
      try db.patch(known.id) {
        $0.attemptCount = attempts
        $0.lastError = error
        $0.nextRetryAt = next
      }
    } else {
      try db.insert(ScrapeFailures.self) {
        $0.year = year
        $0.attemptCount = attempts
        $0.lastError = error
        $0.nextRetryAt = next
      }
    }
  }
}
