package import MartletValues

/// Where exported text goes, in pieces.
package typealias ByteSink = (UnsafeRawBufferPointer) throws -> Void

/// Writes one table's documents in some form.
package protocol DocumentWriter: AnyObject {
  func begin() throws
  /// - Parameter json: the document as the server wrote it: canonical, in Martlet's dialect.
  func write(_ json: UnsafeRawBufferPointer) throws
  func end() throws
}

/// Gathers what is written, and passes it on 64 KiB at a time.
package final class ExportBuffer {
  private let sink: ByteSink
  private var writer = JSONWriter(capacity: 1 << 16)

  package init(_ sink: @escaping ByteSink) { self.sink = sink }

  package func write(_ body: (inout JSONWriter) -> Void) throws {
    body(&writer)
    if writer.count >= 1 << 16 { try flush() }
  }

  package func flush() throws {
    guard writer.count > 0 else { return }
    try writer.withUnsafeBytes(sink)
    writer.removeAll()
  }
}

package final class JSONLinesWriter: DocumentWriter {
  private let buffer: ExportBuffer

  package init(_ sink: @escaping ByteSink) { buffer = ExportBuffer(sink) }

  package func begin() {}

  package func write(_ json: UnsafeRawBufferPointer) throws {
    try buffer.write {
      $0.write(raw: json)
      $0.write(byte: UInt8(ascii: "\n"))
    }
  }

  package func end() throws { try buffer.flush() }
}

/// One array, an element a line.
package final class JSONArrayWriter: DocumentWriter {
  private let buffer: ExportBuffer
  private var isFirst = true

  package init(_ sink: @escaping ByteSink) { buffer = ExportBuffer(sink) }

  package func begin() throws { try buffer.write { $0.write(raw: "[") } }

  package func write(_ json: UnsafeRawBufferPointer) throws {
    try buffer.write {
      $0.write(raw: isFirst ? "\n" : ",\n")
      $0.write(raw: json)
    }
    isFirst = false
  }

  package func end() throws {
    try buffer.write { $0.write(raw: "\n]\n") }
    try buffer.flush()
  }
}

/// As Convex's export has a table's documents.
package final class UniformLinesWriter: DocumentWriter {
  private let buffer: ExportBuffer

  package init(_ sink: @escaping ByteSink) { buffer = ExportBuffer(sink) }

  package func begin() {}

  package func write(_ json: UnsafeRawBufferPointer) throws {
    var reader = JSONReader(json)
    let value = try reader.readValue()
    try buffer.write {
      UniformJSON.write(value, to: &$0)
      $0.write(byte: UInt8(ascii: "\n"))
    }
  }

  package func end() throws { try buffer.flush() }
}

package final class CSVWriter: DocumentWriter {
  private let buffer: ExportBuffer
  private let columns: [(name: String, hint: TypeHint)]

  /// - Parameter fields: beside `_id` and `_creationTime`, which come first.
  package init(_ sink: @escaping ByteSink, fields: [String], _ hint: TypeHint) {
    buffer = ExportBuffer(sink)
    let system = [("_id", TypeHint(json: ["type": "string"])), ("_creationTime", TypeHint(json: ["type": "number"]))]
    columns = system + fields.filter { $0 != "_id" && $0 != "_creationTime" }.map { ($0, hint[$0]) }
  }

  package func begin() throws {
    try buffer.write { writer in
      for (index, column) in columns.enumerated() {
        if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
        // In quotes a name keeps the blanks around it.
        CSVCells.put(column.name, isQuoted: column.name.hasPrefix(" ") || column.name.hasSuffix(" "), to: &writer)
      }
      writer.write(byte: UInt8(ascii: "\n"))
    }
  }

  package func write(_ json: UnsafeRawBufferPointer) throws {
    var reader = JSONReader(json)
    guard case .object(let document) = try reader.readValue() else { throw TransferError("a document is an object") }
    try buffer.write { writer in
      for (index, column) in columns.enumerated() {
        if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
        CSVCells.write(document[column.name], column.hint, to: &writer)
      }
      writer.write(byte: UInt8(ascii: "\n"))
    }
  }

  package func end() throws { try buffer.flush() }
}
