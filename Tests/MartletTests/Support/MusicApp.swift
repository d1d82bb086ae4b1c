import MartletTesting
import MartletValues

@testable import Martlet

/// Songs and votes for them: what tests of triggers, unique indexes, defaults and tables without a schema use.
struct Songs: Table {
  static let name = "songs"
  let title = Field(.string)
  let votes = Field(.double, default: 0)
  let mood = Field(.string, default: "calm")
  let code = Field(.optional(.string))

  let byTitle = Index("by_title", \Songs.title, unique: true)
  let byCode = Index("by_code", \Songs.mood, \Songs.code, unique: true)
  let byVotes = Index("by_votes", \Songs.votes)
}

struct Votes: Table {
  static let name = "votes"
  let song = Field(.id(Songs.self))
  let voter = Field(.string)
  let bySong = Index("by_song", \Votes.song)
}

/// A line for each write that the triggers saw.
struct Notices: Table {
  static let name = "notes"
  static let allowsOtherFields = true
  let text = Field(.optional(.string))
}

/// Songs as they were before they had votes, moods and unique titles.
struct EarlierSongs: Table {
  static let name = "songs"
  let title = Field(.string)
  let code = Field(.optional(.string))
}

enum Music: FunctionModule {
  static let path = "music"
  static let functions: [any ServerFunction] = [
    add, rename, vote, unvote, titles, votes, notes, addOrFind, swapTitles, note, noted, renameAll, find, voteQuietly, recount, slowAdd, noteMany,
  ]

  static let add = Mutation(
    "add", Arg("title", .string), Arg("mood", .optional(.string)), Arg("code", .optional(.string))
  ) { ctx, title, mood, code in
    try ctx.db.insert(Songs.self) {
      $0.title = title
      if let mood { $0.mood = mood }
      $0.code = code
      // A field with a default can be read before it is set.
      $0.votes += 0
    }
  }

  /// Takes so long that it runs beside the engine's thread.
  static let slowAdd = Mutation("slowAdd", Arg("title", .string)) { ctx, title in
    for _ in 0..<5_000 { _ = try ctx.db.find(ID<Songs>(DocumentID(tableNumber: 1, high: 0, low: 0))) }
    return try ctx.db.insert(Songs.self) { $0.title = title }
  }

  static let rename = Mutation("rename", Arg("song", .id(Songs.self)), Arg("title", .string)) { ctx, song, title in
    try ctx.db.patch(song) { $0.title = title }
  }

  /// Gives every song a title in turn; the order matters where titles are unique.
  static let renameAll = Mutation("renameAll", Arg("titles", .array(.string))) { ctx, titles in
    for (song, title) in zip(try ctx.db.query(Songs.self).collect(), titles) { try ctx.db.patch(song.id) { $0.title = title } }
  }

  static let swapTitles = Mutation("swapTitles", Arg("one", .id(Songs.self)), Arg("other", .id(Songs.self))) { ctx, one, other in
    let titles = (try ctx.db.get(one).title, try ctx.db.get(other).title)
    try ctx.db.delete(one)
    try ctx.db.patch(other) { $0.title = titles.0 }
    try ctx.db.insert(Songs.self) { $0.title = titles.1 }
  }

  static let addOrFind = Mutation("addOrFind", Arg("title", .string)) { ctx, title in
    do { return try ctx.run(add(title, nil, nil)) } catch let error as ApplicationError {
      guard error.data?["code"] == "not_unique" else { throw error }
      return try ctx.db.query(Songs.self).withIndex(\.byTitle) { $0.eq(\.title, title) }.unique()!.id
    }
  }

  static let find = Query("find", Arg("title", .string)) { ctx, title in
    try ctx.db.query(Songs.self).withIndex(\.byTitle) { $0.eq(\.title, title) }.unique()
  }

  static let titles = Query("titles") { ctx in
    try ctx.db.query(Songs.self).withIndex(\.byTitle).collect().map { "\($0.title) \($0.mood) \(Int($0.votes))" }
  }

  static let vote = Mutation("vote", Arg("song", .id(Songs.self)), Arg("voter", .string)) { ctx, song, voter in
    try ctx.db.insert(Votes.self) {
      $0.song = song
      $0.voter = voter
    }
  }

