import Martlet
import MartletClient
import MartletTesting
import TestSupport
import Testing

@testable import EngagementExample

@Suite("engagement: numbers that are kept", .timeLimit(.minutes(1)))
struct CounterTests {
  private static let week = 7 * 86_400.0

  private struct Stage {
    let concerts: Concerts
    let artist: ID<Artists>
    let show: ID<Shows>
    let song: ID<Setlists>

    var client: MartletClient { concerts.admin }

    init() async throws {
      concerts = try await Concerts()
      artist = try await concerts.admin.run(ArtistFunctions.add("Ada"))
      show = try await concerts.admin.run(ShowFunctions.announce(artist, "Hall", concerts.server.now + 30 * 86_400_000))
      song = try await concerts.admin.run(SetlistFunctions.add(show, "Opener"))
    }
  }

  @Test("A vote is counted by its song, its show and the artist, and no longer when it is taken back")
  func votes() async throws {
    let stage = try await Stage()
    let other = try await stage.client.run(SetlistFunctions.add(stage.show, "Closer"))
    for voter in ["a", "b", "c"] { try await stage.client.run(VoteFunctions.cast(stage.song, voter)) }
    try await stage.client.run(VoteFunctions.cast(other, "a"))
    try await stage.client.run(VoteFunctions.takeBack(stage.song, "b"))
    let show = try await stage.client.run(ShowFunctions.get(stage.show))
    #expect(show.voteCount == 3 && show.weekVotes == 3 && show.setlistCount == 2)
    let artist = try await stage.client.run(ArtistFunctions.get(stage.artist))
    #expect(artist.weekVotes == 3 && artist.upcomingShows == 1)
    #expect(try await stage.client.run(SetlistFunctions.ofShow(stage.show, 10)).map(\.voteCount) == [2, 1])
  }

  @Test("A second vote for a song is refused, and counts nothing")
  func twice() async throws {
    let stage = try await Stage()
    try await stage.client.run(VoteFunctions.cast(stage.song, "a"))
    let error = await #expect(throws: MartletError.self) { try await stage.client.run(VoteFunctions.cast(stage.song, "a")) }
    #expect(error?.data?["code"] == "not_unique")
    let gone = await #expect(throws: MartletError.self) { try await stage.client.run(VoteFunctions.takeBack(stage.song, "b")) }
    #expect(gone?.code == .application)
    #expect(try await stage.client.run(ShowFunctions.get(stage.show)).voteCount == 1)
  }

  @Test("A vote that becomes older than a week stops counting for the week when the cron next comes, and not before it is that old")
  func aging() async throws {
    let stage = try await Stage()
    try await stage.client.run(VoteFunctions.cast(stage.song, "a"))
    await stage.concerts.server.advance(by: .seconds(3_600))
    try await stage.client.run(VoteFunctions.cast(stage.song, "b"))
    await stage.concerts.server.advance(by: .seconds(Self.week - 3_600) - .milliseconds(1))
    for expected in [2.0, 1] {
      try await stage.client.run(Trending.update())
      await stage.concerts.server.settle()
      let show = try await stage.client.run(ShowFunctions.get(stage.show))
      #expect(show.weekVotes == expected && show.voteCount == 2)
      #expect(try await stage.client.run(ArtistFunctions.get(stage.artist)).weekVotes == expected)
      await stage.concerts.server.advance(by: .milliseconds(1))
    }
    #expect(try await stage.concerts.recount().differences == 0)
  }

  @Test("A show that is over trends no more, isn't to come for its artist, and takes no votes")
  func completed() async throws {
    let stage = try await Stage()
    try await stage.client.run(VoteFunctions.cast(stage.song, "a"))
    var trending = stage.client.subscribe(ShowFunctions.trending(10)).makeAsyncIterator()
    #expect(try await trending.next()?.map(\.votes) == [1])
    await stage.concerts.server.advance(by: .seconds(30 * 86_400 + 4 * 3_600) - .milliseconds(1))
    #expect(try await stage.client.run(ShowFunctions.completePast()) == 0)
    await stage.concerts.server.advance(by: .milliseconds(1))
    #expect(try await stage.client.run(ShowFunctions.completePast()) == 1)
    #expect(try await trending.next()?.isEmpty == true)
    #expect(try await stage.client.run(ArtistFunctions.get(stage.artist)).upcomingShows == 0)
    let error = await #expect(throws: MartletError.self) { try await stage.client.run(VoteFunctions.cast(stage.song, "b")) }
    #expect(error?.message == "The show is over")
  }

