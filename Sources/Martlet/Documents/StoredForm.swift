/// How the log and the data file hold a document: its canonical JSON without `_creationTime` and `_id`.
///
/// Both stand in binary beside the JSON anyway. In a small document their text is most of the bytes that each write would put
/// on disk: without it the log of a bank's transfers is 40 % shorter, and with it what is copied, summed and synced.
extension DocumentStorage {
  /// The stored form, as two stretches of the JSON.
  var storedForm: (head: UnsafeRawBufferPointer, tail: UnsafeRawBufferPointer) {
    let json = json
    let count = fieldCount
    for field in 0..<count where name(ofField: field).first == UInt8(ascii: "_") {
      // The two are neighbours, `_creationTime` first: no other field may begin with `_`.
      let start = position(field).name - 1
      let isLast = field + 2 >= count
      let end = isLast ? json.count - 1 : position(field + 2).name - 1
      // Where nothing follows, the comma that goes is the one before.
      let headEnd = isLast && field > 0 ? start - 1 : start
      return (UnsafeRawBufferPointer(rebasing: json[..<headEnd]), UnsafeRawBufferPointer(rebasing: json[end...]))
    }
    preconditionFailure("every document has its system fields")
  }
}

/// Makes documents of their stored forms; for recovery, which makes very many.
final class DocumentRestorer {
  private var builder = DocumentBuilder()

  /// Takes JSON with the system fields as well, and then takes no notice of what they say.
  func document(id: DocumentID, creationTime: Double, json: UnsafeRawBufferPointer) throws -> DocumentStorage {
    var reader = JSONReader(json)
    var hasSystemFields = false
    builder.begin()
    try reader.readObject { reader, name in
      guard (1...DocumentStorage.maximumNameLength).contains(name.count) else {
        throw JSONError(offset: reader.position, message: "a field's name is empty or too long")
      }
      let isSystemField = name.first == UInt8(ascii: "_")
      if !hasSystemFields, isSystemField || name.first! > UInt8(ascii: "_") {
        hasSystemFields = true
        appendSystemFields(id, creationTime)
      }
      let value = try reader.skipValue()
      if !isSystemField { builder.append(name: name, json: UnsafeRawBufferPointer(rebasing: json[value])) }
    }
    if !hasSystemFields { appendSystemFields(id, creationTime) }
    guard builder.count < DocumentStorage.maximumJSONCount else {
      throw JSONError(offset: 0, message: "the document is too large")
    }
    return builder.finish(id: id, creationTime: creationTime)
  }

  private func appendSystemFields(_ id: DocumentID, _ creationTime: Double) {
    builder.append(name: "_creationTime") { $0.write(double: creationTime) }
    builder.append(name: "_id") { $0.write(id: id) }
  }
}
