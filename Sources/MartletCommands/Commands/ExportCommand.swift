import ArgumentParser
import Foundation
import MartletClient
import MartletTransfer

struct ExportCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write tables into a file.",
    discussion: """
        export accounts > accounts.jsonl
        export products --output products.csv
        export --output all.zip

      Writes one table as lines of JSON, a JSON array or CSV, or any number as a ZIP archive, in the layout of Convex's. All of it is as of one \
      commit; others go on meanwhile. A file appears under its name when it is whole. "import" takes all of these.
      """)

  @Argument(help: "The tables. Left out: all, as an archive.")
  var tables: [String] = []

  @Option(help: ArgumentHelp("The file. Left out: standard output.", valueName: "file"))
  var output: String?

  @Option(help: "How it is written. Left out: as the file's name ends; else jsonl for one table, zip for several.")
  var format: TransferFormat?

  @OptionGroup var connection: ConnectionOptions

  private var chosenFormat: TransferFormat { format ?? output.flatMap(TransferFormat.init(path:)) ?? (tables.count == 1 ? .jsonl : .zip) }

  func validate() throws {
    if Set(tables).count < tables.count { throw UsageError("name each table once") }
    if tables.count != 1, chosenFormat != .zip {
      throw UsageError("a file of format \(chosenFormat.rawValue) holds one table: name one, or write an archive with --format zip")
    }
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let console = context.console
    if output == nil, chosenFormat == .zip, console.terminal != nil {
      throw UsageError("an archive isn't for a terminal: name a file with --output")
    }
    let file = try output.map { try NewFile($0) }
    let text = console.output
    let sink: ByteSink = if let file { { try file.write($0) } } else { { try text.writeBytes($0) } }
    let progress = ProgressBar("Writing", console)
    defer { progress.end() }
    let reader = try await ExportReader(client, tables)
    let total = max(1, reader.tables.reduce(0) { $0 + $1.documents })
    var count = 0
    let show: (Int) -> Void = {
      count += $0
      // A bar beside the documents themselves would be in their way.
      if file != nil { progress.show(Double(count) / Double(total), count) }
    }
    do {
      if chosenFormat == .zip {
        try await writeArchive(reader, sink, show)
      } else {
        try await write(reader, reader.tables[0], sink, show)
      }
    } catch {
      await reader.end()
      throw error
    }
    await reader.end()
    try file?.finish()
    progress.end()
    guard let output else { return }
    if wantsJSON {
      return try console.print(
        json: [
          "file": .string(output), "timestamp": reader.timestamp,
          "tables": .array(reader.tables.map { ["table": .string($0.name), "documents": .float64(Double($0.documents))] }),
        ])
    }
    let tables = reader.tables.count == 1 ? "" : " of \(reader.tables.count) tables"
    try console.output.write("\(count) \(count == 1 ? "document" : "documents")\(tables) as of timestamp \(reader.timestamp) in \(output)\n")
  }

  private func write(_ reader: ExportReader, _ table: TransferredTable, _ sink: @escaping ByteSink, _ show: (Int) -> Void) async throws {
    let writer: any DocumentWriter =
      switch chosenFormat {
      case .csv: try await CSVWriter(sink, fields: fields(reader, table), table.hint)
      case .json: JSONArrayWriter(sink)
      default: JSONLinesWriter(sink)
      }
    try await write(reader, table, writer, show)
  }

  private func write(_ reader: ExportReader, _ table: TransferredTable, _ writer: any DocumentWriter, _ show: (Int) -> Void) async throws {
    try writer.begin()
    try await reader.forEachPage(of: table.name) { page in
      try page.forEachDocument { try writer.write($0) }
      show(page.documents.count)
    }
    try writer.end()
  }

  /// A CSV file's first line names all fields. Where the schema doesn't, they are looked for first: the same pages are read twice.
  private func fields(_ reader: ExportReader, _ table: TransferredTable) async throws -> [String] {
    if table.isClosed { return table.hint.memberNames }
    var names = Set(table.hint.memberNames)
    try await reader.forEachPage(of: table.name) { page in
      try page.forEachDocument { json in
        var document = JSONReader(json)
        try document.readObject { reader, key throws in
          names.insert(String(decoding: key, as: UTF8.self))
          _ = try reader.skipValue()
        }
      }
    }
    return names.sorted()
  }

  private func writeArchive(_ reader: ExportReader, _ sink: @escaping ByteSink, _ show: (Int) -> Void) async throws {
    let archive = try ConvexArchiveWriter(
      tables: reader.tables.map { ($0.name, $0.number) }, seconds: Int(reader.createdAt / 1_000), sink)
    for table in reader.tables {
      try await write(reader, table, archive.begin(table.name), show)
      try archive.end(table.name)
    }
    try archive.finish()
  }
}

/// Tables as of one timestamp, page by page.
struct ExportReader {
  private let client: MartletClient
  private let handle: String
  let tables: [TransferredTable]
  let timestamp: Value
  /// Milliseconds since 1970.
  let createdAt: Double

  init(_ client: MartletClient, _ names: [String]) async throws {
    self.client = client
    let begun = try await client.action(
      "_system:exportBegin", names.isEmpty ? [:] : ["tables": .array(names.map { .string($0) })])
    handle = begun["export"]?.text ?? ""
    tables = (begun["tables"]?.elements ?? []).map(TransferredTable.init)
    timestamp = begun["timestamp"] ?? .null
    createdAt = begun["createdAt"]?.number ?? 0
  }

  func forEachPage(of table: String, _ body: (ExportPage) throws -> Void) async throws {
    var arguments: ObjectValue = ["export": .string(handle), "table": .string(table)]
    while true {
      let page = try await client.run(FunctionCall<ExportPage>(kind: .action, name: "_system:exportPage", arguments: arguments))
      try body(page)
      guard let next = page.next else { return }
      arguments["after"] = .string(next)
    }
  }

  func end() async { _ = try? await client.action("_system:exportEnd", ["export": .string(handle)]) }
}