  /// Goes on after a vote that its trigger refuses.
  static let voteQuietly = Mutation("voteQuietly", Arg("song", .id(Songs.self)), Arg("voter", .string)) { ctx, song, voter in
    do { try ctx.run(vote(song, voter)) } catch is ApplicationError {}
    do {
      try ctx.db.insert(Votes.self) {
        $0.song = song
        $0.voter = voter
      }
    } catch is ApplicationError {}
    return try ctx.db.query(Votes.self).count()
  }

  static let unvote = Mutation("unvote", Arg("voter", .string)) { ctx, voter in
    for vote in try ctx.db.query(Votes.self).collect() where vote.voter == voter { try ctx.db.delete(vote.id) }
  }

  static let recount = Mutation("recount") { ctx in
    for song in try ctx.db.query(Songs.self).collect() { try ctx.db.patch(song.id) { $0.votes = $0.votes } }
  }

  static let votes = Query("votes", Arg("song", .id(Songs.self))) { ctx, song in try ctx.db.get(song).votes }

  static let note = Mutation("note", Arg("name", .string), Arg("value", .optional(.any))) { ctx, name, value in
    try ctx.db.insert(Notices.self) { $0[name] = value }
  }

  /// Sets many fields, each twice, and answers how many hold what was set last.
  static let noteMany = Mutation("noteMany", Arg("count", .wholeNumber)) { ctx, count in
    var right = 0
    let id = try ctx.db.insert(Notices.self) { note in
      for number in (0..<count).reversed() { note["n\(number)"] = "first" }
      for number in 0..<count {
        note["n\(number)"] = number % 3 == 0 ? nil : .float64(Double(number))
        if number % 50 == 0, note["n\(number + 1)"] != "first" { throw ApplicationError("a field reads as something else") }
      }
    }
    let stored = try ctx.db.get(id)
    for number in 0..<count where stored["n\(number)"] == (number % 3 == 0 ? nil : .float64(Double(number))) { right += 1 }
    return right
  }

  static let noted = Query("noted", Arg("name", .string)) { ctx, name in
    try ctx.db.query(Notices.self).collect().compactMap { $0[name] }
  }

  static let notes = Query("notes") { ctx in try ctx.db.query(Notices.self).collect().compactMap(\.text) }

  /// Votes are counted where they are cast. Nobody votes twice as "twice", and "deep" votes again without end.
  static let countVotes = Trigger.onChange(of: Votes.self) { ctx, change in
    if let old = change.old, let song = try ctx.db.find(old.song) { try ctx.db.patch(song.id) { $0.votes -= 1 } }
    guard let new = change.new else { return }
    try ctx.db.patch(new.song) { $0.votes += 1 }
    if new.voter == "twice" { throw ApplicationError("nobody votes twice") }
    if new.voter == "deep" {
      try ctx.db.insert(Votes.self) {
        $0.song = new.song
        $0.voter = "deep"
      }
    }
  }

  static let noteSongs = Trigger.onChange(of: Songs.self) { ctx, change in
    let what =
      switch (change.old, change.new) {
      case (nil, let new?): "+\(new.title)"
      case (let old?, nil): "-\(old.title)"
      case (let old?, let new?): "\(old.title)→\(new.title)"
      case (nil, nil): "nothing"
      }
    try ctx.db.insert(Notices.self) { $0.text = what }
  }
}

extension Value {
  fileprivate subscript(name: String) -> Value? {
    if case .object(let members) = self { members[name] } else { nil }
  }
}

extension EngineHarness {
  static func music(
    seed: UInt64 = 1, triggers: [Trigger] = [], disk: MemoryStorage.Disk = .init(),
    configuration: EngineConfiguration = EngineConfiguration(), pace: SimulatedLogWriter.Pace = .immediate
  ) throws -> EngineHarness {
    try EngineHarness(
      tables: [Songs.self, Votes.self, Notices.self], modules: [Music.self], triggers: triggers, seed: seed, disk: disk,
      configuration: configuration, pace: pace)
  }
}
