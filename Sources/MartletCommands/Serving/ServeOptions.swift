import ArgumentParser
import Logging
import Martlet
import MartletServer

extension Durability: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Where a server keeps its data.
struct DataOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The data file.", valueName: "path"))
  var data = ServerConfiguration().dataPath

  @Option(help: ArgumentHelp("The folder of snapshots.", valueName: "path"))
  var snapshots = ServerConfiguration().snapshotsPath
}

struct ServeOptions: ParsableArguments {
  @Option(help: "The address to listen on. 0.0.0.0 is every network's: give it an admin key then.")
  var host = ServerConfiguration().host

  @Option(help: "The port; 0 takes any that is free.")
  var port = ServerConfiguration().port

  @OptionGroup var data: DataOptions

  @Option(help: "full: nothing is answered before it is on disk. relaxed: a crash of the machine may lose the last 50 ms.")
  var durability = Durability.full

  @Option(help: ArgumentHelp("Make the data from this snapshot first: a file, or a name. Refused where there are data.", valueName: "snapshot"))
  var restore: String?

  @Option(
    help: ArgumentHelp("Keep the log for so long, \(TimeSpan.help), so that \"restore --at\" can go back to any commit since.", valueName: "time"))
  var keepLog: TimeSpan?

  @Option(help: ArgumentHelp("Write a snapshot every so often, \(TimeSpan.help).", valueName: "time"))
  var snapshotEvery: TimeSpan?

  @Option(help: ArgumentHelp("How many of those snapshots stay, the newest.", valueName: "n"))
  var keep = ServerConfiguration().keptSnapshots

  @Option(help: "What the _system functions need. Left out: MARTLET_ADMIN_KEY of the environment, which others on this machine can't read.")
  var adminKey: String?

  @Option(
    name: .customLong("limit"),
    help: ArgumentHelp(
      "What a function may use, where it doesn't say itself: \(Limits.named.map(\.name).joined(separator: ", ")). May be repeated.",
      valueName: "name=value"))
  var limits: [String] = []

  @Option(
    name: .customLong("fetch-allow"),
    help: ArgumentHelp(
      "Hosts that actions may fetch from although their addresses are private, as 127.0.0.1,localhost,*.internal; * for all. May be repeated.",
      valueName: "hosts"))
  var fetchAllow: [String] = []

  @Option(
    help: ArgumentHelp(
      "A PEM file with certificates of authorities that actions believe beside the system's. May be repeated.", valueName: "path"))
  var fetchTrust: [String] = []

  @Option(help: ArgumentHelp("How long a fetch of an action may take, if it doesn't say itself, in seconds.", valueName: "seconds"))
  var fetchTimeout: Double?

  @Option(help: ArgumentHelp("The most bytes that a fetched body may have.", valueName: "bytes"))
  var fetchBytes: Int?

  @Option(help: ArgumentHelp("From how long on a query or mutation is slow, so that its run is kept in the log.", valueName: "ms"))
  var slow = ServerConfiguration().slowMilliseconds

  @Flag(help: "Keep every run in the log, and not only those that failed, were slow or logged something, actions, and jobs.")
  var logRuns = false

  @Option(help: ArgumentHelp("Clients that may be connected at a time.", valueName: "n"))
  var maxConnections = ServerConfiguration().connections

  @Option(help: ArgumentHelp("Subscriptions that one connection may have.", valueName: "n"))
  var maxSubscriptions = ServerConfiguration().subscriptionsPerConnection

  @Option(
    help: ArgumentHelp(
      "Requests that one connection may have unanswered: beyond that queries and mutations wait, and actions are refused.", valueName: "n"))
  var maxRequests = ServerConfiguration().requestsPerConnection

  @Option(help: ArgumentHelp("A connection that takes nothing for so long is ended.", valueName: "seconds"))
  var stallLimit = ServerConfiguration().stallSeconds

  @Option(
    help: ArgumentHelp(
      "Memory that the server may use, as 512MB, 8GB, 75% of the machine's or container's, or none: beyond it writes that grow are refused.",
      valueName: "size"))
  var maxMemory = "80%"

  @Option(
    help: ArgumentHelp(
      "How long a stopping server waits for what is in flight. Actions that still run then are cancelled.", valueName: "seconds"))
  var grace = ServerConfiguration().shutdownGraceSeconds

