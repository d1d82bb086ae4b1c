import MartletValues
import TestServers
import Testing

extension EndToEnd {
  @Suite("Stopping while actions run")
  struct StoppingActionsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func start(_ arguments: String...) throws -> ServerProcess {
      try ServerProcess(folder, app: "HistoryApp", arguments: ["--fetch-allow", "127.0.0.1"] + arguments)
    }

    /// The states of the jobs of actions, and their errors.
    private func states(_ client: RawClient) throws -> [String] {
      try client.allDocuments("_scheduled_functions").filter { $0["kind"] == "action" && $0["completedTime"] != nil }
        .map { "\($0["name"]?.text ?? "") \($0["state"]?["kind"]?.text ?? "") \($0["state"]?["error"]?.text ?? "")" }.sorted()
    }

    /// Has a server schedule two actions that ask another, and is done when both have asked.
    private func withAskers(
      _ arguments: [String], reply: LoopbackServer.Reply, _ body: (ServerProcess) throws -> Void
    ) async throws {
      let (asked, signal) = AsyncStream.makeStream(of: Void.self)
      let answer: @Sendable (LoopbackServer.Received) -> LoopbackServer.Reply = { _ in
        signal.yield()
        return reply
      }
      try await LoopbackServer.with(answer) { peer in
        let server = try ServerProcess(folder, app: "HistoryApp", arguments: ["--fetch-allow", "127.0.0.1"] + arguments)
        try server.connect().mutate("jobs:plan", ["number": 2, "peer": .string(peer.url)])
        var count = 0
        for await _ in asked {
          count += 1
          if count == 2 { break }
        }
        try body(server)
      }
    }

    @Test("SIGTERM lets actions end, and their jobs with them")
    func grace() async throws {
      try await withAskers([], reply: .after(milliseconds: 300, .ok("\"late\""))) { server in
        let status = try server.stop()
        #expect(status == 0)
      }
      let server = try start()
      #expect(try states(server.connect()) == ["jobs:fetch success ", "jobs:visit success "])
      #expect(try server.stop() == 0)
    }

    @Test("After --grace they are cancelled, and their jobs say so; the retrier goes on at the next start")
    func cancelled() async throws {
      let error = "the server stopped while the action ran, and cancelled it"
      try await withAskers(["--grace", "0"], reply: .hang()) { server in
        let status = try server.stop()
        #expect(status == 0)
      }
      let server = try start()
      let client = try server.connect()
      let states = try states(client)
      #expect(states.contains("jobs:visit failed \(error)") && states.contains("jobs:fetch failed \(error)"), "\(states)")
      let runs = try client.allDocuments("_retries")
      #expect(runs.count == 1 && runs[0]["state"] == "inProgress" && (runs[0]["failures"]?.number ?? 0) >= 1)
      #expect(try client.allDocuments("_scheduled_functions").count { $0["name"] == "jobs:fetch" } >= 2)
      #expect(try server.stop() == 0)
    }
  }
}
