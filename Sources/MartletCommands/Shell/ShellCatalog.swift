import MartletClient

/// What a server has that a person may name: its functions and its tables. Nothing of it, where the server doesn't tell without the admin key.
struct ShellCatalog: Sendable {
  struct Function: Sendable {
    var kind: FunctionKind?
    /// The arguments, with their shapes as the server describes them.
    var arguments: [(name: String, shape: Value)]
    var isCallable: Bool
  }

  struct Table: Sendable {
    var fields: [String]
    var indexes: [String]
  }

  private(set) var functions: [String: Function] = [:]
  private(set) var tables: [String: Table] = [:]

  init() {}

  /// - Parameters:
  ///   - functions: as `_system:functions` lists them.
  ///   - tables: as `_system:tables` does.
  init(functions: Value, tables: Value) {
    for function in functions.elements {
      self.functions[function["name"]?.text ?? ""] = Function(
        kind: function["kind"].flatMap { FunctionKind(rawValue: $0.text) }, arguments: Self.members(function["args"]),
        isCallable: function["visibility"] != "internal")
    }
    for table in tables.elements {
      self.tables[table["name"]?.text ?? ""] = Table(
        fields: Self.members(table["schema"]).map(\.name), indexes: (table["indexes"]?.elements ?? []).compactMap { $0["name"]?.text })
    }
  }

  static func load(_ client: MartletClient) async -> ShellCatalog? {
    guard let functions = try? await client.query("_system:functions"), let tables = try? await client.query("_system:tables") else { return nil }
    return ShellCatalog(functions: functions, tables: tables)
  }

  /// An object's members; of a union of objects, those of each.
  private static func members(_ shape: Value?) -> [(name: String, shape: Value)] {
    guard let shape else { return [] }
    switch shape["type"] {
    case "object":
      guard case .object(let members)? = shape["value"] else { return [] }
      return members.map { ($0.key, $0.value["fieldType"] ?? ["type": "any"]) }
    case "union":
      var seen: Set<String> = []
      return (shape["value"]?.elements ?? []).flatMap { members($0) }.filter { seen.insert($0.name).inserted }
    default: return []
    }
  }

  /// The values that an argument of such a shape can have, where they are few.
  static func values(_ shape: Value) -> [String] {
    switch shape["type"] {
    case "boolean": ["true", "false"]
    case "literal":
      // A string is written without quotes, unless it would be read as something else.
      if case .string(let text)? = shape["value"] { (try? Value(json: text)) == nil ? [text] : [Value.string(text).json] } else { [] }
    case "union": (shape["value"]?.elements ?? []).flatMap { values($0) }
    default: []
    }
  }
}
