import MartletClient
import MartletTransfer

/// A page of an export: each document's JSON, as it came.
struct ExportPage: WireValue {
  var json: [UInt8] = []
  /// Of the documents, in `json`.
  var documents: [Range<Int>] = []
  var next: String?

  static func decode(from reader: inout JSONReader) throws -> ExportPage {
    var page = ExportPage()
    try reader.readObject { reader, key throws in
      if key.elementsEqual("documents".utf8) {
        try reader.readArray { reader throws in
          let bytes = reader.bytes(in: try reader.skipValue())
          page.documents.append(page.json.count..<page.json.count + bytes.count)
          page.json += bytes
        }
      } else if key.elementsEqual("continue".utf8) {
        page.next = try reader.readString()
      } else {
        _ = try reader.skipValue()
      }
    }
    return page
  }

  func encode(to writer: inout JSONWriter) { preconditionFailure("a page is read, and not written") }

  func forEachDocument(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    try json.withUnsafeBytes { bytes in
      for range in documents { try body(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }
  }
}

/// A table as `importBegin` and `exportBegin` describe it.
struct TransferredTable {
  var name: String
  var number: UInt32
  var documents: Int
  var hint: TypeHint
  /// Whether the schema names every field.
  var isClosed: Bool

  init(_ description: Value) {
    name = description["name"]?.text ?? ""
    number = UInt32(description["number"]?.number ?? 0)
    documents = Int(description["documents"]?.number ?? 0)
    hint = TypeHint(json: description["schema"] ?? ["type": "any"])
    isClosed = description["allowsOtherFields"] == false && description["schema"]?["type"] == "object"
  }
}

/// Documents on their way to the server, some at a time.
struct DocumentBatch: ~Copyable {
  /// Far below the longest line that a server takes, unless one document is longer.
  private static let usualBytes = 1 << 20

  private var documents = JSONWriter(capacity: usualBytes)
  private(set) var lines: [Int] = []

  /// What a document may have, as the server takes lines of this length and the call's other arguments stand in them too.
  static let longestDocument = longestDocumentText - 4_096

  /// False where the document has to go in a batch of its own.
  func holds(_ document: borrowing JSONWriter) -> Bool { lines.isEmpty || documents.count + document.count <= 8 * Self.usualBytes }

  mutating func append(_ document: borrowing JSONWriter, line: Int) {
    if !lines.isEmpty { documents.write(byte: UInt8(ascii: ",")) }
    document.withUnsafeBytes { documents.write(raw: $0) }
    lines.append(line)
  }

  var isFull: Bool { documents.count >= Self.usualBytes || lines.count >= 10_000 }

  /// The call that brings them, after which there are none.
  mutating func takeCall(_ handle: String, _ table: String) -> FunctionCall<Value> {
    var arguments = JSONWriter(capacity: documents.count + 16 * lines.count + 256)
    arguments.write(raw: "{\"documents\":[")
    documents.withUnsafeBytes { arguments.write(raw: $0) }
    arguments.write(raw: "],\"import\":")
    arguments.write(string: handle)
    arguments.write(raw: ",\"lines\":[")
    for (index, line) in lines.enumerated() {
      if index > 0 { arguments.write(byte: UInt8(ascii: ",")) }
      arguments.write(decimal: Int64(line))
    }
    arguments.write(raw: "],\"table\":")
    arguments.write(string: table)
    arguments.write(byte: UInt8(ascii: "}"))
    documents.removeAll()
    lines.removeAll()
    return FunctionCall(kind: .action, name: "_system:importDocuments", arguments: arguments.bytes)
  }
}

/// Why an import changed nothing: what is wrong with the file.
struct ImportRefusal: ReportedError {
  /// How much is told.
  static let most = 20

  var file: String
  var count: Int
  /// The first of them, each with the file, or the archive's entry, that it is about.
  var problems: [(file: String, problem: ImportProblem)]

  var text: String {
    var lines = ["\(count) \(count == 1 ? "problem" : "problems") in \(file); nothing was changed"]
    for (file, problem) in problems { lines.append("  \(file):\(problem.text)") }
    if count > problems.count { lines.append("  … and \(count - problems.count) more") }
    return lines.joined(separator: "\n")
  }

  var json: Value {
    [
      "message": .string("\(count) \(count == 1 ? "problem" : "problems") in \(file); nothing was changed"), "count": .float64(Double(count)),
      "problems": .array(
        problems.map { file, problem in
          guard case .object(var members) = problem.json else { return problem.json }
          members["file"] = .string(file)
          return .object(members)
        }),
    ]
  }
}
