import Foundation

/// Where a command writes.
struct Console: Sendable {
  var output: TextSink
  var errors: TextSink
  /// The terminal's columns; nil where the output is a file or a pipe, or is read by a test.
  var columns: Int?
  /// Nil where nothing can be redrawn.
  var terminal: Terminal?
  /// Where a bar may be drawn that tells how far something is: standard error, if that is a terminal.
  var progress: TextSink?

  static func ofProcess(_ environment: [String: String]) -> Console {
    Console(
      output: .file(STDOUT_FILENO), errors: .file(STDERR_FILENO), columns: Terminal.size(of: STDOUT_FILENO)?.columns,
      terminal: .ofProcess(environment),
      progress: isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb" ? .file(STDERR_FILENO) : nil)
  }

  /// A value for a person. One object has a line for each field, and so more room for its cells than a table's.
  func show(_ value: Value) throws {
    var renderer = ValueRenderer(maximumLineWidth: columns)
    if case .object = value { renderer.maximumCellWidth = 160 }
    try output.write(renderer.render(value))
  }

  /// A value for a program: one line.
  func print(json value: Value) throws { try output.write(value.json + "\n") }

  func show(_ table: TextTable) throws {
    var table = table
    table.maximumLineWidth = columns
    try output.write(table.render())
  }
}
