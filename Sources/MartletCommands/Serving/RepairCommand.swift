import ArgumentParser
import Foundation
import Martlet
import MartletServer

struct RepairCommand: AppCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair", abstract: "Save what is whole of a damaged data file into a new one.",
    discussion: "The damaged file is only read. What is lost is told: documents, commits, and where in the file. A server starts on the new file.")

  @Option(help: ArgumentHelp("The damaged data file.", valueName: "path"))
  var data = ServerConfiguration().dataPath

  @Option(help: ArgumentHelp("The new data file; beside the damaged one, if left out. Nothing is ever replaced.", valueName: "path"))
  var output: String?

  @Flag(help: "Where commits are lost, leave out those that came after them: the state is then one that there was.")
  var stopAtLoss = false

  @Flag(help: "Say what was saved and what is lost as one line of JSON.")
  var json = false

  var wantsJSON: Bool { json }

  func run(in context: CommandContext) async throws {
    let report = try MartletServer.repair(data, to: output ?? Self.path(beside: data), stopsAtLoss: stopAtLoss)
    if json { return try context.console.output.write(report.json + "\n") }
    try context.console.output.write(report.text)
  }

  /// `data/martlet.repaired.sqlite`
  static func path(beside path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let name = url.deletingPathExtension().lastPathComponent + ".repaired" + (url.pathExtension.isEmpty ? "" : "." + url.pathExtension)
    return path.contains("/") ? String(path[..<path.lastIndex(of: "/")!]) + "/" + name : name
  }
}

extension RepairSummary {
  private static let mostLines = 20

  var text: String {
    var text = "Saved \(documents.grouped) documents of \(source) into \(output), as of timestamp \(timestamp).\n"
    guard !isWhole else { return text + "Nothing is lost.\n" }
    text += "Lost, or doubtful:\n"
    for line in losses.prefix(Self.mostLines) { text += "  \(line)\n" }
    if losses.count > Self.mostLines { text += "  … and \((losses.count - Self.mostLines).grouped) more; --json tells all\n" }
    return text + "Keep the damaged file. To go on with what is saved, start the server with --data \(output)\n"
  }

  var json: String {
    let value: Value = [
      "data": .string(output), "documents": .float64(Double(documents)), "timestamp": .float64(Double(timestamp)),
      "completeThrough": .float64(Double(completeThrough)), "isWhole": .boolean(isWhole), "lost": .array(losses.map { .string($0) }),
    ]
    return value.json
  }
}
