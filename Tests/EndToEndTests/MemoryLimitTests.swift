import MartletValues
import Testing

extension EndToEnd {
  @Suite("G9: --max-memory")
  struct MemoryLimitTests {
    let folder: TemporaryFolder
    private static let limit = 128 << 20
    private static let documentBytes = 40_000

    init() throws { folder = try TemporaryFolder() }

    /// Inserts until one is refused, and gives the ids and the error.
    private func fill(_ client: RawClient, most: Int) throws -> (ids: [String], error: String) {
      var ids: [String] = []
      let text = Value.string(String(repeating: "x", count: Self.documentBytes))
      for number in 0..<most {
        let answer = try client.request(
          "mutation", "_system:insert",
          [
            "table": "products",
            "document": [
              "name": .string("p\(number)"), "description": text, "price": 1, "stock": 1, "category": "c", "isActive": true, "tags": [], "createdAt": 1,
              "updatedAt": 1,
            ],
          ])
        guard answer.verb == .ok else { return (ids, answer.rest) }
        guard case .string(let id) = try answer.json else { throw Failure("no id: \(answer.rest.prefix(200))") }
        ids.append(id)
      }
      throw Failure("\(most) documents of \(Self.documentBytes) bytes were taken, and the limit is \(Self.limit)")
    }

    @Test("G9: inserts are refused before memory runs out, and deletes make room; queries and subscriptions go on all the while")
    func limit() throws {
      let server = try ServerProcess(folder, examples: ["bank", "store"], arguments: ["--max-memory", "128MB"])
      let client = try server.connect()
      let watcher = try server.connect()
      try watcher.send("subscribe s accounts:total")
      _ = try watcher.group()

      let (ids, error) = try fill(client, most: 4_000)
      #expect(error.contains("limit_exceeded") && error.contains("--max-memory"), "\(error.prefix(300))")
      #expect(ids.count > 100)
      // What holes may take, and what a debug build allocates between two looks.
      #expect(try server.residentBytes < Self.limit + Self.limit / 8 + 32 << 20)
      let stats = try client.query("_system:stats")
      #expect(stats["memoryLimit"]?.number == Double(Self.limit))
      #expect((stats["memoryUsed"]?.number ?? 0) > Double(Self.limit) * 0.9)

      #expect(try client.total().count == 0, "a query is answered")
      for id in ids.prefix(ids.count / 2) {
        #expect(try client.request("mutation", "_system:delete", ["id": .string(id)]).verb == .ok)
      }
      _ = try client.open("ada", 5)
      #expect(try watcher.group().lines.map(\.id) == ["s"], "a subscription is told")
      let (more, _) = try fill(client, most: 4_000)
      #expect(more.count > ids.count / 4, "\(more.count) documents fitted into the room of \(ids.count / 2)")
      #expect(try server.residentBytes < Self.limit + Self.limit / 8 + 32 << 20)
      #expect(try server.stop() == 0)

      // A server that starts with more than it may use serves what it has.
      let again = try ServerProcess(folder, arguments: ["--max-memory", "64MB"])
      #expect(again.documents == ids.count - ids.count / 2 + more.count + 1)
      let late = try again.connect()
      #expect(try late.total().count == 1)
    }
  }
}
