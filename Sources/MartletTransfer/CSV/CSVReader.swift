internal import MartletValues

/// A CSV file whose first line names the fields, and whose other records are documents.
package final class CSVReader: DocumentReader {
  private let records: CSVRecords
  private let hint: TypeHint
  private var columns: [(name: String, hint: TypeHint)] = []
  private var state = State.header
  private enum State { case header, rows, end }

  package init(_ source: ByteSource, _ hint: TypeHint) throws {
    records = try CSVRecords(source)
    self.hint = hint
  }

  package func next() throws -> ImportedRow? {
    if state == .header {
      state = .rows
      if let problem = try readHeader() {
        state = .end
        return .problem(problem)
      }
    }
    guard state == .rows else { return nil }
    // With one column, a blank line is a record with an empty cell, and no way to tell: it is passed, as everywhere.
    guard let outcome = try records.next(skipsBlank: true) else { return nil }
    switch outcome {
    case .problem(let problem): return .problem(problem)
    case .record(let cells, let line): return row(cells, line)
    }
  }

  private func readHeader() throws -> ImportProblem? {
    switch try records.next(skipsBlank: true) {
    case nil: return ImportProblem(line: 1, "the file is empty; its first line must name the fields")
    case .problem(let problem)?: return problem
    case .record(let cells, let line)?:
      var names: Set<String> = []
      for (index, cell) in cells.enumerated() {
        guard var name = String(validating: cell.bytes, as: UTF8.self) else { return ImportProblem(line: line, "column \(index + 1): the name is not UTF-8") }
        if !cell.isQuoted { name = String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
        guard !name.isEmpty else {
          return ImportProblem(line: line, "column \(index + 1) has no name; the first line must name a field for each column")
        }
        guard name.utf8.first != UInt8(ascii: "$") else { return ImportProblem(line: line, field: name, "a field's name can't begin with $") }
        guard names.insert(name).inserted else { return ImportProblem(line: line, field: name, "two columns have this name") }
        columns.append((name, name == "_creationTime" ? TypeHint(json: ["type": "number"], isOptional: true) : hint[name]))
      }
      return nil
    }
  }

  private func row(_ cells: [CSVRecords.Cell], _ line: Int) -> ImportedRow {
    guard cells.count == columns.count else {
      return .problem(
        ImportProblem(line: line, "expected \(columns.count) \(columns.count == 1 ? "cell" : "cells"), as the first line has, found \(cells.count)"))
    }
    var members: [(String, Value)] = []
    for (cell, column) in zip(cells, columns) {
      guard let text = String(validating: cell.bytes, as: UTF8.self) else {
        return .problem(ImportProblem(line: line, field: column.name, "the text is not UTF-8"))
      }
      // An id that is not given is none.
      if column.name == "_id", text.isEmpty { continue }
      do throws(CSVCells.Unfit) {
        if let value = try CSVCells.value(text, isQuoted: cell.isQuoted, column.hint) { members.append((column.name, value)) }
      } catch {
        return .problem(ImportProblem(line: line, field: column.name, error.message))
      }
    }
    return .document(ObjectValue(uniqueFields: members), line: line)
  }
}
