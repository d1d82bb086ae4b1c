/// A member of a typed object: its name on the wire, where it lives in the Swift type, and what it may be.
public struct Property<Root: Sendable, V: Sendable>: Sendable {
  public let name: String
  public let keyPath: any KeyPath<Root, V> & Sendable
  public let validator: Validator<V>

  public init(_ name: String, _ keyPath: any KeyPath<Root, V> & Sendable, _ validator: Validator<V>) {
    self.name = name
    self.keyPath = keyPath
    self.validator = validator
  }
}

extension Validator {
  /// A Swift type that is an object on the wire, with exactly these members.
  ///
  /// ```swift
  /// .object(Property("productId", \OrderItem.productId, .id(Products.self)), Property("quantity", \OrderItem.quantity, .wholeNumber)) {
  ///   OrderItem(productId: $0, quantity: $1)
  /// }
  /// ```
  ///
  /// Members may come in any order, while a parameter pack is walked in its own. So an object is read twice: once to note where each member's value begins, checking that it is
  /// well formed, once to decode them as declared.
  @inlinable
  public static func object<each V: Sendable>(
    _ properties: repeat Property<T, each V>, make: @escaping @Sendable (repeat each V) throws -> T
  ) -> Validator {
    object(tag: nil, repeat each properties, make: make)
  }

  /// `tag`: a member more, which always is this string. Whoever decodes has looked at it already, to choose this validator.
  @inlinable
  static func object<each V: Sendable>(
    tag: ObjectTag?, _ properties: repeat Property<T, each V>, make: @escaping @Sendable (repeat each V) throws -> T
  ) -> Validator {
    var names: [String] = []
    var shapes: [ValidatorShape.Member] = []
    var members: [ObjectMember] = []
    if let tag { shapes.append(tag.shape) }
    for property in repeat each properties {
      names.append(property.name)
      shapes.append(.init(name: property.name, shape: property.validator.shape))
      members.append(ObjectMember(name: property.name, keyPath: property.keyPath, validator: property.validator))
    }
    // The tag comes last, so that the others stand where the properties do.
    if let tag { names.append(tag.name) }
    precondition(Set(names).count == names.count, "an object's property is declared twice")
    // Written in canonical order, whatever the order of declaration.
    let writers = ObjectMemberWriter.sorted(tag: tag, repeat each properties)
    let tagged: @Sendable (String, String) -> Validator = { name, text in
      object(tag: ObjectTag(name: name, text: text), repeat each properties, make: make)
    }
    return Validator(
      shape: .object(shapes),
      decode: { [names] reader in
        try withUnsafeTemporaryAllocation(of: Int.self, capacity: names.count) { places in
          try reader.readPlaces(of: names, into: places)
          var index = -1
          func next<W>(_ property: Property<T, W>) throws -> W {
            index += 1
            return try property.decode(reader, at: places[index])
          }
          return try make(repeat try next(each properties))
        }
      },
      encode: { value, writer in
        writer.write(byte: UInt8(ascii: "{"))
        var isFirst = true
        for member in writers { member.write(value, &isFirst, &writer) }
        writer.write(byte: UInt8(ascii: "}"))
      },
      mayRefuse: true, members: members,
      tagged: tag == nil ? tagged : nil)
  }
}

/// A member of an object as it was declared, for key paths that lead through the object.
@usableFromInline
package struct ObjectMember: Sendable {
  package let name: String
  package let keyPath: any AnyKeyPath & Sendable
  /// A `Validator` of the member's type.
  package let validator: any Sendable

  @usableFromInline
  package init(name: String, keyPath: any AnyKeyPath & Sendable, validator: any Sendable) {
    self.name = name
    self.keyPath = keyPath
    self.validator = validator
  }
}

/// The member that tells which case of an enum an object is.
@usableFromInline
struct ObjectTag: Sendable {
  @usableFromInline let name: String
  @usableFromInline let text: String

  @usableFromInline
  init(name: String, text: String) {
    self.name = name
    self.text = text
  }

  @usableFromInline var shape: ValidatorShape.Member { .init(name: name, shape: .literal(.string(text))) }
}

extension Property {
  @inlinable
  func decode(_ reader: JSONReader, at place: Int) throws -> V {
    guard place >= 0 else {
      if let absence = validator.absence { return absence.value }
      throw ValidationError(path: [.field(name)], expected: validator.shape.description, found: "nothing")
    }
    var member = reader.inside(at: place)
    do { return try validator.decode(&member) } catch { throw ValidationError.prefixing(error, .field(name)) }
  }
}

/// One member, with its type erased so that members can be sorted by name.
@usableFromInline
struct ObjectMemberWriter<Root: Sendable>: Sendable {
  @usableFromInline let name: String
  @usableFromInline let write: @Sendable (Root, inout Bool, inout JSONWriter) -> Void

  @inlinable
  init<V>(_ property: Property<Root, V>) {
    name = property.name
    write = { root, isFirst, writer in
      let value = root[keyPath: property.keyPath]
      if let absence = property.validator.absence, absence.isAbsent(value) { return }
      if !isFirst { writer.write(byte: UInt8(ascii: ",")) }
      isFirst = false
      writer.write(key: property.name)
      property.validator.encode(value, &writer)
    }
  }

  @inlinable
  init(_ tag: ObjectTag) {
    name = tag.name
    write = { _, isFirst, writer in
      if !isFirst { writer.write(byte: UInt8(ascii: ",")) }
      isFirst = false
      writer.write(key: tag.name)
      writer.write(string: tag.text)
    }
  }

  @inlinable
  static func sorted<each V: Sendable>(tag: ObjectTag?, _ properties: repeat Property<Root, each V>) -> [ObjectMemberWriter] {
    var writers: [ObjectMemberWriter] = []
    if let tag { writers.append(ObjectMemberWriter(tag)) }
    for property in repeat each properties { writers.append(ObjectMemberWriter(property)) }
    return writers.sorted { Value.precedes(utf8: $0.name, $1.name) }
  }
}

extension JSONReader {
  /// Reads an object whose members must be among `names`, each once, and notes where each one's value begins, −1 where it is absent.
  @usableFromInline
  package mutating func readPlaces(of names: [String], into places: UnsafeMutableBufferPointer<Int>) throws {
    try expect("object")
    places.initialize(repeating: -1)
    var expected = 0
    try readObject { reader, key throws in
      // Members mostly come in the declared order or the sorted one; the search begins after the last one found.
      var found: Int?
      for offset in 0..<names.count {
        let index = expected + offset < names.count ? expected + offset : expected + offset - names.count
        if key.equals(names[index]) {
          found = index
          break
        }
      }
      guard let found else { throw ValidatorShape.unknownField(key, &reader) }
      guard places[found] < 0 else {
        throw ValidationError(path: [.field(names[found])], expected: "each field once", found: "a second one")
      }
      expected = found + 1
      places[found] = try reader.skipValue().lowerBound
    }
  }

  /// A reader of the same text at the value of a member of the object that was just read.
  @inlinable
  package func inside(at place: Int) -> JSONReader {
    var member = self
    member.position = place
    member.depth = depth + 1
    return member
  }
}
