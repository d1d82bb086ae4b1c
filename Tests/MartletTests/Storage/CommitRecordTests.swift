import Martlet
import MartletValues
import Testing

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Commit records")
struct CommitRecordTests {
  struct Write: Equatable {
    var id: DocumentID
    var creationTime: Double?
    var json: [UInt8]?
  }
  struct Commit: Equatable {
    var timestamp: UInt64
    var clock: Double
    var function = ""
    var writes: [Write]
  }

  static func randomCommits(_ generator: inout SeededGenerator) -> [Commit] {
    var timestamp: UInt64 = 0
    return (0..<Int.random(in: 1...20, using: &generator)).map { _ in
      timestamp += UInt64.random(in: 1...3, using: &generator)
      return Commit(
        timestamp: timestamp, clock: Double.random(in: 0...1e13, using: &generator),
        function: ["", "a:b", "accounts:transferFunds", String(repeating: "x", count: 254)].randomElement(using: &generator)!,
        writes: (0..<Int.random(in: 0...6, using: &generator)).map { _ in
          let id = DocumentID(tableNumber: .random(in: 1...9, using: &generator), high: generator.next(), low: generator.next())
          guard Bool.random(using: &generator) else { return Write(id: id) }
          let json = (0..<Int.random(in: 0...300, using: &generator)).map { _ in UInt8.random(in: 32...126, using: &generator) }
          return Write(id: id, creationTime: .random(in: 0...1e13, using: &generator), json: json)
        })
    }
  }

  static func encode(_ commits: [Commit], into writer: inout CommitRecordWriter) {
    for commit in commits {
      Array(commit.function.utf8).withUnsafeBytes {
        writer.begin(timestamp: commit.timestamp, wallClockMilliseconds: commit.clock, function: $0)
      }
      for write in commit.writes {
        if let json = write.json {
          json.withUnsafeBytes { writer.put(write.id, creationTime: write.creationTime!, json: $0) }
        } else {
          writer.delete(write.id)
        }
      }
      writer.end()
    }
  }

  static func decode(_ bytes: [UInt8]) throws -> [Commit] {
    var commits: [Commit] = []
    try bytes.withUnsafeBytes { bytes in
      try CommitRecord.decodeAll(bytes) { record in
        var commit = Commit(timestamp: record.timestamp, clock: record.wallClockMilliseconds, writes: [])
        commit.function = String(decoding: record.function, as: UTF8.self)
        try record.forEachWrite { write in
          commit.writes.append(Write(id: write.id, creationTime: write.put?.creationTime, json: write.put.map { [UInt8]($0.json) }))
        }
        commits.append(commit)
      }
    }
    return commits
  }

  @Test("What was written is read back, whatever the commits", arguments: 1...40)
  func roundTrip(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let commits = Self.randomCommits(&generator)
    var writer = CommitRecordWriter(capacity: 1)
    Self.encode(commits, into: &writer)
    let taken = writer.takeBatch()
    let batch = try #require(taken)
    #expect(batch.commitCount == commits.count)
    #expect(batch.firstTimestamp == commits.first!.timestamp)
    #expect(batch.lastTimestamp == commits.last!.timestamp)
    #expect(try Self.decode(batch.bytes) == commits)
    let nothing = writer.takeBatch()
    #expect(nothing == nil)
  }

  @Test("A commit that was discarded leaves no trace")
  func discard() throws {
    var generator = SeededGenerator(seed: 7)
    let commits = Self.randomCommits(&generator)
    var writer = CommitRecordWriter()
    writer.begin(timestamp: 1_000, wallClockMilliseconds: 0)
    writer.delete(DocumentID(tableNumber: 1, high: 2, low: 3))
    writer.discard()
    let isEmpty = writer.isEmpty
    #expect(isEmpty)
    Self.encode(commits, into: &writer)
    let bytes = writer.takeBatch()!.bytes
    #expect(try Self.decode(bytes) == commits)
  }

