import ArgumentParser
import MartletClient

struct JobsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "The scheduler's jobs: what is to run, runs, or has run; or cancel one.",
    subcommands: [List.self, Cancel.self], defaultSubcommand: List.self)

  struct List: LiveCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "The newest jobs, of one state or of all.",
      discussion: "Finished jobs are kept for 7 days. With --json, each job is a line; live, each update is one.")

    @Option(help: "Only those that are pending, inProgress, success, failed or canceled.")
    var state: JobState.Kind?

    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 20

    @Flag(help: "Show them again whenever they change.")
    var live = false

    @Option(help: ArgumentHelp("With --live: end after this many updates.", valueName: "n"))
    var count: Int?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try validateLive(live, limit: limit) }

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      var arguments: ObjectValue = ["limit": .float64(Double(limit))]
      arguments["state"] = state.map { .string($0.rawValue) }
      if live {
        let jobs = client.subscribe("_system:scheduled", .object(arguments))
        let title = state.map { "jobs that are \($0.rawValue)" } ?? "jobs"
        return try await follow(jobs, of: client, context, title: title, table: { JobsCommand.table($0.elements) })
      }
      let jobs = try await client.query("_system:scheduled", .object(arguments)).elements
      try context.console.show(jobs, asJSON: wantsJSON, orSay: "No jobs.", JobsCommand.table)
    }
  }

  struct Cancel: ClientCommand {
    static let configuration = CommandConfiguration(
      commandName: "cancel", abstract: "Have a pending job never run, and cancel the task of an action that runs; shows the job.",
      discussion: "A job that is over stays as it is.")

    @Argument(help: "The job's id.")
    var id: String

    @OptionGroup var connection: ConnectionOptions

    func run(_ client: MartletClient, _ context: CommandContext) async throws {
      _ = try await client.mutation("_system:cancelJob", ["id": .string(id)])
      let page = try await client.query(
        "_system:documents", ["table": "_scheduled_functions", "index": "by_id", "range": ["eq": [.string(id)]]])
      let jobs = page["page"]?.elements ?? []
      try context.console.show(jobs, asJSON: wantsJSON, orSay: "The job is not kept any more.", JobsCommand.table)
    }
  }

  static func table(_ jobs: [Value]) -> TextTable {
    let origins = jobs.map { job -> Value? in job["cron"].map { .string("cron \($0.text)") } ?? job["retry"].map { _ in "retry" } }
    let errors = jobs.map { $0["state"]?["error"] }
    return TextTable(maximumCellWidth: 60) {
      TextTable.Column("id", jobs.map { $0["_id"] })
      TextTable.Column("function", jobs.map { $0["name"] })
      TextTable.Column("arguments", jobs.map { $0["args"] })
      TextTable.Column("state", jobs.map { $0["state"]?["kind"] })
      TextTable.Column("scheduled", jobs.map { $0["scheduledTime"] }, as: "_creationTime")
      TextTable.Column("completed", jobs.map { $0["completedTime"] }, as: "_creationTime")
      if origins.contains(where: { $0 != nil }) { TextTable.Column("by", origins) }
      if errors.contains(where: { $0 != nil }) { TextTable.Column("error", errors, wraps: true) }
    }
  }
}

extension JobState.Kind: ExpressibleByArgument {}

extension LiveCommand {
  func validateLive(_ live: Bool, limit: Int = 1) throws {
    if limit < 1 { throw UsageError("--limit must be at least 1") }
    if count != nil, !live { throw UsageError("--count is for --live") }
    try validateCount()
  }
}

extension Console {
  /// Documents: a line of JSON each, or a table.
  func show(_ documents: [Value], asJSON: Bool, orSay nothing: String, _ table: ([Value]) -> TextTable) throws {
    if asJSON { return try output.write(documents.map { $0.json + "\n" }.joined()) }
    if documents.isEmpty { try output.write(nothing + "\n") } else { try show(table(documents)) }
  }
}
