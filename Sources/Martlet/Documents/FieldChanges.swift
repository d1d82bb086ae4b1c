/// The members that a write sets or removes, each with its new JSON. Used again from write to write of a thread.
final class FieldChanges {
  /// Where a member's name and JSON stand in `bytes`. No JSON: the member is removed.
  private struct Change {
    var nameStart: Int
    var jsonStart: Int
    var jsonEnd: Int
    var isRemoval: Bool { jsonStart == jsonEnd }

    func name(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: bytes[nameStart..<jsonStart])
    }

    func json(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: bytes[jsonStart..<jsonEnd])
    }
  }

  /// In the order of the names, the order of a canonical document's members.
  private var changes: ContiguousArray<Change> = []
  private var bytes = JSONWriter(capacity: 512)
  /// Whether a field was set whose type alone doesn't make it fit its schema: an id may be of another table.
  private(set) var mustCheck = false

  func removeAll() {
    changes.removeAll(keepingCapacity: true)
    bytes.removeAll()
    mustCheck = false
  }

  func set<Value>(_ field: Field<Value>, to value: Value) {
    if field.mustCheck { mustCheck = true }
    let validator = field.validator
    note(field.label.interned.bytes) { bytes in
      if validator.absence?.isAbsent(value) != true { validator.encode(value, &bytes) }
    }
  }

  func set(name: String, to value: Value) {
    var name = name
    name.withUTF8 { name in
      note(UnsafeRawBufferPointer(name)) { $0.write(value: value) }
    }
  }

  /// What a new document has beside its own fields.
  func setSystemFields(id: DocumentID, creationTime: Double) {
    note(Self.creationTimeName.bytes) { $0.write(double: creationTime) }
    note(Self.idName.bytes) { $0.write(id: id) }
  }

  private static let creationTimeName = InternedName("_creationTime")
  private static let idName = InternedName("_id")

  @inline(__always)
  private func note(_ name: UnsafeRawBufferPointer, _ write: (inout JSONWriter) -> Void) {
    let nameStart = bytes.count
    bytes.write(raw: name)
    let jsonStart = bytes.count
    write(&bytes)
    insert(Change(nameStart: nameStart, jsonStart: jsonStart, jsonEnd: bytes.count))
  }

  private func insert(_ change: Change) {
    let place = bytes.withUnsafeBytes { bytes -> (index: Int, isReplaced: Bool) in
      let name = change.name(in: bytes)
      var index = changes.count
      while index > 0 {
        let order = compareBytes(changes[index - 1].name(in: bytes), name)
        if order == 0 { return (index - 1, true) }
        if order < 0 { break }
        index -= 1
      }
      return (index, false)
    }
    if place.isReplaced {
      changes[place.index] = change
    } else if place.index == changes.count {
      changes.append(change)
    } else {
      changes.insert(change, at: place.index)
    }
  }

  func decode<Value>(_ field: Field<Value>, base: DocumentStorage?) throws -> Value {
    let name = field.label.interned.bytes
    return try bytes.withUnsafeBytes { bytes in
      for change in changes where compareBytes(change.name(in: bytes), name) == 0 {
        return try field.validator.decodeMember(change.isRemoval ? nil : change.json(in: bytes))
      }
      return try field.validator.decodeMember(base?.value(named: name))
    }
  }

  /// Builds the document that `base` becomes by these changes: a merge of two lists in the order of their names.
  ///
  /// The system fields are members like the others: `base` has them, and an insert sets them through `setSystemFields`.
  func apply(to base: DocumentStorage?, with builder: inout DocumentBuilder) {
    builder.begin()
    bytes.withUnsafeBytes { bytes in
      var next = 0
      if let base {
        for field in 0..<base.fieldCount {
          let name = base.name(ofField: field)
          var isReplaced = false
          while next < changes.count {
            let order = compareBytes(changes[next].name(in: bytes), name)
            if order > 0 { break }
            Self.append(changes[next], bytes, &builder)
            next += 1
            isReplaced = order == 0
          }
          if !isReplaced { builder.append(name: name, json: base.value(ofField: field)) }
        }
      }
      while next < changes.count {
        Self.append(changes[next], bytes, &builder)
        next += 1
      }
    }
  }

  private static func append(_ change: Change, _ bytes: UnsafeRawBufferPointer, _ builder: inout DocumentBuilder) {
    if !change.isRemoval { builder.append(name: change.name(in: bytes), json: change.json(in: bytes)) }
  }
}
