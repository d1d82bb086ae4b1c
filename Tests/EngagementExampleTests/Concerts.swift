import Martlet
import MartletClient
import MartletTesting
import TestSupport
import Testing

@testable import EngagementExample

/// The example on a virtual clock, or what it is compared with.
struct Concerts {
  let server: MartletTestServer
  let admin: MartletClient

  static var app: AppDefinition {
    AppDefinition(
      tables: EngagementApp.tables, modules: EngagementApp.modules, triggers: EngagementApp.triggers, crons: EngagementApp.crons)
  }

  static var scans: AppDefinition {
    AppDefinition(tables: ScansApp.tables, modules: ScansApp.modules, crons: ScansApp.crons, limits: ScansApp.limits)
  }

  init(_ app: AppDefinition = Self.app, withCrons: Bool = false, seed: UInt64 = 1) async throws {
    var app = app
    if !withCrons { app.crons = [] }
    server = try MartletTestServer(app, adminKey: "admin", seed: seed)
    admin = try await server.client(token: "admin")
  }

  /// All documents of a table, oldest first.
  func documents(_ table: String) async throws -> [Value] {
    var found: [Value] = []
    var cursor: Value?
    while true {
      var arguments: ObjectValue = ["table": .string(table), "limit": 1_000]
      if let cursor { arguments["cursor"] = cursor }
      let page = try await admin.query("_system:documents", .object(arguments))
      if case .array(let items)? = page["page"] { found += items }
      if page["isDone"] == true { return found }
      cursor = page["continueCursor"]
    }
  }

  /// What all functions of this name's beginning have read so far.
  func documentsRead(_ prefixes: [String] = [""]) async throws -> Int {
    guard case .array(let functions) = try await admin.query("_system:functionStats") else { return 0 }
    return functions.reduce(0) { sum, function in
      guard case .string(let name)? = function["name"], case .float64(let read)? = function["documentsRead"],
        prefixes.contains(where: name.hasPrefix), !name.hasPrefix("_system:documents")
      else { return sum }
      return sum + Int(read)
    }
  }

  /// Runs a recount to its end.
  func recount() async throws -> Document<Recounts> {
    try await admin.run(Recount.start())
    await server.settle()
    guard let recount = try await admin.run(Recount.last()), recount.endedAt != nil else { throw Unfinished() }
    return recount
  }

  struct Unfinished: Error {}
}

/// A day's traffic, the same for whoever is given the same seed: votes, most of them for few shows, votes taken back, new shows and songs.
///
/// It names shows and songs by their place in the order of creation, since each server has ids of its own.
struct Traffic {
  var random: TestRandom
  /// Whether it leaves shows alone from when they are over. Until a cron has completed them they still take votes, and the crons of two servers
  /// that are compared don't come at the same time.
  private let sparesPastShows: Bool
  private var shows: [(id: ID<Shows>, endsAt: Double)] = []
  private var artists: [ID<Artists>] = []
  private var songs: [(id: ID<Setlists>, show: Int)] = []
  private var votes: [(song: Int, voter: String)] = []
  private(set) var refused = 0

  init(seed: UInt64, sparesPastShows: Bool = false) {
    random = TestRandom(seed: seed)
    self.sparesPastShows = sparesPastShows
  }

  mutating func look(at concerts: Concerts) async throws {
    func id<T: Table>(_ document: Value, _ member: String = "_id", in table: T.Type) throws -> ID<T> { try #require(document[member]).decode(as: ID<T>.self) }
    artists = try await concerts.documents("artists").map { try id($0, in: Artists.self) }
    shows = try await concerts.documents("shows").map {
      (try id($0, in: Shows.self), try #require($0["startsAt"]).decode(as: Double.self) + ShowFunctions.length)
    }
    let places = Dictionary(uniqueKeysWithValues: shows.enumerated().map { ($1.id, $0) })
    songs = try await concerts.documents("setlists").map {
      (try id($0, in: Setlists.self), try #require(places[try id($0, "show", in: Shows.self)]))
    }
  }

  private func spares(_ show: Int, _ concerts: Concerts) -> Bool { sparesPastShows && shows[show].endsAt <= concerts.server.now }

  mutating func step(_ concerts: Concerts) async throws {
    do {
      switch random.number(0..<100) {
      case 0..<2:
        let startsAt = concerts.server.now + Double(random.number(1..<200)) * 3_600_000
        let show = try await concerts.admin.run(ShowFunctions.announce(random.element(of: artists), "Arena", startsAt))
        shows.append((show, startsAt + ShowFunctions.length))
      case 2..<6:
        let show = random.number(0..<shows.count)
        if spares(show, concerts) { return }
        songs.append((try await concerts.admin.run(SetlistFunctions.add(shows[show].id, "encore")), show))
      case 6..<12 where !votes.isEmpty:
        let vote = votes.remove(at: random.number(0..<votes.count))
        try await concerts.admin.run(VoteFunctions.takeBack(songs[vote.song].id, vote.voter))
      default:
        // The product of two draws: few songs get most.
        let song = random.number(0..<songs.count) * random.number(0..<songs.count) / songs.count
        let voter = "visitor \(random.number(0..<200))"
        if spares(songs[song].show, concerts) { return }
        try await concerts.admin.run(VoteFunctions.cast(songs[song].id, voter))
        votes.append((song, voter))
      }
    } catch let error as MartletError where error.code == .application {
      // A show that is over, a second vote.
      refused += 1
    }
  }
}
