import Glibc

/// A document as it is held in memory: its canonical JSON, and where in it each field stands.
///
/// The JSON is the one representation. It is what a query sends (its bytes are spliced into the answer), what the commit
/// log and a snapshot hold, and what a result is compared by; a tree of values beside it would cost a box a value and an
/// encoding for each answer. A function reads the fields that it touches straight from the text: a table of positions
/// finds one in a few nanoseconds, and a number of a few digits is read in about ten.
///
///     header │ id 24 B │ creation time 8 B │ JSON length 4 B │ field count 4 B │
///     tail   │ field positions, 4 B each, in the order of the JSON │ canonical JSON │
///     position = offset of the field's name in the JSON << 8 │ length of the name
///
/// Canonical: members in the order of their names' bytes, no white space; so the value of a field begins two bytes after
/// its name ends (`":`), and ends two bytes before the next name begins (`,"`).
///
/// Immutable once made, so that snapshots, log and answers share it. `@unchecked Sendable` is sound for that reason: the
/// tail is written by `make` alone, before it returns the object.
package final class DocumentStorage: @unchecked Sendable {
  package let id: DocumentID
  package let creationTime: Double
  package let jsonCount: Int
  package let fieldCount: Int
  private let tail: UnsafeMutableRawPointer

  /// The longest name of a top-level field, in bytes, and the longest JSON of a document: what a position has room for.
  package static let maximumNameLength = 255
  package static let maximumJSONCount = (1 << 24) - 1

  package init(
    id: DocumentID, creationTime: Double, positions: UnsafeBufferPointer<UInt32>, json: UnsafeRawBufferPointer
  ) {
    precondition(json.count <= Self.maximumJSONCount)
    self.id = id
    self.creationTime = creationTime
    jsonCount = json.count
    fieldCount = positions.count
    tail = .allocate(byteCount: positions.count * 4 + json.count, alignment: 4)
    if let base = positions.baseAddress { tail.copyMemory(from: base, byteCount: positions.count * 4) }
    if let base = json.baseAddress { (tail + positions.count * 4).copyMemory(from: base, byteCount: json.count) }
  }

  deinit { tail.deallocate() }

  /// The canonical JSON. Valid while the document is: callers that keep the buffer keep the document.
  package var json: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: tail + fieldCount * 4, count: jsonCount)
  }

  @inline(__always)
  private func position(_ field: Int) -> (name: Int, length: Int) {
    let packed = tail.load(fromByteOffset: field * 4, as: UInt32.self)
    return (Int(packed >> 8), Int(packed & 0xFF))
  }

  package func name(ofField field: Int) -> UnsafeRawBufferPointer {
    let (offset, length) = position(field)
    return UnsafeRawBufferPointer(start: json.baseAddress! + offset, count: length)
  }

  package func value(ofField field: Int) -> UnsafeRawBufferPointer {
    let (offset, length) = position(field)
    let start = offset + length + 2
    let end = field + 1 < fieldCount ? position(field + 1).name - 2 : jsonCount - 1
    return UnsafeRawBufferPointer(start: json.baseAddress! + start, count: end - start)
  }

  /// The JSON of the field called `name`; nil where the document has none. Costs a few nanoseconds a field.
  package func value(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard let nameBase = name.baseAddress else { return nil }
    let base = UnsafeRawPointer(tail + fieldCount * 4)
    for field in 0..<fieldCount {
      let (offset, length) = position(field)
      if length == name.count, memcmp(base + offset, nameBase, length) == 0 {
        return value(ofField: field)
      }
    }
    return nil
  }

  package func value(of label: Label) -> UnsafeRawBufferPointer? {
    label.utf8.withUnsafeBytes { value(named: $0) }
  }

  package func value(of name: String) -> UnsafeRawBufferPointer? {
    var name = name
    return name.withUTF8 { value(named: UnsafeRawBufferPointer($0)) }
  }
}

extension DocumentStorage {
  /// A document from JSON that is canonical already: what the log, a snapshot or a server's answer holds.
  package static func fromCanonical(
    id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer
  ) throws -> DocumentStorage {
    var positions: [UInt32] = []
    positions.reserveCapacity(16)
    guard let base = json.baseAddress else { throw JSONError(offset: 0, message: "a document is a JSON object") }
    var reader = JSONReader(json)
    try reader.readObject { reader, key in
      guard let keyBase = key.baseAddress, key.count <= maximumNameLength else {
        throw JSONError(offset: reader.position, message: "a field's name is empty or too long")
      }
      positions.append(UInt32(keyBase - base) << 8 | UInt32(key.count))
      _ = try reader.skipValue()
    }
    return positions.withUnsafeBufferPointer {
      DocumentStorage(id: id, creationTime: creationTime, positions: $0, json: json)
    }
  }

  /// The document as a value, system fields included.
  package var value: Value {
    var reader = JSONReader(json)
    do { return try reader.readValue() } catch { preconditionFailure("a stored document is canonical JSON: \(error)") }
  }
}
