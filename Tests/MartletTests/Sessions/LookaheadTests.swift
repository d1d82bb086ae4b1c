import MartletTesting
import Testing

@testable import Martlet

@Suite("Looking ahead")
struct LookaheadTests {
  @Test("Requests that come together are answered as they are one by one, whatever stands between their quotation marks")
  func together() throws {
    let server = try EngineHarness.items()
    let client = server.connect()
    var ids: [String] = []
    for rank in 0..<200 {
      ids.append(client.ask(server, #"mutation items:insert {"category":"a","rank":\#(rank),"weight":1}"#))
    }
    let counter = client.ask(server, #"mutation counters:set {"name":"a","value":1}"#)
    // Ids of documents that are gone, of another table, of no table, cut short, with a wrong checksum, and no ids at all.
    _ = client.ask(server, "mutation items:remove {\"id\":\(ids[7])}")
    let strays = [
      counter, "\"\(DocumentID(tableNumber: 99_999, high: 1, low: 2))\"", "\"\(ids[3].dropFirst().dropLast(2))\"",
      "\"\(String(repeating: "0", count: 32))\"", "\"\(String(repeating: "é", count: 16))\"", "\"\\\"\"",
    ]
    var lines = ""
    let asked = ids + strays + ids.reversed()
    for (number, id) in asked.enumerated() { lines += "query q\(number) _system:documents {\"table\":\"items\",\"index\":\"by_id\",\"range\":{\"eq\":[\(id)]}}\n" }
    client.send(String(lines.dropLast()))
    server.settle()
    let together = client.take().map { "\($0.kind) \($0.rest)" }
    #expect(together.count == asked.count)
    for (number, id) in asked.enumerated() {
      client.send("query q\(number) _system:documents {\"table\":\"items\",\"index\":\"by_id\",\"range\":{\"eq\":[\(id)]}}")
      server.settle()
      #expect(client.take().map { "\($0.kind) \($0.rest)" } == [together[number]])
    }
  }
}
