import ArgumentParser
import Foundation
import Martlet
import MartletClient
import MartletServer

/// Three things that are one for who types it: the data are as they were.
///
/// Which of them is meant, the command line says, and not what happens to run: `--url` is a running server's, without it the data file's.
struct RestoreCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Make the data as a snapshot has them, or as they were at an earlier moment.",
    discussion: """
        restore monday                          make the data file of a stopped server from a snapshot; there must be none yet
        restore --at 2026-11-21T12:00:00Z       take the data file of a stopped server back, as far as its log is kept
        restore monday --url 127.0.0.1:7433     into a running server; its subscribers are told. --at likewise

      A running server writes a snapshot of what it has before, "before-restore-…". Whatever is wrong leaves all as it is.
      """)

  @Argument(help: "A snapshot's file, or its name in the folder of snapshots.")
  var snapshot: String?

  @Option(help: ArgumentHelp("Back to a moment that the log has kept: a timestamp, or a time, as 2026-11-21T12:00:00Z.", valueName: "time"))
  var at: RestorePoint?

  @OptionGroup var data: DataOptions

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    guard (snapshot == nil) != (at == nil) else { throw UsageError("name a snapshot, or a moment with --at: one of the two") }
  }

  func run(in context: CommandContext) async throws {
    if connection.url != nil { return try await runInServer(context) }
    if let at {
      let path = data.data
      let rewound: (timestamp: UInt64, restored: UInt64, writes: Int)
      do { rewound = try MartletServer.restore(to: at, configuration: data.configuration) } catch let error as StorageError
        where error.code == .locked
      {
        throw StorageError(.locked, "\(path) is in use by a server: stop it, or have it go back itself, with --url")
      }
      let report: Value = [
        "data": .string(path), "restored": .float64(Double(rewound.restored)), "timestamp": .float64(Double(rewound.timestamp)),
        "writes": .float64(Double(rewound.writes)),
      ]
      if wantsJSON { return try context.console.print(json: report) }
      return try context.console.output.write(
        "\(path) is as it was at timestamp \(rewound.restored): \(rewound.writes.grouped) documents were put back or deleted, as timestamp \(rewound.timestamp).\n")
    }
    let restored = try Restoring(snapshot: snapshot!, configuration: data.configuration).run()
    try context.console.output.write(wantsJSON ? restored.json : restored.text)
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    var arguments: ObjectValue = [:]
    switch at {
    case .timestamp(let timestamp): arguments["timestamp"] = .float64(Double(timestamp))
    case .time(let time): arguments["time"] = .float64(time)
    case nil:
      // A file of this machine, where the server is too.
      let isFile = snapshot!.contains("/") || FileManager.default.fileExists(atPath: snapshot!)
      arguments["snapshot"] = .string(isFile ? URL(fileURLWithPath: snapshot!).standardizedFileURL.path : snapshot!)
    }
    let sent = Value.object(arguments)
    let report = try await showingProgress(["restore", "snapshot"], of: client, context) { try await client.action("_system:restore", sent) }
    if wantsJSON { return try context.console.print(json: report) }
    let numbers = ["restored", "writes", "timestamp"].map { Int(report[$0]?.number ?? 0) }
    try context.console.output.write(
      "The server's data are as they were at timestamp \(numbers[0]): \(numbers[1].grouped) documents were put back or deleted, as timestamp \(numbers[2]).\n"
        + "What was there before is the snapshot \(report["before"]?.text ?? "").\n")
  }
}
