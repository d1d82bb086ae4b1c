/// The fields of a document that is being inserted, patched or replaced.
///
/// ```swift
/// try ctx.db.patch(account) { $0.balance -= amount }
/// ```
///
/// Reading gives the field's new value, or where it was not set the stored one, or its default. Reading a required field that has none of these
/// (in an insert or a replace) is a programmer's error and traps. Setting an optional field to nil removes it. A value that its
/// type allows and the schema doesn't (an `Int` beyond ±2^53, say) makes the write throw `schema_violation` at its end.
@dynamicMemberLookup
public struct Draft<T: Table>: ~Copyable {
  @usableFromInline let schema: TableSchema<T>
  @usableFromInline let base: DocumentStorage?
  @usableFromInline let changes: FieldChanges

  @inlinable
  init(schema: TableSchema<T>, base: DocumentStorage?, changes: FieldChanges) {
    self.schema = schema
    self.base = base
    self.changes = changes
  }

  // Always inlined: where the key path is seen, the compiler reads the property, and makes no key path.
  @inlinable @inline(__always)
  public subscript<Value>(dynamicMember field: KeyPath<T, Field<Value>>) -> Value {
    get { read(schema.prototype[keyPath: field]) }
    nonmutating set { changes.set(schema.prototype[keyPath: field], to: newValue) }
  }

  @inlinable
  func read<Value>(_ field: Field<Value>) -> Value {
    do {
      return try field.validator.decodeMember(changes.member(field.label.bytes, of: base))
    } catch {
      if let unfit = changes.unfitValue(field.label.bytes) as? Value { return unfit }
      if let base, let stored = try? field.validator.decodeMember(base.value(named: field.label.bytes)) { return stored }
      Self.isReadBeforeSet(field.wireName)
    }
  }

  /// A field by its name: one that isn't declared, of a table that allows those. Nil removes it. A value that the schema doesn't
  /// allow, or a name that no field can have, makes the write throw `schema_violation` at its end.
  public subscript(name: String) -> Value? {
    get {
      var name = name
      return name.withUTF8 { name in
        guard let json = changes.member(UnsafeRawBufferPointer(name), of: base) else { return nil }
        var reader = JSONReader(json)
        return try? reader.readValue()
      }
    }
    nonmutating set { changes.set(name: name, to: newValue) }
  }

  @usableFromInline
  static func isReadBeforeSet(_ field: String) -> Never {
    preconditionFailure("\(T.name): field \"\(field)\" is read before it is set")
  }
}
