import MartletValues

/// What a person writes after `--where`: `status == "paid" && !(total < 100 or address.city = 'Bern')`.
///
/// | | |
/// |---|---|
/// | comparisons | `==` or `=`, `!=`, `<`, `<=`, `>`, `>=`, between a field and a value, or two fields |
/// | joined by | `and` or `&&`, `or` or `\|\|`, `not` or `!`, parentheses; `not` binds closest, then `and` |
/// | fields | `status`, nested ones `address.city`; alone, a field means that it is true |
/// | values | JSON's, strings also between `'`; `5n` is an int64; `missing` is what an absent field has |
///
/// It is a pure type: it knows the text and the filter expression that the server takes, and nothing of tables. Whether a
/// field exists is the server's to say. Words of the language (`and`, `null`, …) can't be field names here.
indirect enum TypedFilter: Equatable {
  case comparison(Comparison, Operand, Operand)
  case and([TypedFilter])
  case or([TypedFilter])
  case not(TypedFilter)

  enum Comparison: String {
    case equal = "$eq"
    case unequal = "$neq"
    case less = "$lt"
    case lessOrEqual = "$lte"
    case greater = "$gt"
    case greaterOrEqual = "$gte"
  }

  enum Operand: Equatable {
    case field(String)
    case literal(Value)
    /// What a field has that isn't there; it comes before every value.
    case missing
  }

  /// Throws a `TypedFilterError`, which shows the place.
  init(_ text: String) throws {
    var parser = try TypedFilterParser(text)
    self = try parser.expression()
  }

  /// As the server takes it: `{"$gt":[{"$field":"total"},{"$literal":100}]}`.
  var json: Value {
    switch self {
    case .comparison(let comparison, let left, let right): .object([comparison.rawValue: [left.json, right.json]])
    case .and(let parts): ["$and": .array(parts.map(\.json))]
    case .or(let parts): ["$or": .array(parts.map(\.json))]
    case .not(let part): ["$not": part.json]
    }
  }
}

extension TypedFilter.Operand {
  var json: Value {
    switch self {
    case .field(let path): ["$field": .string(path)]
    case .literal(let value): ["$literal": value]
    case .missing: ["$literal": ["$undefined": nil]]
    }
  }
}

/// What is wrong with a filter, and where.
struct TypedFilterError: Error, Equatable, CustomStringConvertible {
  var reason: String
  var text: String
  /// In characters of the text.
  var position: Int

  /// The reason, the text, and a mark under the place.
  var description: String {
    // The text is shown in one line, whatever it holds.
    let characters = text.map { $0.isNewline || $0 == "\t" ? " " : $0 }
    let indent = String(repeating: " ", count: DisplayWidth.of(String(characters.prefix(position))))
    return "\(reason)\n  \(String(characters))\n  \(indent)^"
  }
}
