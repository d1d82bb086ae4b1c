internal import MartletValues

/// Convex's export: a ZIP file with a folder for each table.
///
///     README.md
///     _tables/documents.jsonl               {"name":"orders","id":10003}: which number the table has in ids
///     orders/documents.jsonl                a document a line
///     orders/generated_schema.jsonl         "uniform": how its numbers are written
///
/// Read are tables of the root's; the folders may stand within another one, as they do after unpacking and packing by hand. Not read, and told of:
/// stored files (`_storage`), other tables of the system's, and those of components.
package struct ConvexArchive {
  package struct TableEntry {
    package var name: String
    package var documents: ZipReader.Entry
    package var dialect: JSONDialect
    /// The table's number there; nil for an empty table of which nothing says it.
    package var number: UInt32?
  }

  package let reader: ZipReader
  package private(set) var tables: [TableEntry] = []
  /// What the archive holds and isn't read, for a person.
  package private(set) var notes: [String] = []

  package init(_ reader: ZipReader) throws {
    self.reader = reader
    var schemas: [String: ZipReader.Entry] = [:]
    var numbers: [String: UInt32] = [:]
    var storedFiles = 0
    var components: Set<String> = []
    for entry in reader.entries {
      let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard parts.count >= 2, let file = parts.last, !file.isEmpty else { continue }
      let table = parts[parts.count - 2]
      if let component = parts.firstIndex(of: "_components"), component + 1 < parts.count {
        components.insert(parts[component + 1])
      } else if table == "_storage" {
        if file != "documents.jsonl" { storedFiles += 1 }
      } else if file == "documents.jsonl", table == "_tables" {
        numbers = try Self.numbers(reader, entry)
      } else if file == "documents.jsonl" {
        guard !table.hasPrefix("_") else {
          notes.append("the system's table \(table) is not imported")
          continue
        }
        guard !tables.contains(where: { $0.name == table }) else {
          throw TransferError("the archive has table \(table) twice; pack one export only")
        }
        tables.append(TableEntry(name: table, documents: entry, dialect: .schemaDriven))
      } else if file == "generated_schema.jsonl" {
        schemas[table] = entry
      }
    }
    for index in tables.indices {
      if let schema = schemas[tables[index].name] { tables[index].dialect = try Self.dialect(reader, schema) }
      tables[index].number = try numbers[tables[index].name] ?? firstNumber(tables[index])
    }
    if storedFiles > 0 { notes.append("\(storedFiles) stored \(storedFiles == 1 ? "file is" : "files are") not imported: Martlet stores none") }
    if !components.isEmpty { notes.append("tables of components are not imported: \(components.sorted().joined(separator: ", "))") }
    guard !tables.isEmpty || reader.entries.contains(where: { $0.name.hasSuffix("_tables/documents.jsonl") }) else {
      throw TransferError("the archive has no table: it holds no file NAME/documents.jsonl")
    }
  }

  private static func numbers(_ reader: ZipReader, _ entry: ZipReader.Entry) throws -> [String: UInt32] {
    var numbers: [String: UInt32] = [:]
    let lines = try JSONLinesReader(reader.open(entry), .any)
    while let row = try lines.next() {
      guard case .document(let table, let line) = row, case .string(let name)? = table["name"], case .float64(let number)? = table["id"],
        number >= 1, number <= Double(UInt32.max), number == number.rounded()
      else { throw TransferError("\(entry.name): a line is {\"name\":…,\"id\":…}, and one is not") }
      guard numbers.updateValue(UInt32(number), forKey: name) == nil else { throw TransferError("\(entry.name):\(line): table \(name) stands twice") }
    }
    return numbers
  }

  private static func dialect(_ reader: ZipReader, _ entry: ZipReader.Entry) throws -> JSONDialect {
    var line: [UInt8] = []
    _ = try reader.open(entry).take(until: UInt8(ascii: "\n"), into: &line, limit: 64)
    return String(decoding: line, as: UTF8.self).filter { !$0.isWhitespace } == "\"uniform\"" ? .uniform : .schemaDriven
  }

  /// As the table's first document's id says.
  private func firstNumber(_ table: TableEntry) throws -> UInt32? {
    let lines = try JSONLinesReader(reader.open(table.documents), .any)
    guard case .document(let document, _)? = try lines.next(), case .string(let id)? = document["_id"] else { return nil }
    return DocumentID(id)?.tableNumber
  }

  package func documents(_ table: TableEntry, _ hint: TypeHint) throws -> JSONLinesReader {
    try JSONLinesReader(reader.open(table.documents), hint, dialect: table.dialect)
  }
}

/// Writes one, a table after another.
package final class ConvexArchiveWriter {
  private let zip: ZipWriter

  package init(tables: [(name: String, number: UInt32)], seconds: Int, _ sink: @escaping ByteSink) throws {
    zip = ZipWriter(seconds: seconds, sink)
    try zip.begin("README.md")
    try zip.write(
      """
      # An export of a Martlet server

      Each table's documents are lines of JSON in TABLE/documents.jsonl. A number without a point or an exponent is an int64, another a float64.
      `martlet import FILE` takes the file whole; so does `npx convex import FILE`.

      """)
    try zip.end()
    try zip.begin("_tables/documents.jsonl")
    for table in tables.sorted(by: { $0.number < $1.number }) {
      try zip.write("{\"name\":\(Value.string(table.name).json),\"id\":\(table.number)}\n")
    }
    try zip.end()
  }

  package func begin(_ table: String) throws -> UniformLinesWriter {
    try zip.begin("\(table)/documents.jsonl")
    return UniformLinesWriter { [zip] in try zip.write($0) }
  }

  package func end(_ table: String) throws {
    try zip.end()
    try zip.begin("\(table)/generated_schema.jsonl")
    try zip.write("\"uniform\"\n")
    try zip.end()
  }

  package func finish() throws { try zip.finish() }
}
