import Foundation
import Logging
import Martlet
import MartletServer
import ServiceLifecycle

/// What `serve` does: restores if it is asked to, starts the server, says where it is, and waits for its end.
struct Serving {
  var options: ServeOptions
  var app: AppDefinition
  var context: CommandContext
  var examples: [Example] = []

  func run() async throws {
    // The server looks at this too, but a start that can't succeed shouldn't restore anything before.
    try app.checkEnvironment(context.environment)
    let configuration = try options.configuration(context.environment, for: app)
    if let snapshot = options.restore {
      let restored = try Restoring(snapshot: snapshot, configuration: configuration).run()
      if !options.json { try context.console.output.write(restored.text) }
    }
    var logger = Logger(label: context.app.name) { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = options.logLevel
    let server = MartletServer(
      app: app, configuration: configuration, logger: logger,
      whenStarting: { [console = context.console] step in
        if let text = Self.text(of: step) { try? console.errors.write(text + "\n") }
      },
      whenReady: { [self] server in
        let welcome = Welcome(
          host: server.host, port: server.port, documents: server.documents, timestamp: server.timestamp, options: options,
          invocation: context.invocation, examples: examples, hasFunctions: !app.modules.isEmpty)
        // A server whose starter doesn't read is a server all the same.
        try? context.console.output.write(options.json ? welcome.json : welcome.text)
      })
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: server)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }
}

extension Serving {
  /// Fewer documents are no wait.
  private static let documentsWorthTelling = 100_000

  /// What is told of a long start; nil where it isn't worth a line.
  static func text(of step: RecoveryStep) -> String? {
    switch step {
    case .reading(let documents): "Reading the data: \(documents.grouped) documents …"
    case .building(let index, let table, let documents) where documents >= documentsWorthTelling:
      "Building index \(index) of table \(table): \(documents.grouped) documents …"
    case .checking(let table, let documents) where documents >= documentsWorthTelling:
      "Checking table \(table): \(documents.grouped) documents …"
    case .building, .checking: nil
    }
  }
}

/// Makes a data file of a snapshot.
struct Restoring {
  var snapshot: String
  var configuration: ServerConfiguration

  struct Restored {
    var documents: Int
    var timestamp: UInt64
    var path: String

    var text: String {
      "Restored \(documents.grouped) documents as of timestamp \(timestamp) into \(path).\n"
    }
    var json: String {
      #"{"data":\#(Value.string(path).json),"documents":\#(documents),"timestamp":\#(timestamp)}"# + "\n"
    }
  }

  func run() throws -> Restored {
    let path = configuration.dataPath
    guard !FileManager.default.fileExists(atPath: path) else { throw DataExist(path: path) }
    // A name has no slash; told as a name, a path that leads nowhere would be called malformed.
    if snapshot.contains("/"), !FileManager.default.fileExists(atPath: snapshot) { throw NoSnapshot(path: snapshot) }
    let restored = try MartletServer.restore(snapshot: snapshot, configuration: configuration)
    return Restored(documents: restored.documents, timestamp: restored.timestamp, path: path)
  }
}

struct NoSnapshot: Error, CustomStringConvertible {
  var path: String
  var description: String { "there is no file \(path) to restore" }
}

struct DataExist: Error, CustomStringConvertible {
  var path: String

  var description: String {
    "there are data in \(path) already, and restoring never replaces any: move the file away while no server runs on it, or choose another with --data"
  }
}

extension Int {
  /// `12,345`
  var grouped: String {
    var digits = Array(String(magnitude))
    for index in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: index) }
    return (self < 0 ? "-" : "") + String(digits)
  }
}
