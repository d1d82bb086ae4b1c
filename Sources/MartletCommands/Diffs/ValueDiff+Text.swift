import MartletValues

/// How much changed: `1 added, 2 changed`.
struct ChangeCount: Hashable, Sendable {
  var added = 0
  var removed = 0
  var changed = 0
  var moved = 0

  var text: String {
    let parts = [(added, "added"), (removed, "removed"), (changed, "changed"), (moved, "moved")].filter { $0.0 > 0 }
    return parts.isEmpty ? "nothing changed" : parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }
}

extension ValueDiff {
  /// For people. Where only documents of a list changed it is a table of these, in which a changed field reads `120 → 130`; otherwise a line for
  /// each change:
  ///
  ///     ~ total  492400 → 492500
  ///     + items[2]  "lamp"
  func text(columns: Int?, painter: Painter) -> String {
    var table = documents ?? paths
    table.maximumLineWidth = columns
    table.painter = painter
    return table.render(withTitles: documents != nil)
  }

  var count: ChangeCount {
    var count = ChangeCount()
    guard let rows else {
      for entry in entries { count.add(entry.change) }
      return count
    }
    for row in rows { row.mark.map { count.add($0) } ?? (count.moved += 1) }
    return count
  }

  /// The sign of what only stands elsewhere.
  private static let moved = "↕"

  // MARK: Documents

  fileprivate struct Row {
    var id: String
    /// Nil for a document that only moved.
    var mark: RowMark?
    /// The whole document, where it is new or gone.
    var document: ObjectValue?
    /// By the field: its old value and its new one.
    var fields: [(name: String, from: Value?, to: Value?)] = []
  }

  /// One for each document, in the order of the entries; nil if not all entries are of documents of the value itself.
  private var rows: [Row]? {
    guard !entries.isEmpty else { return nil }
    var rows: [Row] = []
    var places: [String: Int] = [:]
    for entry in entries {
      guard case .document(let id)? = entry.path.first else { return nil }
      let place = places[id] ?? rows.count
      if place == rows.count {
        rows.append(Row(id: id))
        places[id] = place
      }
      rows[place].note(entry)
    }
    return rows
  }

  private var documents: TextTable? {
    guard let rows else { return nil }
    var seen: Set<String> = ["_id", "_creationTime"]
    let names = rows.flatMap { row in (row.document.map { $0.map(\.key) } ?? []) + row.fields.map(\.name) }.filter { seen.insert($0).inserted }
    let hasTimes = rows.contains { $0.document?["_creationTime"] != nil }
    var columns = [
      TextTable.Column(marks: rows.map { CellText(mark: $0.mark, orElse: Self.moved) }),
      TextTable.Column(title: "_id", cells: rows.map { CellText(.string($0.id), style: $0.mark?.rowStyle ?? .plain) }),
    ]
    for name in names + (hasTimes ? ["_creationTime"] : []) {
      columns.append(TextTable.Column(title: CellText(.string(name)).text, cells: rows.map { $0.cell(name) }))
    }
    return TextTable(columns: columns, maximumCellWidth: 48, maximumLineWidth: nil)
  }

  // MARK: Paths

  private var paths: TextTable {
    TextTable(
      columns: [
        TextTable.Column(marks: entries.map { CellText(mark: $0.change.mark, orElse: Self.moved) }),
        TextTable.Column(title: "", cells: entries.map { CellText(.string(Self.text(of: $0.path))) }),
        TextTable.Column(
          title: "",
          cells: entries.map { entry in
            switch entry.change {
            case .added(let value, _): CellText(value, style: .added, side: .left)
            case .removed(let value): CellText(value, style: .removed, side: .left)
            case .set(let from, let to): CellText(from: from, to: to, field: nil)
            case .moved(let place): CellText(.string("to place \(place)"))
            }
          }),
      ], maximumCellWidth: 160, maximumLineWidth: nil)
  }

  /// `customer.address.city`, `items[2]`, `[j57…].balance`.
  static func text(of path: [Step]) -> String {
    var text = ""
    for step in path {
      switch step {
      case .field(let name): text += text.isEmpty ? name : ".\(name)"
      case .index(let index): text += "[\(index)]"
      case .document(let id): text += "[\(id)]"
      }
    }
    return text.isEmpty ? "value" : text
  }
}

extension ValueDiff.Row {
  /// A field within a field is told as a change of the outer one.
  fileprivate mutating func note(_ entry: ValueDiff.Entry) {
    guard entry.path.count > 1 else {
      switch entry.change {
      case .added(let value, _): (mark, document) = (.added, value.object)
      case .removed(let value): (mark, document) = (.removed, value.object)
      case .set, .moved: break
      }
      return
    }
    mark = .changed
    let name = ValueDiff.text(of: Array(entry.path.dropFirst()))
    switch entry.change {
    case .added(let value, _): fields.append((name, nil, value))
    case .removed(let value): fields.append((name, value, nil))
    case .set(let from, let to): fields.append((name, from, to))
    case .moved(let place): fields.append((name, nil, .string("to place \(place)")))
    }
  }

  fileprivate func cell(_ name: String) -> CellText? {
    if let document { return document[name].map { CellText($0, field: name, style: mark?.rowStyle ?? .plain) } }
    return fields.first { $0.name == name }.map { CellText(from: $0.from, to: $0.to, field: name) }
  }
}

extension ValueDiff.Change {
  fileprivate var mark: RowMark? {
    switch self {
    case .added: .added
    case .removed: .removed
    case .set: .changed
    case .moved: nil
    }
  }
}

extension ChangeCount {
  fileprivate mutating func add(_ change: ValueDiff.Change) { change.mark.map { add($0) } ?? (moved += 1) }

  mutating func add(_ mark: RowMark) {
    switch mark {
    case .added: added += 1
    case .removed: removed += 1
    case .changed: changed += 1
    }
  }
}

extension CellText {
  /// `120 → 130`; what wasn't there or isn't any more is left out on its side.
  fileprivate init(from old: Value?, to new: Value?, field: String?) {
    let texts = [old, new].map { $0.map { CellText($0, field: field).text } }
    self.init(.string(""))
    switch (texts[0], texts[1]) {
    case (let old?, let new?): text = "\(old) → \(new)"
    case (let old?, nil): text = "\(old) → nothing"
    case (nil, let new?): text = "nothing → \(new)"
    case (nil, nil): break
    }
    style = .changed
  }

  fileprivate init(_ value: Value, field: String? = nil, style: TextStyle, side: Alignment? = nil) {
    self.init(value, field: field)
    self.style = style
    if let side { alignment = side }
  }
}

extension Value {
  fileprivate var object: ObjectValue? {
    if case .object(let object) = self { object } else { nil }
  }
}
