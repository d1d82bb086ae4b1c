import ArgumentParser
import Martlet
import MartletClient
import MartletServer

struct SnapshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot", abstract: "Write a snapshot of all data; list those that there are, check one, or delete one.",
    discussion: "A snapshot is an SQLite file of one moment, written while the server goes on. \"restore\" makes data of it.",
    subcommands: [Create.self, List.self, Verify.self, Delete.self])

  struct Create: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Write a snapshot.")

    @Argument(help: "Its name; the time, if left out.")
    var name: String?

    @OptionGroup var connection: ConnectionOptions

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      let name = name
      let snapshot = try await showingProgress(["snapshot"], of: client, context) {
        try await client.action("_system:snapshot", name.map { ["name": .string($0)] } ?? [:])
      }
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

  struct Verify: AppCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Read a snapshot whole, and say whether all of it is right: counts and checksums of each table.",
      discussion: "No server is needed.")

    @Argument(help: "A snapshot's file, or its name in the folder of snapshots.")
    var snapshot: String

    @Option(help: ArgumentHelp("The folder of snapshots.", valueName: "path"))
    var snapshots = ServerConfiguration().snapshotsPath

    @Flag(help: "Print JSON.")
    var json = false

    var wantsJSON: Bool { json }

    func run(in context: CommandContext) async throws {
      var configuration = ServerConfiguration()
      configuration.snapshotsPath = snapshots
      let manifest = try MartletServer.verify(snapshot: snapshot, configuration: configuration)
      let tables = manifest.tables.map { table -> Value in ["table": .string(table.name), "documents": .float64(Double(table.documentCount))] }
      if json {
        return try context.console.print(
          json: [
            "name": .string(manifest.name), "timestamp": .float64(Double(manifest.timestamp)),
            "createdAt": .float64(manifest.createdMilliseconds), "tables": .array(tables),
          ])
      }
      try context.console.show(
        TextTable(maximumCellWidth: 80) {
          TextTable.Column("table", tables.map { $0["table"] })
          TextTable.Column("documents", tables.map { $0["documents"] })
        })
      let time = ISOTime.text(milliseconds: manifest.createdMilliseconds) ?? "an unknown time"
      try context.console.output.write("All of it is right, as of timestamp \(manifest.timestamp), \(time).\n")
    }
  }

  struct Delete: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a snapshot of the server.")

    @Argument(help: "Its name.")
    var name: String

    @OptionGroup var connection: ConnectionOptions

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      _ = try await client.action("_system:deleteSnapshot", ["name": .string(name)])
      if wantsJSON { return try context.console.print(json: .null) }
      try context.console.output.write("Deleted the snapshot \(CellText(.string(name)).text).\n")
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