  @Test("The name of a function is written once for commits of it that follow each other, and is whole in each batch")
  func functionNames() throws {
    var writer = CommitRecordWriter()
    func commit(_ timestamp: UInt64, _ name: String, discarding: Bool = false) {
      Array(name.utf8).withUnsafeBytes { writer.begin(timestamp: timestamp, wallClockMilliseconds: 0, function: $0) }
      if discarding { writer.discard() } else { writer.end() }
    }
    let header = CommitRecord.Layout.lengthPrefix + CommitRecord.Layout.header + 1
    commit(1, "one:two")
    commit(2, "one:two")
    commit(3, "three:four", discarding: true)
    commit(4, "one:two")
    let first = writer.takeBatch()!
    #expect(first.bytes.count == 3 * header + 7)
    #expect(try Self.decode(first.bytes).map(\.function) == ["one:two", "one:two", "one:two"])
    commit(5, "one:two")
    commit(6, String(repeating: "é", count: 200))
    let second = try Self.decode(writer.takeBatch()!.bytes)
    #expect(second.map(\.function) == ["one:two", String(repeating: "é", count: 127)])
  }

  @Test("Commits of format 1, which name no function, are read")
  func formatOne() throws {
    var bytes: [UInt8] = []
    func append<Number: FixedWidthInteger>(_ number: Number) { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
    append(UInt32(20 + 21))
    append(UInt64(7))
    append(Double(5).bitPattern)
    append(UInt32(1))
    append(UInt8(2))
    append(UInt32(1))
    append(UInt64(2))
    append(UInt64(3))
    var seen: [UInt64] = []
    try bytes.withUnsafeBytes { bytes in
      try CommitRecord.decodeAll(bytes, format: .nameless) { record in
        #expect(record.function.isEmpty)
        try record.forEachWrite { write in
          #expect(write.id == DocumentID(tableNumber: 1, high: 2, low: 3))
        }
        seen.append(record.timestamp)
      }
    }
    #expect(seen == [7])
  }

  @Test("A batch that was cut anywhere but between commits is refused", arguments: 1...10)
  func truncated(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var boundaries: Set<Int> = [0]
    var writer = CommitRecordWriter()
    let commits = Self.randomCommits(&generator)
    for commit in commits {
      Self.encode([commit], into: &writer)
      boundaries.insert(writer.byteCount)
    }
    let bytes = writer.takeBatch()!.bytes
    for end in 0..<bytes.count {
      if boundaries.contains(end) {
        #expect(throws: Never.self) { try Self.decode(Array(bytes[..<end])) }
      } else {
        #expect(throws: CommitRecordError.self) { try Self.decode(Array(bytes[..<end])) }
      }
    }
  }

  @Test("No bytes make decoding crash, and errors stay inside the batch", arguments: 1...200)
  func arbitraryBytes(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var writer = CommitRecordWriter()
    Self.encode(Self.randomCommits(&generator), into: &writer)
    var bytes = writer.takeBatch()!.bytes
    for _ in 0..<Int.random(in: 1...8, using: &generator) {
      bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8(truncatingIfNeeded: generator.next())
    }
    do {
      _ = try Self.decode(bytes)
    } catch let error as CommitRecordError {
      #expect((0...bytes.count).contains(error.offset))
    }
  }

  @Test("An error names the byte and what is wrong there")
  func errorNamesOffset() throws {
    var writer = CommitRecordWriter()
    writer.begin(timestamp: 5, wallClockMilliseconds: 0)
    writer.delete(DocumentID(tableNumber: 1, high: 2, low: 3))
    writer.end()
    var bytes = writer.takeBatch()!.bytes
    bytes[25] = 9
    #expect(throws: CommitRecordError(offset: 25, reason: "unknown kind of write 9")) { try Self.decode(bytes) }
    #expect(throws: CommitRecordError(offset: 0, reason: "a commit of 42 bytes, but 41 are left")) {
      try Self.decode(Array(bytes.dropLast()))
    }
  }

  @Test("Timestamps that do not grow are refused")
  func timestampsGrow() throws {
    var writer = CommitRecordWriter()
    writer.begin(timestamp: 5, wallClockMilliseconds: 0)
    writer.end()
    let bytes = writer.takeBatch()!.bytes
    #expect(throws: CommitRecordError.self) { try Self.decode(bytes + bytes) }
  }
}
