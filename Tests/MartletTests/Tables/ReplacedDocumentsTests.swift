import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("What commits have replaced")
struct ReplacedDocumentsTests {
  private static func id(_ number: Int) -> DocumentID { DocumentID(tableNumber: 1, high: UInt64(number), low: 0) }

  private static func document(_ number: Int) -> DocumentStorage {
    var builder = DocumentBuilder()
    builder.begin()
    builder.append(name: "number") { $0.write(double: Double(number)) }
    return builder.finish(id: id(number), creationTime: Double(number))
  }

  /// Replaces the document `number`.
  private static func write(_ number: Int) -> DocumentWrite { DocumentWrite(id: id(number), old: document(number), new: document(number)) }

  @Test("What isn't durable is taken back, the last first; an insert has nothing to put in its place")
  func takenBack() {
    var replaced = ReplacedDocuments()
    var spares = SpareDocuments()
    replaced.note([Self.write(1), DocumentWrite(id: Self.id(2), old: nil, new: Self.document(2))], &spares)
    replaced.seal()
    replaced.batchIsDurable()
    replaced.note([Self.write(3)], &spares)
    replaced.note([DocumentWrite(id: Self.id(4), old: nil, new: nil)], &spares)
    replaced.seal()
    replaced.note([DocumentWrite(id: Self.id(5), old: nil, new: Self.document(5)), Self.write(3)], &spares)
    let entries = replaced.takeAll()
    #expect(entries.map(\.id) == [Self.id(3), Self.id(5), Self.id(3)])
    #expect(entries.map { $0.old?.creationTime } == [3, nil, 3])
    #expect(replaced.takeAll().isEmpty)
  }

  @Test("Batches of any size are taken back whole, those that are durable are not", arguments: [1, 2, 3])
  func anyBatches(_ seed: UInt64) {
    var random = TestRandom(seed: seed)
    var replaced = ReplacedDocuments()
    var spares = SpareDocuments()
    var (writing, open): ([DocumentID], [DocumentID]) = ([], [])
    for number in 0..<3_000 {
      for _ in 0..<random.number(0..<9) {
        replaced.note([Self.write(number)], &spares)
        open.append(Self.id(number))
      }
      switch random.number(0..<(number / 500 % 2 == 0 ? 30 : 6)) {
      case 0 where writing.isEmpty:
        replaced.seal()
        swap(&writing, &open)
      case 1, 2:
        replaced.batchIsDurable()
        writing = []
      case 3 where random.oneIn(4): replaced.letGoOfRetired()
      case 4 where random.oneIn(9):
        let entries = replaced.takeAll()
        #expect(entries.map(\.id) == (writing + open).reversed())
        #expect(entries.allSatisfy { $0.old?.id == $0.id })
        (writing, open) = ([], [])
      default: break
      }
    }
    #expect(replaced.takeAll().map(\.id) == (writing + open).reversed())
  }

  @Test("After one large batch small ones keep no more than a bound of what it replaced, though nobody pauses")
  func afterALargeBatch() {
    var replaced = ReplacedDocuments()
    var spares = SpareDocuments()
    let writes = ContiguousArray(repeating: Self.write(1), count: 50_000)
    replaced.note(writes, &spares)
    #expect(replaced.count == 50_000)
    replaced.seal()
    for number in 2..<20 {
      replaced.note([Self.write(number)], &spares)
      replaced.batchIsDurable()
      replaced.seal()
      #expect(replaced.count <= 4_098)
    }
    replaced.batchIsDurable()
    replaced.note([Self.write(20)], &spares)
    #expect(replaced.takeAll().map(\.id) == [Self.id(20)])
  }

  @Test("What is durable is let go of with the writes that follow, one for each, or all at once; its memory is spare then")
  func letGoOf() {
    var replaced = ReplacedDocuments()
    var spares = SpareDocuments()
    var writes: ContiguousArray = [Self.write(1), Self.write(2), Self.write(3)]
    let words = writes[0].old!.wordCount
    let holder = writes[1].old
    replaced.note(writes, &spares)
    writes = []
    #expect(spares.take(words: words) == nil)
    replaced.seal()
    replaced.batchIsDurable()
    #expect(spares.take(words: words) == nil)
    replaced.note([Self.write(4)], &spares)
    #expect(spares.take(words: words)?.creationTime == 1)
    // The second one is held by somebody.
    replaced.note([Self.write(5)], &spares)
    #expect(spares.take(words: words) == nil)
    #expect(holder?.creationTime == 2)
    replaced.seal()
    replaced.batchIsDurable()
    replaced.note([Self.write(6)], &spares)
    #expect(spares.take(words: words)?.creationTime == 3)
    replaced.letGoOfRetired()
    replaced.note([Self.write(53)], &spares)
    #expect(spares.take(words: words) == nil)
  }
}
