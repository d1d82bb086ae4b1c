import Foundation
import Logging
import Martlet
import MartletSQLite
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A server that answers, as `whenReady` is told of it.
public struct ReadyServer: Sendable {
  public let host: String
  public let port: Int
  /// Documents of the app's tables that recovery found.
  public let documents: Int
  /// The last commit that recovery found.
  public let timestamp: UInt64
}

/// One Martlet server: a data file, an engine, and a listening socket.
///
/// `run` recovers the data, serves until it is told to stop (by a `ServiceGroup`, which also takes the signals), then answers
/// what is in flight, writes what is left and lets go of the file.
public final class MartletServer: Service {
  private let app: AppDefinition
  private let configuration: ServerConfiguration
  private let logger: Logger
  private let whenStarting: @Sendable (RecoveryStep) -> Void
  private let whenReady: (@Sendable (ReadyServer) -> Void)?

  public convenience init(
    tables: [any Table.Type], modules: [any FunctionModule.Type], triggers: [Trigger] = [], crons: [Cron] = [],
    configuration: ServerConfiguration, logger: Logger, whenReady: (@Sendable (ReadyServer) -> Void)? = nil
  ) {
    self.init(
      app: AppDefinition(tables: tables, modules: modules, triggers: triggers, crons: crons), configuration: configuration, logger: logger,
      whenReady: whenReady)
  }

  package init(
    app: AppDefinition, configuration: ServerConfiguration, logger: Logger,
    whenStarting: @escaping @Sendable (RecoveryStep) -> Void = { _ in }, whenReady: (@Sendable (ReadyServer) -> Void)? = nil
  ) {
    self.app = app
    self.whenStarting = whenStarting
    self.configuration = configuration
    self.logger = logger
    self.whenReady = whenReady
  }

  /// Serves until the surrounding task is told to shut down gracefully.
  /// - Throws: `SchemaError` or an error that says what to mend, where the server can't start.
  public func run() async throws {
    try app.checkEnvironment(configuration.environment)
    let schema = try AppSchema(app.tables, triggers: app.triggers)
    let registry = try FunctionRegistry(appModules: app.modules, pools: configuration.pools, workpools: app.workpools)
    // One for the engine and its clients, one for what actions fetch.
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let fetcher: ServerFetcher
    do { fetcher = try ServerFetcher(eventLoop: group.next(), rules: configuration.fetch) } catch {
      try? await group.shutdownGracefully()
      throw error
    }
    let threads = NIOThreadPool(numberOfThreads: max(2, ProcessInfo.processInfo.activeProcessorCount))
    threads.start()
    let host = EventLoopHost(eventLoop: group.next(), threads: threads)
    do {
      try await serve(schema, registry, host, fetcher)
    } catch {
      await fetcher.shutDown()
      try? await threads.shutdownGracefully()
      try? await group.shutdownGracefully()
      throw error
    }
    await fetcher.shutDown()
    try await threads.shutdownGracefully()
    try await group.shutdownGracefully()
  }

  private func serve(
    _ schema: AppSchema, _ registry: FunctionRegistry, _ host: EventLoopHost, _ fetcher: ServerFetcher
  ) async throws {
    try Self.makeFolder(of: configuration.dataPath)
    var options = SQLiteStorage.Options()
    options.keptMilliseconds = configuration.keptLogSeconds.map { $0 * 1_000 }
    let storage = try SQLiteStorage(path: configuration.dataPath, options: options)
    var recovery = Recovery(schema: schema, report: whenStarting)
    let recovered: RecoveredData
    do { recovered = try recovery.run(storage, executor: host.executor) } catch {
      try? storage.close()
      throw error
    }
    ProcessMemory.giveBack()
    for name in recovered.unknownTables {
      logger.warning("a stored table is not part of the schema; it is kept", metadata: ["table": "\(name)"])
    }
    var engineConfiguration = configuration.engine
    engineConfiguration.connections = connectionLimit()
    if let limit = engineConfiguration.maxMemoryBytes, ProcessMemory.residentBytes > limit {
      logger.warning(
        "the data take more memory than the server may use: writes that grow are refused until documents are deleted, or --max-memory is raised",
        metadata: ["used": "\(ProcessMemory.residentBytes)", "limit": "\(limit)"])
    }
    let log = ThreadedLogWriter(storage: storage, durability: configuration.durability, metrics: engineConfiguration.metrics)
    let snapshots = SnapshotFiles(path: configuration.snapshotsPath)
    let engine = Engine(
      host: host,
      environment: EngineEnvironment(
        clock: SystemClock(), entropy: Entropy(SystemEntropySource()),
        outside: OutsideWorld(fetcher: fetcher, variables: configuration.environment), memory: ProcessMemoryMeter()),
      recovered: recovered, registry: registry, log: log, snapshots: snapshots, configuration: engineConfiguration,
      logger: logger)
    do {
      let known = (try? snapshots.list()) ?? []
      await engine.start(newTables: recovered.newTables, snapshots: known)
      try await engine.prepare(app.crons)
      if let seconds = configuration.snapshotSeconds {
        await engine.scheduleSnapshots(every: seconds * 1_000, keep: configuration.keptSnapshots)
      }
      try await listen(engine, host.eventLoop, recovered)
      await engine.waitUntilDurable()
    } catch {
      try? log.close()
      throw error
    }
    try log.close()
  }

