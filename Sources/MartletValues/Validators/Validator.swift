/// Checks a value and converts it, in one pass over its JSON, to and from the Swift type that the app's code sees.
///
/// A schema's fields and a function's arguments are declared with validators, so their types are known to the compiler: `.double` makes a `Double`. The `shape` is the same
/// declaration as data, for what works without types.
public struct Validator<T: Sendable>: Sendable {
  public var shape: ValidatorShape { traits.shape }
  /// Reads exactly one value. Throws a `ValidationError` with the path from that value, or a `JSONError`.
  public let decode: @Sendable (inout JSONReader) throws -> T
  public let encode: @Sendable (T, inout JSONWriter) -> Void
  /// How a member that is not there is read and written; nil where it must be there.
  @inlinable public var absence: Absence? { traits.absence }
  @usableFromInline let traits: Traits

  /// Whether `decode` may refuse what the shape's check lets through, since it runs code that only its author knows.
  package var mayRefuse: Bool { traits.mayRefuse }
  /// The members of a typed object, so that a key path into it leads to a member's name; empty for all else.
  package var members: [ObjectMember] { traits.members }
  /// The same object with one more member, which always is this string; nil where the values are no objects.
  package var tagged: (@Sendable (_ member: String, _ tag: String) -> Validator)? { traits.tagged }

  /// What requests seldom ask for, behind one reference: a validator is copied for each value that it reads. It also makes all validators of one
  /// size, so that code which doesn't know the type need not look up how large a value of it is.
  @usableFromInline
  final class Traits: Sendable {
    @usableFromInline let absence: Absence?
    let shape: ValidatorShape
    let mayRefuse: Bool
    let members: [ObjectMember]
    let tagged: (@Sendable (String, String) -> Validator)?

    init(
      _ shape: ValidatorShape, _ absence: Absence?, _ mayRefuse: Bool, _ members: [ObjectMember],
      _ tagged: (@Sendable (String, String) -> Validator)?
    ) {
      self.absence = absence
      self.shape = shape
      self.mayRefuse = mayRefuse
      self.members = members
      self.tagged = tagged
    }
  }

  public struct Absence: Sendable {
    /// What is read where the member is absent.
    public let value: T
    /// Whether a value is written by leaving the member out.
    public let isAbsent: @Sendable (T) -> Bool

    public init(value: T, isAbsent: @escaping @Sendable (T) -> Bool) {
      self.value = value
      self.isAbsent = isAbsent
    }
  }

  public init(
    shape: ValidatorShape, decode: @escaping @Sendable (inout JSONReader) throws -> T,
    encode: @escaping @Sendable (T, inout JSONWriter) -> Void, absence: Absence? = nil
  ) {
    self.init(shape: shape, decode: decode, encode: encode, absence: absence, mayRefuse: true)
  }

  @usableFromInline
  package init(
    shape: ValidatorShape, decode: @escaping @Sendable (inout JSONReader) throws -> T,
    encode: @escaping @Sendable (T, inout JSONWriter) -> Void, absence: Absence? = nil, mayRefuse: Bool,
    members: [ObjectMember] = [], tagged: (@Sendable (String, String) -> Validator)? = nil
  ) {
    self.decode = decode
    self.encode = encode
    traits = Traits(shape, absence, mayRefuse, members, tagged)
  }
}

extension Validator where T: WireValue {
  /// A type that reads and writes itself.
  public init(shape: ValidatorShape, of type: T.Type = T.self) {
    self.init(shape: shape, of: type, mayRefuse: true)
  }

  /// `mayRefuse`: whether the type is pickier than the shape.
  package init(shape: ValidatorShape, of type: T.Type = T.self, mayRefuse: Bool) {
    self.init(shape: shape, decode: { try T.decode(from: &$0) }, encode: { $0.encode(to: &$1) }, mayRefuse: mayRefuse)
  }
}

extension Validator where T == Value {
  public static var any: Validator { Validator(shape: .any, mayRefuse: false) }