  @Test("Ranks are noted with those before, and given up by what trends no more")
  func ranks() async throws {
    let stage = try await Stage()
    let second = try await stage.client.run(ShowFunctions.announce(stage.artist, "Arena", stage.concerts.server.now + 30 * 86_400_000))
    let song = try await stage.client.run(SetlistFunctions.add(second, "Opener"))
    func ranks() async throws -> [[Int?]] {
      try await stage.client.run(Trending.update())
      await stage.concerts.server.settle()
      var ranks: [[Int?]] = []
      for show in [stage.show, second] {
        let show = try await stage.client.run(ShowFunctions.get(show))
        ranks.append([show.rank, show.rankBefore])
      }
      return ranks
    }
    try await stage.client.run(VoteFunctions.cast(stage.song, "a"))
    #expect(try await ranks() == [[1, nil], [nil, nil]])
    for voter in ["a", "b"] { try await stage.client.run(VoteFunctions.cast(song, voter)) }
    #expect(try await ranks() == [[2, 1], [1, nil]])
    try await stage.client.run(VoteFunctions.takeBack(stage.song, "a"))
    #expect(try await ranks() == [[nil, 2], [1, 1]])
  }

  @Test("A show that people voted for stays; one that nobody did goes with its setlist")
  func callOff() async throws {
    let stage = try await Stage()
    try await stage.client.run(VoteFunctions.cast(stage.song, "a"))
    await #expect(throws: MartletError.self) { try await stage.client.run(ShowFunctions.callOff(stage.show)) }
    try await stage.client.run(VoteFunctions.takeBack(stage.song, "a"))
    try await stage.client.run(ShowFunctions.callOff(stage.show))
    #expect(try await stage.concerts.documents("setlists").isEmpty)
    #expect(try await stage.client.run(ArtistFunctions.get(stage.artist)).upcomingShows == 0)
  }

  @Test("A recount finds a number that is wrong, whichever it is, and none where all are right")
  func recount() async throws {
    let concerts = try await Concerts()
    try await concerts.admin.run(EngagementDemo.fill(450, 2, 3))
    await concerts.server.settle()
    let right = try await concerts.recount()
    #expect(right.differences == 0 && right.documents == 450 + 450 + 900)
    var wrong = 0
    for (table, field) in [
      ("artists", "upcomingShows"), ("artists", "weekVotes"), ("shows", "setlistCount"), ("shows", "voteCount"), ("shows", "weekVotes"),
      ("setlists", "voteCount"),
    ] {
      let document = try await concerts.documents(table)[wrong * 60]
      _ = try await concerts.admin.mutation("_system:patch", ["id": document["_id"]!, "fields": .object([field: 77])])
      wrong += 1
      // A show's week is its artist's as well: the trigger has that follow.
      let found = try await concerts.recount()
      #expect(found.differences == wrong, "\(table).\(field)")
      #expect(found.first != nil)
    }
  }

  @Test("Whatever is done, in whatever order, a recount agrees", arguments: 1...5 as ClosedRange<UInt64>)
  func anyOrder(seed: UInt64) async throws {
    let concerts = try await Concerts(withCrons: true, seed: seed)
    try await concerts.admin.run(EngagementDemo.fill(20, 2, 3))
    await concerts.server.settle()
    var traffic = Traffic(seed: seed)
    try await traffic.look(at: concerts)
    for step in 0..<400 {
      try await traffic.step(concerts)
      if step % 20 == 0 { await concerts.server.advance(by: .seconds(Double(traffic.random.number(0..<10_000)))) }
      if step % 100 == 99 { #expect(try await concerts.recount().differences == 0) }
    }
    #expect(traffic.refused > 0)
  }
}
