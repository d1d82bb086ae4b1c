import Foundation
import MartletTransfer
import MartletValues
import TestSupport
import Testing

@Suite("Archives")
struct ArchiveTests {
  private func withFile<Result>(_ bytes: [UInt8], _ body: (ZipReader) throws -> Result) throws -> Result {
    let file = try #require(tmpfile())
    defer { fclose(file) }
    #expect(bytes.isEmpty || fwrite(bytes, 1, bytes.count, file) == bytes.count)
    fflush(file)
    return try body(ZipReader(descriptor: fileno(file), name: "test.zip"))
  }

  private func contents(_ source: ByteSource) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let byte = try source.peek() {
      bytes.append(byte)
      source.advance()
    }
    return bytes
  }

  private func zipped(_ entries: [(String, [UInt8])]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let writer = ZipWriter(seconds: 1_795_264_852) { bytes += $0 }
    for (name, content) in entries {
      try writer.begin(name)
      try content.withUnsafeBytes { try writer.write($0) }
      try writer.end()
    }
    try writer.finish()
    return bytes
  }

  @Test("Entries come back as they were written, empty ones, and ones that are longer than any buffer")
  func roundTrip() throws {
    var random = TestRandom(seed: 5)
    let noise = (0..<300_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let entries: [(String, [UInt8])] = [("a", []), ("ordner/é.txt", Array("x".utf8)), ("zeros", [UInt8](repeating: 0, count: 1_000_000)), ("noise", noise)]
    try withFile(zipped(entries)) { reader in
      #expect(reader.entries.map(\.name) == entries.map(\.0))
      for (entry, expected) in zip(reader.entries, entries) {
        let read = try contents(reader.open(entry))
        #expect(read == expected.1)
      }
    }
  }

  @Test("A file that was cut off, or of which a byte was changed, is refused or read as it was", arguments: 0..<10)
  func damage(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let content = Array(String(repeating: "some text, ", count: 400).utf8)
    let whole = try zipped([("a", content), ("b", content)])
    for _ in 0..<50 {
      var bytes = whole
      if random.oneIn(3) { bytes.removeLast(random.number(1..<bytes.count)) } else { bytes[random.number(0..<bytes.count)] ^= UInt8(random.number(1..<256)) }
      do {
        try withFile(bytes) { reader in
          for entry in reader.entries {
            let read = try contents(reader.open(entry))
            #expect(read == content)
          }
        }
      } catch is TransferError {}
    }
  }

  @Test("A ZIP64 directory, which other programs write, is read")
  func zip64() throws {
    // One stored entry "a" of "hi", its sizes and place in the ZIP64 field, and both ZIP64 records at the end.
    func le(_ value: UInt64, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } }
    let checksum: UInt64 = 0xD893_2AAC  // CRC-32 of "hi"
    let local = le(0x0403_4B50, 4) + le(45, 2) + le(0, 2) + le(0, 2) + le(0, 4) + le(checksum, 4) + le(2, 4) + le(2, 4) + le(1, 2) + le(0, 2) + [0x61] + Array("hi".utf8)
    let extra = le(1, 2) + le(24, 2) + le(2, 8) + le(2, 8) + le(0, 8)
    let central =
      le(0x0201_4B50, 4) + le(45, 2) + le(45, 2) + le(0, 2) + le(0, 2) + le(0, 4) + le(checksum, 4) + le(0xFFFF_FFFF, 4) + le(0xFFFF_FFFF, 4) + le(1, 2)
      + le(UInt64(extra.count), 2) + le(0, 2) + le(0, 2) + le(0, 2) + le(0, 4) + le(0xFFFF_FFFF, 4) + [0x61] + extra
    let end64 =
      le(0x0606_4B50, 4) + le(44, 8) + le(45, 2) + le(45, 2) + le(0, 4) + le(0, 4) + le(1, 8) + le(1, 8) + le(UInt64(central.count), 8) + le(UInt64(local.count), 8)
    let locator = le(0x0706_4B50, 4) + le(0, 4) + le(UInt64(local.count + central.count), 8) + le(1, 4)
    let end = le(0x0605_4B50, 4) + le(0, 4) + le(0xFFFF, 2) + le(0xFFFF, 2) + le(0xFFFF_FFFF, 4) + le(0xFFFF_FFFF, 4) + le(0, 2)
    try withFile(local + central + end64 + locator + end) { reader in
      let read = try reader.entries.map { try contents(reader.open($0)) }
      #expect(read == [Array("hi".utf8)])
    }
  }

  @Test("Convex's layout: tables, their numbers, how numbers are written, and what isn't read")
  func convex() throws {
    let id = DocumentID(tableNumber: 10_007, high: 1, low: 2).description
    let bytes = try zipped([
      ("export/README.md", []), ("export/_tables/documents.jsonl", Array("{\"name\":\"a\",\"id\":10001}\n{\"name\":\"empty\",\"id\":10002}\n".utf8)),
      ("export/a/generated_schema.jsonl", Array("\"uniform\"\n".utf8)), ("export/a/documents.jsonl", Array("{\"n\":1,\"f\":1.0}\n".utf8)),
      ("export/old/documents.jsonl", Array("{\"_id\":\"\(id)\"}\n".utf8)), ("export/empty/documents.jsonl", []),
      ("export/_storage/documents.jsonl", []), ("export/_storage/x.png", [1]), ("export/_components/c/t/documents.jsonl", []),
      ("export/_scheduled_functions/documents.jsonl", []),
    ])
    try withFile(bytes) { reader in
      let archive = try ConvexArchive(reader)
      #expect(archive.tables.map(\.name) == ["a", "old", "empty"])
      #expect(archive.tables.map(\.number) == [10_001, 10_007, 10_002])
      let read = try allRows(of: archive.documents(archive.tables[0], .any)).documents
      #expect(read == [["n": .int64(1), "f": 1]])
      #expect(archive.notes.count == 3)
    }
    #expect(throws: TransferError.self) { try withFile(zipped([("x.txt", [])])) { try ConvexArchive($0) } }
    #expect(throws: TransferError.self) { try withFile([]) { _ in } }
  }

  @Test("An archive that is written is read back with the same documents")
  func written() throws {
    var random = TestRandom(seed: 9)
    let documents = (0..<200).map { _ in random.object(depth: 4) }
    var bytes: [UInt8] = []
    let writer = try ConvexArchiveWriter(tables: [("b", 10_002), ("a", 10_001)], seconds: 0) { bytes += $0 }
    for table in ["a", "b"] {
      let lines = try writer.begin(table)
      for document in documents { try Array(Value.object(document).json.utf8).withUnsafeBytes { try lines.write($0) } }
      try lines.end()
      try writer.end(table)
    }
    try writer.finish()
    try withFile(bytes) { reader in
      let archive = try ConvexArchive(reader)
      #expect(archive.notes.isEmpty && archive.tables.map(\.number) == [10_001, 10_002])
      for table in archive.tables {
        let read = try allRows(of: archive.documents(table, .any)).documents
        #expect(read == documents)
      }
    }
  }

  @Test("Ids are carried over wherever they stand, and nothing else is")
  func ids() {
    let mapping = IDMapping([10_001: 10_005, 10_005: 10_001, 10_009: 10_009])
    let text = { (number: UInt32) in DocumentID(tableNumber: number, high: 7, low: 9).description }
    let broken = String(text(10_001).dropLast()) + (text(10_001).hasSuffix("0") ? "1" : "0")
    let document: ObjectValue = [
      "_id": .string(text(10_001)), "list": [.string(text(10_005)), .object([text(10_001): .string(text(10_009))])], "text": .string("see " + text(10_001)),
      "other": .string(text(10_002)), "broken": .string(broken),
    ]
    #expect(
      mapping.mapped(document) == [
        "_id": .string(text(10_005)), "list": [.string(text(10_001)), .object([text(10_005): .string(text(10_009))])], "text": .string("see " + text(10_001)),
        "other": .string(text(10_002)), "broken": .string(broken),
      ])
    #expect(IDMapping([1: 1]).isIdentity)
  }
}
