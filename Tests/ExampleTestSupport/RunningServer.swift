import Foundation
import Logging
import Martlet
import MartletClient
import MartletServer
import ServiceLifecycle

/// A server of this process with an example, on a real socket and a file of its own.
package struct RunningServer: Sendable {
  /// Makes whoever signs in with it an admin, who may call internal functions.
  package static let adminKey = "the admin's key"

  package let port: Int

  package func client(token: String? = adminKey) async throws -> MartletClient {
    try await MartletClient.connect(ClientConfiguration(host: "127.0.0.1", port: port, token: token))
  }

  /// Runs `body` with a server, whose actions may fetch from this machine.
  package static func with(
    _ app: AppDefinition, environment: [String: String] = [:], _ body: (RunningServer) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.dataPath = folder.appending(path: "data.sqlite").path
    configuration.snapshotsPath = folder.appending(path: "Snapshots").path
    configuration.fetch.allowedHosts = ["127.0.0.1"]
    configuration.pools = app.pools
    configuration.tokens = app.tokens
    configuration.adminKey = adminKey
    configuration.environment = environment
    configuration.shutdownGraceSeconds = 0
    let (ready, signal) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = MartletServer(app: app, configuration: configuration, logger: logger, whenReady: { signal.yield($0.port) })
    let services = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: logger))
    let running = Task {
      defer { signal.finish() }
      try await services.run()
    }
    var ports = ready.makeAsyncIterator()
    guard let port = await ports.next() else { return try await running.value }
    do { try await body(RunningServer(port: port)) } catch {
      await services.triggerGracefulShutdown()
      try? await running.value
      throw error
    }
    await services.triggerGracefulShutdown()
    try await running.value
  }
}