  /// One of several shapes, tried in order.
  public static func union<each V>(_ members: repeat Validator<each V>) -> Validator {
    var shapes: [ValidatorShape] = []
    for member in repeat each members { shapes.append(member.shape) }
    let shape = ValidatorShape.union(shapes)
    return Validator(
      shape: shape,
      decode: { reader in
        var checked = reader
        try shape.check(&checked)
        return try reader.readValue()
      },
      encode: { $1.write(value: $0) },
      mayRefuse: false)
  }
}

extension Validator where T == Null {
  public static var null: Validator { Validator(shape: .null, mayRefuse: false) }
}

extension Validator where T == Bool {
  public static var boolean: Validator { Validator(shape: .boolean, mayRefuse: false) }
}

extension Validator where T == Int64 {
  public static var int64: Validator { Validator(shape: .int64, mayRefuse: false) }
}

extension Validator where T == Double {
  public static var double: Validator { Validator(shape: .float64, mayRefuse: false) }
  public static var float64: Validator { double }
}

extension Validator where T == Int {
  /// A float64, as every JSON number is, that must be integral and within ±2^53: counts, quantities, minor units of money.
  public static var wholeNumber: Validator {
    Validator(shape: .wholeNumber, mayRefuse: false)
  }
}

extension Validator where T == String {
  public static var string: Validator { Validator(shape: .string, mayRefuse: false) }

  /// Exactly this string.
  public static func literal(_ text: String) -> Validator {
    Validator(
      shape: .literal(.string(text)),
      decode: { reader in
        guard try reader.peek() == .string else { throw reader.mismatch(expected: Value.string(text).json) }
        let found = try reader.readString()
        guard found == text else { throw ValidationError(expected: Value.string(text).json, found: "another string") }
        return found
      },
      encode: { $1.write(string: $0) },
      mayRefuse: false)
  }
}

extension Validator where T == Bytes {
  public static var bytes: Validator { Validator(shape: .bytes, mayRefuse: false) }
}

extension Validator where T: RawRepresentable & CaseIterable, T.RawValue == String {
  /// A string that is the raw value of one of the type's cases.
  public static func enumeration(_ type: T.Type = T.self) -> Validator {
    let names = T.allCases.map(\.rawValue)
    return Validator(
      shape: .enumeration(names),
      decode: { reader in
        let index = try reader.readName(of: names)
        guard let value = T(rawValue: names[index]) else { throw ValidationError(expected: "a case", found: "another string") }
        return value
      },
      encode: { $1.write(string: $0.rawValue) },
      mayRefuse: false)
  }
}

extension Validator where T: RawRepresentable & CaseIterable, T.RawValue == Int {
  /// A whole number that is the raw value of one of the type's cases.
  public static func enumeration(_ type: T.Type = T.self) -> Validator {
    numbered({ Double($0.rawValue) }, encode: { $1.write(wholeNumber: $0.rawValue) })
  }
}

extension Validator where T: RawRepresentable & CaseIterable, T.RawValue == Double {
  /// A number that is the raw value of one of the type's cases.
  public static func enumeration(_ type: T.Type = T.self) -> Validator {
    numbered(\.rawValue, encode: { $1.write(double: $0.rawValue) })
  }
}

extension Validator where T: RawRepresentable & CaseIterable {
  fileprivate static func numbered(
    _ number: (T) -> Double, encode: @escaping @Sendable (T, inout JSONWriter) -> Void
  ) -> Validator {
    let cases = T.allCases.map { (number: number($0), value: $0) }
    let shape = ValidatorShape.union(cases.map { .literal(.float64($0.number)) })
    return Validator(
      shape: shape,
      decode: { reader in
        guard try reader.peek() == .number else { throw reader.mismatch(expected: shape.briefChoice) }
        let found = try reader.readDouble()
        guard let match = cases.first(where: { $0.number == found }) else {
          throw ValidationError(expected: shape.briefChoice, found: "another number")
        }
        return match.value
      },
      encode: encode, mayRefuse: false)
  }
}
