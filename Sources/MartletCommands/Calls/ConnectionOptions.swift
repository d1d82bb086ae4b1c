import ArgumentParser
import MartletClient

/// Which server a command asks, and how it shows the answer.
struct ConnectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The server. Left out: MARTLET_URL of the environment, or else \(Self.standardURL).", valueName: "martlet://host:port"))
  var url: String?

  @Option(help: "A token or the admin key. Left out: MARTLET_TOKEN or MARTLET_ADMIN_KEY of the environment.")
  var token: String?

  @Flag(help: "Print JSON, one value a line, for programs.")
  var json = false

  static let standardURL = "martlet://127.0.0.1:7433"

  func validate() throws {
    if let url { _ = try Self.configuration(url, token: nil) }
  }

  func url(_ environment: [String: String]) -> String { url ?? environment["MARTLET_URL"] ?? Self.standardURL }

  func configuration(_ environment: [String: String]) throws -> ClientConfiguration {
    let token = token ?? environment["MARTLET_TOKEN"] ?? environment["MARTLET_ADMIN_KEY"]
    return try Self.configuration(url(environment), token: token)
  }

  private static func configuration(_ url: String, token: String?) throws -> ClientConfiguration {
    guard let configuration = ClientConfiguration(url: url, token: token) else {
      throw UsageError("\"\(url)\" is no server's address: write martlet://host:port or host:port")
    }
    return configuration
  }
}

/// A command that asks a running server.
protocol ClientCommand: AppCommand {
  var connection: ConnectionOptions { get }
  /// How long requests wait while there is no connection; the client's usual time, if nil.
  var offlineTimeoutSeconds: Double? { get }
  func run(_ client: MartletClient, _ context: CommandContext) async throws
}

extension ClientCommand {
  var wantsJSON: Bool { connection.json }

  var offlineTimeoutSeconds: Double? { nil }

  func run(in context: CommandContext) async throws { try await runInServer(context) }

  /// Connects, runs, and takes leave.
  func runInServer(_ context: CommandContext) async throws {
    if let client = context.shellClient, connection.url == nil, connection.token == nil { return try await run(client, context) }
    var configuration = try connection.configuration(context.environment)
    if let offlineTimeoutSeconds { configuration.offlineTimeoutSeconds = offlineTimeoutSeconds }
    let client: MartletClient
    do { client = try await MartletClient.connect(configuration) } catch let error as MartletError
      where error.code == .connectionLost
    {
      // The system's words help only where it isn't the usual: that there is no server.
      let reason = error.message.contains("Connection refused") ? "" : ": \(error.message)"
      let url = connection.url(context.environment)
      throw MartletError(
        .connectionLost,
        "no server answers at \(url)\(reason); start one with \"\(context.invocation) serve\", or name another with --url")
    }
    do { try await run(client, context) } catch {
      await client.close()
      throw error
    }
    await client.close()
  }
}
