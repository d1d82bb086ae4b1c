package import MartletValues

/// What a table's schema says of a value, as far as a file's text leaves open what is meant: whether `5` is an int64, or `00501` a string.
///
/// Made of a schema's JSON, as `_system:tables` shows it. It decides how text is understood, and refuses nothing: what doesn't fit is for the
/// server to say, which knows the schema whole.
package final class TypeHint: Sendable {
  package struct Kinds: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let null = Kinds(rawValue: 1)
    package static let int64 = Kinds(rawValue: 2)
    package static let float64 = Kinds(rawValue: 4)
    package static let boolean = Kinds(rawValue: 8)
    package static let string = Kinds(rawValue: 16)
    package static let bytes = Kinds(rawValue: 32)
    package static let array = Kinds(rawValue: 64)
    package static let object = Kinds(rawValue: 128)
    package static let all = Kinds(rawValue: 255)

    /// For a person.
    var inWords: String {
      let names: [(Kinds, String)] = [
        (.null, "null"), (.int64, "int64"), (.float64, "number"), (.boolean, "boolean"), (.string, "string"), (.bytes, "bytes"),
        (.array, "array"), (.object, "object"),
      ]
      return names.filter { contains($0.0) }.map(\.1).joined(separator: " or ")
    }
  }

  package let kinds: Kinds
  package let isOptional: Bool
  private let element: TypeHint?
  private let members: [String: TypeHint]
  /// Of a record.
  private let values: TypeHint?

  package static let any = TypeHint(.all)

  private init(_ kinds: Kinds, isOptional: Bool = false, element: TypeHint? = nil, members: [String: TypeHint] = [:], values: TypeHint? = nil) {
    self.kinds = kinds
    self.isOptional = isOptional
    self.element = element
    self.members = members
    self.values = values
  }

  /// Of a shape's JSON; one that isn't known is taken for any value.
  package convenience init(json shape: Value, isOptional: Bool = false) {
    let type = if case .string(let type)? = shape["type"] { type } else { "any" }
    switch type {
    case "null": self.init(.null, isOptional: isOptional)
    case "bigint": self.init(.int64, isOptional: isOptional)
    case "number": self.init(.float64, isOptional: isOptional)
    case "boolean": self.init(.boolean, isOptional: isOptional)
    case "string", "id": self.init(.string, isOptional: isOptional)
    case "bytes": self.init(.bytes, isOptional: isOptional)
    case "literal": self.init(shape["value"].map(Self.kind) ?? .all, isOptional: isOptional)
    case "array": self.init(.array, isOptional: isOptional, element: shape["value"].map { TypeHint(json: $0) })
    case "record":
      self.init(.object, isOptional: isOptional, values: shape["values"]?["fieldType"].map { TypeHint(json: $0) })
    case "object":
      var members: [String: TypeHint] = [:]
      if case .object(let fields)? = shape["value"] {
        for (name, field) in fields {
          members[name] = TypeHint(json: field["fieldType"] ?? ["type": "any"], isOptional: field["optional"] == true)
        }
      }
      self.init(.object, isOptional: isOptional, members: members)
    case "union":
      let shapes: [Value] = if case .array(let shapes)? = shape["value"] { shapes } else { [["type": "any"]] }
      let hints = shapes.map { TypeHint(json: $0) }
      let names = Set(hints.flatMap(\.members.keys))
      self.init(
        hints.reduce(into: []) { $0.formUnion($1.kinds) }, isOptional: isOptional, element: Self.merged(hints.compactMap(\.element)),
        members: Dictionary(uniqueKeysWithValues: names.map { name in (name, Self.merged(hints.compactMap { $0.members[name] }) ?? .any) }),
        values: Self.merged(hints.compactMap(\.values)))
    default: self.init(.all, isOptional: isOptional)
    }
  }

  private static func merged(_ hints: [TypeHint]) -> TypeHint? {
    guard hints.count > 1 else { return hints.first }
    return TypeHint(hints.reduce(into: []) { $0.formUnion($1.kinds) })
  }

  private static func kind(_ value: Value) -> Kinds {
    switch value {
    case .null: .null
    case .int64: .int64
    case .float64: .float64
    case .boolean: .boolean
    case .string: .string
    case .bytes: .bytes
    case .array: .array
    case .object: .object
    }
  }

  /// Of an array's elements.
  package var elements: TypeHint { element ?? .any }

  /// Of an object's member.
  package subscript(member: String) -> TypeHint { members[member] ?? values ?? .any }

  /// Whether it names an object's member at all.
  package func declares(_ member: String) -> Bool { members[member] != nil }

  /// The declared members' names, sorted.
  package var memberNames: [String] { members.keys.sorted() }
}
