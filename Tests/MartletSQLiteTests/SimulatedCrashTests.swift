import Foundation
import SimulatedDisk
import Testing

@testable import MartletSQLite

/// G8 by thousands of losses of power, at every kind of operation that the storage asks of a disk.
@Suite("G8: crashes on a simulated disk")
struct SimulatedCrashTests {
  /// How many times as many runs as usual.
  static let factor = ProcessInfo.processInfo.environment["MARTLET_CRASH_FACTOR"].flatMap { Int($0) } ?? 1
  static let runs = 3_000 * factor

  @Test("G8: after every one of thousands of crashes the state is a prefix that holds all that was acknowledged; each kind of point was hit")
  func everyPoint() async {
    let workers = 4
    let coverage = await withTaskGroup(of: CrashTrial.Coverage.self) { group in
      for worker in 0..<workers {
        group.addTask {
          var sum = CrashTrial.Coverage()
          for seed in stride(from: worker, to: Self.runs, by: workers) {
            var trial = CrashTrial(seed: UInt64(seed))
            let problem = trial.run(lives: 2 + seed % 4)
            if let problem { Issue.record("seed \(seed), \(problem)") }
            sum.add(trial.coverage)
          }
          return sum
        }
      }
      var all = CrashTrial.Coverage()
      for await part in group { all.add(part) }
      return all
    }
    let atLeast = Self.runs / 1_500
    for operation in Self.points {
      #expect(coverage.crashes[operation, default: 0] >= atLeast, "hardly a crash at \(operation)")
    }
    for moment in ["after closing", "no fold", "fold, reading", "fold, writing", "fold, deleting"] {
      #expect(coverage.cuts[moment, default: 0] >= atLeast, "hardly a crash after \(moment)")
    }
    if ProcessInfo.processInfo.environment["MARTLET_CRASH_REPORT"] != nil {
      print("\(coverage.lives) lives")
      for (operation, count) in coverage.crashes.sorted(by: { "\($0.key)" < "\($1.key)" }) { print(count, operation) }
      print(coverage.cuts)
    }
  }

  /// Where power must have gone at least: what each activity does to each file.
  static let points: [SimulatedDisk.Operation] = {
    typealias Kinds = [SimulatedDisk.OperationKind]
    let points: [(activity: String, database: Kinds, log: Kinds, journal: Kinds)] = [
      ("creating", [.open, .write, .sync], [.open, .write, .sync], [.write, .sync, .delete]),
      ("opening", [.open, .read], [.open, .read], []),
      ("recovering", [.read, .write, .sync], [.read, .write, .sync], []),
      ("synced append", [], [.write, .sync], []),
      ("relaxed append", [], [.write], []),
      ("syncing", [], [.write, .sync], []),
      ("WAL checkpoint", [.write, .sync], [.read, .write, .sync], []),
      ("fold, writing", [], [.write], []),
      ("fold, deleting", [], [.write], []),
      ("closing", [.write, .sync], [.write, .sync, .delete], []),
    ]
    return points.flatMap { point in
      let files: [(SimulatedDisk.FileRole, Kinds)] = [(.database, point.database), (.log, point.log), (.journal, point.journal)]
      return files.flatMap { file, kinds in kinds.map { SimulatedDisk.Operation(point.activity, file, $0) } }
    }
  }()

  @Test("A storage with a fault is found", arguments: CrashTrial.Defect.allCases)
  func defects(_ defect: CrashTrial.Defect) {
    var found = 0
    for seed in 0..<40 {
      var trial = CrashTrial(seed: UInt64(seed), defect: defect)
      if trial.run(lives: 4) != nil { found += 1 }
    }
    #expect(found >= 5, "a storage that \(defect) passed \(40 - found) of 40 runs")
  }
}
