/// A field of a table's documents: its name and what it may hold.
public final class Field<Value: Sendable>: Sendable {
  @usableFromInline package let label: Label
  @usableFromInline package let validator: Validator<Value>
  /// Whether a value of the right type may still not fit: see `ValidatorShape.isWiderThanItsType`.
  @usableFromInline let mustCheck: Bool

  /// The JSON of the default; nil where there is none.
  let standardJSON: [UInt8]?

  /// - Parameter name: the name on the wire; the property's name when it is left out.
  public init(_ name: String? = nil, _ validator: Validator<Value>) {
    label = Label(name)
    self.validator = validator
    mustCheck = validator.shape.isWiderThanItsType
    standardJSON = nil
  }

  /// A field that a write may leave out: a new document gets `standard` then. Documents that were stored before the field was
  /// declared get it when the server starts, in a commit.
  public init(_ name: String? = nil, _ validator: Validator<Value>, default standard: Value) {
    var json = JSONWriter()
    validator.encode(standard, &json)
    precondition(
      validator.absence == nil && json.unfitNumber == 0, "a field with a default is not optional, and its validator takes the default")
    label = Label(name)
    self.validator = validator.defaulting(to: standard)
    mustCheck = validator.shape.isWiderThanItsType
    standardJSON = json.bytes
  }

  public convenience init(_ validator: Validator<Value>) { self.init(nil, validator) }

  public convenience init(_ validator: Validator<Value>, default standard: Value) { self.init(nil, validator, default: standard) }

  /// The name on the wire.
  public var name: String { label.name }
}

/// What `TableSchema` asks of a field whose type it doesn't know.
protocol AnyField {
  var label: Label { get }
  var shape: ValidatorShape { get }
  var standardJSON: [UInt8]? { get }
  var checkObjects: (@Sendable (UnsafeRawBufferPointer?) throws -> Void)? { get }
}

extension Field: AnyField {
  var shape: ValidatorShape { validator.shape }

  var checkObjects: (@Sendable (UnsafeRawBufferPointer?) throws -> Void)? {
    guard shape.hasObjects else { return nil }
    return { [validator] in _ = try validator.decodeMember($0) }
  }
}
