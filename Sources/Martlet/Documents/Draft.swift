/// The fields of a document that is being inserted, patched or replaced.
///
/// ```swift
/// try ctx.db.patch(account) { $0.balance -= amount }
/// ```
///
/// Reading gives the field's new value, or the stored one where it was not set. Reading a required field that has neither
/// (in an insert) is a programmer's error and traps. Setting an optional field to nil removes it.
@dynamicMemberLookup
public struct Draft<T: Table>: ~Copyable {
  let schema: TableSchema<T>
  let base: DocumentStorage?
  let changes: FieldChanges

  public subscript<Value>(dynamicMember field: KeyPath<T, Field<Value>>) -> Value {
    get {
      let field = schema.prototype[keyPath: field]
      do {
        return try changes.decode(field, base: base)
      } catch {
        preconditionFailure("\(T.name): field \"\(field.name)\" is read before it is set")
      }
    }
    nonmutating set { changes.set(schema.prototype[keyPath: field], to: newValue) }
  }
}

/// The members that a write sets or removes, each with its new JSON. Reused from write to write of a transaction.
final class FieldChanges {
  struct Change {
    var name: ContiguousArray<UInt8>
    var start: Int
    var end: Int
    var isRemoval: Bool { start == end }
  }

  private(set) var changes: ContiguousArray<Change> = []
  private var json = JSONWriter(capacity: 512)

  func removeAll() {
    changes.removeAll(keepingCapacity: true)
    json.removeAll()
  }

  func set<Value>(_ field: Field<Value>, to value: Value) {
    let start = json.count
    if field.validator.absence?.isAbsent(value) != true { field.validator.encode(value, &json) }
    note(Change(name: field.label.utf8, start: start, end: json.count))
  }

  func set(name: String, to value: Value) {
    let start = json.count
    json.write(value: value)
    note(Change(name: ContiguousArray(name.utf8), start: start, end: json.count))
  }

  func remove(name: String) {
    note(Change(name: ContiguousArray(name.utf8), start: json.count, end: json.count))
  }

  /// Keeps the changes in the order of their names, the order of a canonical document's members.
  private func note(_ change: Change) {
    var index = changes.count
    while index > 0 {
      let order = compareBytes(changes[index - 1].name, change.name)
      if order == 0 {
        changes[index - 1] = change
        return
      }
      if order < 0 { break }
      index -= 1
    }
    changes.insert(change, at: index)
  }

  func decode<Value>(_ field: Field<Value>, base: DocumentStorage?) throws -> Value {
    for change in changes where change.name == field.label.utf8 {
      if change.isRemoval { return try field.validator.decodeMember(nil) }
      return try json.withUnsafeBytes {
        try field.validator.decodeMember(UnsafeRawBufferPointer(rebasing: $0[change.start..<change.end]))
      }
    }
    return try field.validator.decodeMember(base?.value(of: field.label))
  }

  /// Builds the document that `base` becomes by these changes: a merge of two lists in the order of their names.
  ///
  /// The system fields are members like the others: `base` has them, and an insert sets them through `setSystemFields`.
  func apply(to base: DocumentStorage?, with builder: inout DocumentBuilder) {
    builder.begin()
    json.withUnsafeBytes { json in
      var next = 0
      for field in 0..<(base?.fieldCount ?? 0) {
        let name = base!.name(ofField: field)
        while next < changes.count {
          let order = changes[next].name.withUnsafeBytes { compareBytes($0, name) }
          if order > 0 { break }
          append(changes[next], json, &builder)
          next += 1
          if order == 0 { break }
        }
        let isReplaced = next > 0 && changes[next - 1].name.withUnsafeBytes { compareBytes($0, name) } == 0
        if !isReplaced { builder.append(name: name, json: base!.value(ofField: field)) }
      }
      while next < changes.count {
        append(changes[next], json, &builder)
        next += 1
      }
    }
  }

  private func append(_ change: Change, _ json: UnsafeRawBufferPointer, _ builder: inout DocumentBuilder) {
    guard !change.isRemoval else { return }
    change.name.withUnsafeBytes {
      builder.append(name: $0, json: UnsafeRawBufferPointer(rebasing: json[change.start..<change.end]))
    }
  }

  /// What a new document has beside its own fields.
  func setSystemFields(id: DocumentID, creationTime: Double) {
    var start = json.count
    json.write(double: creationTime)
    note(Change(name: Self.creationTimeName, start: start, end: json.count))
    start = json.count
    id.encode(to: &json)
    note(Change(name: Self.idName, start: start, end: json.count))
  }

  private static let creationTimeName = ContiguousArray("_creationTime".utf8)
  private static let idName = ContiguousArray("_id".utf8)
}
