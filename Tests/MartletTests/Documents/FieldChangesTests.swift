import MartletValues
import TestSupport
import Testing

@testable import Martlet

@Suite("Changes of a document's members")
struct FieldChangesTests {
  @Test("Whatever is set and removed, the new document is that of the members, and each is found", arguments: [1, 2, 3, 4])
  func anyChanges(_ seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    let names = ["A", "Zz", "a", "aa", "ab", "b", "balance", "owner", "zebra"]
    let id = DocumentID(tableNumber: 7, high: 8, low: 9)
    let changes = FieldChanges()
    var builder = DocumentBuilder()
    var document: DocumentStorage?
    var model: [String: Value] = [:]
    for _ in 0..<5_000 {
      changes.removeAll()
      if document == nil {
        changes.setSystemFields(id: id, creationTime: 10)
        model = ["_id": .string(id.description), "_creationTime": .float64(10)]
      }
      for _ in 0..<random.number(0..<4) {
        let name = random.element(of: names)
        let value: Value? = random.oneIn(3) ? nil : .string(String(repeating: "x", count: random.number(0..<30)))
        changes.set(name: name, to: value)
        model[name] = value
      }
      changes.apply(to: document, with: &builder)
      var old = document
      let new = builder.finish(id: id, creationTime: 10)
      document = nil
      builder.spares.keep(&old)
      #expect(new.fieldCount == model.count && new.id == id && new.creationTime == 10)
      for (name, value) in model {
        let json = try #require(new.value(of: name))
        var reader = JSONReader(json)
        #expect(try reader.readValue() == value)
      }
      let canonical = try DocumentStorage.fromCanonical(id: id, creationTime: 10, json: new.json)
      #expect(canonical.json.elementsEqual(new.json) && (0..<model.count).allSatisfy { canonical.position($0) == new.position($0) })
      document = random.oneIn(50) ? nil : new
    }
  }
}
