import ArgumentParser
import Martlet
import MartletClient

/// A command that is handed what it has of the world, so that a test can run it without a process.
protocol AppCommand: ParsableCommand {
  /// Whether a program reads the output; its errors are then JSON too.
  var wantsJSON: Bool { get }
  func run(in context: CommandContext) async throws
}

struct CommandContext: Sendable {
  var app: MartletApp
  var console: Console
  var environment: [String: String]
  /// The connection of the shell that the command was typed in, and whose affair signals are then.
  var shellClient: MartletClient?
  /// The kind that the function must be of, if one was said.
  var functionKind: FunctionKind?

  var isInShell: Bool { shellClient != nil }

  /// How this executable is called at the prompt. A script that stands in for it says so in `MARTLET_COMMAND`.
  var invocation: String {
    environment["MARTLET_COMMAND"] ?? CommandLine.arguments.first ?? app.name
  }
}

struct RootCommand: ParsableCommand {
  static var configuration: CommandConfiguration {
    let app = MartletApp.current
    let serve: any ParsableCommand.Type =
      switch app.content {
      case .app: ServeCommand.self
      case .examples: ServeExamplesCommand.self
      }
    return CommandConfiguration(
      commandName: app.name,
      abstract: "A reactive document database: its server, and what speaks with it.",
      version: EngineConfiguration().version,
      groupedSubcommands: [
        CommandGroup(name: "The server:", subcommands: [serve, RestoreCommand.self, RepairCommand.self]),
        CommandGroup(name: "A prompt for all that follows:", subcommands: [ShellCommand.self]),
        CommandGroup(name: "Functions:", subcommands: [RunCommand.self, SubscribeCommand.self, FunctionsCommand.self]),
        CommandGroup(
          name: "Data:",
          subcommands: [
            TablesCommand.self, SchemaCommand.self, DataCommand.self, ImportCommand.self, ExportCommand.self, StatsCommand.self,
            SnapshotCommand.self, LogCommand.self,
          ]),
        CommandGroup(name: "What runs by itself:", subcommands: [JobsCommand.self, CronsCommand.self, LogsCommand.self]),
      ])
  }
}
