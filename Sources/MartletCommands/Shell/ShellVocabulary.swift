import ArgumentParser

/// The words that a line of the shell can begin with.
enum ShellVocabulary {
  /// The commands that ask a server. The others concern a server of one's own.
  static let commands: [any ParsableCommand.Type] = [
    RunCommand.self, SubscribeCommand.self, FunctionsCommand.self, TablesCommand.self, SchemaCommand.self, DataCommand.self, StatsCommand.self,
    SnapshotCommand.self, LogCommand.self, JobsCommand.self, CronsCommand.self, LogsCommand.self,
  ]
  /// Verbs that say a function's kind.
  static let verbs: [String: FunctionKind] = ["query": .query, "mutation": .mutation, "action": .action]
  static let endings = ["exit", "quit"]
  static let help = "help"

  static let first: [String] = (commands.map(name) + verbs.keys + ["exit", help]).sorted()

  static func name(_ command: any ParsableCommand.Type) -> String { command.configuration.commandName ?? "" }

  static func command(_ name: String) -> (any ParsableCommand.Type)? { commands.first { Self.name($0) == name } }

  /// The command that words name, with its subcommand where it has some: that of `jobs --live` is `jobs list`.
  static func command(_ words: [String]) -> (any ParsableCommand.Type)? {
    guard let first = words.first, let command = command(first) else { return verbs[words.first ?? ""].map { _ in RunCommand.self } }
    guard words.count > 1 else { return command.configuration.defaultSubcommand ?? command }
    return command.configuration.subcommands.first { name($0) == words[1] } ?? command.configuration.defaultSubcommand ?? command
  }

  /// `--live` and the others, with whether a value must follow. Read from the command's own help, which is always true.
  static func options(_ command: any ParsableCommand.Type) -> [(name: String, takesValue: Bool)] {
    command.helpMessage(columns: 200).split(separator: "\n").filter { $0.hasPrefix("  -") }.compactMap { line in
      line.firstMatch(of: #/(--[a-z][a-z-]*)( <)?/#).map { (String($0.1), $0.2 != nil) }
    }
  }

  static func helpText(columns: Int?) -> String {
    let words: [(String, String)] =
      commands.map { (name($0), $0.configuration.abstract) } + [
        (help, "This; \"help data\" tells of one of them, and so does \"data --help\"."), ("exit", "Ends the shell, as Ctrl-D does."),
      ]
    var table = TextTable(maximumCellWidth: 100) {
      TextTable.Column("", words.map { .string("  \($0.0)") })
      TextTable.Column("", words.map { .string($0.1) }, wraps: true)
    }
    table.maximumLineWidth = columns
    return """
      A line is a function with its arguments, or a command as at the system's prompt,
      without the executable's name:

        accounts:open owner=ada balance=1000
        orders:getOrdersByStatus {"status":"pending","limit":10}
        subscribe accounts:total
        data orders --where 'status == "paid"' --live

      query, mutation or action before a function says its kind, which is found otherwise.

      COMMANDS
      \(table.render(withTitles: false))
      KEYS
        Tab completes, Up and Down go through what was typed, Ctrl-R searches it.
        Ctrl-C ends what runs, or gives the line up.

      """
  }
}
