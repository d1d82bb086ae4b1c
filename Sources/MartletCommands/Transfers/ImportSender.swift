import MartletClient
import MartletTransfer

/// Brings documents to a server, and gathers what is wrong with them.
struct ImportSender {
  private let client: MartletClient
  private let handle: String
  private let file: String
  let tables: [TransferredTable]
  private var problems: [(file: String, problem: ImportProblem)] = []
  private var problemCount = 0
  /// Documents that were read.
  private(set) var count = 0
  private let start = ContinuousClock.now

  init(_ client: MartletClient, file: String, tables names: [String], mode: String) async throws {
    self.client = client
    self.file = file
    let begun = try await client.action(
      "_system:importBegin", ["tables": .array(names.map { .string($0) }), "mode": .string(mode)])
    handle = begun["import"]?.text ?? ""
    tables = (begun["tables"]?.elements ?? []).map(TransferredTable.init)
  }

  /// Reads all of a reader's documents.
  /// - Parameters:
  ///   - name: what they are read from, for messages.
  ///   - progress: told how many documents were read in all.
  mutating func send(
    _ reader: any DocumentReader, file name: String, to table: String, _ mapping: IDMapping, _ progress: (Int) -> Void
  ) async throws {
    var batch = DocumentBatch()
    var json = JSONWriter(capacity: 4_096)
    while let row = try reader.next() {
      switch row {
      case .problem(let problem): note(name, problem)
      case .document(let document, let line):
        json.removeAll()
        json.write(object: mapping.mapped(document))
        if json.count <= DocumentBatch.longestDocument {
          if !batch.holds(json) { try await send(&batch, name, table) }
          batch.append(json, line: line)
        } else {
          // An int64 of two bytes takes thirty on its way.
          note(name, ImportProblem(line: line, "the document has \(json.count) bytes, and may have \(DocumentBatch.longestDocument)"))
        }
        count += 1
      }
      if batch.isFull { try await send(&batch, name, table) }
      progress(count)
    }
    if !batch.lines.isEmpty { try await send(&batch, name, table) }
  }

  private mutating func send(_ batch: inout DocumentBatch, _ file: String, _ table: String) async throws {
    let answer = try await client.run(batch.takeCall(handle, table))
    note(answer, file)
  }

  private mutating func note(_ file: String, _ problem: ImportProblem) {
    problemCount += 1
    problems.append((file, problem))
    keepFirst()
  }

  /// By their lines: what the server finds is told a batch later than what the reader does.
  private mutating func keepFirst() {
    guard problems.count > 4 * ImportRefusal.most else { return }
    sortProblems()
    problems.removeLast(problems.count - ImportRefusal.most)
  }

  private mutating func sortProblems() {
    let order = Dictionary(problems.enumerated().map { ($1.file, $0) }, uniquingKeysWith: min)
    problems.sort { ($0.file == $1.file ? 0 : order[$0.file]! - order[$1.file]!, $0.problem.line) < (0, $1.problem.line) }
  }

  private mutating func note(_ answer: Value, _ file: String?) {
    let told = answer["problems"]?.elements ?? []
    problemCount += Int(answer["count"]?.number ?? 0)
    for problem in told {
      let name = file ?? "\(problem["table"]?.text ?? "")/documents.jsonl"
      problems.append(
        (name, ImportProblem(line: Int(problem["line"]?.number ?? 0), field: problem["field"]?.text, problem["message"]?.text ?? "")))
    }
    keepFirst()
  }

  private mutating func refusal() -> ImportRefusal {
    sortProblems()
    return ImportRefusal(file: file, count: problemCount, problems: Array(problems.prefix(ImportRefusal.most)))
  }

