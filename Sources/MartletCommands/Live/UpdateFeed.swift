import MartletClient

/// Updates as texts, one after another: lines of JSON for programs, blocks of lines for people; whole, or what changed since the update before.
///
/// Where only changes are wanted, the first value is whole all the same, and so is the first one after a failure: there is nothing to compare it
/// with.
struct UpdateFeed: Sendable {
  var isJSON: Bool
  var isDiff = false
  var columns: Int?
  var painter = Painter.plain
  var table: (@Sendable (Value) -> TextTable)?

  private(set) var number = 0
  private var last: Value?

  init(
    isJSON: Bool, isDiff: Bool = false, columns: Int? = nil, painter: Painter = .plain, table: (@Sendable (Value) -> TextTable)? = nil
  ) {
    self.isJSON = isJSON
    self.isDiff = isDiff
    self.columns = columns
    self.painter = painter
    self.table = table
  }

  mutating func text(of update: Update<Value>) -> String {
    number += 1
    var diff: ValueDiff?
    if isDiff {
      let value = try? update.value
      if let last, let value { diff = ValueDiff(from: last, to: value) }
      last = value
    }
    return isJSON ? json(update, diff) : text(update, diff)
  }

  private func json(_ update: Update<Value>, _ diff: ValueDiff?) -> String {
    var writer = JSONWriter()
    writer.write(raw: #"{"timestamp":"#)
    // A timestamp is a decimal integer in the protocol; as a Value it would be a float64.
    writer.write(raw: Array(String(update.timestamp).utf8))
    switch (update.result, diff) {
    case (.success, let diff?):
      writer.write(raw: #","changes":"#)
      writer.write(value: diff.json)
    case (.success(let value), nil):
      writer.write(raw: #","value":"#)
      writer.write(value: value)
    case (.failure(let error), _):
      writer.write(raw: #","error":"#)
      writer.write(value: Value(error))
    }
    writer.write(raw: "}\n")
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func text(_ update: Update<Value>, _ diff: ValueDiff?) -> String {
    let body =
      switch (update.result, diff) {
      case (.success, let diff?): diff.text(columns: columns, painter: painter)
      case (.success(let value), nil): rendered(value)
      case (.failure(let error), _): painter.paint("failed: \(error.message) (\(error.code))", .warning) + "\n"
      }
    let header = "── update \(number), timestamp \(update.timestamp)\(diff.map { ": \($0.count.text)" } ?? "") ──"
    return painter.paint(header, .frame) + "\n\(body)\n"
  }

  private func rendered(_ value: Value) -> String {
    guard var table = table?(value) else { return ValueRenderer(maximumLineWidth: columns).render(value) }
    table.maximumLineWidth = columns
    return table.render()
  }
}
