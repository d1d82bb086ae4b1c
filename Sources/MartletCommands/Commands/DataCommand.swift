import ArgumentParser
import MartletClient

struct DataCommand: LiveCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "A table's documents: all, a range of an index, those that a filter keeps; once, or live.",
    discussion: """
        data orders --where 'status == "paid" and total > 100'
        data orders --index by_status --eq paid --order desc --limit 5 --live

      A filter compares fields with values (=, !=, <, <=, >, >=) and joins comparisons by and, or, not and parentheses; a field \
      that isn't there is "missing". It reads every document of the range that it filters, so an index serves better where there \
      is one. With --json, each document is a line; live, each update is one: {"timestamp":42,"value":[…]}. Pages are read one \
      after another, so commits may fall between them; what is live is one page, of one moment, redrawn in place as "subscribe" does.
      """)

  @Argument(help: "The table's name.")
  var table: String

  @OptionGroup var range: RangeOptions

  @Option(name: .customLong("where"), help: ArgumentHelp("Only the documents for which this is true.", valueName: "filter"))
  var filter: String?

  @Option(help: "asc: from the range's beginning; desc: from its end.")
  var order = DataOrder.asc

  @Option(help: ArgumentHelp("How many documents at most.", valueName: "n"))
  var limit = 20

  @Flag(help: "Show them again whenever they change.")
  var live = false

  @Option(help: ArgumentHelp("With --live: end after this many updates.", valueName: "n"))
  var count: Int?

  @Flag(help: "With --live: show only what each update changes.")
  var diff = false

  @OptionGroup var connection: ConnectionOptions

  /// Well below what one transaction may read.
  private static let pageSize = 1000

  func validate() throws {
    if limit < 1 { throw UsageError("--limit must be at least 1") }
    if count != nil, !live { throw UsageError("--count is for --live; --limit says how many documents are shown") }
    if diff, !live { throw UsageError("--diff is for --live: it shows what an update changes") }
    try validateCount()
    _ = try query(limit: limit)
  }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    if live {
      let page = client.subscribe("_system:documents", try query(limit: limit))
      return try await follow(page, of: client, context, title: title) { $0["page"] ?? $0 }
    }
    var documents: [Value] = []
    var cursor: Value?
    var left = limit
    var isDone = false
    while left > 0, !isDone {
      let page = try await client.query("_system:documents", query(limit: min(left, Self.pageSize), cursor: cursor))
      let found = page["page"]?.elements ?? []
      if wantsJSON {
        try context.console.output.write(found.map { $0.json + "\n" }.joined())
      } else {
        // A table's columns are as wide as its widest cell, so all rows are needed first.
        documents += found
      }
      left -= found.count
      let next = page["continueCursor"]
      // A page of a filter may hold nothing, and still not be the last; one that leads nowhere is.
      isDone = page["isDone"] != false || next == nil || next == .some(.null) || next == cursor
      cursor = next
    }
    guard !wantsJSON else { return }
    try context.console.show(.array(documents))
    if !isDone { try context.console.output.write("There are more than these \(limit): --limit shows more.\n") }
  }

  private var title: String {
    table + (range.index.map { " by \($0)" } ?? "") + (filter.map { " where \($0)" } ?? "")
  }

  /// The arguments of `_system:documents`; throws where the command line's words make none.
  func query(limit: Int, cursor: Value? = nil) throws -> Value {
    var arguments: ObjectValue = ["table": .string(table), "limit": .float64(Double(limit))]
    arguments["index"] = range.index.map { .string($0) }
    arguments["range"] = try range.value
    if order != .asc { arguments["order"] = .string(order.rawValue) }
    if let filter {
      do { arguments["where"] = try TypedFilter(filter).json } catch let error as TypedFilterError {
        throw UsageError("--where: \(error)")
      }
    }
    arguments["cursor"] = cursor
    return .object(arguments)
  }
}

enum DataOrder: String, ExpressibleByArgument, CaseIterable { case asc, desc }

/// A range of an index: values for its first fields in their order, then bounds on the next one.
struct RangeOptions: ParsableArguments {
  @Option(help: "The index to read by; by_creation_time if left out.")
  var index: String?

  @Option(
    name: .customLong("eq"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("The index's first field has this value; given again, its second, and so on.", valueName: "value"))
  var equals: [String] = []

  @Option(name: .customLong("gt"), parsing: .unconditional, help: ArgumentHelp("The next field is more than this.", valueName: "value"))
  var above: String?

  @Option(name: .customLong("gte"), parsing: .unconditional, help: ArgumentHelp("It is at least this.", valueName: "value"))
  var atLeast: String?

  @Option(name: .customLong("lt"), parsing: .unconditional, help: ArgumentHelp("It is less than this.", valueName: "value"))
  var below: String?

  @Option(name: .customLong("lte"), parsing: .unconditional, help: ArgumentHelp("It is at most this.", valueName: "value"))
  var atMost: String?

  func validate() throws {
    if above != nil, atLeast != nil { throw UsageError("--gt and --gte exclude each other") }
    if below != nil, atMost != nil { throw UsageError("--lt and --lte exclude each other") }
    if index == nil, try value != nil { throw UsageError("a range is one of an index: name it with --index") }
  }

  /// Nil where no bound is given.
  var value: Value? {
    get throws {
      var range = ObjectValue()
      if !equals.isEmpty { range["eq"] = .array(try equals.map { try CallArguments.value($0, of: "--eq") }) }
      for (name, word) in [("gt", above), ("gte", atLeast), ("lt", below), ("lte", atMost)] {
        if let word { range[name] = try CallArguments.value(word, of: "--\(name)") }
      }
      return range.isEmpty ? nil : .object(range)
    }
  }
}
