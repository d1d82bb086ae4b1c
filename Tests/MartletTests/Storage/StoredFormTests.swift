import MartletValues
import Testing

@testable import Martlet

@Suite("The stored form of documents")
struct StoredFormTests {
  private static func json(_ members: [String: String]) -> String {
    let sorted = members.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
    return "{" + sorted.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
  }

  @Test("It lacks the system fields and nothing else, and gives the same document back; so does JSON that has them")
  func roundTrip() throws {
    var random = TreeGenerator(seed: 3)
    let names = ["A", "Z", "Zz", "B_1", "a", "z", "a_b", "aé", "é", "日本"]
    let values = ["1", #""x\"_id\u0000""#, #"[1,{"_id":2}]"#, "{}", "null", #""日本""#]
    let restorer = DocumentRestorer()
    for _ in 0..<2_000 {
      let id = DocumentID(tableNumber: 10_001, high: random.next(), low: random.next())
      let creationTime = Double(Int.random(in: 0..<1 << 50, using: &random)) / 1000
      var members: [String: String] = [:]
      for name in names where Int.random(in: 0..<3, using: &random) == 0 { members[name] = values.randomElement(using: &random)! }
      let own = Self.json(members)
      members["_id"] = "\"\(id)\""
      members["_creationTime"] = Value.float64(creationTime).json
      let whole = Self.json(members)

      let document = try Array(whole.utf8).withUnsafeBytes {
        try DocumentStorage.fromCanonical(id: id, creationTime: creationTime, json: $0)
      }
      let (head, tail) = document.storedForm
      #expect(String(decoding: Array(head) + Array(tail), as: UTF8.self) == own)
      for stored in [own, whole] {
        let restored = try Array(stored.utf8).withUnsafeBytes {
          try restorer.document(id: id, creationTime: creationTime, json: $0)
        }
        #expect(String(decoding: restored.json, as: UTF8.self) == whole)
        #expect(restored.fieldCount == members.count)
        for (name, value) in members {
          #expect(restored.value(of: name).map { String(decoding: $0, as: UTF8.self) } == value)
        }
      }
    }
  }
}
