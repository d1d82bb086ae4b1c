import ArgumentParser
import Glibc

/// W9: a million documents of 200 bytes. How long a restart takes, what they take of memory, and what a snapshot does to commits.
///
/// **Restart**: from the start of the process until it has answered with a document over its socket, data checked. Redis loads its RDB file with as many values of 200 bytes, under
/// keys as long as Martlet's ids, until it answers `PING`, and then one `GET`. In turns, both on all cores.
///
/// **Memory**: the resident memory of the server when it is at rest after that restart, less that of an empty one, which is mostly the program's code; all of it is told as well.
///
/// **Pauses**: while a snapshot is written, one client commits one after another, and another has 64 commits in flight. The longest time between two acknowledged
/// commits counts; what it is without a snapshot is told beside it.
struct W9Restart: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "w9", abstract: "Restart with 1,000,000 documents of 200 bytes, their memory, and commits during a snapshot; the peer is Redis' RDB.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Documents. (default: 1000000, or 50000 with --quick)")
  var documents: Int?

  func validate() throws {
    guard (1_000...50_000_000).contains(documents ?? 1_000) else { throw ValidationError("--documents is 1000 to 50000000") }
  }

  private static let pauseAimMilliseconds = 20.0

  func run() throws {
    Interruption.install()
    var report = Report(workload: "W9 restart")
    let count = documents ?? (common.quick ? 50_000 : 1_000_000)
    let martletPath = common.martlet ?? Places.siblingMartlet()
    guard Places.executable(martletPath) != nil || common.only == .redis else { throw BenchmarkError(MartletServer.howToBuild(martletPath)) }
    let redisPath = common.only == .martlet ? nil : Places.executable(common.redis)
    if common.only != .martlet, redisPath == nil {
      guard common.quick, common.only == nil else { throw BenchmarkError(RedisServer.howToInstall) }
      report.note(RedisServer.howToInstall + ". The peer is skipped.")
    }

    var keepers: [(name: String, keeper: any NoteKeeper)] = []
    defer { for (_, keeper) in keepers { keeper.process.stop() } }
    let martlet = common.only == .redis ? nil : try MartletNotes(executable: martletPath, dataParent: common.data)
    if let martlet { keepers.append(("Martlet", martlet)) }
    if let redisPath { keepers.append(("Redis", try RedisNotes(executable: redisPath, dataParent: common.data))) }

    var empty: [Int] = []
    for (name, keeper) in keepers {
      usleep(500_000)
      empty.append(ResidentMemory.of(process: keeper.process.id))
      Report.progress("\(name): writing \(count) documents")
      var generator = SeededGenerator(seed: common.seed)
      try keeper.fill(count, &generator)
      keeper.process.stop(removingData: false)
    }

    var times: [[Double]] = keepers.map { _ in [] }
    for round in 0...common.roundCount {
      for (index, entry) in keepers.enumerated() {
        let seconds = try entry.keeper.startAndRead()
        // The first only has the files read.
        if round > 0 {
          times[index].append(seconds)
          Report.progress("round \(round)  \(entry.name) restarts in \(Report.fixed(seconds, 3)) s")
        }
        if round < common.roundCount { entry.keeper.process.stop(removingData: false) }
      }
    }

    usleep(1_500_000)
    var memory: [Double] = []
    for (index, entry) in keepers.enumerated() {
      let all = ResidentMemory.of(process: entry.keeper.process.id)
      memory.append(Double(all - empty[index]) / Double(count))
      report.note(
        "\(entry.name): restarts in \(Report.fixed(median(times[index]), 3)) s with \(count) documents; \(Report.fixed(Double(all) / 1_048_576, 1)) MiB of memory "
          + "(\(Report.fixed(Double(ResidentMemory.anonymous(of: entry.keeper.process.id)) / 1_048_576, 1)) MiB without the program's code), "
          + "empty \(Report.fixed(Double(empty[index]) / 1_048_576, 1)) MiB: \(Report.fixed(memory[index], 0)) bytes a document")
      let found = try entry.keeper.count()
      if found != count { report.failures.append("\(entry.name) has \(found) documents after its restart instead of \(count)") }
    }
    if keepers.count == 2 {
      report.ratios.append(Report.Ratio(name: "time of a restart, Martlet / Redis", value: median(times[0]) / median(times[1]), atMost: 1))
      report.ratios.append(Report.Ratio(name: "memory of a document, Martlet / Redis", value: memory[0] / memory[1], atMost: 1))
    }
    if let martlet { try measurePauses(martlet, keepers.map(\.keeper), &report) }
    try report.finish(common)
  }

  private func measurePauses(_ martlet: MartletNotes, _ all: [any NoteKeeper], _ report: inout Report) throws {
    var pauses: [Double] = []
    var latencies: [Double] = []
    var quiet: [Double] = []
    try martlet.whileOthersPause(all) {
      for round in 1...common.roundCount {
        let meter = try CommitPauses(port: martlet.process.port)
        let without = try meter.run(while: nil, seconds: common.measuredSeconds).result
        let begin = Clock.nowNanoseconds()
        let with = try meter.run(while: #"action s _system:snapshot {"name":"w9-\#(round)"}"#, seconds: 0).result
        Report.progress(
          "round \(round)  a snapshot in \(Report.fixed(Double(Clock.nowNanoseconds() - begin) / 1e9, 2)) s, \(with.commits) commits meanwhile: "
            + "longest pause \(Report.fixed(with.longestPauseMilliseconds, 2)) ms, latency \(Report.fixed(with.longestLatencyMilliseconds, 2)) ms; "
            + "without \(Report.fixed(without.longestPauseMilliseconds, 2)) ms")
        pauses.append(with.longestPauseMilliseconds)
        latencies.append(with.longestLatencyMilliseconds)
        quiet.append(without.longestPauseMilliseconds)
        try martlet.waitForQuiet()
      }
    }
    report.note(
      "commits while a snapshot is written: longest pause \(Report.fixed(median(pauses), 2)) ms (most \(Report.fixed(pauses.max() ?? 0, 2)) ms), longest latency "
        + "\(Report.fixed(median(latencies), 2)) ms; without a snapshot the longest pause is \(Report.fixed(median(quiet), 2)) ms (medians)")
    report.ratios.append(
      Report.Ratio(name: "longest pause of commits during a snapshot, ms", value: median(pauses), atMost: Self.pauseAimMilliseconds))
  }
}
