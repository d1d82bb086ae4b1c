import MartletWire
import Synchronization

/// Documents on their way in: checked, and held until all of them are there.
///
/// An import is all or nothing as far as its own content goes: so nothing is written before the last document was seen. The documents wait here in the
/// form that the tables hold, and are moved into them; they are in memory once, whatever their number. Beside them stand their ids, creation times
/// and the keys of unique indexes, which go with the session.
final class ImportSession: Sendable {
  /// What becomes of documents that are there.
  enum Mode: String, CaseIterable, Sendable {
    /// There may be none.
    case new
    case append
    case replace
  }

  struct Staged: Sendable {
    var document: DocumentStorage
    /// Of the file.
    var line: UInt32
    /// Whether its id, its creation time came with it.
    var hasID: Bool
    var hasTime: Bool
  }

  struct Problem: Sendable {
    var table: String
    var line: Int
    var field: String?
    var message: String

    var value: Value {
      var members: ObjectValue = ["table": .string(table), "line": .float64(Double(line)), "message": .string(message)]
      if let field { members["field"] = .string(field) }
      return .object(members)
    }
  }

  /// What is to be written.
  struct Part: Sendable {
    let table: StoredTable
    var documents: ContiguousArray<Staged> = []
  }

  private struct State: Sendable {
    var parts: [Part]
    var ids: [Set<InternalID>]
    var times: [Set<UInt64>]
    /// For each part, for each unique index.
    var keys: [[Set<IndexKey>]]
    var problems = 0
    var isClosed = false
  }

  let mode: Mode
  let tables: [StoredTable]
  private let state: Mutex<State>
  private let limits: Limits
  private let catalog: Catalog
  private let memory: MemoryRoom

  init(_ tables: [StoredTable], _ mode: Mode, _ engine: Engine) {
    self.mode = mode
    self.tables = tables
    limits = engine.limits.limits
    catalog = engine.catalog
    memory = engine.memory
    state = Mutex(
      State(
        parts: tables.map { Part(table: $0) }, ids: tables.map { _ in [] }, times: tables.map { _ in [] },
        keys: tables.map { $0.layout.uniqueIndexes.map { _ in [] } }))
  }

  // MARK: Checking

  /// The creation times that a document may bring along: a Date of JavaScript's.
  private static let creationTimes = -8.64e15...8.64e15
  /// What one call tells of problems at most.
  static let mostProblems = 20

  /// Checks documents and keeps them. Once something is wrong with one, the others are only checked.
  /// - Returns: what is wrong with them, the first of it, and how much it is.
  func stage(
    _ json: UnsafeRawBufferPointer, lines: [Int], into name: String, _ environment: EngineEnvironment
  ) throws -> (problems: [Problem], count: Int) {
    guard let position = tables.firstIndex(where: { $0.layout.name == name }) else { throw WireError(.notFound, "the import has no table \"\(name)\"") }
    return try state.withLock { state in
      guard !state.isClosed else { throw WireError(.application, "the import is being written; it takes no more documents") }
      // What is kept here is in memory as much as what is committed. The meter sees it after the call, as every call is a turn of the engine's.
      guard memory.holds(json.count) else {
        state.problems += 1
        for index in state.parts.indices { state.parts[index].documents = [] }
        throw memory.refusal(of: "the import")
      }
      var reader = JSONReader(json)
      var problems: [Problem] = []
      var count = 0
      var index = 0
      let now = environment.clock.wallMilliseconds()
      try reader.readArray { reader throws in
        let line = index < lines.count ? lines[index] : 0
        index += 1
        do throws(Unfit) {
          try stage(&reader, line, position, &state, environment, now)
        } catch {
          count += 1
          if problems.count < Self.mostProblems { problems.append(Problem(table: name, line: line, field: error.field, message: error.message)) }
        }
      }
      state.problems += count
      if state.problems > 0 { for index in state.parts.indices { state.parts[index].documents = [] } }
      return (problems, count)
    }
  }

  private struct Unfit: Error {
    var field: String?
    var message: String
  }

