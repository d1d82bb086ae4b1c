import MartletClient
import UnixSignals

/// A command that keeps a query live and shows its updates.
protocol LiveCommand: ClientCommand {
  /// After how many updates it ends; never if nil.
  var count: Int? { get }
}

extension LiveCommand {
  func validateCount() throws {
    if let count, count < 1 { throw UsageError("--count must be at least 1") }
  }

  /// Shows each update, until it has shown as many as were asked for.
  /// - Parameters:
  ///   - shown: what of a value is shown.
  ///   - table: how it is shown to people; as any value, if nil.
  func follow(
    _ subscription: Subscription<Value>, _ console: Console, shown: @escaping @Sendable (Value) -> Value = { $0 },
    table: (@Sendable (Value) -> TextTable)? = nil
  ) async throws {
    let (wantsJSON, count) = (wantsJSON, count)
    try await watch(subscription, console, 0) { number, update in
      number += 1
      let update = ShownUpdate(number: number, update: Update(result: update.result.map(shown), timestamp: update.timestamp), table: table)
      try console.output.write(wantsJSON ? update.json : update.text(columns: console.columns))
      return number != count
    }
  }
}

extension ClientCommand {
  /// Hands each update to `take`, and ends with whatever comes first: `take` wants no more, a signal, or a reader that has read enough.
  func watch<State: Sendable>(
    _ subscription: Subscription<Value>, _ console: Console, _ state: State,
    _ take: @escaping @Sendable (inout State, Update<Value>) async throws -> Bool
  ) async throws {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var state = state
        for try await update in subscription.updates where try await !take(&state, update) { return }
      }
      group.addTask { for await _ in signals { return } }
      group.addTask { try await console.output.waitUntilClosed() }
      try await group.next()
      group.cancelAll()
    }
  }
}

/// One update of a live query.
struct ShownUpdate {
  var number: Int
  var update: Update<Value>
  var table: (@Sendable (Value) -> TextTable)?

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
      case .success(let value): rendered(value, columns)
      case .failure(let error): "failed: \(error.message) (\(error.code))\n"
      }
    return "── update \(number), timestamp \(update.timestamp) ──\n\(body)\n"
  }

  private func rendered(_ value: Value, _ columns: Int?) -> String {
    guard var table = table?(value) else { return ValueRenderer(maximumLineWidth: columns).render(value) }
    table.maximumLineWidth = columns
    return table.render()
  }
}
