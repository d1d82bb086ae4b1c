import Foundation
import MartletClient
import StoreExample
import TestServers

@testable import MartletCommands

/// The store as `martlet serve` serves it: over sockets, with a data file; and its stand-ins, over sockets likewise.
final class ServedStore: Sendable {
  let admin: MartletClient
  private let port: Int
  private let serving: Task<Int32, Never>
  private let folder: URL

  /// Runs `body` with a store whose actions reach `standIns`.
  static func with(_ standIns: StandIns, _ body: (ServedStore) async throws -> Void) async throws {
    try await LoopbackServer.with({ standIns.reply(to: $0) }) { services in
      let store = try await ServedStore(services.url)
      do { try await body(store) } catch {
        await store.stop()
        throw error
      }
      await store.stop()
    }
  }

  private init(_ services: String) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-store-\(UUID().uuidString)")
    self.folder = folder
    let app = MartletApp(
      schema: StoreApp.tables, functions: StoreApp.modules, triggers: StoreApp.triggers, crons: StoreApp.crons, pools: StoreApp.pools,
      workpools: StoreApp.workpools, tokens: StoreApp.tokens, name: "store")
    var environment = TestStore.keys
    environment["STRIPE_URL"] = services
    environment["RESEND_URL"] = services
    environment["MARTLET_ADMIN_KEY"] = "admin"
    let (lines, output) = AsyncStream.makeStream(of: String.self)
    serving = Task { [environment] in
      let console = Console(output: TextSink { output.yield($0) }, errors: TextSink { output.yield($0) }, columns: nil)
      let status = await app.run(
        [
          "serve", "--port", "0", "--json", "--log-level", "critical", "--fetch-allow", "127.0.0.1",
          "--data", folder.appendingPathComponent("data.sqlite").path,
        ], console: console, environment: environment)
      output.finish()
      return status
    }
    let welcome = await lines.first { _ in true } ?? "nothing"
    guard let port = try? Value(json: welcome)["port"]?.number else { throw NotServed(output: welcome) }
    self.port = Int(port)
    admin = try await MartletClient.connect(port: Int(port), token: "admin")
  }

  private struct NotServed: Error { var output: String }

  func client(token: String? = nil) async throws -> MartletClient { try await MartletClient.connect(port: port, token: token) }

  private func stop() async {
    await admin.close()
    serving.cancel()
    _ = await serving.value
    try? FileManager.default.removeItem(at: folder)
  }
}

extension StandIns {
  fileprivate func reply(to request: LoopbackServer.Received) -> LoopbackServer.Reply {
    let headers = Dictionary(request.headers.map { ($0.name, $0.value) }) { first, _ in first }
    switch answer(WebRequest(path: request.path, headers: headers, body: request.body)) {
    case .response(let status, let headers, let body, let isSlow):
      let answer = LoopbackServer.Reply.status("\(status) Status", body, headers.map { "\($0.key): \($0.value)" })
      return isSlow ? .after(milliseconds: 700, answer) : answer
    // The connection is closed in the middle of an answer: for the store the same as an answer that never comes, but sooner.
    case .silence: return .bytesThenClose("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":")
    case .noConnection: return .bytesThenClose("")
    }
  }
}
