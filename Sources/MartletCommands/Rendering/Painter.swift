/// How a text stands out. What it means is chosen where it is written, how that looks here.
enum TextStyle: Hashable, Sendable {
  case plain
  case added
  case removed
  case changed
  /// What goes with the data and is none.
  case frame
  /// What a person should notice.
  case warning
}

/// Writes styles as a terminal's escape sequences, or not at all.
struct Painter: Hashable, Sendable {
  enum Means: Hashable, Sendable {
    /// Files, pipes, and terminals that know no more.
    case none
    /// `NO_COLOR` asks for no colour; weight is none.
    case weight
    case color
  }

  var means = Means.none

  static let plain = Painter()

  func paint(_ text: String, _ style: TextStyle) -> String {
    guard !text.isEmpty, let code = code(style) else { return text }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }

  private func code(_ style: TextStyle) -> String? {
    switch (means, style) {
    case (.none, _), (_, .plain): nil
    case (.weight, .frame), (.weight, .removed): nil
    case (.weight, _): "1"
    case (.color, .added): "32"
    case (.color, .removed): "31"
    case (.color, .changed): "1;33"
    case (.color, .frame): "2"
    case (.color, .warning): "1;31"
    }
  }
}

/// What became of a table's row, as its margin shows it.
enum RowMark: Hashable, Sendable {
  case added, removed, changed

  var sign: String {
    switch self {
    case .added: "+"
    case .removed: "-"
    case .changed: "~"
    }
  }

  var style: TextStyle {
    switch self {
    case .added: .added
    case .removed: .removed
    case .changed: .changed
    }
  }

  /// For all of a row's cells: where a row changed, only the cells that did stand out.
  var rowStyle: TextStyle { self == .changed ? .plain : style }
}

extension CellText {
  /// A margin's cell.
  init(mark: RowMark?, orElse sign: String = "") {
    self.init(.string(mark?.sign ?? sign))
    style = mark?.style ?? .plain
  }
}

extension TextTable.Column {
  init(marks: [CellText?]) { self.init(title: "", cells: marks, isMargin: true) }
}
