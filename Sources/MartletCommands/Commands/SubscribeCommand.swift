import ArgumentParser
import MartletClient

struct SubscribeCommand: LiveCommand {
  static let configuration = CommandConfiguration(
    commandName: "subscribe", abstract: "Keep a query live: its value now, and again whenever a commit changes it.",
    discussion: """
        subscribe orders:getOrdersByStatus status=pending

      Arguments are as for "run". On a terminal the value is redrawn in place, with + - ~ beside the rows that came, went or changed. \
      With --json, each update is a line: {"timestamp":42,"value":…}. Where the query failed, "error" stands in place of "value"; it \
      stays live. With --diff, each update but the first is what changed: a table for people, "changes" in place of "value" for \
      programs. Ctrl-C ends it.
      """)

  @Argument(help: "The query's name: module:name.")
  var function: String

  @Argument(help: "name=value …, or one JSON object.")
  var arguments: [String] = []

  @Option(help: ArgumentHelp("End after this many updates.", valueName: "n"))
  var count: Int?

  @Flag(help: "Show only what each update changes.")
  var diff = false

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    _ = try CallArguments(arguments)
    try validateCount()
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let query = try client.subscribe(function, CallArguments(arguments).value)
    try await follow(query, of: client, context, title: ([function] + arguments).joined(separator: " "))
  }
}
