import ArgumentParser
import MartletClient

struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot", abstract: "Write a snapshot of all data, or list those that there are.",
    discussion: "A snapshot is an SQLite file of one moment, written while the server goes on. \"restore\" makes data of it.",
    subcommands: [Create.self, List.self])

  struct Create: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Write a snapshot.")

    @Argument(help: "Its name; the time, if left out.")
    var name: String?

    @OptionGroup var connection: ConnectionOptions

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      let snapshot = try await client.action("_system:snapshot", name.map { ["name": .string($0)] } ?? [:])
      if wantsJSON { return try context.console.print(json: snapshot) }
      try context.console.show(SnapshotCommand.table([snapshot]))
    }
  }

  struct List: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The snapshots that the server knows.")

    @OptionGroup var connection: ConnectionOptions

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      let snapshots = try await client.query("_system:snapshots")
      if wantsJSON { return try context.console.print(json: snapshots) }
      guard !snapshots.elements.isEmpty else {
        return try context.console.output.write("No snapshots yet; \"snapshot create\" writes one.\n")
      }
      try context.console.show(SnapshotCommand.table(snapshots.elements))
    }
  }

  static func table(_ snapshots: [Value]) -> TextTable {
    TextTable(maximumCellWidth: 80) {
      TextTable.Column("name", snapshots.map { $0["name"] })
      TextTable.Column("created", snapshots.map { $0["createdAt"] }, as: "_creationTime")
      TextTable.Column("documents", snapshots.map { $0["documents"] })
      TextTable.Column("bytes", snapshots.map { $0["bytes"] })
      TextTable.Column("timestamp", snapshots.map { $0["timestamp"] })
    }
  }
}
