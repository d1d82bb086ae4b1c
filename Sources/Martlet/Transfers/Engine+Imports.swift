import MartletWire

/// Writing an import: the documents that a session has checked become commits.
extension Engine {
  struct ImportResult: Sendable {
    /// For each table.
    var inserted: [Int]
    var deleted: [Int]
    var commits = 0
    var timestamp: UInt64 = 0
    /// Documents that are in the way. Nothing was changed unless `commits` says otherwise.
    var problems: [ImportSession.Problem] = []
    var problemCount = 0
  }

  /// What one commit of an import has at most. The engine's thread carries a commit out as one piece, so others wait as long as that takes; it is what a
  /// handler may use of that thread too (`LoopBudget`), and most files are one. A commit's bytes go into one batch of the log.
  static let mostImportedDocuments = 4_096
  static let mostImportedBytes = 4 << 20

  /// Writes what a session holds.
  ///
  /// What can be in the way is looked for before, off this thread, and once more with each commit, as others write meanwhile. Each commit is on the disk
  /// before the next one is made. The caller may leave: what was begun is finished.
  func write(_ session: ImportSession) async throws -> ImportResult {
    var parts = try session.close()
    var result = ImportResult(inserted: parts.map { _ in 0 }, deleted: parts.map { _ in 0 })
    if session.mode == .append {
      ImportSession.noteCreationTimes(parts)
      let snapshot = try await pinned(parts.map(\.table), settled: true)
      (parts, result.problems, result.problemCount) = await Self.clashes(parts, snapshot)
      guard result.problems.isEmpty else { return result }
    }
    guard memory.holds(tableGrowth(parts, session.mode)) else { throw memory.refusal(of: "nothing was changed: the import") }
    var run = ImportRun(parts, session.mode)
    while true {
      try await turn()
      if try !commitNext(&run, &result) { break }
      result.commits += 1
      result.timestamp = headTimestamp
      try await untilDurable()
    }
    return result
  }

  /// What the tables need beside the documents, which are in memory already. Looked at once: what was begun is finished.
  private func tableGrowth(_ parts: [ImportSession.Part], _ mode: ImportSession.Mode) -> Int {
    guard memory.isLimited else { return 0 }
    return parts.reduce(0) { sum, part in
      let old = mode == .replace ? part.table.assumeIsolated { $0.documentCount } : 0
      return sum + max(0, part.documents.count - old) * (MemoryRoom.documentBytes + MemoryRoom.entryBytes * part.table.layout.indexes.count)
    }
  }

  private nonisolated static func clashes(
    _ parts: [ImportSession.Part], _ snapshot: DatabaseSnapshot
  ) async -> ([ImportSession.Part], [ImportSession.Problem], Int) {
    var parts = parts
    let (problems, count) = ImportSession.clashes(&parts, with: snapshot)
    return (parts, problems, count)
  }

  /// Waits until a commit may be made: a mutation that runs alone goes first, a restore does, and so does what waits for the disk.
  private func turn() async throws {
    while true {
      if beside.isExclusive {
        await withCheckedContinuation { continuation in beside.waitForExclusive { _ in continuation.resume() } }
      } else if let refusal = commitRefusal {
        guard refusal.code == .overloaded else { throw refusal }
        try await untilDurable()
      } else {
        return
      }
    }
  }

  /// Where the writing stands.
  private struct ImportRun {
    var parts: [ImportSession.Part]
    let mode: ImportSession.Mode
    /// The part, and the document in it, that come next.
    var part = 0
    var document = 0
    /// Parts whose old documents are gone, or were looked for.
    var cleared = 0
    /// How often the database had been restored when the writing began; nil before.
    var restores: Int?
    var isBegun: Bool { restores != nil }

    init(_ parts: [ImportSession.Part], _ mode: ImportSession.Mode) {
      self.parts = parts
      self.mode = mode
    }
  }

  /// One commit. False if there is nothing more to write.
  private func commitNext(_ run: inout ImportRun, _ result: inout ImportResult) throws -> Bool {
    if let restores = run.restores, restores != restoreCount {
      throw WireError(
        .application,
        "the database was restored while the import was being written, which put back what it had written until then; nothing more is written. Import the file again")
    }
    if run.mode == .new, !run.isBegun {
      for part in run.parts where part.table.assumeIsolated({ $0.documentCount }) > 0 { throw Self.notEmpty(part.table.layout) }
    }
    if !run.isBegun { ImportSession.noteCreationTimes(run.parts) }
    run.restores = restoreCount
    var writes: ContiguousArray<TableWrites> = []
    var room = (documents: Self.mostImportedDocuments, bytes: Self.mostImportedBytes)
    if run.mode == .replace { clear(&run, &result, &writes, &room) }
    guard run.mode != .replace || run.cleared == run.parts.count else { return commit(writes) }
    while run.part < run.parts.count, room.documents > 0, room.bytes > 0 {
      try insert(&run, &result, &writes, &room)
      if run.document < run.parts[run.part].documents.count { break }
      run.parts[run.part].documents = []
      run.part += 1
      run.document = 0
    }
    return commit(writes)
  }