  @Option(help: "What is logged on standard error.")
  var logLevel = Logger.Level.warning

  @Flag(help: "Say where it listens as one line of JSON.")
  var json = false

  func validate() throws {
    guard (0...65535).contains(port) else { throw UsageError("--port must be between 0 and 65535") }
    if !(slow > 0 && slow <= 86_400_000) { throw UsageError("--slow must be more than 0, and a day at most") }
    for (name, value) in [("connections", maxConnections), ("subscriptions", maxSubscriptions), ("requests", maxRequests)] where value < 1 {
      throw UsageError("--max-\(name) must be 1 or more")
    }
    if !(stallLimit > 0 && stallLimit <= 86_400) { throw UsageError("--stall-limit must be more than 0, and 86400 at most") }
    guard MemoryLimit(maxMemory) != nil else {
      throw UsageError("--max-memory \(maxMemory): write a size of 64MB or more, as 512MB or 8GB, a share, as 75%, or none")
    }
    if keep < 1 { throw UsageError("--keep must be 1 or more") }
    guard (0...86_400).contains(grace) else { throw UsageError("--grace must be between 0 and 86400") }
    // An empty key would let in everyone who sends none.
    if adminKey == "" { throw UsageError("--admin-key can't be empty") }
    _ = try limits(changing: Limits())
    if let fetchTimeout, !(fetchTimeout > 0 && fetchTimeout <= 86_400) { throw UsageError("--fetch-timeout must be between 0 and 86400") }
    if let fetchBytes, fetchBytes < 1 { throw UsageError("--fetch-bytes must be 1 or more") }
    for host in allowedHosts {
      if let problem = FetchRules.problem(ofPattern: host) { throw UsageError("--fetch-allow: \(problem)") }
    }
  }

  private var allowedHosts: [String] {
    fetchAllow.flatMap { $0.split(separator: ",") }.map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty }
  }

  private func fetchRules(changing standard: FetchRules) -> FetchRules {
    var rules = standard
    rules.allowedHosts += allowedHosts
    rules.trustedCertificates += fetchTrust
    if let fetchTimeout { rules.timeout = .seconds(fetchTimeout) }
    if let fetchBytes { rules.responseBytes = fetchBytes }
    return rules
  }

  /// - Throws: where an option names no limit, or its value is no number of 1 or more.
  private func limits(changing standard: Limits) throws -> Limits {
    var changed = standard
    for text in limits {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let limit = Limits.named.first(where: { $0.name == parts[0] }) else {
        throw UsageError(
          "--limit \(text): there is no limit \"\(parts[0])\"; there are: \(Limits.named.map(\.name).joined(separator: ", "))")
      }
      guard parts.count == 2, let value = Int(parts[1]), value > 0 else {
        throw UsageError("--limit \(text): write --limit \(limit.name)=N, N a whole number of 1 or more")
      }
      changed[keyPath: limit.path] = value
    }
    return changed
  }

  /// - Parameter app: whose limits and rules the options change.
  func configuration(_ environment: [String: String], for app: AppDefinition) throws -> ServerConfiguration {
    var configuration = data.configuration
    configuration.limits = try limits(changing: app.limits)
    configuration.fetch = fetchRules(changing: app.fetch)
    configuration.pools = app.pools
    configuration.tokens = app.tokens
    configuration.environment = environment
    configuration.connections = maxConnections
    configuration.subscriptionsPerConnection = maxSubscriptions
    configuration.requestsPerConnection = maxRequests
    configuration.stallSeconds = stallLimit
    configuration.maxMemory = MemoryLimit(maxMemory) ?? configuration.maxMemory
    configuration.host = host
    configuration.port = port
    configuration.durability = durability
    configuration.keptLogSeconds = keepLog?.seconds
    configuration.snapshotSeconds = snapshotEvery?.seconds
    configuration.keptSnapshots = keep
    configuration.slowMilliseconds = slow
    configuration.logsAllRuns = logRuns
    configuration.shutdownGraceSeconds = grace
    configuration.adminKey = adminKey ?? environment["MARTLET_ADMIN_KEY"].flatMap { $0.isEmpty ? nil : $0 }
    return configuration
  }
}

extension DataOptions {
  var configuration: ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.dataPath = data
    configuration.snapshotsPath = snapshots
    return configuration
  }
}
