import ArgumentParser
import Glibc

/// The options that all workloads share: which servers, where, for how long, and how the result is told.
struct CommonOptions: ParsableArguments {
  enum Server: String, CaseIterable, ExpressibleByArgument { case martlet, redis }

  @Option(help: "The martlet executable. (default: the release build of this checkout)")
  var martlet: String?

  @Option(help: "Of w1: another martlet executable, such as the last commit's, that takes part as well; repeat for more.")
  var baseline: [String] = []

  @Option(help: "The redis-server executable, by path or by name on PATH.")
  var redis = "redis-server"

  @Option(help: "Take only this server: martlet or redis.")
  var only: Server?

  @Option(help: "Directory for the servers' data, on a real disk; each makes its own in it, and removes it.")
  var data = "/var/tmp"

  @Option(help: "Measured seconds of each run. (default: 3, or 1 with --quick)")
  var seconds: Double?

  @Option(help: "Rounds; in each, every server does every run once. (default: 5, or 1 with --quick)")
  var rounds: Int?

  @Flag(help: "A short form for CI: one round of one second, less data; goes on without Redis where it isn't installed.")
  var quick = false

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(help: "Exit with 1 when a ratio misses its aim. Failed checks always do.")
  var assertAims = false

  @Option(help: "Core of the servers.")
  var serverCore = 0

  @Option(help: "Core of the load generator.")
  var clientCore = 1

  @Option(help: "Seed of everything that is drawn.")
  var seed: UInt64 = 1

  var measuredSeconds: Double { seconds ?? (quick ? 1 : 3) }
  var warmUpSeconds: Double { min(0.5, measuredSeconds / 4) }
  var roundCount: Int { rounds ?? (quick ? 1 : 5) }

  var length: Load.Length { .seconds(warmUp: warmUpSeconds, measured: measuredSeconds) }

  func validate() throws {
    if let seconds, !(seconds >= 0.1 && seconds <= 3_600) { throw ValidationError("--seconds is 0.1 to 3600") }
    if let rounds, !(1...1_000).contains(rounds) { throw ValidationError("--rounds is 1 to 1000") }
    if serverCore == clientCore { throw ValidationError("servers and load generator need a core each") }
  }
}

/// The servers of one comparison, started.
struct Arena {
  var martlet: MartletServer?
  /// Other versions of Martlet.
  var baselines: [MartletServer] = []
  var redis: RedisServer?

  /// Starts what is asked for. A server that is missing is an error that says how to get it, but for Redis with `--quick`, which is noted
  /// and left out.
  init(_ options: CommonOptions, report: inout Report, needsPeer: Bool = true) throws {
    Interruption.install()
    let cores = Cores(server: options.serverCore, client: options.clientCore)
    if let cores {
      try Cores.pin(to: cores.client)
    } else {
      report.note("This machine has one core: server and load generator share it, and figures mean little.")
    }
    // Looked up before anything is started, so that what is missing is said at once.
    let martletPath = options.martlet ?? Places.siblingMartlet()
    let wantsMartlet = options.only != .redis
    if wantsMartlet, Places.executable(martletPath) == nil { throw BenchmarkError(MartletServer.howToBuild(martletPath)) }
    let redisPath = options.only == .martlet || !needsPeer ? nil : Places.executable(options.redis)
    if needsPeer, options.only != .martlet, redisPath == nil {
      guard options.quick, options.only == nil else { throw BenchmarkError(RedisServer.howToInstall) }
      report.note(RedisServer.howToInstall + ". The peer is skipped.")
    }
    if wantsMartlet, let path = Places.executable(martletPath) {
      martlet = try MartletServer(executable: path, dataParent: options.data, cores: cores)
    }
    for path in options.baseline {
      guard let path = Places.executable(path) else { throw BenchmarkError("there is no executable \(path)") }
      baselines.append(try MartletServer(executable: path, dataParent: options.data, cores: cores))
    }
    if let redisPath {
      redis = try RedisServer(executable: redisPath, dataParent: options.data, cores: cores)
    }
  }

  func stop() {
    martlet?.process.stop()
    for baseline in baselines { baseline.process.stop() }
    redis?.process.stop()
  }

  /// The banks on these servers, Martlet first.
  func banks() -> [(name: String, bank: any Bank)] {
    var banks: [(String, any Bank)] = []
    if let martlet { banks.append(("martlet", MartletBank(server: martlet))) }
    for (index, baseline) in baselines.enumerated() { banks.append((Report.baseline(index), MartletBank(server: baseline))) }
    if let redis { banks.append(("redis", RedisBank(server: redis))) }
    return banks
  }
}

extension Report {
  /// Tells the result, and leaves with 1 when a check failed, or an aim was missed that was asserted.
  func finish(_ options: CommonOptions) throws {
    try printResult(asJSON: options.json)
    if !failures.isEmpty { throw ExitCode(1) }
    if options.assertAims, ratios.contains(where: { !$0.isMet }) { throw ExitCode(1) }
  }
}
