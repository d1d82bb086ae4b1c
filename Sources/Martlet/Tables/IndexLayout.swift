/// How a declared index makes a key of a document: its fields, resolved once when the table is set up.
final class IndexLayout: Sendable {
  let name: String
  let fields: [InternedName]
  let summedField: InternedName?
  let isUnique: Bool
  /// Of the fields that are members of a field's object, the names that lead to them.
  private let paths: [InternedName: [InternedName]]
  private let hasPaths: Bool

  init(_ definition: TableDefinition.Index) {
    name = definition.name
    fields = definition.fields.map { InternedName(path: $0) }
    summedField = definition.summedField.map { InternedName(path: $0) }
    isUnique = definition.isUnique
    let names = (definition.fields + [definition.summedField]).compactMap(\.self).filter { $0.contains(".") }
    paths = Dictionary(uniqueKeysWithValues: Set(names).map { (InternedName(path: $0), InternedName.path($0)) })
    hasPaths = !paths.isEmpty
  }

  /// The JSON of one of the index's fields; nil where the document lacks it.
  @inline(__always)
  private func value(_ field: InternedName, of document: DocumentStorage) -> UnsafeRawBufferPointer? {
    if let json = document.value(named: field.bytes) { return json }
    return hasPaths ? member(field, of: document) : nil
  }

  @inline(never)
  private func member(_ field: InternedName, of document: DocumentStorage) -> UnsafeRawBufferPointer? {
    paths[field].flatMap { document.value(at: $0) }
  }

  /// The number that a field is; nil where it is none, or not a finite one.
  private func number(_ field: InternedName, of document: DocumentStorage) -> Double? {
    guard let json = value(field, of: document), let first = json.first else { return nil }
    guard first &- UInt8(ascii: "0") <= 9 || first == UInt8(ascii: "-") else { return nil }
    var reader = JSONReader(json)
    return try? reader.readDouble()
  }

  /// The document's position in this index: its fields' memcomparable bytes, then its creation time, which is distinct
  /// within the table.
  func key(of document: DocumentStorage, with writer: inout IndexKeyWriter) -> IndexKey {
    if fields.count == 1, let number = number(fields[0], of: document) {
      return IndexKey(double: number, tie: IndexKey.orderedBits(document.creationTime))
    }
    writer.removeAll()
    for field in fields {
      if let json = value(field, of: document) {
        var reader = JSONReader(json)
        do {
          try writer.append(json: &reader)
        } catch {
          preconditionFailure("a stored document is canonical JSON: \(error)")
        }
      } else {
        writer.appendMissing()
      }
    }
    return writer.key(tie: IndexKey.orderedBits(document.creationTime))
  }

  /// Whether this index has the same entry for both versions of a document. Compares the fields' text, which costs much less
  /// than their keys; equal values have equal text.
  func hasSameEntry(for old: DocumentStorage, and new: DocumentStorage) -> Bool {
    guard hasSameFields(old, new) else { return false }
    if let summedField, !hasSameValue(summedField, in: old, and: new) { return false }
    return true
  }

  /// Whether both versions have the same values in the fields that this index orders by.
  func hasSameFields(_ old: DocumentStorage, _ new: DocumentStorage) -> Bool {
    for field in fields where !hasSameValue(field, in: old, and: new) { return false }
    return true
  }

  private func hasSameValue(_ field: InternedName, in old: DocumentStorage, and new: DocumentStorage) -> Bool {
    guard let oldValue = value(field, of: old), let newValue = value(field, of: new) else {
      return value(field, of: old) == nil && value(field, of: new) == nil
    }
    return oldValue.count == newValue.count && compareBytes(oldValue, newValue) == 0
  }

  /// The values that this index orders the document by; nil where it lacks one.
  func values(of document: DocumentStorage) -> [Value]? {
    var values: [Value] = []
    for field in fields {
      guard let json = value(field, of: document) else { return nil }
      var reader = JSONReader(json)
      guard let value = try? reader.readValue() else { return nil }
      values.append(value)
    }
    return values
  }

  /// Whether one of its fields, or the object that it is a member of, has a default.
  func isOfDefaults(_ table: TableLayout) -> Bool {
    fields.contains { field in
      table.defaults.contains { compareBytes($0.name.bytes, (paths[field]?.first ?? field).bytes) == 0 }
    }
  }

  /// What the document adds to this index's sum: its summed field where that is a number, else nothing.
  func summand(of document: DocumentStorage) -> Double {
    guard let summedField, let json = value(summedField, of: document) else { return 0 }
    var reader = JSONReader(json)
    return (try? reader.readDouble()) ?? 0
  }
}
