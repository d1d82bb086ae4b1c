extension Validator {
  /// Elements that are all alike.
  public static func array<E>(_ element: Validator<E>) -> Validator<[E]> where T == [E] {
    Validator(
      shape: .array(element.shape),
      decode: { reader in
        try reader.expect("array")
        var elements: [E] = []
        try reader.readArray { reader throws in
          do { elements.append(try element.decode(&reader)) } catch { throw ValidationError.prefixing(error, .index(elements.count)) }
        }
        return elements
      },
      encode: { elements, writer in
        writer.write(byte: UInt8(ascii: "["))
        for index in elements.indices {
          if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
          element.encode(elements[index], &writer)
        }
        writer.write(byte: UInt8(ascii: "]"))
      },
      mayRefuse: element.mayRefuse)
  }

  /// An object with any field names, whose values are all alike.
  public static func record<V>(_ value: Validator<V>) -> Validator<[String: V]> where T == [String: V] {
    Validator(
      shape: .record(value.shape),
      decode: { reader in
        try reader.expect("object")
        var record: [String: V] = [:]
        try reader.readObject { reader, key throws in
          try reader.checkFieldName(key)
          let name = String(utf8Bytes: key)
          do {
            guard record.updateValue(try value.decode(&reader), forKey: name) == nil else { throw ValidationError(expected: "each field once", found: "a second one") }
          } catch { throw ValidationError.prefixing(error, .field(name)) }
        }
        return record
      },
      encode: { record, writer in
        writer.write(byte: UInt8(ascii: "{"))
        var isFirst = true
        for (key, element) in record.sorted(by: { Value.order(utf8: $0.key, $1.key) < 0 }) {
          if !isFirst { writer.write(byte: UInt8(ascii: ",")) }
          isFirst = false
          writer.write(key: key)
          value.encode(element, &writer)
        }
        writer.write(byte: UInt8(ascii: "}"))
      },
      mayRefuse: value.mayRefuse)
  }

  /// A field, argument or member that need not be there; it is nil then, and nil is written by leaving it out. A null that stands in its place is read as nil
  /// also, unless it is a value that the validator takes.
  public static func optional<W>(_ wrapped: Validator<W>) -> Validator<W?> where T == W? {
    let takesNull = wrapped.shape.takesNull
    return Validator(
      shape: .optional(wrapped.shape.unwrapped),
      decode: { reader in
        guard !takesNull, try reader.peek() == .null else { return try wrapped.decode(&reader) }
        try reader.readNull()
        return nil
      },
      encode: { value, writer in
        if let value { wrapped.encode(value, &writer) } else { writer.writeNull() }
      },
      absence: Absence(value: nil) { $0 == nil }, mayRefuse: wrapped.mayRefuse, members: wrapped.members)
  }

  /// The same for a member that need not be there; it is `standard` then, and so it is where a null stands in its place that the validator
  /// doesn't take.
  package func defaulting(to standard: T) -> Validator {
    let takesNull = shape.takesNull
    return Validator(
      shape: .optional(shape),
      decode: { [decode] reader in
        guard !takesNull, try reader.peek() == .null else { return try decode(&reader) }
        try reader.readNull()
        return standard
      },
      encode: encode, absence: Absence(value: standard) { _ in false }, mayRefuse: mayRefuse, members: members)
  }
}
