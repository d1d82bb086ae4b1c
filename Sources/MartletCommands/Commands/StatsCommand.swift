import ArgumentParser
import MartletClient

struct StatsCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "The server's counters.",
    discussion: "\"subscribe _system:stats\" shows them live.")

  @OptionGroup var connection: ConnectionOptions

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let stats = try await client.query("_system:stats")
    if wantsJSON { try context.console.print(json: stats) } else { try context.console.show(stats) }
  }
}
