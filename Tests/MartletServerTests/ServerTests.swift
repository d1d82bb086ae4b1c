import Foundation
import Logging
import Martlet
import MartletClient
import MartletServer
import ServiceLifecycle
import TestServers
import Testing

@Suite("A server whose actions fetch")
struct ServerTests {
  enum Pages: FunctionModule {
    static let path = "pages"
    static let functions: [any ServerFunction] = [get]

    static let get = Action("get", Arg("url", .string), pool: "slow") { ctx, url in
      let response = try await ctx.fetch(url, headers: ["x-key": try ctx.environment.require("PAGES_KEY")])
      return response.text
    }
  }

  /// Runs a server of its own, with a client, until `body` returns.
  private static func run(_ rules: FetchRules, _ body: (MartletClient) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.dataPath = folder.appending(path: "data.sqlite").path
    configuration.snapshotsPath = folder.appending(path: "Snapshots").path
    configuration.fetch = rules
    configuration.pools = ["slow": 2]
    configuration.environment = ["PAGES_KEY": "0123456789"]
    configuration.shutdownGraceSeconds = 0
    let (ready, signal) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = MartletServer(tables: [], modules: [Pages.self], configuration: configuration, logger: logger) { signal.yield($0.port) }
    let services = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: logger))
    let running = Task {
      defer { signal.finish() }
      try await services.run()
    }
    var ports = ready.makeAsyncIterator()
    guard let port = await ports.next() else { return try await running.value }
    let client = try await MartletClient.connect(url: "martlet://127.0.0.1:\(port)")
    do { try await body(client) } catch {
      await services.triggerGracefulShutdown()
      await client.close()
      throw error
    }
    // The client is there until the server has gone.
    await services.triggerGracefulShutdown()
    try await running.value
    await client.close()
  }

  @Test("ctx.fetch reaches what the rules allow, and nothing private that they don't")
  func fetch() async throws {
    try await LoopbackServer.with({ .ok("for \($0.header("x-key") ?? "nobody")") }) { web in
      var rules = FetchRules()
      rules.allowedHosts = ["127.0.0.1"]
      try await Self.run(rules) { client in
        let text = try await client.run(Pages.get(web.url))
        #expect(text == "for 0123456789")
      }
      try await Self.run(FetchRules()) { client in
        do {
          _ = try await client.run(Pages.get(web.url))
          Issue.record("a private address was reached")
        } catch let error as MartletError {
          #expect(error.code == .functionFailed)
        }
      }
      #expect(web.received.count == 1)
    }
  }

  @Test("A server that stops cancels what its actions fetch")
  func stop() async throws {
    let (arrived, signal) = AsyncStream.makeStream(of: Void.self)
    try await LoopbackServer.with({ _ in
      signal.yield()
      return .hang()
    }) { web in
      var rules = FetchRules()
      rules.allowedHosts = ["*"]
      let url = web.url
      try await Self.run(rules) { client in
        Task { try await client.run(Pages.get(url)) }
        for await _ in arrived { break }
      }
      await web.waitForClosedConnection()
    }
  }
}
