import Martlet

/// Fills an empty app: artists, a show for each of them, songs, and votes of the last eight days.
public enum EngagementDemo: FunctionModule {
  public static let path = "engagementDemo"
  public static let functions: [any ServerFunction] = [fill, addArtist]

  private static let batchSize = 100

  /// Adds so many artists, a hundred in a transaction, each with what the others say. The first answers; the others are run one after another.
  public static let fill: Mutation<Null, Int, Int, Int> = Mutation(
    "fill", Arg("artists", .wholeNumber, default: 20), Arg("songs", .wholeNumber, default: 4), Arg("votes", .wholeNumber, default: 6)
  ) { ctx, artists, songs, votes -> Void in
    for number in 0..<min(artists, batchSize) { try ctx.run(addArtist(artists - number, songs, votes)) }
    if artists > batchSize { try ctx.scheduler.run(after: .zero, fill(artists - batchSize, songs, votes)) }
  }

  /// An artist with a show within two weeks, its songs, and votes that were cast in the eight days before now.
  static let addArtist = Mutation(
    "addArtist", Arg("number", .wholeNumber), Arg("songs", .wholeNumber), Arg("votes", .wholeNumber), visibility: .internal
  ) { ctx, number, songs, votes in
    let day = 86_400_000.0
    let artist = try ctx.run(ArtistFunctions.add("Artist \(number)"))
    let startsAt = ctx.now + (spread(number, 1_423) / 100 - 0.23) * day
    let show = try ctx.run(ShowFunctions.announce(artist, "Hall \(number % 300)", startsAt))
    let entries = try (0..<songs).map { try ctx.run(SetlistFunctions.add(show, "Song \($0)")) }
    for vote in 0..<(entries.isEmpty ? 0 : votes) {
      try ctx.db.insert(Votes.self) {
        $0.show = show
        $0.setlist = entries[vote % entries.count]
        $0.voter = "fan \(vote / entries.count)"
        $0.castAt = ctx.now - spread(number * 31 + vote * 17, 8_009) / 1_000 * day
      }
    }
  }

  /// A number below `end`, as if it had been drawn, and the same for the same number: so that two servers are filled alike.
  private static func spread(_ number: Int, _ end: Int) -> Double { Double(number &* 7_919 % end) }
}