  private func stage(
    _ reader: inout JSONReader, _ line: Int, _ position: Int, _ state: inout State, _ environment: EngineEnvironment, _ now: Double
  ) throws(Unfit) {
    let table = tables[position]
    let bookmark = reader
    var members: ObjectValue
    do {
      guard case .object(let object) = try reader.readValue() else { throw Unfit(message: "a document is an object") }
      members = object
    } catch {
      // The reader's place isn't defined now, and the other documents follow.
      reader = bookmark
      _ = try? reader.skipValue()
      throw error as? Unfit ?? Unfit(message: "\(error)")
    }
    for (name, _) in members where name != "_id" && name != "_creationTime" {
      if let problem = FieldName.problem(of: name) { throw Unfit(field: name, message: problem) }
    }
    let givenID = try id(in: members, of: table.layout)
    let givenTime = try creationTime(in: members)
    let id = givenID ?? environment.entropy.nextID(table: table.layout.number)
    if givenID != nil, !state.ids[position].insert(InternalID(id)).inserted {
      throw Unfit(field: "_id", message: "another document of the file has this id")
    }
    var time = givenTime ?? table.nextCreationTime(now: now)
    // Two of the same moment: the later one comes next after it.
    while !state.times[position].insert(IndexKey.orderedBits(time)).inserted { time = time.nextUp }
    members["_id"] = .string(id.description)
    members["_creationTime"] = .float64(time)
    let document = try document(members, id, time, table.layout)
    try noteUnique(document, position, &state)
    guard state.problems == 0 else { return }
    state.parts[position].documents.append(
      Staged(document: document, line: UInt32(clamping: line), hasID: givenID != nil, hasTime: givenTime != nil))
  }

  private func id(in members: ObjectValue, of table: TableLayout) throws(Unfit) -> DocumentID? {
    guard let value = members["_id"] else { return nil }
    guard case .string(let text) = value, let id = DocumentID(text) else {
      throw Unfit(field: "_id", message: "expected an id of table \(table.name), or none, so that one is given; found another \(value.kindName)")
    }
    guard id.tableNumber == table.number else {
      let owner = catalog.table(number: id.tableNumber).map { "of table \($0.layout.name)" } ?? "of table number \(id.tableNumber), which isn't here"
      throw Unfit(
        field: "_id",
        message: "expected an id of table \(table.name), found one \(owner); leave ids out, or import the whole archive: then they are carried over")
    }
    return id
  }

  private func creationTime(in members: ObjectValue) throws(Unfit) -> Double? {
    guard let value = members["_creationTime"] else { return nil }
    guard case .float64(let time) = value, Self.creationTimes.contains(time) else {
      throw Unfit(field: "_creationTime", message: "expected milliseconds since 1970, or nothing, so that the time is given")
    }
    return time
  }

  private func document(_ members: ObjectValue, _ id: DocumentID, _ time: Double, _ table: TableLayout) throws(Unfit) -> DocumentStorage {
    var writer = JSONWriter(capacity: 512)
    writer.write(object: members)
    guard writer.count <= min(limits.documentBytes, DocumentStorage.maximumJSONCount - 1) else {
      throw Unfit(message: "the document has \(writer.count) bytes, and may have \(limits.documentBytes) (documentBytes)")
    }
    do {
      var document = try writer.withUnsafeBytes { try DocumentStorage.fromCanonical(id: id, creationTime: time, json: $0) }
      document = DefaultFiller().filled(document, of: table)
      try table.check(document, catalog: catalog, maximumDepth: limits.documentDepth)
      return document
    } catch let error as WireError {
      throw Self.unfit(error.message, table)
    } catch {
      throw Unfit(message: "\(error)")
    }
  }

  /// `document of table orders: items[0].quantity: expected …`, with the path apart.
  private static func unfit(_ message: String, _ table: TableLayout) -> Unfit {
    let prefix = "document of table \(table.name): "
    guard message.hasPrefix(prefix) else { return Unfit(message: message) }
    let rest = message.dropFirst(prefix.count)
    guard let colon = rest.firstRange(of: ": expected ") else { return Unfit(message: String(rest)) }
    return Unfit(field: String(rest[..<colon.lowerBound]), message: String(rest[rest.index(colon.lowerBound, offsetBy: 2)...]))
  }

  private func noteUnique(_ document: DocumentStorage, _ position: Int, _ state: inout State) throws(Unfit) {
    let layout = tables[position].layout
    guard !layout.uniqueIndexes.isEmpty else { return }
    var keys = IndexKeyWriter()
    for (place, slot) in layout.uniqueIndexes.enumerated() {
      let index = layout.indexes[slot.declaredPosition]
      guard let values = index.values(of: document) else { continue }
      guard state.keys[position][place].insert(index.key(of: document, with: &keys).with(tie: 0)).inserted else {
        throw Unfit(message: "another document of the file has \(Self.inWords(values, index, layout)), and the index \(index.name) is unique")
      }
    }
  }

