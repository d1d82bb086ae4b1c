import ArgumentParser

struct RestoreCommand: AppCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Make the data file of a stopped server from a snapshot.",
    discussion: "The snapshot is checked while it is read. Data that are there already are never replaced.")

  @Argument(help: "A snapshot's file, or its name in the folder of snapshots.")
  var snapshot: String

  @OptionGroup var data: DataOptions

  @Flag(help: "Say what was restored as one line of JSON.")
  var json = false

  var wantsJSON: Bool { json }

  func run(in context: CommandContext) async throws {
    let restored = try Restoring(snapshot: snapshot, configuration: data.configuration).run()
    try context.console.output.write(json ? restored.json : restored.text)
  }
}
