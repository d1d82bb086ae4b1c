import MartletValues
import Testing

extension EndToEnd {
  /// The larger examples, as the executable serves them. What they do is tested in targets of their own.
  @Suite("The examples")
  struct ExampleTests {
    private static let key = ["OPINION_TRADE_API_KEY": "key-0123456789"]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("opinion-scope doesn't start without the exchange's key, and says so")
    func missingKey() throws {
      let result = try Executable.run(["serve", "--example", "opinion-scope", "--port", "0", "--data", folder.file("data.sqlite")], in: folder)
      #expect(result.status == 1 && result.output.isEmpty)
      #expect(result.errors == "Error: the environment variable OPINION_TRADE_API_KEY is not set; start the server with it\n")
    }

    @Test("All examples can be served as one, each with its crons", arguments: [["bank", "store", "opinion-scope", "engagement"], ["engagement-scans"]])
    func together(examples: [String]) throws {
      let server = try ServerProcess(folder, examples: examples, environment: Self.key)
      let crons = Set(try server.connect().allDocuments("_crons").compactMap { $0["name"]?.text })
      let expected =
        examples.count == 1
        ? ["orchestrator"]
        : ["sync-markets", "sync-whale-trades", "compute-whale-stats", "cleanup-old-activity", "check-completed-shows", "update-trending", "recount"]
      #expect(crons.isSuperset(of: expected), "\(crons)")
      #expect(try server.stop() == 0)
    }

    @Test("A terminal that is subscribed to shows:trending sees votes as they are cast")
    func trending() throws {
      let server = try ServerProcess(folder, examples: ["engagement"])
      let client = try server.connect()
      try client.mutate("engagementDemo:fill", ["artists": 3])
      let watcher = try server.connect()
      try watcher.send(#"subscribe t shows:trending {"limit":3}"#)
      var view = LiveView()
      while view["t"] == nil { _ = try view.take(watcher.next()) }
      let last = try #require(view["t"]?.elements.last)
      let song = try #require(try client.query("setlists:ofShow", ["show": last["id"]!]).elements.first?["_id"])
      for fan in 0..<10 {
        let answer = try client.request("mutation", "votes:cast", ["setlist": song, "voter": .string("fan \(fan) of the last")])
        while view.timestamp < answer.timestamp { _ = try view.take(watcher.next()) }
      }
      #expect(view["t"]?.elements.first?["id"] == last["id"])
      #expect(view["t"]?.elements.first?["votes"]?.number == (last["votes"]?.number ?? 0) + 10)
    }
  }
}