  private static func inWords(_ values: [Value], _ index: IndexLayout, _ layout: TableLayout) -> String {
    let fields = layout.definition.indexes.first { $0.name == index.name }?.fields ?? []
    return zip(fields, values).map { "\($0) \($1.json)" }.joined(separator: " and ")
  }

  // MARK: The end

  /// Takes the documents out, to be written. Only once.
  func close() throws -> [Part] {
    try state.withLock { state in
      guard !state.isClosed else { throw WireError(.application, "the import has been written, or is being written") }
      guard state.problems == 0 else { throw WireError(.application, "\(state.problems) documents of the import don't fit; nothing was changed") }
      state.isClosed = true
      defer { state.parts = [] }
      return state.parts
    }
  }

  /// Has the tables give out later creation times than the documents bring along. To be called when they are about to be written, before it is looked for
  /// what is in their way: from then on no other document gets one of their times.
  static func noteCreationTimes(_ parts: [Part]) {
    for part in parts {
      if let last = part.documents.lazy.filter(\.hasTime).map(\.document.creationTime).max() { part.table.note(creationTime: last.nextUp) }
    }
  }

  /// What of the documents is in the way of others, in tables that are appended to.
  ///
  /// A creation time that is taken is moved on to the next that is free; it came from another database, or from this one before.
  static func clashes(_ parts: inout [Part], with snapshot: DatabaseSnapshot) -> (problems: [Problem], count: Int) {
    var problems: [Problem] = []
    var count = 0
    var keys = IndexKeyWriter()
    for position in parts.indices {
      let layout = parts[position].table.layout
      let contents = snapshot.tables[position].contents
      guard contents.count > 0 else { continue }
      var times: Set<UInt64>?
      for index in parts[position].documents.indices {
        let staged = parts[position].documents[index]
        if let problem = clash(staged, layout, contents, &keys) {
          count += 1
          if problems.count < mostProblems { problems.append(problem) }
        } else if staged.hasTime, contents.hasDocument(creationTime: staged.document.creationTime) {
          var known = times ?? Set(parts[position].documents.map { IndexKey.orderedBits($0.document.creationTime) })
          var time = staged.document.creationTime
          repeat { time = time.nextUp } while contents.hasDocument(creationTime: time) || !known.insert(IndexKey.orderedBits(time)).inserted
          times = known
          parts[position].documents[index].document = staged.document.with(creationTime: time)
        }
      }
    }
    return (problems, count)
  }

  /// - Parameter contents: settled.
  static func clash(_ staged: Staged, _ layout: TableLayout, _ contents: TableContents, _ keys: inout IndexKeyWriter) -> Problem? {
    let line = Int(staged.line)
    if staged.hasID, contents.document(InternalID(staged.document.id)) != nil {
      return Problem(table: layout.name, line: line, field: "_id", message: "table \(layout.name) has a document with this id")
    }
    for slot in layout.uniqueIndexes {
      let index = layout.indexes[slot.declaredPosition]
      guard let values = index.values(of: staged.document) else { continue }
      let lower = index.key(of: staged.document, with: &keys).with(tie: 0)
      guard contents.count(in: slot, from: lower, to: lower.prefixSuccessor()) > 0 else { continue }
      return Problem(
        table: layout.name, line: line,
        message: "table \(layout.name) has a document with \(inWords(values, index, layout)), and its index \(index.name) is unique")
    }
    return nil
  }
}

extension TableContents {
  func hasDocument(creationTime: Double) -> Bool { byCreationTime.find(IndexKey.orderedBits(creationTime)) != nil }
}

extension DocumentStorage {
  fileprivate func with(creationTime: Double) -> DocumentStorage {
    guard case .object(var members) = value else { preconditionFailure("a document is an object") }
    members["_creationTime"] = .float64(creationTime)
    var writer = JSONWriter(capacity: jsonCount + 16)
    writer.write(object: members)
    do { return try writer.withUnsafeBytes { try DocumentStorage.fromCanonical(id: id, creationTime: creationTime, json: $0) } } catch {
      preconditionFailure("a stored document is canonical JSON: \(error)")
    }
  }
}