  /// Has the server write what it was sent. Throws an `ImportRefusal` where anything is wrong with it.
  /// - Parameter isArchive: whether the tables' documents came from files of their own.
  mutating func commit(isArchive: Bool = false) async throws -> ImportSummary {
    guard problemCount == 0 else { throw refusal() }
    let answer: Value
    do { answer = try await client.action("_system:importCommit", ["import": .string(handle)]) } catch let error as MartletError
      where error.code == .connectionLost
    {
      throw MartletError(
        .connectionLost,
        "the connection was lost while the server wrote: it finishes what it began, unless it was stopped itself. Look at the table (\"data\", \"tables\"), "
          + "and import again with --replace if it isn't whole", data: error.data)
    }
    note(answer, isArchive ? nil : file)
    guard problemCount == 0 else { throw refusal() }
    return ImportSummary(answer, seconds: ((ContinuousClock.now - start) / .milliseconds(1)).rounded() / 1_000)
  }

  /// Has the server forget what it was sent.
  func end() async { _ = try? await client.action("_system:importEnd", ["import": .string(handle)]) }
}

/// What an import did.
struct ImportSummary {
  private let answer: Value
  private let seconds: Double
  var notes: [String] = []

  init(_ answer: Value, seconds: Double) {
    self.answer = answer
    self.seconds = seconds
  }

  var text: String {
    var lines: [String] = []
    let commits = Int(answer["commits"]?.number ?? 0)
    for table in answer["tables"]?.elements ?? [] {
      let (inserted, deleted) = (Int(table["inserted"]?.number ?? 0), Int(table["deleted"]?.number ?? 0))
      var line = "\(table["table"]?.text ?? ""): \(inserted) \(inserted == 1 ? "document" : "documents") imported"
      if deleted > 0 { line += ", in the place of \(deleted)" }
      lines.append(line)
    }
    lines.append("\(commits) \(commits == 1 ? "commit" : "commits"), \(seconds) s")
    return (lines + notes.map { "Note: \($0)" }).map { $0 + "\n" }.joined()
  }

  var json: Value {
    guard case .object(var members) = answer else { return answer }
    members["seconds"] = .float64(seconds)
    if !notes.isEmpty { members["notes"] = .array(notes.map { .string($0) }) }
    return .object(members)
  }
}

/// The import of an archive: its tables one after another, their ids carried over.
struct ArchiveImport {
  let archive: ConvexArchive
  let file: String
  /// Nil for all.
  let table: String?
  let mode: String
  let client: MartletClient
  let progress: ProgressBar

  func run() async throws -> ImportSummary {
    let entries = archive.tables.filter { table == nil || $0.name == table }
    if let table, entries.isEmpty {
      throw FileFailure("\(file) has no table \"\(table)\"; it has: \(archive.tables.map(\.name).sorted().joined(separator: ", "))")
    }
    var sender = try await ImportSender(client, file: file, tables: entries.map(\.name), mode: mode)
    do {
      let numbers = entries.compactMap { entry -> (UInt32, UInt32)? in
        guard let old = entry.number, let table = sender.tables.first(where: { $0.name == entry.name }) else { return nil }
        return (old, table.number)
      }
      guard Set(numbers.map(\.0)).count == numbers.count else { throw FileFailure("\(file): two tables have one number in its _tables/documents.jsonl") }
      let mapping = IDMapping(Dictionary(uniqueKeysWithValues: numbers))
      let total = entries.reduce(0) { $0 + $1.documents.size }
      var before: UInt64 = 0
      for (entry, target) in zip(entries, sender.tables) {
        let source = try archive.reader.open(entry.documents)
        let reader = try JSONLinesReader(source, target.hint, dialect: entry.dialect)
        try await sender.send(reader, file: "\(target.name)/documents.jsonl", to: target.name, mapping) { count in
          progress.show(Double(before + UInt64(source.bytesRead)) / Double(max(total, 1)), count)
        }
        before += entry.documents.size
      }
      progress.end()
      var summary = try await sender.commit(isArchive: true)
      summary.notes = archive.notes
      return summary
    } catch {
      await sender.end()
      throw error
    }
  }
}
