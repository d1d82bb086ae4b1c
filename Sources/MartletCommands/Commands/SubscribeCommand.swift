import ArgumentParser
import MartletClient

struct SubscribeCommand: LiveCommand {
  static let configuration = CommandConfiguration(
    commandName: "subscribe", abstract: "Keep a query live: its value now, and again whenever a commit changes it.",
    discussion: """
        subscribe orders:getOrdersByStatus status=pending

      Arguments are as for "run". With --json, each update is a line: {"timestamp":42,"value":…}. Where the query failed, "error" \
      stands in place of "value"; it stays live. Ctrl-C ends it.
      """)

  @Argument(help: "The query's name: module:name.")
  var function: String

  @Argument(help: "name=value …, or one JSON object.")
  var arguments: [String] = []

  @Option(help: ArgumentHelp("End after this many updates.", valueName: "n"))
  var count: Int?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    _ = try CallArguments(arguments)
    try validateCount()
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    try await follow(client.subscribe(function, CallArguments(arguments).value), context.console)
  }
}
