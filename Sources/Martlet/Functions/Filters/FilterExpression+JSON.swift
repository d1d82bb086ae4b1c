extension FilterExpression: WireValue {
  /// Reads an expression: an object of one operator, or any other value, which is a literal.
  ///
  /// A `ValidationError` names the place: `$and[1].$eq: expected array of 2 expressions, found array of 3`.
  public static func decode(from reader: inout JSONReader) throws -> FilterExpression {
    // Names of operators begin with a $; those of fields can't, and those of special values (`$integer`) are told apart here.
    guard try reader.nextKindName() == "object", reader.isSpecialForm else { return .literal(try reader.readValue()) }
    var expression: FilterExpression?
    try reader.readObject { reader, key throws in
      guard expression == nil else { throw ValidationError(expected: "one operator in an object", found: "a second member") }
      let name = String(decoding: key, as: UTF8.self)
      do { expression = try operation(name, &reader) } catch { throw ValidationError.prefixing(error, .field(name)) }
    }
    return expression ?? .missing
  }

  private static func operation(_ name: String, _ reader: inout JSONReader) throws -> FilterExpression {
    if let comparison = Comparison(rawValue: name) {
      let (left, right) = try pair(&reader)
      return .comparison(comparison, left, right)
    }
    if let arithmetic = Arithmetic(rawValue: name) {
      let (left, right) = try pair(&reader)
      return .arithmetic(arithmetic, left, right)
    }
    switch name {
    case "$and": return .all(try [FilterExpression].decode(from: &reader))
    case "$or": return .any(try [FilterExpression].decode(from: &reader))
    case "$not": return .not(try decode(from: &reader))
    case "$neg": return .negative(try decode(from: &reader))
    case "$field": return .field(FieldPath(try String.decode(from: &reader)))
    case "$literal":
      guard try reader.nextKindName() == "object", reader.isSpecialForm else { return .literal(try reader.readValue()) }
      // What is no value: `{"$undefined":null}`, or a mistake.
      let inner = try decode(from: &reader)
      guard case .missing = inner else { throw ValidationError(expected: "a value", found: "an expression") }
      return .missing
    case "$undefined":
      try reader.expect("null")
      try reader.readNull()
      return .missing
    default:
      let names = Comparison.allCases.map(\.rawValue) + Arithmetic.allCases.map(\.rawValue) + ["$neg", "$and", "$or", "$not"]
      throw ValidationError(expected: "an operator: \(names.joined(separator: ", ")), $field or $literal", found: "another name")
    }
  }

  private static func pair(_ reader: inout JSONReader) throws -> (FilterExpression, FilterExpression) {
    let operands = try [FilterExpression].decode(from: &reader)
    guard operands.count == 2 else {
      throw ValidationError(expected: "array of 2 expressions", found: "array of \(operands.count)")
    }
    return (operands[0], operands[1])
  }

  public func encode(to writer: inout JSONWriter) {
    switch self {
    case .literal(let value): Self.write("$literal", to: &writer) { $0.write(value: value) }
    case .missing: Self.write("$literal", to: &writer) { $0.write(raw: #"{"$undefined":null}"#) }
    case .field(let path): Self.write("$field", to: &writer) { $0.write(string: path.description) }
    case .comparison(let comparison, let left, let right):
      Self.write(comparison.rawValue, to: &writer) { [left, right].encode(to: &$0) }
    case .arithmetic(let arithmetic, let left, let right):
      Self.write(arithmetic.rawValue, to: &writer) { [left, right].encode(to: &$0) }
    case .negative(let operand): Self.write("$neg", to: &writer) { operand.encode(to: &$0) }
    case .all(let conditions): Self.write("$and", to: &writer) { conditions.encode(to: &$0) }
    case .any(let conditions): Self.write("$or", to: &writer) { conditions.encode(to: &$0) }
    case .not(let condition): Self.write("$not", to: &writer) { condition.encode(to: &$0) }
    }
  }

  private static func write(_ name: String, to writer: inout JSONWriter, _ operand: (inout JSONWriter) -> Void) {
    writer.write(byte: UInt8(ascii: "{"))
    writer.write(key: name)
    operand(&writer)
    writer.write(byte: UInt8(ascii: "}"))
  }
}

extension Validator where T == FilterExpression {
  /// A filter that the caller sends. What it costs is bounded by what the function may read.
  public static var filter: Validator { Validator(shape: .any) }
}
