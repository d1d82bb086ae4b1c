/// What a validator accepts, as data: compared, described, sent to clients, and checked without building the value.
public indirect enum ValidatorShape: Sendable, Hashable {
  case any
  case null
  case boolean
  case int64
  case float64
  /// A float64 that is integral, with a magnitude of 2^53 at most.
  case wholeNumber
  case string
  case bytes
  case id(table: String)
  case literal(Value)
  case enumeration([String])
  case array(ValidatorShape)
  case object([Member])
  case record(ValidatorShape)
  case union([ValidatorShape])
  /// May be absent. Where it stands for itself and not as a member, null means absent.
  case optional(ValidatorShape)

  public struct Member: Sendable, Hashable {
    public var name: String
    public var shape: ValidatorShape
    /// Whether the object may lack it. Null is not absence.
    public var optional: Bool

    public init(name: String, shape: ValidatorShape, optional: Bool = false) {
      self.name = name
      self.shape = shape.unwrapped
      self.optional = optional || shape.isOptional
    }
  }

  /// Whether null is a value of this shape. (That an optional one may be written as null is another matter.)
  var takesNull: Bool {
    switch self {
    case .any, .null, .literal(.null): true
    case .union(let shapes): shapes.contains(where: \.takesNull)
    default: false
    }
  }

  public var isOptional: Bool {
    if case .optional = self { true } else { false }
  }

  /// This, or null.
  package var orNull: ValidatorShape {
    switch self {
    case .any, .null: self
    case .union(let shapes): shapes.contains(.null) ? self : .union(shapes + [.null])
    case .optional(let shape): shape.orNull
    default: .union([self, .null])
    }
  }

  /// The shape that a value has if it is there.
  public var unwrapped: ValidatorShape {
    if case .optional(let shape) = self { shape.unwrapped } else { self }
  }
}

extension ValidatorShape: CustomStringConvertible {
  /// For a person: `array of {productId: id of products, quantity: number}`.
  public var description: String {
    switch self {
    case .any: "any value"
    case .null: "null"
    case .boolean: "boolean"
    case .int64: "int64"
    case .float64: "number"
    case .wholeNumber: "whole number"
    case .string: "string"
    case .bytes: "bytes"
    case .id(let table): "id of \(table)"
    case .literal(let value): value.json
    case .enumeration(let names): names.map { Value.string($0).json }.joined(separator: " or ")
    case .array(let element): "array of \(element)"
    case .object(let members):
      "{" + members.map { "\($0.name)\($0.optional ? "?" : ""): \($0.shape)" }.joined(separator: ", ") + "}"
    case .record(let value): "record of \(value)"
    case .union(let shapes): shapes.map(\.description).joined(separator: " or ")
    case .optional(let shape): "optional \(shape)"
    }
  }

  /// The JSON form, as Convex's validators have it: `{"type":"array","value":{"type":"string"}}`.
  public func write(to writer: inout JSONWriter) { writer.write(value: jsonForm) }

  /// The same as a value.
  public var jsonForm: Value {
    switch self {
    case .any: ["type": "any"]
    case .null: ["type": "null"]
    case .boolean: ["type": "boolean"]
    case .int64: ["type": "bigint"]
    case .float64, .wholeNumber: ["type": "number"]
    case .string: ["type": "string"]
    case .bytes: ["type": "bytes"]
    case .id(let table): ["type": "id", "tableName": .string(table)]
    case .literal(let value): ["type": "literal", "value": value]
    case .enumeration(let names): ["type": "union", "value": .array(names.map { ["type": "literal", "value": .string($0)] })]
    case .array(let element): ["type": "array", "value": element.jsonForm]
    case .object(let members):
      ["type": "object", "value": .object(ObjectValue(uniqueFields: members.map { ($0.name, $0.shape.fieldForm(optional: $0.optional)) }))]
    case .record(let value): ["type": "record", "keys": ["type": "string"], "values": value.fieldForm(optional: false)]
    case .union(let shapes): ["type": "union", "value": .array(shapes.map(\.jsonForm))]
    case .optional(let shape): shape.jsonForm
    }
  }

  private func fieldForm(optional: Bool) -> Value { ["fieldType": jsonForm, "optional": .boolean(optional)] }
}