  /// As many connections as are wanted, or as there can be files.
  private func connectionLimit() -> Int {
    let files = FileDescriptors.raiseLimit()
    let most = FileDescriptors.forClients(of: files)
    guard configuration.connections > most else { return configuration.connections }
    logger.warning(
      "fewer clients can be connected than the configuration says, as the process may not have more files open: raise its hard limit (ulimit -Hn)",
      metadata: ["configured": "\(configuration.connections)", "possible": "\(most)", "files": "\(files)"])
    return most
  }

  private func listen(_ engine: Engine, _ eventLoop: any EventLoop, _ recovered: RecoveredData) async throws {
    let connections = ConnectionRegistry(eventLoop: eventLoop)
    let input = SocketInput(engine: engine, eventLoop: eventLoop)
    let bootstrap = ServerBootstrap(group: eventLoop)
      // When all clients come back at once, one that finds no place tries again after a second: so there are many places (the system has a bound of
      // its own), and they are freed faster than those who have come are served.
      .serverChannelOption(.backlog, value: 65_535)
      .serverChannelOption(.maxMessagesPerRead, value: 32)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      // Connections are counted: those whose client has vanished without a word must end some time.
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 1 << 20))
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ConnectionHandler(engine: engine, connections: connections, input: input))
        }
      }
    let channel: any Channel
    do { channel = try await bootstrap.bind(host: configuration.host, port: configuration.port).get() } catch {
      throw ServerError(
        "can't listen on \(configuration.host):\(configuration.port) (\(error)); is another server running there? Choose another with --port")
    }
    whenReady?(
      ReadyServer(
        host: configuration.host, port: channel.localAddress?.port ?? configuration.port,
        documents: recovered.documentCount, timestamp: recovered.timestamp))
    try? await gracefulShutdown()
    try await channel.close()
    await engine.drain()
    let closed = try await eventLoop.submit { connections.shutDown() }.get()
    let grace = configuration.shutdownGraceSeconds
    let end = NIODeadline.now() + .seconds(Int64(grace))
    let left = await engine.endActions(graceMilliseconds: grace * 1_000, patienceMilliseconds: configuration.cancellationSeconds * 1_000)
    if !left.isEmpty {
      logger.warning(
        "actions went on though they were cancelled, and are left; the next start notes their jobs as failed",
        metadata: ["functions": "\(left.joined(separator: ", "))"])
    }
    // Whose action was cancelled is told so first.
    let cut = eventLoop.scheduleTask(deadline: max(end, .now() + .seconds(1))) { connections.cut() }
    try await closed.get()
    cut.cancel()
  }

  private static func makeFolder(of path: String) throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw ServerError("can't make the folder \(folder.path) for the data file: \(error)")
    }
  }

  /// Makes the data file from a snapshot: a file's path, or a name among `snapshotsPath`. The server must not be running.
  /// - Throws: where there is a data file already, or the snapshot is damaged; then nothing was made.
  public static func restore(
    snapshot: String, configuration: ServerConfiguration
  ) throws -> (documents: Int, timestamp: UInt64) {
    try makeFolder(of: configuration.dataPath)
    let reader =
      FileManager.default.fileExists(atPath: snapshot)
      ? try SnapshotReader(path: snapshot)
      : try SnapshotReader(directory: configuration.snapshotsPath, name: snapshot)
    try SQLiteStorage.restore(reader, to: configuration.dataPath)
    let documents = reader.manifest.documentCount
    return (documents, reader.manifest.timestamp)
  }

  /// Takes the data file back to an earlier moment, by one more batch of commits. The server must not be running.
  /// - Throws: where the file's log doesn't lead back so far; then nothing was changed.
  package static func restore(
    to point: RestorePoint, configuration: ServerConfiguration
  ) throws -> (timestamp: UInt64, restored: UInt64, writes: Int) {
    guard FileManager.default.fileExists(atPath: configuration.dataPath) else {
      throw ServerError("there is no data file \(configuration.dataPath) to go back in; name it with --data, or restore a snapshot")
    }
    let rewound = try SQLiteStorage.rewindFile(at: configuration.dataPath, to: point, by: "_system:restore")
    return (rewound.timestamp, rewound.restored, rewound.writes)
  }

  /// Reads a snapshot whole, a file or a name among `snapshotsPath`, and throws if anything is wrong with it.
  package static func verify(snapshot: String, configuration: ServerConfiguration) throws -> SnapshotManifest {
    let reader =
      FileManager.default.fileExists(atPath: snapshot)
      ? try SnapshotReader(path: snapshot)
      : try SnapshotReader(directory: configuration.snapshotsPath, name: snapshot)
    try reader.verify()
    return reader.manifest
  }
}

/// Why a server can't start, in words for the one who starts it.
public struct ServerError: Error, Sendable, CustomStringConvertible {
  public let message: String
  init(_ message: String) { self.message = message }
  public var description: String { message }
}
