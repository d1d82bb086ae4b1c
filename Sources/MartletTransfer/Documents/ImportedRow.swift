package import MartletValues

/// What a reader gives next: a document, or what is wrong where one was to be.
package enum ImportedRow {
  case document(ObjectValue, line: Int)
  case problem(ImportProblem)
}

/// What is wrong with a line of a file. Reading goes on behind it where it can, so that all of them are told at once.
package struct ImportProblem: Sendable, Hashable {
  /// Of the file, from 1 on; 0 where it is about the whole file.
  package var line: Int
  /// In bytes, from 1 on.
  package var column: Int?
  /// The field, or the path of one.
  package var field: String?
  package var message: String

  package init(line: Int, column: Int? = nil, field: String? = nil, _ message: String) {
    self.line = line
    self.column = column
    self.field = field
    self.message = message
  }

  /// `12:5: price: expected number, found string`
  package var text: String {
    let place = line == 0 ? "" : column.map { "\(line):\($0): " } ?? "\(line): "
    return place + (field.map { "\($0): " } ?? "") + message
  }

  package var json: Value {
    var members: ObjectValue = ["line": .float64(Double(line)), "message": .string(message)]
    if let column { members["column"] = .float64(Double(column)) }
    if let field { members["field"] = .string(field) }
    return .object(members)
  }
}

/// Reads the documents of one file, or of one table in an archive.
package protocol DocumentReader: AnyObject {
  /// Nil at the end. Throws where the file can't be read any further.
  func next() throws -> ImportedRow?
}

/// The longest text of one document that readers take in, in bytes: what a document of the server may have at most.
package let longestDocumentText = 16 << 20
