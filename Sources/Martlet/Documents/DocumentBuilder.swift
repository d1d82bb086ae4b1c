/// Builds a document's canonical JSON from its members, given in the order of their names, and notes each one's position.
///
/// Reused from document to document, so that building one allocates nothing but the document, and that only where none is spare.
package struct DocumentBuilder: ~Copyable {
  private var writer = JSONWriter(capacity: 1024)
  /// Memory of its own: an array is asked for each member whether somebody else has it too.
  private var positions = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: 32)
  private var fieldCount = 0
  /// What new documents are made in first.
  var spares = SpareDocuments()

  package init() {}

  deinit { positions.deallocate() }

  package mutating func begin() {
    writer.removeAll()
    fieldCount = 0
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
    writer.write(byte: fieldCount == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
    let shift = writer.count - start
    for field in fields {
      let (name, length) = document.position(field)
      append(position: name + shift, length)
    }
    writer.write(raw: UnsafeRawBufferPointer(rebasing: document.json[start..<end]))
  }

  package mutating func append(name: StaticString, _ write: (inout JSONWriter) -> Void) {
    appendName(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    write(&writer)
  }

  private mutating func appendName(_ name: UnsafeRawBufferPointer) {
    writer.write(byte: fieldCount == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
    writer.write(byte: UInt8(ascii: "\""))
    append(position: writer.count, name.count)
    writer.write(raw: name)
    writer.write(byte: UInt8(ascii: "\""))
    writer.write(byte: UInt8(ascii: ":"))
  }

  @inline(__always)
  private mutating func append(position: Int, _ length: Int) {
    if fieldCount == positions.count { growPositions() }
    positions[fieldCount] = UInt32(truncatingIfNeeded: position) << 8 | UInt32(length)
    fieldCount += 1
  }

  @inline(never)
  private mutating func growPositions() {
    let larger = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: positions.count * 2)
    _ = larger.update(fromContentsOf: positions)
    positions.deallocate()
    positions = larger
  }

  /// The document of the members appended since `begin`. The caller has checked its size.
  package mutating func finish(id: DocumentID, creationTime: Double) -> DocumentStorage {
    writer.write(byte: UInt8(ascii: "}"))
    let positions = UnsafeBufferPointer(rebasing: positions[..<fieldCount])
    return writer.withUnsafeBytes { json in
      DocumentStorage.make(id: id, creationTime: creationTime, positions: positions, json: json, &spares)
    }
  }
}
