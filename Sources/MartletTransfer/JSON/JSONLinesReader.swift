internal import MartletValues

/// A document a line. Blank lines are passed.
package final class JSONLinesReader: DocumentReader {
  private let source: ByteSource
  private let hint: TypeHint
  private let dialect: JSONDialect
  private var line = 0
  private var bytes: [UInt8] = []
  private var isAtEnd = false
  private let longest: Int

  /// - Parameter longest: how many bytes a line may have.
  package init(_ source: ByteSource, _ hint: TypeHint, dialect: JSONDialect = .martlet, longest: Int = longestDocumentText) throws {
    self.longest = longest
    self.source = source
    self.hint = hint
    self.dialect = dialect
    try source.skipByteOrderMark()
  }

  package func next() throws -> ImportedRow? {
    while !isAtEnd {
      line += 1
      bytes.removeAll(keepingCapacity: true)
      isAtEnd = try !source.take(until: UInt8(ascii: "\n"), into: &bytes, limit: longest + 1)
      if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      guard bytes.count <= longest else {
        return .problem(ImportProblem(line: line, "the line has more than \(longest) bytes, and a document may not"))
      }
      do {
        return .document(try bytes.withUnsafeBytes { try DocumentText.readDocument($0, hint, dialect) }, line: line)
      } catch let error as JSONError {
        return .problem(ImportProblem(line: line, column: error.offset + 1, error.message))
      }
    }
    return nil
  }
}
