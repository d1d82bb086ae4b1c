import ArgumentParser
import Martlet

/// `serve` of an app's own executable.
struct ServeCommand: AppCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Start the server. Ctrl-C or SIGTERM stops it, when what is in flight is answered.")

  @OptionGroup var options: ServeOptions

  var wantsJSON: Bool { options.json }

  func run(in context: CommandContext) async throws {
    guard case .app(let app) = context.app.content else { preconditionFailure("an app's command without an app") }
    try await Serving(options: options, app: app, context: context).run()
  }
}

/// `serve` of the `martlet` executable, which has no app but the examples.
struct ServeExamplesCommand: AppCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "serve", abstract: ServeCommand.configuration.abstract,
      discussion: """
        An app is a Swift package with an executable of its own, which has all these commands. This executable serves examples:

          serve --example \(Self.examples.map(\.name).joined(separator: " "))
        """)
  }

  @Option(
    name: [.customLong("example")], parsing: .upToNextOption,
    help: ArgumentHelp("The examples to serve, any of: \(Self.examples.map(\.name).joined(separator: ", ")).", valueName: "name"))
  var names: [String] = []

  @OptionGroup var options: ServeOptions

  var wantsJSON: Bool { options.json }

  private static var examples: [Example] {
    if case .examples(let examples) = MartletApp.current.content { examples } else { [] }
  }

  func run(in context: CommandContext) async throws {
    let examples = try Self.examples(names)
    let app = AppDefinition(merging: examples.map(\.app))
    var serving = Serving(options: options, app: app, context: context)
    serving.examples = examples
    try await serving.run()
  }

  static func examples(_ names: [String]) throws -> [Example] {
    var chosen: [Example] = []
    for name in names where !chosen.contains(where: { $0.name == name }) {
      guard let example = examples.first(where: { $0.name == name }) else {
        throw UsageError(
          "there is no example \"\(name)\"; there are: \(examples.map(\.name).joined(separator: ", "))")
      }
      chosen.append(example)
    }
    return chosen
  }
}
