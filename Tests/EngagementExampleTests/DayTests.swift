import Foundation
import Martlet
import MartletClient
import MartletTesting
import TestSupport
import Testing

@testable import EngagementExample

/// A day of the example, and of the same done by scans, on the virtual clock.
///
/// `MARTLET_ENGAGEMENT=5000` is the size of the day: so many artists and shows, twice as many songs, and votes. 150 where it isn't set.
@Suite("engagement: a day", .timeLimit(.minutes(20)), .serialized)
struct DayTests {
  private static let artists = ProcessInfo.processInfo.environment["MARTLET_ENGAGEMENT"].flatMap { Int($0) } ?? 150
  private static let hour = 3_600_000.0

  private struct Day {
    var concerts: Concerts
    /// What crons, jobs and clients' calls read between filling and the day's end.
    var read: Int
    /// What crons alone read.
    var readByCrons: Int
  }

  private static func day(_ app: AppDefinition, crons: [String], seed: UInt64 = 1, traffic isBusy: Bool = true) async throws -> Day {
    let concerts = try await Concerts(app, withCrons: true, seed: seed)
    try await concerts.admin.run(EngagementDemo.fill(artists, 2, 2))
    await concerts.server.settle()
    var traffic = Traffic(seed: seed, sparesPastShows: true)
    try await traffic.look(at: concerts)
    let (before, cronsBefore) = (try await concerts.documentsRead(), try await concerts.documentsRead(crons))
    for _ in 0..<96 {
      for _ in 0..<(isBusy ? artists * 2 / 96 : 0) { try await traffic.step(concerts) }
      await concerts.server.advance(by: .seconds(900))
    }
    return Day(
      concerts: concerts, read: try await concerts.documentsRead() - before, readByCrons: try await concerts.documentsRead(crons) - cronsBefore)
  }

  private static let ownCrons = ["shows:completePast", "trending:", "recount:"]
  private static let scanCrons = ["scans:", "orchestrator:"]

  @Test("All crons run, shows are completed, ranks are noted, the live list follows, and all numbers are right in the end")
  func day() async throws {
    let day = try await Self.day(Concerts.app, crons: Self.ownCrons)
    let concerts = day.concerts
    for (cron, runs) in [("check-completed-shows", 12), ("update-trending", 6), ("recount", 1)] {
      let found = try await concerts.documents("_cron_runs").filter { $0["name"] == .string(cron) && $0["status"] == "success" }
      #expect(found.count == runs, "\(cron)")
    }
    let nightly = try #require(try await concerts.admin.run(Recount.last()))
    #expect(nightly.endedAt != nil && nightly.differences == 0)
    #expect(try await concerts.recount().differences == 0)
    let shows = try await concerts.documents("shows")
    #expect(shows.contains { $0["status"] == "completed" })
    for show in shows {
      guard case .float64(let startsAt)? = show["startsAt"] else { continue }
      let isOver = startsAt + ShowFunctions.length <= concerts.server.now
      #expect((show["status"] == "completed") == isOver, "the last look was at the day's end")
    }
    #expect(shows.count { $0["rank"] != nil } == min(50, shows.count { $0["status"] == "upcoming" && $0["weekVotes"] != 0 }))
    #expect(shows.contains { $0["rankBefore"] != nil && $0["rankBefore"] != $0["rank"] })
    // Nothing else that counts is wrong either: by reading all of it, as no function does.
    let votes = try await concerts.documents("votes")
    let total = shows.reduce(0) { if case .float64(let count)? = $1["voteCount"] { $0 + Int(count) } else { $0 } }
    #expect(total == votes.count && votes.count > Self.artists * 2)
  }

