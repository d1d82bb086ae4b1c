import Foundation
import MartletTesting
import MartletValues
import MartletWire
import Testing

@testable import Martlet
@testable import MartletTesting

/// What crons of every kind did: how often each ran, and when, as a checksum of the instants in their order.
private struct Runs: Table {
  static let name = "runs"
  let cron = Field(.string)
  let count = Field(.wholeNumber)
  let checksum = Field(.int64)
  let last = Field(.double)
  let byCron = Index("by_cron", \Runs.cron, unique: true)
}

private struct Tally: Equatable, CustomStringConvertible {
  var count = 0
  var checksum: Int64 = 0
  var last = 0.0

  mutating func note(_ milliseconds: Double) {
    count += 1
    checksum = checksum &* 1_000_003 &+ Int64(milliseconds)
    last = milliseconds
  }

  var description: String { "\(count) runs up to \(Int(last)), checksum \(checksum)" }
}

private enum Month: FunctionModule {
  static let path = "month"
  static let functions: [any ServerFunction] = [run, act]

  static let run = Mutation("run", Arg("cron", .string)) { ctx, cron in
    let runs = try ctx.db.query(Runs.self).withIndex(\.byCron) { $0.eq(\.cron, cron) }.unique()
    var tally = runs.map { Tally(count: $0.count, checksum: $0.checksum, last: $0.last) } ?? Tally()
    tally.note(ctx.now)
    func fill(_ draft: borrowing Draft<Runs>) {
      draft.count = tally.count
      draft.checksum = tally.checksum
      draft.last = tally.last
    }
    if let runs {
      try ctx.db.patch(runs.id) { fill($0) }
    } else {
      try ctx.db.insert(Runs.self) {
        $0.cron = cron
        fill($0)
      }
    }
  }

  static let act = Action("act", Arg("cron", .string)) { ctx, cron in try await ctx.run(run(cron)) }

  /// A schedule, and the same said in another way: at which readings of its zone's clock it runs.
  struct Declared: Sendable {
    var name: String
    var schedule: Schedule
    var zone = "UTC"
    /// Whether it follows the clock from hour to hour, and so runs again for a reading that comes again.
    var isOfEveryHour = false
    var isAction = false
    var runs: @Sendable (Reading) -> Bool

    var cron: Cron { isAction ? Cron(name, schedule, act(name)) : Cron(name, schedule, run(name)) }
  }

  /// A clock's, to the half minute.
  struct Reading: Sendable {
    var day: Int
    var isLastDay: Bool
    /// From 1, Sunday, on.
    var weekday: Int
    var hour: Int
    var minute: Int
    var second: Int

    func `is`(_ hour: Int, _ minute: Int) -> Bool { self.hour == hour && self.minute == minute && second == 0 }
  }

  /// How far the crons that run often are apart: most of the work is theirs, so without optimization they run less often.
  #if DEBUG
    static let (minutes, interval) = (30, 37 * 60 + 13)
  #else
    static let (minutes, interval) = (1, 2 * 60 + 13)
  #endif

  /// Crons of every kind.
  static let declared: [Declared] = [
    Declared(name: "often", schedule: .cron("*/\(minutes) * * * *"), isOfEveryHour: true) { $0.minute % minutes == 0 && $0.second == 0 },
    Declared(name: "with seconds", schedule: .cron("30 */20 * * * *"), isOfEveryHour: true) { $0.minute % 20 == 0 && $0.second == 30 },
    Declared(name: "office", schedule: .cron("*/30 8-18 * * MON-FRI", timeZone: "Europe/Berlin"), zone: "Europe/Berlin") {
      (2...6).contains($0.weekday) && (8...18).contains($0.hour) && $0.minute % 30 == 0 && $0.second == 0
    },
    Declared(name: "hourly", schedule: .hourly(minute: 7), isOfEveryHour: true) { $0.minute == 7 && $0.second == 0 },
    Declared(name: "hourly in Berlin", schedule: .hourly(minute: 30, timeZone: "Europe/Berlin"), zone: "Europe/Berlin", isOfEveryHour: true) {
      $0.minute == 30 && $0.second == 0
    },
    Declared(name: "hourly in Kolkata", schedule: .hourly(timeZone: "Asia/Kolkata"), zone: "Asia/Kolkata", isOfEveryHour: true, isAction: true) {
      $0.minute == 0 && $0.second == 0
    },
    Declared(name: "daily", schedule: .daily(hour: 3)) { $0.is(3, 0) },
    // Skipped or shown twice where clocks change.
    Declared(name: "daily in Berlin", schedule: .daily(hour: 2, minute: 30, timeZone: "Europe/Berlin"), zone: "Europe/Berlin") { $0.is(2, 30) },
    Declared(name: "daily in New York", schedule: .cron("15 1,2 * * *", timeZone: "America/New_York"), zone: "America/New_York") {
      $0.is(1, 15) || $0.is(2, 15)
    },
    Declared(name: "weekly", schedule: .weekly(on: .sunday, hour: 2, minute: 0, timeZone: "Europe/Berlin"), zone: "Europe/Berlin") {
      $0.weekday == 1 && $0.is(2, 0)
    },
    Declared(name: "monthly", schedule: .monthly(day: 1, hour: 0)) { $0.day == 1 && $0.is(0, 0) },
    Declared(name: "last day", schedule: .monthly(day: .last, hour: 23, timeZone: "America/New_York"), zone: "America/New_York") {
      $0.isLastDay && $0.is(23, 0)
    },
    Declared(name: "15th or Friday", schedule: .cron("0 22 15 * FRI")) { ($0.day == 15 || $0.weekday == 6) && $0.is(22, 0) },
  ]
}

