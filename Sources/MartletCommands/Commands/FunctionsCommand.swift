import ArgumentParser
import MartletClient

struct FunctionsCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "functions",
    abstract: "The functions that the server offers, with what they take and, where it is declared, what they return; or how they ran.")

  @Flag(help: "Those of the server itself too (_system).")
  var all = false

  @Flag(help: "How those that have run did since the server's start, the most expensive first.")
  var stats = false

  @OptionGroup var connection: ConnectionOptions

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    if stats { return try await showStatistics(client, context) }
    let functions = try await client.query("_system:functions").elements.filter { function in
      all || function["name"]?.text.hasPrefix("_system:") != true
    }
    if wantsJSON { return try context.console.print(json: .array(functions)) }
    guard !functions.isEmpty else {
      return try context.console.output.write("No functions but the server's own; --all shows those.\n")
    }
    // Tables are asked for only where a document may be among what is returned.
    let declares = functions.contains { function in function["returns"].flatMap(ShapeText.returns) != nil }
    let tables = declares ? try await client.query("_system:tables").elements : []
    try context.console.show(Self.table(functions, tables: tables))
  }

  static func table(_ functions: [Value], tables: [Value] = []) -> TextTable {
    let returns = functions.map { function in
      function["returns"].flatMap { ShapeText.returns(ShapeText.namingDocuments($0, of: tables)) }
    }
    return TextTable(maximumCellWidth: 120) {
      TextTable.Column("function", functions.map { $0["name"] })
      TextTable.Column("kind", functions.map(kind))
      TextTable.Column("arguments", functions.map { $0["args"].map { .string(ShapeText.arguments($0)) } }, wraps: true)
      if returns.contains(where: { $0 != nil }) {
        TextTable.Column("returns", returns.map { $0.map { .string($0) } }, wraps: true)
      }
    }
  }

  private func showStatistics(_ client: MartletClient, _ context: CommandContext) async throws {
    let functions = try await client.query("_system:functionStats").elements.filter { all || $0["name"]?.text.hasPrefix("_system:") != true }
      .sorted { Self.milliseconds(of: $0) > Self.milliseconds(of: $1) }
    try context.console.show(functions, asJSON: wantsJSON, orSay: "No function has run.", Self.statisticsTable)
  }

  /// About how long all runs took together: not each was timed.
  private static func milliseconds(of function: Value) -> Double { (function["meanMs"]?.number ?? 0) * (function["runs"]?.number ?? 0) }

  static func statisticsTable(_ functions: [Value]) -> TextTable {
    TextTable(maximumCellWidth: 120) {
      TextTable.Column("function", functions.map { $0["name"] })
      TextTable.Column("kind", functions.map { $0["kind"] })
      TextTable.Column("runs", functions.map { $0["runs"] })
      TextTable.Column("failures", functions.map { $0["failures"] })
      TextTable.Column("mean ms", functions.map { $0["meanMs"] })
      TextTable.Column("longest ms", functions.map { $0["longestMs"] })
      TextTable.Column("read", functions.map { $0["documentsRead"] })
      TextTable.Column("written", functions.map { $0["documentsWritten"] })
    }
  }

  private static func kind(_ function: Value) -> Value {
    let kind = function["kind"]?.text ?? ""
    return .string(function["visibility"] == "internal" ? "internal \(kind)" : kind)
  }
}
