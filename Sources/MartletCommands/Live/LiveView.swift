import MartletClient

/// What a live query shows on a terminal: a line of what it is and how things stand, and its newest value, in which what changed is marked.
///
///     ── accounts:richest · update 3 · timestamp 43 · 12:40:53 · connected · 1 changed ──
///       _id    balance  owner
///       ─────  ───────  ─────
///     ~ j57…    130000  ada
///       j57…     87500  grace
///     … 37 more rows
///
/// It is drawn from its parts alone, at any size of the window, so that it can be drawn again whenever one of them changes.
struct LiveView {
  /// What is watched, as it was asked for.
  var title: String
  /// How a value is shown; nil for any value.
  var table: (@Sendable (Value) -> TextTable)?
  var state = ConnectionState.connected

  private struct Shown {
    var number: Int
    var timestamp: UInt64
    var time: String
    var body: Body
  }

  private enum Body {
    case table(MarkedTable, hasTitles: Bool)
    case lines([String], isNew: Bool)
    case failure(String)
  }

  /// A value as a table.
  private struct Rows {
    var table: TextTable
    /// By which rows are matched; their places, if nil.
    var keys: [String]?
    var hasTitles: Bool

    var emptied: Rows {
      var rows = self
      for index in table.columns.indices { rows.table.columns[index].cells = [] }
      rows.keys = keys.map { _ in [] }
      return rows
    }
  }

  private var shown: Shown?
  /// The newest value that was shown as a table, to compare the next one with.
  private var last: Rows?

  init(title: String, table: (@Sendable (Value) -> TextTable)? = nil) {
    self.title = title
    self.table = table
  }

  /// - Parameter time: of the day, when it came.
  mutating func take(_ update: Update<Value>, number: Int, time: String) {
    let body: Body
    switch update.result {
    case .failure(let error): body = .failure("failed: \(error.message) (\(error.code))")
    case .success(let value): body = marked(value)
    }
    shown = Shown(number: number, timestamp: update.timestamp, time: time, body: body)
  }

  private mutating func marked(_ value: Value) -> Body {
    // A list that has become empty keeps the columns that it had, and one that was empty had those that it has now.
    let emptied = value == [] && last?.hasTitles == true ? last?.emptied : nil
    guard let rows = rendered(value) ?? emptied else {
      let lines = ValueRenderer().lines(value)
      let isNew = if case .lines(let old, _)? = shown?.body { old != lines } else { false }
      last = nil
      return .lines(lines, isNew: isNew)
    }
    var before = last
    if before == nil, case .lines(Self.empty, _)? = shown?.body { before = rows.emptied }
    // Tables of different kinds can't be compared.
    if let last = before, last.hasTitles != rows.hasTitles || (last.keys == nil) != (rows.keys == nil) { before = nil }
    last = rows
    let marked = MarkedTable(rows.table, keys: rows.keys, after: before.map { ($0.table, $0.keys) })
    return marked.marks.isEmpty ? .lines(Self.empty, isNew: false) : .table(marked, hasTitles: rows.hasTitles)
  }

  private static let empty = ValueRenderer().lines([])

  private func rendered(_ value: Value) -> Rows? {
    if let table {
      return value.elements.isEmpty ? nil : Rows(table: table(value), keys: ValueDiff.ids(of: value.elements), hasTitles: true)
    }
    guard let (table, hasTitles) = ValueRenderer().table(value) else { return nil }
    // A table of one object has the fields' names in its first column.
    let keys = hasTitles ? ValueDiff.ids(of: value.elements) : table.columns[0].cells.map { $0?.text ?? "" }
    return Rows(table: table, keys: keys, hasTitles: hasTitles)
  }

  // MARK: Drawing

  /// No more than the window's lines less one, on which the cursor rests.
  func lines(_ size: Terminal.Size, _ painter: Painter) -> [StyledLine] {
    // A terminal breaks a line that fills it in one of two ways; one column less is a line for all.
    let columns = max(size.columns - 1, 1)
    let rows = max(size.rows - 1, 1)
    let plain = { (text: String, style: TextStyle) in StyledLine(text, style, columns: columns, painter: painter) }
    let header = plain(header(columns), isConnected ? .frame : .warning)
    guard let shown else { return [header] }
    switch shown.body {
    case .failure(let text): return Array([header, plain(text, .warning)].prefix(rows))
    case .lines(let lines, let isNew):
      return [header] + Self.cut(lines.map { [plain($0, isNew ? .changed : .plain)] }, to: rows - 1) { left in
        plain("… \(left) more \(left == 1 ? "line" : "lines")", .frame)
      }
    case .table(let marked, let hasTitles):
      var table = marked.table
      (table.maximumLineWidth, table.cutsLines, table.painter) = (columns, true, painter)
      if !hasTitles { table.maximumCellWidth = 160 }
      let (titles, tableRows) = table.lines
      let styled = { (line: String) in StyledLine(painted: line) }
      let head = Array(([header] + (hasTitles ? titles.map(styled) : [])).prefix(rows))
      return head
        + Self.cut(tableRows.map { $0.map(styled) }, to: rows - head.count) { left in
          let changed = marked.marks.suffix(left).count { $0 != nil }
          return plain("… \(left) more \(left == 1 ? "row" : "rows")\(changed > 0 ? ", \(changed) of them changed" : "")", .frame)
        }
    }
  }

  /// As many rows as fit, and a line about those that don't.
  private static func cut(_ rows: [[StyledLine]], to height: Int, _ rest: (Int) -> StyledLine) -> [StyledLine] {
    guard rows.reduce(0, { $0 + $1.count }) > height else { return rows.flatMap { $0 } }
    var lines: [StyledLine] = []
    var count = 0
    while lines.count + rows[count].count < height {
      lines += rows[count]
      count += 1
    }
    return height > 0 ? lines + [rest(rows.count - count)] : []
  }

  private var isConnected: Bool { state == .connected }

  /// What matters most comes first: a narrow window cuts the end. A long title, such as one with arguments, leaves room for the rest.
  private func header(_ columns: Int) -> String {
    var parts = [DisplayWidth.cut(title, to: max(columns / 2, 16))]
    if !isConnected { parts.append(Self.text(of: state)) }
    if let shown { parts += ["update \(shown.number)", "timestamp \(shown.timestamp)", shown.time] }
    if isConnected { parts.append(Self.text(of: state)) }
    if case .table(let marked, _)? = shown?.body, isConnected, marked.count != ChangeCount() { parts.append(marked.count.text) }
    let text = "── " + parts.joined(separator: " · ")
    return DisplayWidth.of(text) + 3 > columns ? text : text + " ──"
  }

  static func text(of state: ConnectionState) -> String {
    switch state {
    case .connecting: "connecting"
    case .connected: "connected"
    case .reconnecting(let attempt, let reason): "connecting again, attempt \(attempt): \(CellText(.string(reason)).text)"
    case .closed(let error): "closed" + (error.map { ": \($0.message)" } ?? "")
    }
  }
}