@Suite("A month of crons")
struct MonthTests {
  static let days = 31

  /// Where a month begins: with the clocks of Berlin and New York going forward in it, and with both going back.
  enum Beginning: Double, CaseIterable {
    case march2026 = 1_772_668_810_000
    case october2026 = 1_791_590_410_000
  }

  /// What runs in a month, found by looking at the clock of each zone every half minute.
  private static func expected(from beginning: Beginning) -> [String: Tally] {
    var tallies: [String: Tally] = [:]
    let (first, length) = (Int(beginning.rawValue) / 1_000, days * 86_400)
    for time in stride(from: first + Month.interval, through: first + length, by: Month.interval) {
      tallies["interval", default: Tally()].note(Double(time) * 1_000)
    }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0)!
    for (name, declared) in Dictionary(grouping: Month.declared, by: \.zone) {
      let zone = TimeZone(identifier: name)!
      var dates: [Int: DateComponents] = [:]
      func reading(_ clock: Int) -> Month.Reading {
        let day = clock / 86_400
        func components(_ day: Int) -> DateComponents {
          if let known = dates[day] { return known }
          let found = calendar.dateComponents([.day, .weekday], from: Date(timeIntervalSince1970: Double(day) * 86_400))
          dates[day] = found
          return found
        }
        let (date, time) = (components(day), clock - day * 86_400)
        return Month.Reading(
          day: date.day!, isLastDay: components(day + 1).day == 1, weekday: date.weekday!, hour: time / 3_600, minute: time / 60 % 60, second: time % 60)
      }
      func clock(_ instant: Int) -> Int { instant + zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant))) }
      let begin = first / 30 * 30
      // The latest that the clock has shown.
      var latest = clock(begin)
      for instant in stride(from: begin + 30, through: first + length, by: 30) {
        let shown = clock(instant)
        let now = reading(shown)
        let skipped = stride(from: latest + 30, to: shown, by: 30).map { reading($0) }
        for cron in declared {
          let isNew = cron.isOfEveryHour || shown > latest
          if isNew && cron.runs(now) || !cron.isOfEveryHour && skipped.contains(where: cron.runs) {
            tallies[cron.name, default: Tally()].note(Double(instant) * 1_000)
          }
        }
        latest = max(latest, shown)
      }
    }
    return tallies
  }

  /// Lets a month pass.
  private static func pass(from beginning: Beginning, days: Int = days, seed: UInt64 = 1) throws -> (server: EngineHarness, time: Duration) {
    let crons = Month.declared.map(\.cron) + [Cron("interval", .interval(.seconds(Month.interval)), Month.run("interval"))]
    let server = try EngineHarness(
      tables: [Runs.self], modules: [Month.self], crons: crons, seed: seed, clock: SimulatedClock(startingAt: beginning.rawValue))
    let time = ContinuousClock().measure {
      server.advance(milliseconds: days * 86_400_000)
      server.settle()
    }
    return (server, time)
  }

  private static func tallies(_ server: EngineHarness) throws -> [String: Tally] {
    let client = server.connect()
    client.send(#"query all _system:documents {"table":"runs","limit":100}"#)
    server.settle()
    guard let line = client.take().last, case .object(let answer)? = try? Value(json: line.rest), case .array(let page)? = answer["page"] else { return [:] }
    var tallies: [String: Tally] = [:]
    for document in page {
      guard case .object(let fields) = document, case .string(let cron)? = fields["cron"], case .float64(let count)? = fields["count"],
        case .int64(let checksum)? = fields["checksum"], case .float64(let last)? = fields["last"]
      else { continue }
      tallies[cron] = Tally(count: Int(count), checksum: checksum, last: last)
    }
    return tallies
  }

  @Test("G10: crons of every kind run at their instants for a month, and at no other, across changes of clocks", arguments: Beginning.allCases)
  func month(_ beginning: Beginning) throws {
    let expected = Self.expected(from: beginning)
    let (server, time) = try Self.pass(from: beginning)
    let found = try Self.tallies(server)
    for (cron, tally) in expected.sorted(by: { $0.key < $1.key }) { #expect(found[cron] == tally, "\(cron)") }
    #expect(found.count == expected.count && expected.count == Month.declared.count + 1)
    print("\(Self.days) days from \(beginning), \(expected.values.reduce(0) { $0 + $1.count }) runs of \(expected.count) crons, took \(time)")
  }

  @Test("G10: one seed gives one run of crons, to the byte")
  func replay() throws {
    #if DEBUG
      let days = 4
    #else
      let days = Self.days
    #endif
    let states = try [1, 1, 2].map { Self.state(try Self.pass(from: .october2026, days: days, seed: $0).server) }
    #expect(states[0] == states[1] && states[0] != states[2] && states[0].count > 100)
  }

  /// All that is on disk.
  private static func state(_ server: EngineHarness) -> [[UInt8]] {
    server.disk.state.withLock { state in
      state.documents.sorted { $0.key < $1.key }.map(\.value.json) + state.rows.map(\.batch.bytes)
    }
  }
}
