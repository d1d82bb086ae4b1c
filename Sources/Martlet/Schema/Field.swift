/// A field of a table's documents: its name and what it may hold.
///
/// Where it holds an object, a key path leads on to the object's members, for an index and its ranges: `\Customers.address.city`. See
/// `Field+Members.swift`.
@dynamicMemberLookup
public final class Field<Value: Sendable>: Sendable {
  @usableFromInline package let label: Label
  @usableFromInline package let validator: Validator<Value>
  /// Whether a value of the right type may still not fit: see `ValidatorShape.isWiderThanItsType`, and `Validator.mayRefuse`.
  @usableFromInline let mustCheck: Bool

  /// The JSON of the default; nil where there is none.
  let standardJSON: [UInt8]?

  /// - Parameter name: the name on the wire; the property's name when it is left out.
  public convenience init(_ name: String? = nil, _ validator: Validator<Value>) { self.init(Label(name), validator) }

  public convenience init(_ validator: Validator<Value>) { self.init(nil, validator) }

  /// A field that a write may leave out: a new document gets `standard` then. Documents that were stored before the field was
  /// declared get it when the server starts, in a commit.
  public convenience init(_ name: String? = nil, _ validator: Validator<Value>, default standard: Value) {
    var json = JSONWriter()
    validator.encode(standard, &json)
    precondition(
      validator.absence == nil && json.unfitNumber == 0, "a field with a default is not optional, and its validator takes the default")
    self.init(Label(name), validator.defaulting(to: standard), standardJSON: json.bytes)
  }

  public convenience init(_ validator: Validator<Value>, default standard: Value) { self.init(nil, validator, default: standard) }

  init(_ label: Label, _ validator: Validator<Value>, standardJSON: [UInt8]? = nil) {
    self.label = label
    self.validator = validator
    self.standardJSON = standardJSON
    mustCheck = validator.shape.isWiderThanItsType || validator.mayRefuse
  }

  /// The name on the wire; of an object's member, `address.city`. (Not `name`, which a member may well be called.)
  public var wireName: String { label.name }
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
    guard validator.mayRefuse else { return nil }
    return { [validator] in _ = try validator.decodeMember($0) }
  }
}
