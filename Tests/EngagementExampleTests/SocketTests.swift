import ExampleTestSupport
import Martlet
import MartletClient
import Testing

@testable import EngagementExample

/// The example on a real server, a real socket and a real file.
@Suite("engagement: over the socket", .timeLimit(.minutes(1)))
struct SocketTests {
  @Test("However many vote at once, each vote counts once, and who watches sees the last")
  func crowd() async throws {
    try await RunningServer.with(Concerts.app) { server in
      let client = try await server.client()
      let artist = try await client.run(ArtistFunctions.add("Ada"))
      let show = try await client.run(ShowFunctions.announce(artist, "Hall", 4e12))
      var songs: [ID<Setlists>] = []
      for number in 0..<3 { songs.append(try await client.run(SetlistFunctions.add(show, "Song \(number)"))) }
      let watcher = try await server.client(token: nil)
      let watching = Task {
        for try await shows in watcher.subscribe(ShowFunctions.trending(1)) where shows.first?.votes == 240 { return shows[0].weekVotes }
        return 0
      }
      try await withThrowingTaskGroup { group in
        for fan in 0..<8 {
          group.addTask { [songs] in
            let client = try await server.client(token: nil)
            for number in 0..<30 {
              let song = songs[(fan + number) % 3]
              try await client.run(VoteFunctions.cast(song, "fan \(fan) \(number)"))
              // Once more, which is refused.
              _ = try? await client.run(VoteFunctions.cast(song, "fan \(fan) \(number)"))
            }
            await client.close()
          }
        }
        try await group.waitForAll()
      }
      #expect(try await watching.value == 240)
      let entries = try await client.run(SetlistFunctions.ofShow(show, 10))
      #expect(entries.reduce(0) { $0 + $1.voteCount } == 240)
      let forbidden = await #expect(throws: MartletError.self) { try await watcher.run(Trending.update()) }
      #expect(forbidden?.code == .forbidden)
      try await client.run(Trending.update())
      try await client.run(Recount.start())
      for try await recount in client.subscribe(Recount.last()) {
        guard let recount, recount.endedAt != nil else { continue }
        #expect(recount.differences == 0 && recount.documents == 5)
        break
      }
      await watcher.close()
      await client.close()
    }
  }
}
