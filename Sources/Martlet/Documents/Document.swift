/// A document of table `T`, as a function or a client reads it.
///
/// Reading a field parses that field alone; nothing is decoded that isn't touched. Returned from a function, a document's
/// JSON is copied into the answer as it stands.
@dynamicMemberLookup
public struct Document<T: Table>: Sendable {
  @usableFromInline package let storage: DocumentStorage
  @usableFromInline package let schema: TableSchema<T>

  @inlinable
  package init(storage: DocumentStorage, schema: TableSchema<T>) {
    self.storage = storage
    self.schema = schema
  }

  public var id: ID<T> { ID(storage.id) }

  /// When the document was inserted: milliseconds since 1970, distinct within the table and growing.
  public var creationTime: Double { storage.creationTime }

  // Always inlined: where the key path is seen, the compiler reads the property, and makes no key path.
  @inlinable @inline(__always)
  public subscript<Value>(dynamicMember field: KeyPath<T, Field<Value>>) -> Value {
    storage.read(schema.prototype[keyPath: field])
  }

  /// A field by its name, whether the schema declares it or not; nil where the document has none.
  public subscript(name: String) -> Value? {
    guard let json = storage.value(of: name) else { return nil }
    var reader = JSONReader(json)
    do { return try reader.readValue() } catch { storage.misfit(name, error) }
  }

  /// The whole document as a value, `_id` and `_creationTime` included.
  public var value: Value { storage.value }

  /// The whole document as a type of the app's own. It may ask for `_id` (a `DocumentID`, an `ID<T>` or a `String`) and `_creationTime` (a `Double`)
  /// too, and need not ask for everything. Throws a `ValidationError` where the document has something else than the type asks for.
  ///
  /// Reading the single fields that are needed costs less.
  public func decode<D: Decodable>(as type: D.Type = D.self) throws -> D {
    try withExtendedLifetime(storage) { try JSONReader(storage.json).decode(type) }
  }
}

extension DocumentStorage {
  /// A field's value by its type. Every write and every start checks documents against their table's schema, so that
  /// one that doesn't fit can't be met here.
  @inlinable
  package func read<Value>(_ field: Field<Value>) -> Value {
    do {
      return try field.validator.decodeMember(value(named: field.label.bytes) ?? member(field.label))
    } catch {
      misfit(field.wireName, error)
    }
  }

  /// The same of an object's member, which isn't found by its name.
  @inlinable @inline(__always)
  func member(_ label: Label) -> UnsafeRawBufferPointer? { label.isPath ? value(of: label) : nil }

  @usableFromInline
  func misfit(_ field: String, _ error: any Error) -> Never {
    preconditionFailure("document \(id): field \"\(field)\" does not fit its table's schema: \(error)")
  }
}

extension Validator {
  /// A member's value from its JSON, or from its absence.
  @inlinable @inline(__always)
  package func decodeMember(_ json: UnsafeRawBufferPointer?, context: Unmanaged<AnyObject>? = nil) throws -> T {
    guard let json else { return try decodeAbsence() }
    var reader = JSONReader(json)
    reader.context = context
    return try decode(&reader)
  }

  @usableFromInline
  func decodeAbsence() throws -> T {
    if let absence { return absence.value }
    throw ValidationError(expected: shape.description, found: "nothing")
  }
}

extension Document: WireValue {
  public static func decode(from reader: inout JSONReader) throws -> Document<T> {
    guard case .object(let members) = try reader.readValue() else {
      throw ValidationError(expected: "a document", found: "another value")
    }
    guard case .string(let text)? = members["_id"], let id = DocumentID(text),
      case .float64(let creationTime)? = members["_creationTime"]
    else { throw ValidationError(expected: "a document with _id and _creationTime", found: "an object without") }
    var writer = JSONWriter()
    writer.write(value: .object(members))
    let storage = try writer.withUnsafeBytes {
      try DocumentStorage.fromCanonical(id: id, creationTime: creationTime, json: $0)
    }
    return Document(storage: storage, schema: .of(T.self))
  }

  public func encode(to writer: inout JSONWriter) { writer.write(raw: storage.json) }

  public static var shape: ValidatorShape { TableSchema<T>.of(T.self).definition.documentShape }
}
