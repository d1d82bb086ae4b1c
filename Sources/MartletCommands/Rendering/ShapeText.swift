import MartletValues

/// A validator's JSON form, as the server sends it, in words: `array of {productId: id of products, quantity: number}`.
///
/// What a newer server may send and this version doesn't know stands as its JSON.
enum ShapeText {
  /// A function's arguments, without the braces: `owner: string, limit?: number`.
  static func arguments(_ shape: Value) -> String {
    guard shape["type"] == "object", case .object(let members)? = shape["value"] else { return of(shape) }
    return of(members)
  }

  static func of(_ shape: Value) -> String {
    switch shape["type"]?.text {
    case "any": "any value"
    case "bigint": "int64"
    case let name? where ["null", "boolean", "number", "string", "bytes"].contains(name): name
    case "id": "id of \(shape["tableName"]?.text ?? "?")"
    case "literal": shape["value"]?.json ?? "?"
    case "array": "array of \(shape["value"].map(nested) ?? "?")"
    case "record": "record of \(shape["values"]?["fieldType"].map(nested) ?? "?")"
    case "union": (shape["value"]?.elements ?? []).map(of).joined(separator: " or ")
    case "object":
      if case .object(let members)? = shape["value"] { "{" + of(members) + "}" } else { shape.json }
    default: shape.json
    }
  }

  private static func nested(_ shape: Value) -> String {
    shape["type"] == "union" ? "(" + of(shape) + ")" : of(shape)
  }

  private static func of(_ members: ObjectValue) -> String {
    members.map { name, member in
      "\(name)\(member["optional"] == true ? "?" : ""): \(member["fieldType"].map(of) ?? "?")"
    }.joined(separator: ", ")
  }
}
