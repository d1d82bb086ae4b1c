import ArgumentParser
import Martlet
import MartletClient

struct CronsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crons", abstract: "What runs on a calendar or at intervals; or run one now, or list the last runs.",
    subcommands: [List.self, Run.self, Runs.self], defaultSubcommand: List.self)

  struct List: LiveCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "The crons, with their next runs and how the last ones went.",
      discussion: "With --json, each cron is a line; live, each update is one.")

    @Flag(help: "Show them again whenever they change.")
    var live = false

    @Option(help: ArgumentHelp("With --live: end after this many updates.", valueName: "n"))
    var count: Int?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try validateLive(live) }

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      if live {
        return try await follow(
          client.subscribe("_system:crons"), of: client, context, title: "crons", table: { CronsCommand.table($0.elements) })
      }
      let crons = try await client.query("_system:crons").elements
      try context.console.show(crons, asJSON: wantsJSON, orSay: "No crons.", CronsCommand.table)
    }
  }

  struct Run: ClientCommand {
    static let configuration = CommandConfiguration(
      commandName: "run", abstract: "Begin a run now, beside the schedule; shows the run.",
      discussion: "Where the last run is still going, the new one is skipped.")

    @Argument(help: "The cron's name.")
    var name: String

    @OptionGroup var connection: ConnectionOptions

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      _ = try await client.mutation("_system:runCron", ["name": .string(name)])
      let runs = try await client.query("_system:cronRuns", ["name": .string(name), "limit": 1]).elements
      try context.console.show(runs, asJSON: wantsJSON, orSay: "No runs.", CronsCommand.runTable)
    }
  }

  struct Runs: ClientCommand {
    static let configuration = CommandConfiguration(
      commandName: "runs", abstract: "The last runs, of one cron or of all, the newest first.",
      discussion: "The last 20 of each cron are kept. With --json, each is a line, with what it logged.")

    @Argument(help: "The cron's name.")
    var name: String?

    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 20

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
      if limit < 1 { throw UsageError("--limit must be at least 1") }
    }

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      var arguments: ObjectValue = ["limit": .float64(Double(limit))]
      arguments["name"] = name.map { .string($0) }
      let runs = try await client.query("_system:cronRuns", .object(arguments)).elements
      try context.console.show(runs, asJSON: wantsJSON, orSay: "No runs.", CronsCommand.runTable)
    }
  }

  static func table(_ crons: [Value]) -> TextTable {
    TextTable(maximumCellWidth: 60) {
      TextTable.Column("name", crons.map { $0["name"] })
      TextTable.Column("runs", crons.map { .string(words(for: $0["schedule"]?.text ?? "")) }, wraps: true)
      TextTable.Column("function", crons.map { $0["function"] })
      TextTable.Column("next run", crons.map { $0["nextTime"] ?? "never" }, as: "_creationTime")
      TextTable.Column("last run", crons.map { $0["lastRun"]?["scheduledTime"] }, as: "_creationTime")
      TextTable.Column("its end", crons.map { $0["lastRun"]?["status"] })
    }
  }

  static func runTable(_ runs: [Value]) -> TextTable {
    let errors = runs.map { $0["error"] }
    let results = runs.map { run -> Value? in run["result"]?.text == "null" ? nil : run["result"] }
    return TextTable(maximumCellWidth: 60) {
      TextTable.Column("name", runs.map { $0["name"] })
      TextTable.Column("scheduled", runs.map { $0["scheduledTime"] }, as: "_creationTime")
      TextTable.Column("began", runs.map { $0["startTime"] }, as: "_creationTime")
      TextTable.Column("ended", runs.map { $0["endTime"] }, as: "_creationTime")
      TextTable.Column("status", runs.map { $0["status"] })
      if results.contains(where: { $0 != nil }) { TextTable.Column("result", results) }
      if errors.contains(where: { $0 != nil }) { TextTable.Column("error", errors, wraps: true) }
    }
  }

  /// The text itself, where a newer server has schedules that this client doesn't know.
  static func words(for schedule: String) -> String { (try? Schedule(text: schedule))?.description ?? schedule }
}
