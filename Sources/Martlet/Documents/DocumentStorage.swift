import Glibc

/// What stands before a document's bytes. In this order it has no gap: 36 bytes, where one that holds a `DocumentID` has 40.
@usableFromInline
package struct DocumentHeader {
  let idHigh: UInt64
  let idLow: UInt64
  let creationTime: Double
  let tableNumber: UInt32
  let jsonCount: UInt32
  let fieldCount: UInt32
}

/// A document as it is held in memory: its canonical JSON, and where in it each field stands.
///
/// The JSON is the one representation. It is what a query sends (its bytes are spliced into the answer), what the commit
/// log and a snapshot hold, and what a result is compared by; a tree of values beside it would cost a box a value and an
/// encoding for each answer. A function reads the fields that it touches straight from the text: a table of positions
/// finds one in a few nanoseconds, and a number of a few digits is read in about ten.
///
///     header │ id 16 B │ creation time 8 B │ table 4 B │ JSON length 4 B │ field count 4 B │
///     tail   │ field positions, 4 B each, in the order of the JSON │ canonical JSON │
///     position = offset of the field's name in the JSON << 8 │ length of the name
///
/// One allocation, since a document that is not in the cache costs a trip to memory for each.
///
/// Canonical: members in the order of their names' bytes, no white space; so the value of a field begins two bytes after
/// its name ends (`":`), and ends two bytes before the next name begins (`,"`).
///
/// Immutable once made, so that snapshots, log and answers share it. `@unchecked Sendable` is sound for that reason: the
/// bytes are written by `make` alone, before it returns the document, over none that anybody else holds.
@usableFromInline
package struct DocumentStorage: @unchecked Sendable {
  @usableFromInline private(set) var buffer: ManagedBuffer<DocumentHeader, UInt32>

  /// The longest name of a top-level field, in bytes, and the longest JSON of a document: what a position has room for.
  package static let maximumNameLength = 255
  package static let maximumJSONCount = (1 << 24) - 1

  package static func make(
    id: DocumentID, creationTime: Double, positions: UnsafeBufferPointer<UInt32>, json: UnsafeRawBufferPointer
  ) -> DocumentStorage {
    var spares = SpareDocuments()
    return make(id: id, creationTime: creationTime, positions: positions, json: json, &spares)
  }

  /// The same in memory of `spares`, if there is some.
  @inline(__always)
  static func make(
    id: DocumentID, creationTime: Double, positions: UnsafeBufferPointer<UInt32>, json: UnsafeRawBufferPointer, _ spares: inout SpareDocuments
  ) -> DocumentStorage {
    precondition(json.count <= maximumJSONCount && !json.isEmpty)
    let header = DocumentHeader(
      idHigh: id.high, idLow: id.low, creationTime: creationTime, tableNumber: id.tableNumber,
      jsonCount: UInt32(json.count), fieldCount: UInt32(positions.count))
    let words = wordCount(header)
    let document = spares.take(words: words) ?? DocumentStorage(
      buffer: ManagedBuffer.create(minimumCapacity: SpareDocuments.capacity(words: words)) { _ in header })
    document.buffer.withUnsafeMutablePointers { place, elements in
      place.pointee = header
      if let base = positions.baseAddress { elements.update(from: base, count: positions.count) }
      UnsafeMutableRawPointer(elements + positions.count).copyMemory(from: json.baseAddress!, byteCount: json.count)
    }
    return document
  }

  /// Whether two are one and the same version of a document.
  package func isIdentical(to other: DocumentStorage) -> Bool { buffer === other.buffer }

  /// Whether this reference is the document's only one.
  @inline(__always) var isHeldOnce: Bool { mutating get { isKnownUniquelyReferenced(&buffer) } }

  /// What stands behind the header, in words of 4 bytes.
  @inline(__always) var wordCount: Int { Self.wordCount(header.pointee) }

  @inline(__always)
  private static func wordCount(_ header: DocumentHeader) -> Int { Int(header.fieldCount) + (Int(header.jsonCount) + 3) / 4 }

  /// Those of the object that every class has, and the header's.
  @inline(__always) static var bytesBeforeTail: Int { 16 + MemoryLayout<DocumentHeader>.size }

  /// Read through a pointer: an access by `buffer.header` would be checked for exclusivity at run time.
  @inline(__always)
  private var header: UnsafeMutablePointer<DocumentHeader> { buffer.withUnsafeMutablePointerToHeader { $0 } }

  @inline(__always) package var id: DocumentID {
    let header = header
    return DocumentID(tableNumber: header.pointee.tableNumber, high: header.pointee.idHigh, low: header.pointee.idLow)
  }
  @inline(__always) package var creationTime: Double { header.pointee.creationTime }
  @inline(__always) package var jsonCount: Int { Int(header.pointee.jsonCount) }
  @inline(__always) package var fieldCount: Int { Int(header.pointee.fieldCount) }

  /// The canonical JSON. Valid while the document is: callers that keep the buffer keep the document.
  @inline(__always)
  package var json: UnsafeRawBufferPointer {
    buffer.withUnsafeMutablePointers {
      UnsafeRawBufferPointer(start: $1 + Int($0.pointee.fieldCount), count: Int($0.pointee.jsonCount))
    }
  }

  @inline(__always)
  func position(_ field: Int) -> (name: Int, length: Int) {
    let packed = buffer.withUnsafeMutablePointerToElements { $0[field] }
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
  @usableFromInline
  package func value(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard let nameBase = name.baseAddress else { return nil }
    let base = json.baseAddress!
    let count = fieldCount
    for field in 0..<count {
      let (offset, length) = position(field)
      if length == name.count, memcmp(base + offset, nameBase, length) == 0 { return value(ofField: field) }
    }
    return nil
  }

  @usableFromInline
  package func value(of label: Label) -> UnsafeRawBufferPointer? {
    value(named: label.interned.bytes) ?? value(at: label.path)
  }

  /// The JSON of a member of a field's object; nil where it is absent, or something on the way to it is no object. Reads the field's text from
  /// its start at each level. Nil for no path.
  func value(at path: [InternedName]) -> UnsafeRawBufferPointer? {
    guard let first = path.first, var json = value(named: first.bytes) else { return nil }
    for name in path.dropFirst() {
      guard let member = Self.member(name.bytes, of: json) else { return nil }
      json = member
    }
    return json
  }

  private static func member(_ name: UnsafeRawBufferPointer, of json: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard json.first == UInt8(ascii: "{") else { return nil }
    var reader = JSONReader(json)
    var found: UnsafeRawBufferPointer?
    do {
      try reader.readObject { reader, key throws in
        let isIt = compareBytes(key, name) == 0
        let place = try reader.skipValue()
        if isIt { found = reader.bytes(in: place) }
      }
    } catch { preconditionFailure("a stored document is canonical JSON: \(error)") }
    return found
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
    guard let base = json.baseAddress else { throw JSONError(offset: 0, message: "a document is a JSON object") }
    guard json.count <= maximumJSONCount else { throw JSONError(offset: 0, message: "a document of more than 16 MiB") }
    var positions: [UInt32] = []
    positions.reserveCapacity(16)
    var reader = JSONReader(json)
    try reader.readObject { reader, key in
      guard let keyBase = key.baseAddress, key.count <= maximumNameLength, reader.isLent(key) else {
        throw JSONError(offset: reader.position, message: "a field's name is empty, too long or not canonical")
      }
      positions.append(UInt32(keyBase - base) << 8 | UInt32(key.count))
      _ = try reader.skipValue()
    }
    return positions.withUnsafeBufferPointer {
      make(id: id, creationTime: creationTime, positions: $0, json: json)
    }
  }

  /// The document as a value, system fields included.
  package var value: Value {
    var reader = JSONReader(json)
    do { return try reader.readValue() } catch { preconditionFailure("a stored document is canonical JSON: \(error)") }
  }
}
