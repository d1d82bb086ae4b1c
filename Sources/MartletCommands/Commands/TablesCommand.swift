import ArgumentParser
import MartletClient

struct TablesCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "tables", abstract: "The tables, with their indexes and how many documents they have.")

  @OptionGroup var connection: ConnectionOptions

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let tables = try await client.query("_system:tables")
    if wantsJSON { return try context.console.print(json: tables) }
    guard !tables.elements.isEmpty else { return try context.console.output.write("No tables.\n") }
    try context.console.show(Self.table(tables.elements))
  }

  static func table(_ tables: [Value]) -> TextTable {
    TextTable(maximumCellWidth: 120) {
      TextTable.Column("table", tables.map { $0["name"] })
      TextTable.Column("documents", tables.map { $0["documents"] })
      TextTable.Column("indexes", tables.map { .string(($0["indexes"]?.elements ?? []).map(index).joined(separator: ", ")) })
    }
  }

  /// `by_status (status, total)`; those that every table has are known by their name.
  private static func index(_ index: Value) -> String {
    let name = index["name"]?.text ?? ""
    guard name != "by_id", name != "by_creation_time" else { return name }
    return "\(name) (\((index["fields"]?.elements ?? []).map(\.text).joined(separator: ", ")))"
  }
}
