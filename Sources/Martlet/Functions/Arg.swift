/// An argument of a function: its name on the wire and what it may be.
public final class Arg<Value: Sendable>: Sendable {
  public let name: String
  public let validator: Validator<Value>
  let interned: InternedName
  /// The name's bytes, valid for the life of the process.
  @usableFromInline var nameBytes: UnsafeRawBufferPointer { interned.bytes }
  /// Whether JSON may hold the name as it is, without escapes.
  @usableFromInline let isPlain: Bool

  public init(_ name: String, _ validator: Validator<Value>) {
    self.name = name
    self.validator = validator
    interned = InternedName(name)
    isPlain = name.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }

  /// An argument that a caller may leave out: it is `standard` then, and so it is where null stands in its place.
  public convenience init(_ name: String, _ validator: Validator<Value>, default standard: Value) {
    self.init(name, validator.defaulting(to: standard))
  }
}
