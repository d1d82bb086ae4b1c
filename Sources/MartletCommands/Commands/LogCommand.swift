import ArgumentParser
import Foundation
import MartletClient

struct LogCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "The commits of the log, the newest first: when, by which function, and what they wrote.",
    discussion: """
      The log reaches as far back as it isn't folded yet, or as "serve --keep-log" says. With --json, each commit is a line.
      """)

  @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
  var limit = 20

  @Option(help: ArgumentHelp("Only commits since then: a time (2026-11-21T12:00:00Z), or so long ago (90s, 15m, 12h, 7d).", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Only commits that wrote to this table.", valueName: "name"))
  var table: String?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    guard (1...10_000).contains(limit) else { throw UsageError("--limit must be between 1 and 10000") }
    _ = try arguments(now: 0)
  }

  func arguments(now: Double) throws -> Value {
    var arguments: ObjectValue = ["limit": .float64(Double(limit))]
    arguments["table"] = table.map { .string($0) }
    if let since {
      if let span = TimeSpan(argument: since) {
        arguments["since"] = .float64(now - span.seconds * 1_000)
      } else if let time = Moment.milliseconds(since) {
        arguments["since"] = .float64(time)
      } else {
        throw UsageError("--since \(since) is no time: write 2026-11-21T12:00:00Z, or how long ago, \(TimeSpan.help)")
      }
    }
    return .object(arguments)
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let commits = try await client.action("_system:commits", try arguments(now: Date().timeIntervalSince1970 * 1_000)).elements
    try context.console.show(commits, asJSON: wantsJSON, orSay: "The log holds no such commits; serve --keep-log keeps them for longer.", Self.table)
  }

  static func table(_ commits: [Value]) -> TextTable {
    TextTable(maximumCellWidth: 100) {
      TextTable.Column("timestamp", commits.map { $0["timestamp"] })
      TextTable.Column("time", commits.map { $0["at"] }, as: "_creationTime")
      TextTable.Column("function", commits.map { $0["function"] == .null ? "" : $0["function"] })
      TextTable.Column("documents", commits.map { .string(documents(of: $0)) })
    }
  }

  private static let mostNamed = 3

  /// `accounts j570…, j577…; orders −j59…`, and the number where they are many: `accounts 1,000`.
  static func documents(of commit: Value) -> String {
    let writes = commit["documents"]?.elements ?? []
    let count = Int(commit["writes"]?.number ?? 0)
    var tables: [String] = []
    for write in writes {
      if let table = write["table"]?.text, !tables.contains(table) { tables.append(table) }
    }
    // The app's first: what the server keeps beside them says little.
    let ordered = tables.filter { !$0.hasPrefix("_") } + tables.filter { $0.hasPrefix("_") }
    let parts = ordered.map { table in
      let own = writes.filter { $0["table"]?.text == table }
      guard own.count > mostNamed else {
        return table + " " + own.map { ($0["op"]?.text == "delete" ? "−" : "") + ($0["id"]?.text ?? "") }.joined(separator: ", ")
      }
      let deleted = own.count { $0["op"]?.text == "delete" }
      return "\(table) \(own.count.grouped)" + (deleted > 0 ? " (\(deleted.grouped) deleted)" : "")
    }
    let rest = count - writes.count
    return parts.joined(separator: "; ") + (rest > 0 ? "; and \(rest.grouped) more" : "")
  }
}