  private func commit(_ writes: ContiguousArray<TableWrites>) -> Bool {
    let writes = writes.filter { !$0.writes.isEmpty }
    guard !writes.isEmpty else { return false }
    _ = commit(ContiguousArray(writes), at: environment.clock.wallMilliseconds(), by: "_system:importCommit")
    return true
  }

  static func notEmpty(_ table: TableLayout) -> WireError {
    WireError(
      .application, "table \(table.name) is not empty; add to it with --append, or put the file in the place of all its documents with --replace",
      data: ["code": "not_empty", "table": .string(table.name)])
  }

  /// Deletes what stands in the tables that are replaced, all of it before anything is inserted: so no new document meets an old one.
  private func clear(
    _ run: inout ImportRun, _ result: inout ImportResult, _ writes: inout ContiguousArray<TableWrites>, _ room: inout (documents: Int, bytes: Int)
  ) {
    while run.cleared < run.parts.count, room.documents > 0 {
      let table = run.parts[run.cleared].table
      var deletes: ContiguousArray<DocumentWrite> = []
      let contents = table.unsettledSnapshot
      contents.forEach(in: .byID, from: nil, to: nil, descending: false) { _, document in
        guard deletes.count < room.documents else { return false }
        deletes.append(DocumentWrite(id: document.id, old: document, new: nil))
        return true
      }
      result.deleted[run.cleared] += deletes.count
      room.documents -= deletes.count
      let isCleared = deletes.count == contents.count
      writes.append(TableWrites(table: table, writes: deletes))
      guard isCleared else { return }
      run.cleared += 1
    }
  }

  /// Another import that runs at the same time may bring the same creation times.
  private static func timeClash(
    _ staged: ImportSession.Staged, _ layout: TableLayout, _ contents: TableContents
  ) -> ImportSession.Problem? {
    guard contents.hasDocument(creationTime: staged.document.creationTime) else { return nil }
    return ImportSession.Problem(
      table: layout.name, line: Int(staged.line), field: "_creationTime", message: "table \(layout.name) has a document with this creation time")
  }

  private func insert(
    _ run: inout ImportRun, _ result: inout ImportResult, _ writes: inout ContiguousArray<TableWrites>, _ room: inout (documents: Int, bytes: Int)
  ) throws {
    let part = run.parts[run.part]
    var inserts: ContiguousArray<DocumentWrite> = []
    var keys = IndexKeyWriter()
    // The commit counts them as the table's.
    var taken = 0
    defer { noteStaged(-taken) }
    // Where the table is emptied in this very commit, nothing there is in the way.
    let isEmptied = writes.contains { $0.table === part.table }
    let mayClash = !isEmptied && part.table.assumeIsolated { $0.documentCount } > 0
    let contents = mayClash ? part.table.assumeIsolated { part.table.layout.uniqueIndexes.isEmpty ? $0.unsettledSnapshot : $0.snapshot } : nil
    while run.document < part.documents.count, room.documents > 0, room.bytes > 0 {
      let staged = part.documents[run.document]
      if let contents, let problem = ImportSession.clash(staged, part.table.layout, contents, &keys) ?? Self.timeClash(staged, part.table.layout, contents) {
        let before = result.commits == 0 ? "nothing was changed" : "\(result.inserted.reduce(0, +) - inserts.count) documents before it are written"
        throw WireError(.application, "line \(problem.line): \(problem.message), which was written while the import ran; \(before)")
      }
      inserts.append(DocumentWrite(id: staged.document.id, old: nil, new: staged.document))
      room.documents -= 1
      room.bytes -= staged.document.jsonCount
      taken += staged.memory
      run.document += 1
      result.inserted[run.part] += 1
    }
    if let position = writes.firstIndex(where: { $0.table === part.table }) {
      writes[position].writes += inserts
    } else {
      writes.append(TableWrites(table: part.table, writes: inserts))
    }
  }
}
