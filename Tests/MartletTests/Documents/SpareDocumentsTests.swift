import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("Documents in memory that is used again")
struct SpareDocumentsTests {
  private static func document(_ text: String, _ spares: inout SpareDocuments) -> DocumentStorage {
    Array("{\"text\":\"\(text)\"}".utf8).withUnsafeBytes { json in
      [UInt32(2 << 8 | 4)].withUnsafeBufferPointer {
        DocumentStorage.make(id: DocumentID(tableNumber: 1, high: 2, low: 3), creationTime: 4, positions: $0, json: json, &spares)
      }
    }
  }

  @Test("The memory of one that nobody holds is the next one's of its size")
  func usedAgain() {
    var spares = SpareDocuments()
    var first: DocumentStorage? = Self.document("0123456789", &spares)
    let place = ObjectIdentifier(first!.buffer)
    spares.keep(&first)
    #expect(first == nil)
    let large = Self.document(String(repeating: "a", count: 60), &spares)
    #expect(ObjectIdentifier(large.buffer) != place)
    let second = Self.document("abcdefghij", &spares)
    #expect(ObjectIdentifier(second.buffer) == place)
    #expect(second.value == ["text": "abcdefghij"] && large.value == ["text": .string(String(repeating: "a", count: 60))])
    #expect(Self.document("abcdefghij", &spares).isIdentical(to: second) == false)
  }

  @Test("One that somebody else holds stays as it is")
  func held() {
    var spares = SpareDocuments()
    var first: DocumentStorage? = Self.document("0123456789", &spares)
    let holder = first!
    spares.keep(&first)
    #expect(first == nil)
    let second = Self.document("abcdefghij", &spares)
    #expect(!second.isIdentical(to: holder))
    #expect(holder.value == ["text": "0123456789"] && second.value == ["text": "abcdefghij"])
  }

  @Test("Documents of all sizes, held and let go of in any order, are what they were made as", arguments: [1, 2, 3])
  func anyOrder(_ seed: UInt64) {
    var random = TestRandom(seed: seed)
    var spares = SpareDocuments()
    var held: [(document: DocumentStorage?, text: String)] = []
    var places: Set<ObjectIdentifier> = []
    var reuses = 0
    for step in 0..<20_000 {
      // Mostly of a few sizes, some beyond those that are kept.
      let text = String(repeating: "\(step % 10)", count: random.oneIn(20) ? random.number(0..<1_500) : random.number(0..<40))
      let document = Self.document(text, &spares)
      if !places.insert(ObjectIdentifier(document.buffer)).inserted { reuses += 1 }
      held.append((document, text))
      if random.oneIn(10) { held.append((document, text)) }
      while held.count > (step / 1_000 % 2 == 0 ? 300 : 5) {
        var (document, text) = held.remove(at: random.number(0..<held.count))
        #expect(document?.value == ["text": .string(text)])
        spares.keep(&document)
      }
    }
    #expect(reuses > 10_000)
    for (document, text) in held { #expect(document?.value == ["text": .string(text)]) }
  }
}
