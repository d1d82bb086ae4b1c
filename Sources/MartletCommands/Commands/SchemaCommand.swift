import ArgumentParser
import MartletClient

struct SchemaCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "The tables' fields with their types, and their indexes.",
    discussion: "A ? stands after a field that a document may lack. With --json, each table is a line, as _system:tables describes it.")

  @Argument(help: "This table only. Left out: all but the server's own.")
  var table: String?

  @OptionGroup var connection: ConnectionOptions

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let all = try await client.query("_system:tables").elements
    let tables = all.filter { described in
      let name = described["name"]?.text ?? ""
      return table.map { $0 == name } ?? !name.hasPrefix("_")
    }
    if let table, tables.isEmpty {
      let names = all.compactMap { $0["name"]?.text }.joined(separator: ", ")
      throw MartletError(.notFound, "there is no table \"\(table)\"; there are: \(names)")
    }
    if wantsJSON {
      for described in tables { try context.console.print(json: described) }
      return
    }
    guard !tables.isEmpty else { return try context.console.output.write("No tables.\n") }
    let texts = tables.map { TableDescription($0).text(columns: context.console.columns) }
    try context.console.output.write(texts.joined(separator: "\n"))
  }
}

/// A table of `_system:tables` for a person: a heading, its fields, its indexes.
struct TableDescription {
  private let description: Value

  init(_ description: Value) { self.description = description }

  func text(columns: Int?) -> String {
    let count = description["documents"].map { CellText($0).text } ?? "?"
    let heading = "── \(description["name"]?.text ?? "?"): \(count) \(count == "1" ? "document" : "documents") ──\n"
    return heading + fields(columns) + "\n" + indexes(columns)
  }

  private func fields(_ columns: Int?) -> String {
    let shape = description["schema"] ?? ["type": "any"]
    // A table without a schema, or one whose documents are of several kinds.
    guard let members = ShapeText.fields(shape) else { return "documents: \(ShapeText.of(shape))\n" }
    // As documents are shown: the id first, the creation time last.
    let system = { (name: String) in name == "_id" ? 0 : name == "_creationTime" ? 2 : 1 }
    let sorted = members.enumerated().sorted { (system($0.element.name), $0.offset) < (system($1.element.name), $1.offset) }
    return render(
      [
        TextTable.Column("field", sorted.map { .string($0.element.name) }),
        TextTable.Column("type", sorted.map { .string($0.element.type) }, wraps: true),
      ], columns)
  }

  private func indexes(_ columns: Int?) -> String {
    let indexes = description["indexes"]?.elements ?? []
    let marks = indexes.map(marks)
    var table = [
      TextTable.Column("index", indexes.map { $0["name"] }),
      TextTable.Column("fields", indexes.map { .string(($0["fields"]?.elements ?? []).map(\.text).joined(separator: ", ")) }, wraps: true),
    ]
    if marks.contains(where: { !$0.isEmpty }) { table.append(TextTable.Column("", marks.map { .string($0) })) }
    return render(table, columns)
  }

  private func marks(_ index: Value) -> String {
    var marks: [String] = []
    if index["unique"] == true { marks.append("unique") }
    switch index["sum"] {
    case .string(let field)?: marks.append("sums \(field)")
    case .array(let fields)?: marks.append("sums \(fields.map(\.text).joined(separator: ", "))")
    default: break
    }
    return marks.joined(separator: ", ")
  }

  private func render(_ table: [TextTable.Column], _ columns: Int?) -> String {
    TextTable(columns: table, maximumCellWidth: 120, maximumLineWidth: columns).render()
  }
}
