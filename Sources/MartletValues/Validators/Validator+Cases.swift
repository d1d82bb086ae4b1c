// Enums with payloads. Nothing is found by reflection: a case is declared with the validator of its payload and the enum's constructor, and a `switch` of
// the app's own takes a value apart. So the compiler checks both ways, and says which case the `switch` has forgotten.

extension Validator {
  /// An enum, one of whose cases a value is, told by its shape alone. The cases are tried in order.
  ///
  /// ```swift
  /// enum Block: Sendable {
  ///   case text(String), image(Image)
  ///
  ///   static let validator = Validator<Block>.union(Case(.string, Block.text), Case(Image.validator, Block.image)) { block, text, image in
  ///     switch block {
  ///     case .text(let it): text(it)
  ///     case .image(let it): image(it)
  ///     }
  ///   }
  /// }
  /// ```
  ///
  /// An error says why the value is none of the cases. Writing costs an allocation.
  public static func union<each Payload: Sendable>(
    _ cases: repeat Case<T, each Payload>,
    write: @escaping @Sendable (T, repeat CaseWriter<each Payload>) -> WrittenCase
  ) -> Validator {
    var readers: [CaseReader<T>] = []
    for one in repeat each cases {
      precondition(one.tag == nil, "the cases of `.union` have no tags; `.tagged` is for those that have")
      readers.append(CaseReader(one.payload, one.make))
    }
    // A closure: a key path into a type that depends on a function with a parameter pack stops the program (Swift 6.3).
    let shapes = readers.map { $0.shape }
    return Validator(
      shape: .union(shapes),
      decode: { [readers] reader in
        let bookmark = reader
        var glance = try UnionGlance(reader)
        for one in readers where !glance.rulesOut(one.shape) {
          reader = bookmark
          do { return try one.read(&reader) } catch is ValidationError {}
        }
        throw ValidatorShape.explain(bookmark, shapes) { position, reader in _ = try readers[position].read(&reader) }
      },
      encode: { value, writer in
        write(value, repeat CaseWriter(write: (each cases).payload.encode)).write(&writer)
      },
      mayRefuse: true)
  }

  /// An enum whose cases are objects, told apart by a member that says which case it is.
  ///
  /// ```swift
  /// enum Shape: Sendable {
  ///   case circle(Circle), square(Square), point
  ///
  ///   static let validator = Validator<Shape>.tagged(
  ///     "kind", Case("circle", Circle.validator, Shape.circle), Case("square", Square.validator, Shape.square), Case("point", Shape.point)
  ///   ) { shape, circle, square, point in
  ///     switch shape {
  ///     case .circle(let it): circle(it)
  ///     case .square(let it): square(it)
  ///     case .point: point()
  ///     }
  ///   }
  /// }
  /// ```
  ///
  /// On the wire a circle is `{"kind":"circle","radius":2}`. Each payload's validator is an `.object` or a `.codable`, without a member of the
  /// tag's name. Reading looks at the tag first, so that an error is about the case that was meant.
  public static func tagged<each Payload: Sendable>(
    _ member: String, _ cases: repeat Case<T, each Payload>,
    write: @escaping @Sendable (T, repeat CaseWriter<each Payload>) -> WrittenCase
  ) -> Validator {
    var tags: [String] = []
    var readers: [CaseReader<T>] = []
    for one in repeat each cases {
      tags.append(one.requiredTag)
      readers.append(CaseReader(one.tagged(by: member), one.make))
    }
    precondition(Set(tags).count == tags.count, "two cases of `.tagged(\"\(member)\", …)` have one tag")
    let shape = ValidatorShape.union(readers.map { $0.shape })
    let tagShape = ValidatorShape.union(tags.map { .literal(.string($0)) })
    let tagged = (repeat (each cases).tagged(by: member))
    return Validator(
      shape: shape,
      decode: { [readers, tags] reader in
        guard try reader.peek() == .object, try reader.nextKindName() == "object" else { throw reader.mismatch(expected: shape.briefChoice) }
        guard var tag = try reader.memberReader(named: member) else {
          throw ValidationError(path: [.field(member)], expected: tagShape.briefChoice, found: "nothing")
        }
        let position: Int
        do { position = try tag.readName(of: tags) } catch { throw ValidationError.prefixing(error, .field(member)) }
        return try readers[position].read(&reader)
      },
      encode: { value, writer in
        write(value, repeat CaseWriter(write: (each tagged).encode)).write(&writer)
      },
      mayRefuse: true)
  }
}

extension Case {
  fileprivate var requiredTag: String {
    guard let tag else { preconditionFailure("a case of `.tagged` begins with its tag: Case(\"circle\", …)") }
    return tag
  }

  fileprivate var payload: Validator<Payload> {
    guard case .payload(let validator) = form else { preconditionFailure("a case of `.union` has a validator") }
    return validator
  }

  /// The payload's validator, as an object that has the tag as well.
  fileprivate func tagged(by member: String) -> Validator<Payload> {
    let tag = requiredTag
    switch form {
    case .constant(let value):
      return Validator<Payload>.object(tag: ObjectTag(name: member, text: tag), make: { value })
    case .payload(let validator):
      guard let tagged = validator.tagged else {
        preconditionFailure("case \"\(tag)\": what a tagged case holds is an object, by `.object` or `.codable`, and not \(validator.shape)")
      }
      if case .object(let members) = validator.shape {
        precondition(!members.contains { $0.name == member }, "case \"\(tag)\": its object has a member \"\(member)\" of its own")
      }
      return tagged(member, tag)
    }
  }
}

/// A case without the type of its payload.
private struct CaseReader<Whole: Sendable>: Sendable {
  let shape: ValidatorShape
  let read: @Sendable (inout JSONReader) throws -> Whole

  init<Payload>(_ validator: Validator<Payload>, _ make: @escaping @Sendable (Payload) throws -> Whole) {
    shape = validator.shape
    read = { try make(try validator.decode(&$0)) }
  }
}
