import Martlet

/// Concerts, and what people want to hear there: artists, their shows, a list of songs for each show, votes for songs.
///
/// What it shows is how to keep counts and rankings without ever reading a whole table:
///
/// | wanted | way |
/// |---|---|
/// | a number to order by | a field that a trigger keeps, within the transaction of what it counts (`Counters`) |
/// | a number to show | `count()` and `sum` of an index, O(log n), when it is asked for |
/// | a number that changes as time passes | the time at which it will, in an index: a cron takes what is due (`Trending`) |
/// | a table gone through | pages, each a transaction that has the next one run (`Recount`) |
///
/// `ScansApp` is the same without any of that, to be compared with.
public enum EngagementApp {
  public static var tables: [any Table.Type] { [Artists.self, Shows.self, Setlists.self, Votes.self, Recounts.self] }

  public static var modules: [any FunctionModule.Type] {
    [ArtistFunctions.self, ShowFunctions.self, SetlistFunctions.self, VoteFunctions.self, Trending.self, Recount.self, EngagementDemo.self]
  }

  public static var triggers: [Trigger] { Counters.triggers }

  public static var crons: [Cron] {
    [
      Cron("check-completed-shows", .interval(.seconds(2 * 3_600)), ShowFunctions.completePast()),
      Cron("update-trending", .interval(.seconds(4 * 3_600)), Trending.update()),
      Cron("recount", .daily(hour: 4), Recount.start()),
    ]
  }
}
