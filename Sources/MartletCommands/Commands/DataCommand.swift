import ArgumentParser
import MartletClient

struct DataCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "A table's documents, oldest first.",
    discussion: "With --json, each document is a line. Pages are read one after another, so commits may fall between them.")

  @Argument(help: "The table's name.")
  var table: String

  @Option(help: ArgumentHelp("How many documents at most.", valueName: "n"))
  var limit = 20

  @OptionGroup var connection: ConnectionOptions

  /// Well below what one transaction may read.
  private static let pageSize = 1000

  func validate() throws {
    if limit < 1 { throw UsageError("--limit must be at least 1") }
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    var documents: [Value] = []
    var cursor: Value?
    var left = limit
    var isDone = false
    while left > 0, !isDone {
      let page = try await client.query("_system:documents", query(limit: min(left, Self.pageSize), cursor: cursor))
      let found = page["page"]?.elements ?? []
      if wantsJSON {
        try context.console.output.write(found.map { $0.json + "\n" }.joined())
      } else {
        // A table's columns are as wide as its widest cell, so all rows are needed first.
        documents += found
      }
      left -= found.count
      cursor = page["continueCursor"]
      isDone = page["isDone"] != false || found.isEmpty
    }
    guard !wantsJSON else { return }
    try context.console.show(.array(documents))
    if !isDone { try context.console.output.write("There are more than these \(limit): --limit shows more.\n") }
  }

  private func query(limit: Int, cursor: Value?) -> Value {
    var arguments: ObjectValue = ["table": .string(table), "limit": .float64(Double(limit))]
    if let cursor { arguments["cursor"] = cursor }
    return .object(arguments)
  }
}
