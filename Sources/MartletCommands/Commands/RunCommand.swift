import ArgumentParser
import MartletClient

struct RunCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a query, a mutation or an action once.",
    discussion: """
      Arguments are pairs, or one JSON object:

        run accounts:byOwner owner=ada
        run orders:getOrdersByStatus '{"status":"pending","limit":10}'

      A pair's value that is JSON is what it says (10, true, '["a"]'); another is a string.
      """)

  @Argument(help: "The function's name: module:name.")
  var function: String

  @Argument(help: "name=value …, or one JSON object.")
  var arguments: [String] = []

  @OptionGroup var connection: ConnectionOptions

  func validate() throws { _ = try CallArguments(arguments) }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let value = try await client.call(function, CallArguments(arguments).value, as: context.functionKind)
    if wantsJSON { try context.console.print(json: value) } else { try context.console.show(value) }
  }
}
