import Martlet

/// A game: guess the year of six events. A new puzzle comes every midnight, and what feeds it runs by itself.
///
/// What it shows is work that nobody waits for: crons, retries, queues, long imports, a service that is slow, busy or down. README.md in this
/// folder leads through it.
public enum ChrondleApp {
  public static var tables: [any Table.Type] {
    [
      Events.self, Years.self, Puzzles.self, ContextFailures.self, Plays.self, Players.self, EventQueue.self, Imports.self, Scrapes.self,
      ScrapeFailures.self,
    ]
  }

  public static var modules: [any FunctionModule.Type] {
    [
      EventFunctions.self, PuzzleFunctions.self, ContextFunctions.self, PlayFunctions.self, QueueFunctions.self, ImportFunctions.self,
      ScrapingFunctions.self,
    ]
  }

  public static var triggers: [Trigger] { [EventFunctions.countUnused] }

  public static var crons: [Cron] {
    [
      Cron("generate daily puzzle", .daily(hour: 0), PuzzleFunctions.generateDaily()),
      Cron("retry failed contexts", .hourly(minute: 30), ContextFunctions.retryFailed()),
      Cron("process event queue", .interval(.seconds(60)), QueueFunctions.processBatch()),
      Cron("clean up event queue", .hourly(minute: 15), QueueFunctions.sweep()),
      Cron("scrape new events", .weekly(on: .sunday, hour: 2), ScrapingFunctions.start(2020, 2024)),
      Cron("retry failed years", .hourly(minute: 45), ScrapingFunctions.retryFailures()),
    ]
  }

  public static var workpools: [Workpool] { [ImportFunctions.importing] }

  /// At most four requests to language models at a time.
  public static var pools: [String: Int] { ["models": 4] }
}
