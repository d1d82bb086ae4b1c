import MartletValues

/// A validator's JSON form, as the server sends it, in words: `array of {productId: id of products, quantity: number}`.
///
/// What a newer server may send and this version doesn't know stands as its JSON.
enum ShapeText {
  /// A function's arguments, without the braces: `owner: string, limit?: number`.
  static func arguments(_ shape: Value) -> String {
    guard let members = members(shape) else { return of(shape) }
    return of(members)
  }

  /// What a function returns; nil where anything may be, so that there is nothing to tell.
  static func returns(_ shape: Value) -> String? { shape["type"] == "any" ? nil : of(shape) }

  /// An object's members, each with its name (`limit?` where it may be left out) and its type; nil for anything else.
  static func fields(_ shape: Value) -> [(name: String, type: String)]? {
    members(shape).map { members in
      members.map { name, member in
        (Self.name(name) + (member["optional"] == true ? "?" : ""), member["fieldType"].map(of) ?? "?")
      }
    }
  }

  static func of(_ shape: Value) -> String {
    switch shape["type"]?.text {
    case "any": "any value"
    case "bigint": "int64"
    case let name? where ["null", "boolean", "number", "string", "bytes"].contains(name): name
    case "id": "id of \(shape["tableName"]?.text ?? "?")"
    case Self.document: "document of \(shape["tableName"]?.text ?? "?")"
    case "literal": literal(shape["value"])
    case "array": "array of \(shape["value"].map(nested) ?? "?")"
    case "record": record(shape)
    case "union": union(shape)
    case "object":
      if let members = members(shape) { "{" + of(members) + "}" } else { shape.json }
    default: shape.json
    }
  }

  /// Not a type of the protocol: what `namingDocuments` puts where a table's whole document stands.
  private static let document = "document"

  /// The shape, in which a document that has all the fields of a table is that table's name and not twenty fields.
  /// - Parameter tables: as `_system:tables` describes them.
  static func namingDocuments(_ shape: Value, of tables: [Value]) -> Value {
    if let table = tables.first(where: { $0["schema"] == shape }), shape["type"] == "object" {
      return ["type": .string(document), "tableName": table["name"] ?? "?"]
    }
    switch shape {
    case .array(let elements): return .array(elements.map { namingDocuments($0, of: tables) })
    case .object(let members): return .object(ObjectValue(uniqueFields: members.map { ($0.key, namingDocuments($0.value, of: tables)) }))
    default: return shape
    }
  }

  private static func members(_ shape: Value) -> ObjectValue? {
    guard shape["type"] == "object", case .object(let members)? = shape["value"] else { return nil }
    return members
  }

  private static func of(_ members: ObjectValue) -> String {
    (fields(["type": "object", "value": .object(members)]) ?? []).map { "\($0.name): \($0.type)" }.joined(separator: ", ")
  }

  /// A union whose last member is an object or array still ends clearly; within another type it doesn't.
  private static func nested(_ shape: Value) -> String {
    (shape["type"] == "union" && (shape["value"]?.elements.count ?? 0) > 1) ? "(" + of(shape) + ")" : of(shape)
  }

  /// Each alternative once: a union of unions may say one twice.
  private static func union(_ shape: Value) -> String {
    var seen: Set<String> = []
    let texts = alternatives(shape).map(of).filter { seen.insert($0).inserted }
    return texts.isEmpty ? "no value" : texts.joined(separator: " or ")
  }

  private static func alternatives(_ shape: Value) -> [Value] {
    (shape["value"]?.elements ?? []).flatMap { $0["type"] == "union" ? alternatives($0) : [$0] }
  }

  /// The keys are told where they are more than any string.
  private static func record(_ shape: Value) -> String {
    let values = shape["values"]?["fieldType"].map(nested) ?? "?"
    guard let keys = shape["keys"], keys["type"] != "string" else { return "record of \(values)" }
    return "record from \(nested(keys)) to \(values)"
  }

  /// As `--where` and a person would write it: an int64 as `5n`.
  private static func literal(_ value: Value?) -> String {
    if case .int64(let number)? = value { return "\(number)n" }
    return value?.json ?? "?"
  }

  /// A name with blanks or punctuation stands between quotes, so that one sees where it ends.
  private static func name(_ name: String) -> String {
    !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } ? name : Value.string(name).json
  }
}