  @Test("What trends is told to who watches as crons complete shows and votes age")
  func live() async throws {
    let concerts = try await Concerts(withCrons: true)
    try await concerts.admin.run(EngagementDemo.fill(30, 2, 6))
    await concerts.server.settle()
    var trending = concerts.admin.subscribe(ShowFunctions.trending(100)).makeAsyncIterator()
    let first = try #require(try await trending.next())
    #expect(first.allSatisfy { $0.rank == nil })
    await concerts.server.advance(by: .seconds(4 * 3_600))
    let second = try #require(try await trending.next())
    #expect(second.prefix(20).map(\.rank) == (1...20).map { $0 } && second != first)
    await concerts.server.advance(by: .seconds(24 * 3_600))
    let third = try #require(try await trending.next())
    #expect(third.reduce(0) { $0 + $1.weekVotes } < second.reduce(0) { $0 + $1.weekVotes })
    #expect(third.count < first.count)
    // And as people vote.
    let show = try #require(third.last)
    let song = try #require(try await concerts.admin.run(SetlistFunctions.ofShow(show.id, 1)).first)
    for voter in 0..<60 { try await concerts.admin.run(VoteFunctions.cast(song.id, "late \(voter)")) }
    while let next = try await trending.next() {
      if next.first?.id == show.id { break }
    }
  }

  @Test("Scans come to the same numbers, and read many times as much")
  func comparison() async throws {
    let own = try await Self.day(Concerts.app, crons: Self.ownCrons)
    let scans = try await Self.day(Concerts.scans, crons: Self.scanCrons)
    // The scans' numbers are right when each has run once more.
    for call in [Scans.checkCompletedShows(), Scans.updateEngagementCounts(), Scans.updateArtistShowCounts(), Scans.updateShowTrending(), Scans.updateArtistTrending()] {
      _ = try await scans.concerts.admin.run(call)
    }
    try await own.concerts.admin.run(Trending.update())
    await own.concerts.server.settle()
    for (table, fields) in [
      ("artists", ["name", "upcomingShows"]), ("shows", ["venue", "startsAt", "status", "setlistCount", "voteCount"]), ("setlists", ["song", "voteCount"]),
    ] {
      let (left, right) = (try await own.concerts.documents(table), try await scans.concerts.documents(table))
      #expect(left.count == right.count)
      for (one, other) in zip(left, right) { #expect(fields.allSatisfy { one[$0] == other[$0] }, "\(one) \(other)") }
    }
    // The week's votes of shows that are over matter to nobody, and aren't kept up by the scans.
    func upcoming(_ concerts: Concerts) async throws -> [Value?] {
      try await concerts.documents("shows").filter { $0["status"] == "upcoming" }.map { $0["weekVotes"] }
    }
    let (left, right) = (try await upcoming(own.concerts), try await upcoming(scans.concerts))
    #expect(left == right && !left.isEmpty)
    print("engagement, \(Self.artists) artists, documents read in a day: kept numbers \(own.read), of that crons \(own.readByCrons);",
      "scans \(scans.read), of that crons \(scans.readByCrons)")
    #expect(scans.readByCrons > 10 * own.readByCrons)
    #expect(scans.read > 5 * own.read)
  }

  @Test("A day on which nothing happens costs scans as much as any other")
  func idle() async throws {
    let own = try await Self.day(Concerts.app, crons: Self.ownCrons, traffic: false)
    let scans = try await Self.day(Concerts.scans, crons: Self.scanCrons, traffic: false)
    print("engagement, \(Self.artists) artists, nothing happens: kept numbers \(own.readByCrons); scans \(scans.readByCrons)")
    #expect(scans.readByCrons > 10 * own.readByCrons)
  }

  @Test("The same seed gives the same day")
  func determinism() async throws {
    func run(_ seed: UInt64) async throws -> [Value] {
      let concerts = try await Concerts(withCrons: true, seed: seed)
      try await concerts.admin.run(EngagementDemo.fill(20, 2, 4))
      await concerts.server.advance(by: .seconds(30_000))
      var all: [Value] = []
      for table in EngagementApp.tables { all += try await concerts.documents(table.name) }
      return all
    }
    let first = try await run(5)
    #expect(try await run(5) == first)
    #expect(try await run(6) != first)
  }
}
