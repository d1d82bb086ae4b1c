import Foundation
import MartletClient

@testable import MartletCommands

/// An app as its own executable serves it, in this process, and a client of it.
final class ServedApp: Sendable {
  let client: MartletClient
  let port: Int
  private let serving: Task<Int32, Never>
  private let folder: URL

  /// - Parameter port: 0 takes any that is free.
  init(_ app: MartletApp, port: Int = 0) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-snippet-\(UUID().uuidString)")
    self.folder = folder
    let (lines, output) = AsyncStream.makeStream(of: String.self)
    serving = Task {
      let console = Console(output: TextSink { output.yield($0) }, errors: TextSink { output.yield($0) }, columns: nil)
      let status = await app.run(
        ["serve", "--port", "\(port)", "--json", "--data", folder.appendingPathComponent("data.sqlite").path], console: console, environment: [:])
      output.finish()
      return status
    }
    let welcome = await lines.first { _ in true } ?? "nothing"
    guard case .object(let members) = try? Value(json: welcome), case .float64(let port)? = members["port"] else {
      throw Failure("the server doesn't start: \(welcome)")
    }
    self.port = Int(port)
    client = try await MartletClient.connect(port: Int(port))
  }

  /// What is left of it when the test is over: nothing.
  func stop() async {
    await client.close()
    serving.cancel()
    _ = await serving.value
    try? FileManager.default.removeItem(at: folder)
  }
}

/// Serves an app while `body` runs.
func serving(_ app: MartletApp, port: Int = 0, _ body: (MartletClient) async throws -> Void) async throws {
  let served = try await ServedApp(app, port: port)
  do { try await body(served.client) } catch {
    await served.stop()
    throw error
  }
  await served.stop()
}
