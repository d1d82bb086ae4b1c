import MartletTesting
import TestSupport
import Testing

@testable import Martlet

@Suite("Input of several connections")
struct InputBatchTests {
  @Test("Groups hold all pieces in their order, and no more than they must", arguments: [1, 2, 3] as [UInt64])
  func groups(seed: UInt64) {
    var random = TestRandom(seed: seed)
    for _ in 0..<50 {
      var batch = InputBatch()
      var added: [(session: Int, bytes: [UInt8])] = []
      for _ in 0..<Int.random(in: 0...40, using: &random) {
        let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        added.append((Int.random(in: 1...5, using: &random), bytes))
        bytes.withUnsafeBytes { batch.append($0, from: SessionID(rawValue: added.last!.session)) }
      }
      #expect(batch.isEmpty == added.isEmpty)
      let groupBytes = Int.random(in: 1...200, using: &random)
      var wholes: [[UInt8]] = []
      var parts: [[[UInt8]]] = []
      var sessions: [Int] = []
      batch.forEachGroup(ofBytes: groupBytes) {
        wholes.append(Array($0))
        parts.append([])
      } piece: {
        sessions.append($0.rawValue)
        parts[parts.count - 1].append(Array($1))
      }
      #expect(sessions == added.map(\.session))
      #expect(parts.flatMap(\.self) == added.map(\.bytes))
      #expect(parts.map { Array($0.joined()) } == wholes)
      // A group is full with its last piece, and not before.
      for part in parts { #expect(part.dropLast().joined().count < groupBytes) }
      for part in parts.dropLast() { #expect(part.joined().count >= groupBytes) }
      batch.removeAll()
      #expect(batch.isEmpty)
    }
  }

  @Test("Connections whose requests come together, in pieces, get the answers that they get one by one", arguments: [1, 2, 3] as [UInt64])
  func together(seed: UInt64) throws {
    var random = TestRandom(seed: seed)
    var requests: [String] = []
    for number in 0..<60 {
      requests.append("mutation m\(number) counters:add {\"name\":\"c\(number % 7)\",\"amount\":\(number)}\n")
      if number % 5 == 0 { requests.append("nonsense n\(number)\n") }
      if number % 4 == 0 { requests.append("query q\(number) counters:get {\"name\":\"c\(number % 3)\"}\n") }
    }
    let texts = (0..<6).map { client in requests.enumerated().filter { $0.offset % 6 == client }.map(\.element).joined() }

    // Every client's text in pieces that may end within a line, in batches; the order between clients is the seed's.
    var pieces: [(client: Int, text: String)] = []
    var rests = texts.map { Substring($0) }
    while let client = rests.indices.filter({ !rests[$0].isEmpty }).randomElement(using: &random) {
      let length = Int.random(in: 1...90, using: &random)
      pieces.append((client, String(rests[client].prefix(length))))
      rests[client] = rests[client].dropFirst(length)
    }

    func answers(together: Bool) throws -> [[String]] {
      let server = try EngineHarness.items()
      let clients = (0..<6).map { _ in server.connect() }
      var waiting = pieces[...]
      while !waiting.isEmpty {
        let count = together ? Int.random(in: 1...20, using: &random) : 1
        InProcessClient.sendTogether(waiting.prefix(count).map { (clients[$0.client], $0.text) })
        waiting = waiting.dropFirst(count)
        if !together { server.settle() }
      }
      server.settle()
      return clients.map { client in client.take().map { "\($0)" } }
    }
    let together = try answers(together: true)
    #expect(together == (try answers(together: false)))
    #expect(together.flatMap(\.self).count == requests.count)
  }
}
