import ArgumentParser
import MartletClient
import UnixSignals

struct SubscribeCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "subscribe", abstract: "Keep a query live: its value now, and again whenever a commit changes it.",
    discussion: """
        subscribe orders:getOrdersByStatus status=pending

      Arguments are as for "run". With --json, each update is a line: {"timestamp":42,"value":…}. Where the query failed, "error" \
      stands in place of "value"; it stays live. Ctrl-C ends it.
      """)

  @Argument(help: "The query's name: module:name.")
  var function: String

  @Argument(help: "name=value …, or one JSON object.")
  var arguments: [String] = []

  @Option(help: ArgumentHelp("End after this many updates.", valueName: "n"))
  var count: Int?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    _ = try CallArguments(arguments)
    if let count, count < 1 { throw UsageError("--count must be at least 1") }
  }

  /// Ends with whatever comes first: the last update, a signal, or a reader that has read enough.
  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    let arguments = try CallArguments(arguments).value
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await show(client.subscribe(function, arguments), context.console) }
      group.addTask { for await _ in signals { return } }
      group.addTask { try await context.console.output.waitUntilClosed() }
      try await group.next()
      group.cancelAll()
    }
  }

  private func show(_ subscription: Subscription<Value>, _ console: Console) async throws {
    var number = 0
    for try await update in subscription.updates {
      number += 1
      let shown = ShownUpdate(number: number, update: update)
      try console.output.write(wantsJSON ? shown.json : shown.text(columns: console.columns))
      if number == count { return }
    }
  }
}

/// One update of a live query.
struct ShownUpdate {
  var number: Int
  var update: Update<Value>

  /// One line.
  var json: String {
    var writer = JSONWriter()
    writer.write(raw: #"{"timestamp":"#)
    // A timestamp is a decimal integer in the protocol; as a Value it would be a float64.
    writer.write(raw: Array(String(update.timestamp).utf8))
    switch update.result {
    case .success(let value):
      writer.write(raw: #","value":"#)
      writer.write(value: value)
    case .failure(let error):
      writer.write(raw: #","error":"#)
      writer.write(value: Value(error))
    }
    writer.write(raw: "}\n")
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  func text(columns: Int?) -> String {
    let body =
      switch update.result {
      case .success(let value): ValueRenderer(maximumLineWidth: columns).render(value)
      case .failure(let error): "failed: \(error.message) (\(error.code))\n"
      }
    return "── update \(number), timestamp \(update.timestamp) ──\n\(body)\n"
  }
}
