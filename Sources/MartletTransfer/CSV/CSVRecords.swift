/// Splits a CSV file into records, as RFC 4180 has it.
///
/// A cell in quotes may hold commas, line ends and, doubled, quotes. Lines end by LF, CRLF or CR. A quote within a cell that doesn't begin with
/// one is a character like others, as other programs have it. Whether a cell stood in quotes is kept: `""` is an empty string, and nothing at
/// all is no value.
package final class CSVRecords {
  package struct Cell {
    package var bytes: [UInt8]
    package var isQuoted: Bool
  }

  package enum Outcome {
    /// The line is where the record begins.
    case record([Cell], line: Int)
    case problem(ImportProblem)
  }

  private let source: ByteSource
  private var line = 1
  private var column = 1

  package init(_ source: ByteSource) throws {
    self.source = source
    try source.skipByteOrderMark()
  }

  private func advance() {
    source.advance()
    column += 1
  }

  /// Passes CR, LF or both, if they come next.
  private func skipLineEnd() throws -> Bool {
    var isLineEnd = false
    if try source.peek() == UInt8(ascii: "\r") {
      source.advance()
      isLineEnd = true
    }
    if try source.peek() == UInt8(ascii: "\n") {
      source.advance()
      isLineEnd = true
    }
    if isLineEnd {
      line += 1
      column = 1
    }
    return isLineEnd
  }

  private func skipLine() throws {
    while try source.peek() != nil, try !skipLineEnd() { advance() }
  }

  /// Nil at the end. Blank lines are passed where `skipsBlank`.
  package func next(skipsBlank: Bool) throws -> Outcome? {
    if skipsBlank { while try skipLineEnd() {} }
    guard try source.peek() != nil else { return nil }
    let start = line
    var cells: [Cell] = []
    var size = 0
    while true {
      var cell = Cell(bytes: [], isQuoted: false)
      if try source.peek() == UInt8(ascii: "\"") {
        cell.isQuoted = true
        let (quoteLine, quoteColumn) = (line, column)
        advance()
        guard try readQuoted(into: &cell.bytes, &size) else {
          return .problem(ImportProblem(line: quoteLine, column: quoteColumn, "the quote that begins here doesn't end"))
        }
        if let byte = try source.peek(), byte != UInt8(ascii: ","), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
          let problem = ImportProblem(
            line: line, column: column, "expected , or the line's end after the closing quote; a quote within quotes is doubled")
          try skipLine()
          return .problem(problem)
        }
      } else {
        while let byte = try source.peek(), byte != UInt8(ascii: ","), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
          append(byte, to: &cell.bytes, &size)
          advance()
        }
      }
      if size <= longestDocumentText { cells.append(cell) }
      if try source.peek() == UInt8(ascii: ",") {
        advance()
        size += 1
        continue
      }
      _ = try skipLineEnd()
      guard size <= longestDocumentText else {
        return .problem(ImportProblem(line: start, "the record has more than \(longestDocumentText >> 20) MiB, and a document may not"))
      }
      return .record(cells, line: start)
    }
  }

  private func append(_ byte: UInt8, to bytes: inout [UInt8], _ size: inout Int) {
    size += 1
    if size <= longestDocumentText { bytes.append(byte) }
  }

  /// False where the file ends before the quote does.
  private func readQuoted(into bytes: inout [UInt8], _ size: inout Int) throws -> Bool {
    while let byte = try source.peek() {
      advance()
      if byte == UInt8(ascii: "\"") {
        guard try source.peek() == UInt8(ascii: "\"") else { return true }
        advance()
      } else if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      }
      append(byte, to: &bytes, &size)
    }
    return false
  }
}
