import ArgumentParser
import MartletClient

struct LogsCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "What functions logged and how they ran, the newest last; with --follow also what comes from now on.",
    discussion: """
        logs --follow --function orders: --level warning
        logs --follow --all-runs

      The server keeps the newest 5,000 entries in memory, since its start. With --json, each is a line of JSON.
      """)

  @Flag(name: [.customShort("f"), .long], help: "Go on with entries as they come.")
  var follow = false

  @Option(help: ArgumentHelp("Only functions whose name begins like this.", valueName: "module:name"))
  var function: String?

  @Option(help: "Only entries of this level or above: debug, info, warning, error.")
  var level = LogLevel.debug

  @Flag(help: "Runs too: those that failed, were slow or logged something, actions, and jobs.")
  var runs = false

  @Flag(help: "With --follow: have the server keep every run meanwhile, and show them.")
  var allRuns = false

  @Option(help: ArgumentHelp("How many entries at most; with --follow, to begin with.", valueName: "n"))
  var limit = 100

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if limit < 0 { throw UsageError("--limit can't be negative") }
    if allRuns, !follow { throw UsageError("--all-runs is for --follow; --runs shows the runs that were kept") }
  }

  /// What is asked of the server.
  func arguments(limit: Int, after: Value? = nil) -> Value {
    var arguments: ObjectValue = ["level": .string(level.rawValue), "limit": .float64(Double(limit))]
    arguments["after"] = after
    arguments["function"] = function.map { .string($0) }
    if runs || allRuns { arguments["runs"] = allRuns ? "all" : "kept" }
    return .object(arguments)
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    // The end of the log first: what comes between the answers is newer.
    let end = try await client.query("_system:logs", ["after": .float64(Self.greatestNumber), "limit": 0])["last"]
    let newest = try await client.query("_system:logs", arguments(limit: limit)).elements
    try show(newest.reversed(), context.console)
    guard follow else { return }
    let seen = [newest.first?["number"], end].compactMap { $0?.number }.max() ?? 0
    // Its update says that there is something new; what, is asked for by number, however much it is.
    let news = client.subscribe("_system:logs", arguments(limit: 1))
    try await watch(news, context, seen) { seen, update in
      _ = try update.result.get()
      do { try await showNews(since: &seen, client, context.console) } catch let error as MartletError where error.code == .connectionLost {
        // The client connects again by itself, and then the next news bring what is missing now.
      }
      return true
    }
  }

  private static let mostAtOnce = 1_000
  private static let greatestNumber = 9_007_199_254_740_991.0

  private func showNews(since seen: inout Double, _ client: MartletClient, _ console: Console) async throws {
    while true {
      let news = try await client.query("_system:logs", arguments(limit: Self.mostAtOnce, after: .float64(seen)))
      if let lost = news["lost"]?.number, lost > 0 {
        try console.output.write(wantsJSON ? #"{"lost":\#(Int(lost))}"# + "\n" : "… \(Int(lost)) entries came too fast to be kept\n")
      }
      let entries = news["entries"]?.elements ?? []
      try show(entries, console)
      seen = news["last"]?.number ?? seen
      if entries.count < Self.mostAtOnce { return }
    }
  }

  private func show(_ entries: [Value], _ console: Console) throws {
    guard !entries.isEmpty else { return }
    try console.output.write(entries.map { (wantsJSON ? $0.json : Self.text(of: $0)) + "\n" }.joined())
  }

  /// `2026-11-21T12:40:52.992Z  warning  orders:createOrder  stock is low`, or of a run
  /// `2026-11-21T12:40:52.993Z  info     orders:createOrder  ✓ 1.2 ms, 3 read, 2 written`
  static func text(of entry: Value) -> String {
    let level = entry["level"]?.text ?? ""
    let padding = String(repeating: " ", count: max(0, LogLevel.longestName - level.count))
    let time = entry["at"].map { CellText($0, field: "_creationTime").text } ?? ""
    let message = entry["message"].map { CellText($0).text }
    let words = [time, level + padding, entry["function"].map { CellText($0).text } ?? "", outcome(of: entry, message) ?? message ?? ""]
    return words.joined(separator: "  ")
  }

  /// How a run ended; nil for a line.
  private static func outcome(of entry: Value, _ message: String?) -> String? {
    guard let outcome = entry["outcome"]?.text else { return nil }
    var parts: [String] = []
    if let milliseconds = entry["ms"]?.number { parts.append("\(milliseconds) ms") }
    if let count = entry["documentsRead"]?.number { parts.append("\(Int(count)) read") }
    if let count = entry["documentsWritten"]?.number { parts.append("\(Int(count)) written") }
    if let origin = origin(of: entry) { parts.append(origin) }
    let details = parts.isEmpty ? "" : " " + parts.joined(separator: ", ")
    guard outcome != "success" else { return "✓" + details }
    return "✗" + details + ": " + (message.map { "\($0) (\(outcome))" } ?? outcome)
  }

  private static func origin(of entry: Value) -> String? {
    switch entry["by"]?.text {
    case "request": entry["request"].flatMap { $0.text.isEmpty ? nil : "request \(CellText($0).text)" }
    case "job": entry["job"].map { "job \($0.text)" }
    case "cron": entry["cron"].map { "cron \(CellText($0).text)" }
    case "function": entry["caller"].map { "run by \(CellText($0).text)" }
    case "subscription": "live"
    default: nil
    }
  }
}

enum LogLevel: String, ExpressibleByArgument, CaseIterable {
  case debug, info, warning, error

  static let longestName = 7
}
