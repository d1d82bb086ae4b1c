internal import MartletValues

/// One JSON array of documents, element by element: no more than one is held.
///
/// Elements are first cut out of the text, by nothing but brackets and strings, and then read one by one; so what is wrong within one is
/// told, and the next one is read. What is wrong between them ends the reading.
package final class JSONArrayReader: DocumentReader {
  private let source: ByteSource
  private let hint: TypeHint
  private var line = 1
  private var column = 1
  private var state = State.start
  private enum State { case start, first, behindElement, end }
  private let longest: Int

  /// - Parameter longest: how many bytes an element may have.
  package init(_ source: ByteSource, _ hint: TypeHint, longest: Int = longestDocumentText) throws {
    self.longest = longest
    self.source = source
    self.hint = hint
    try source.skipByteOrderMark()
  }

  private func advance(_ byte: UInt8) {
    source.advance()
    if byte == UInt8(ascii: "\n") {
      line += 1
      column = 1
    } else {
      column += 1
    }
  }

  /// The next byte that is no white space.
  private func nextByte() throws -> UInt8? {
    while let byte = try source.peek() {
      guard byte == 0x20 || (0x09...0x0D).contains(byte) else { return byte }
      advance(byte)
    }
    return nil
  }

  private func end(_ message: String) -> ImportedRow {
    state = .end
    return .problem(ImportProblem(line: line, column: column, message))
  }

  package func next() throws -> ImportedRow? {
    if state == .end { return nil }
    if state == .start {
      guard let byte = try nextByte() else { return end("the file is empty, and an array of documents was expected: [ … ]") }
      guard byte == UInt8(ascii: "[") else {
        return end("expected [, the beginning of an array of documents; where each line is one, use --format jsonl")
      }
      advance(byte)
      state = .first
    }
    guard let byte = try nextByte() else { return end("the file ends within the array") }
    if byte == UInt8(ascii: "]") { return try finish(byte) }
    if state == .behindElement {
      guard byte == UInt8(ascii: ",") else { return end("expected , or ] after an element") }
      advance(byte)
      guard let following = try nextByte() else { return end("the file ends within the array") }
      guard following != UInt8(ascii: "]") else { return end("expected an element after the comma") }
    }
    state = .behindElement
    return try readElement()
  }

  private func finish(_ bracket: UInt8) throws -> ImportedRow? {
    advance(bracket)
    if try nextByte() != nil { return end("expected the end of the file after the array") }
    state = .end
    return nil
  }

  private func readElement() throws -> ImportedRow {
    let (startLine, startColumn) = (line, column)
    var bytes: [UInt8] = []
    var depth = 0
    var isInString = false
    var isEscaped = false
    while let byte = try source.peek() {
      if isInString {
        if isEscaped { isEscaped = false } else if byte == UInt8(ascii: "\\") { isEscaped = true } else { isInString = byte != UInt8(ascii: "\"") }
      } else {
        if depth == 0, byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") { break }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
      }
      advance(byte)
      if bytes.count <= longest { bytes.append(byte) }
      if depth == 0, !isInString, byte == UInt8(ascii: "}") { break }
      // A } too many: what follows belongs to nothing.
      if depth < 0 { return end("unexpected }") }
    }
    guard bytes.count <= longest else {
      return .problem(ImportProblem(line: startLine, "the element has more than \(longest) bytes, and a document may not"))
    }
    do {
      return .document(try bytes.withUnsafeBytes { try DocumentText.readDocument($0, hint, .martlet) }, line: startLine)
    } catch let error as JSONError {
      let before = bytes[..<min(error.offset, bytes.count)]
      let lines = before.count { $0 == UInt8(ascii: "\n") }
      let lastBreak = before.lastIndex(of: UInt8(ascii: "\n"))
      return .problem(
        ImportProblem(
          line: startLine + lines, column: lastBreak.map { error.offset - $0 } ?? startColumn + error.offset, error.message))
    }
  }
}
