/// One case of a Swift enum, for `Validator.union` and `Validator.tagged`: what its JSON is, and how the enum is made of it.
public struct Case<Whole: Sendable, Payload: Sendable>: Sendable {
  enum Form: Sendable {
    case payload(Validator<Payload>)
    case constant(Payload)
  }

  /// The tag, in a tagged union.
  let tag: String?
  let form: Form
  let make: @Sendable (Payload) throws -> Whole

  /// A case of an untagged union.
  ///
  /// ```swift
  /// Case(.string, Block.text)
  /// ```
  public init(_ validator: Validator<Payload>, _ make: @escaping @Sendable (Payload) throws -> Whole) {
    tag = nil
    form = .payload(validator)
    self.make = make
  }

  /// A case of a tagged union. Its payload is an object, of which the tag becomes one more member.
  ///
  /// ```swift
  /// Case("circle", Circle.validator, Shape.circle)
  /// ```
  public init(_ tag: String, _ validator: Validator<Payload>, _ make: @escaping @Sendable (Payload) throws -> Whole) {
    self.tag = tag
    form = .payload(validator)
    self.make = make
  }
}

extension Case where Payload == Null {
  /// A case of a tagged union that has no payload: an object with nothing but the tag.
  public init(_ tag: String, _ value: Whole) {
    self.tag = tag
    form = .constant(Null())
    make = { _ in value }
  }
}

/// Writes the payload of one case. The closure of `Validator.union` and `Validator.tagged` is given one for each case, and calls that of the case
/// that it finds.
public struct CaseWriter<Payload: Sendable>: Sendable {
  let write: @Sendable (Payload, inout JSONWriter) -> Void

  public func callAsFunction(_ payload: Payload) -> WrittenCase {
    WrittenCase { [write] in write(payload, &$0) }
  }
}

extension CaseWriter where Payload == Null {
  public func callAsFunction() -> WrittenCase { callAsFunction(Null()) }
}

/// The case that a value was found to be, ready to be written.
public struct WrittenCase {
  let write: (inout JSONWriter) -> Void
}
