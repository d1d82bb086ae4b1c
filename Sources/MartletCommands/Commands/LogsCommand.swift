import ArgumentParser
import MartletClient

struct LogsCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "What functions logged, the newest lines last; with --follow also what they log from now on.",
    discussion: """
        logs --follow --function orders: --level warning

      The server keeps the newest 1,000 lines in memory, since its start. With --json, each line is one of JSON.
      """)

  @Flag(name: [.customShort("f"), .long], help: "Go on with lines as they come.")
  var follow = false

  @Option(help: ArgumentHelp("Only lines of functions whose name begins like this.", valueName: "module:name"))
  var function: String?

  @Option(help: "Only lines of this level or above: debug, info, warning, error.")
  var level = LogLevel.debug

  @Option(help: ArgumentHelp("How many lines at most; with --follow, to begin with.", valueName: "n"))
  var limit = 100

  @OptionGroup var connection: ConnectionOptions

  /// As many as the server keeps: filters are applied here, and between two updates none should be missed.
  private static let window = 1_000

  func validate() throws {
    if limit < 0 { throw UsageError("--limit can't be negative") }
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let arguments: Value = ["limit": .float64(Double(Self.window))]
    guard follow else {
      return try show(try await client.query("_system:logs", arguments).elements.reversed().filter(isWanted).suffix(limit), context.console)
    }
    try await watch(client.subscribe("_system:logs", arguments), context, LogTail()) { tail, update in
      let isFirst = tail.isEmpty
      var lines = try tail.take(update.result.get().elements.reversed()).filter(isWanted)
      if isFirst { lines = lines.suffix(limit) }
      try show(lines, context.console)
      return true
    }
  }

  func isWanted(_ line: Value) -> Bool {
    if let function, line["function"]?.text.hasPrefix(function) != true { return false }
    // A level that this client doesn't know is none to hide.
    return LogLevel(rawValue: line["level"]?.text ?? "").map { $0.rank >= level.rank } ?? true
  }

  private func show(_ lines: [Value], _ console: Console) throws {
    guard !lines.isEmpty else { return }
    try console.output.write(lines.map { (wantsJSON ? $0.json : Self.text(of: $0)) + "\n" }.joined())
  }

  /// `2026-11-21T12:40:52.992Z  warning  orders:createOrder  stock is low`
  static func text(of line: Value) -> String {
    let level = line["level"]?.text ?? ""
    let padding = String(repeating: " ", count: max(0, LogLevel.longestName - level.count))
    let time = line["at"].map { CellText($0, field: "_creationTime").text } ?? ""
    let words = [time, level + padding, line["function"].map { CellText($0).text } ?? "", line["message"].map { CellText($0).text } ?? ""]
    return words.joined(separator: "  ")
  }
}

enum LogLevel: String, ExpressibleByArgument, CaseIterable {
  case debug, info, warning, error

  static let longestName = 7
  var rank: Int { Self.allCases.firstIndex(of: self)! }
}

/// Which lines are new. The server shows its newest lines again whenever there are more; lines have no numbers, so what was seen before is
/// found as the longest piece that the old lines end with and the new ones begin with.
struct LogTail {
  private var seen: [Value]?

  /// Whether nothing was taken yet.
  var isEmpty: Bool { seen == nil }

  /// - Parameter lines: the oldest first.
  mutating func take(_ lines: [Value]) -> [Value] {
    defer { seen = lines }
    let seen = seen ?? []
    for overlap in stride(from: min(seen.count, lines.count), to: 0, by: -1)
    where seen[seen.count - overlap] == lines[0] && seen.suffix(overlap) == lines.prefix(overlap) {
      return Array(lines.dropFirst(overlap))
    }
    return lines
  }
}
