/// Builds a document's canonical JSON from its members, given in the order of their names, and notes each one's position.
///
/// Reused from document to document, so that building one allocates nothing but the document, and that only where none is spare.
package struct DocumentBuilder: ~Copyable {
  private var writer = JSONWriter(capacity: 1024)
  private var positions: ContiguousArray<UInt32> = []
  /// What new documents are made in first.
  var spares = SpareDocuments()

  package init() { positions.reserveCapacity(32) }

  package mutating func begin() {
    writer.removeAll()
    positions.removeAll(keepingCapacity: true)
  }

  /// The size of the JSON so far, in bytes.
  package var count: Int { writer.count }

  package mutating func append(name: UnsafeRawBufferPointer, json: UnsafeRawBufferPointer) {
    appendName(name)
    writer.write(raw: json)
  }

  /// Members of another document, as they are there.
  mutating func append(_ fields: Range<Int>, of document: DocumentStorage) {
    guard !fields.isEmpty else { return }
    let start = document.position(fields.lowerBound).name - 1
    let end = fields.upperBound < document.fieldCount ? document.position(fields.upperBound).name - 2 : document.jsonCount - 1
    writer.write(byte: positions.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
    let shift = writer.count - start
    for field in fields {
      let (name, length) = document.position(field)
      positions.append(UInt32(truncatingIfNeeded: name + shift) << 8 | UInt32(length))
    }
    writer.write(raw: UnsafeRawBufferPointer(rebasing: document.json[start..<end]))
  }

  package mutating func append(name: StaticString, _ write: (inout JSONWriter) -> Void) {
    appendName(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    write(&writer)
  }

  private mutating func appendName(_ name: UnsafeRawBufferPointer) {
    writer.write(byte: positions.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
    writer.write(byte: UInt8(ascii: "\""))
    positions.append(UInt32(truncatingIfNeeded: writer.count) << 8 | UInt32(name.count))
    writer.write(raw: name)
    writer.write(byte: UInt8(ascii: "\""))
    writer.write(byte: UInt8(ascii: ":"))
  }

  /// The document of the members appended since `begin`. The caller has checked its size.
  package mutating func finish(id: DocumentID, creationTime: Double) -> DocumentStorage {
    writer.write(byte: UInt8(ascii: "}"))
    return positions.withUnsafeBufferPointer { positions in
      writer.withUnsafeBytes { json in
        DocumentStorage.make(id: id, creationTime: creationTime, positions: positions, json: json, &spares)
      }
    }
  }
}
