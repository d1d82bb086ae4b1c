import ArgumentParser
import Foundation
import MartletClient
import MartletTransfer

struct ImportCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Write a file's documents into tables.",
    discussion: """
        import movies.json --table movies
        import airports.csv --replace
        import export.zip

      Takes lines of JSON, a JSON array, CSV, and the ZIP archive of "export" or of Convex. The file is checked whole first, by the tables' \
      schema: if anything is wrong with it, that is told with its line, and nothing is changed. Tables must be empty, unless --append or \
      --replace says otherwise. Triggers don't run.
      """)

  @Argument(help: "The file; - is standard input.")
  var file: String

  @Option(help: ArgumentHelp("The table. Left out: the file's name without its ending; of an archive, all of its tables.", valueName: "name"))
  var table: String?

  @Option(help: "What the file holds. Left out: as its name ends.")
  var format: TransferFormat?

  @Flag(help: "Add to the documents that are there.")
  var append = false

  @Flag(help: "Put the file's documents in the place of all that are there.")
  var replace = false

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if append, replace { throw UsageError("--append and --replace exclude each other") }
    guard let format = format ?? TransferFormat(path: file) else {
      throw UsageError(
        "what \(file == "-" ? "standard input" : file) holds isn't told by its name: say --format \(TransferFormat.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    if format != .zip, table == nil, file == "-" { throw UsageError("name the table of standard input's documents with --table") }
  }

  private var mode: String { append ? "append" : replace ? "replace" : "new" }

  /// `data/movies.json` goes into table movies.
  private var tableName: String {
    table ?? String(file.split(separator: "/").last?.prefix { $0 != "." } ?? "")
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let input = try OpenFile(reading: file)
    let progress = ProgressBar("Reading", context.console)
    defer { progress.end() }
    let summary: ImportSummary
    if (format ?? TransferFormat(path: file)) == .zip {
      let copy = input.size == nil ? try Self.copyOfPipe(input.descriptor) : nil
      let archive = try ConvexArchive(ZipReader(descriptor: copy?.descriptor ?? input.descriptor, name: input.name))
      summary = try await ArchiveImport(archive: archive, file: input.name, table: table, mode: mode, client: client, progress: progress).run()
    } else {
      let source = ByteSource(descriptor: input.descriptor, name: input.name)
      let size = input.size
      var sender = try await ImportSender(client, file: input.name, tables: [tableName], mode: mode)
      let target = sender.tables[0]
      do {
        let reader: any DocumentReader =
          switch format ?? TransferFormat(path: file) {
          case .csv: try CSVReader(source, target.hint)
          case .json: try JSONArrayReader(source, target.hint)
          default: try JSONLinesReader(source, target.hint)
          }
        try await sender.send(reader, file: input.name, to: target.name, IDMapping([:])) { count in
          progress.show(size.map { Double(source.bytesRead) / Double(max($0, 1)) }, count)
        }
        progress.end()
        summary = try await sender.commit()
      } catch {
        await sender.end()
        throw error
      }
    }
    if wantsJSON { return try context.console.print(json: summary.json) }
    try context.console.output.write(summary.text)
  }

  /// An archive is read in any order, and a pipe is not: it goes into a file without a name first.
  private static func copyOfPipe(_ descriptor: Int32) throws -> UnnamedFile {
    let copy = try UnnamedFile()
    let source = ByteSource(descriptor: descriptor, name: "standard input")
    while try source.takeChunk(copy.write) {}
    return copy
  }
}
