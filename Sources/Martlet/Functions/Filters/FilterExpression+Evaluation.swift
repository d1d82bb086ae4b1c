/// Why an expression has no value for a document.
struct FilterError: Error, CustomStringConvertible {
  let description: String
}

extension FilterExpression {
  /// Whether the document is one of those that the expression asks for. Reads of it the fields that the expression comes to.
  func holds(for document: DocumentStorage) throws -> Bool { try truth(document, "the filter") }

  private func truth(_ document: DocumentStorage, _ place: String) throws -> Bool {
    // Not built as a value first: most of an expression's nodes are conditions.
    switch self {
    case .comparison(let comparison, let left, let right):
      return comparison.holds(for: try Operand.order(left.operand(document), right.operand(document)))
    case .all(let conditions):
      for condition in conditions where try !condition.truth(document, "$and") { return false }
      return true
    case .any(let conditions):
      for condition in conditions where try condition.truth(document, "$or") { return true }
      return false
    case .not(let condition): return try !condition.truth(document, "$not")
    case .literal, .missing, .field, .arithmetic, .negative:
      let operand = try operand(document)
      guard case .value(.boolean(let truth)) = operand else {
        throw FilterError(description: "\(place) expected boolean, found \(operand.kindName)\(naming)")
      }
      return truth
    }
  }

  private func operand(_ document: DocumentStorage) throws -> Operand {
    switch self {
    case .literal(let value): return .value(value)
    case .missing: return .missing
    case .field(let path): return try document.operand(at: path)
    case .arithmetic(let arithmetic, let left, let right):
      return try arithmetic.result(left.operand(document), right.operand(document))
    case .negative(let operand):
      switch try operand.operand(document) {
      case .value(.float64(let number)): return .value(.float64(-number))
      case .value(.int64(let number)):
        guard number != .min else { throw FilterError(description: "$neg: int64 overflow") }
        return .value(.int64(-number))
      case let other: throw FilterError(description: "$neg expected number or int64, found \(other.kindName)\(operand.naming)")
      }
    case .comparison, .all, .any, .not: return .value(.boolean(try truth(document, "")))
    }
  }

  /// For errors: which field it was.
  private var naming: String {
    if case .field(let path) = self { " in field \"\(path)\"" } else { "" }
  }
}

/// A value, or none.
private enum Operand {
  case missing
  case value(Value)

  var kindName: String {
    switch self {
    case .missing: "nothing"
    case .value(let value): value.kindName
    }
  }

  static func order(_ left: Operand, _ right: Operand) -> Int {
    switch (left, right) {
    case (.missing, .missing): 0
    case (.missing, .value): -1
    case (.value, .missing): 1
    case (.value(let left), .value(let right)): Value.order(left, right)
    }
  }
}

extension FilterExpression.Comparison {
  fileprivate func holds(for order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }
}

extension FilterExpression.Arithmetic {
  fileprivate func result(_ left: Operand, _ right: Operand) throws -> Operand {
    switch (left, right) {
    case (.value(.float64(let left)), .value(.float64(let right))): .value(.float64(result(left, right)))
    case (.value(.int64(let left)), .value(.int64(let right))): .value(.int64(try result(left, right)))
    default:
      throw FilterError(
        description: "\(rawValue) expected two numbers or two int64, found \(left.kindName) and \(right.kindName)")
    }
  }

  private func result(_ left: Double, _ right: Double) -> Double {
    switch self {
    case .plus: left + right
    case .minus: left - right
    case .times: left * right
    case .divided: left / right
    case .remainder: left.truncatingRemainder(dividingBy: right)
    }
  }

  private func result(_ left: Int64, _ right: Int64) throws -> Int64 {
    if right == 0, self == .divided || self == .remainder {
      throw FilterError(description: "\(rawValue): an int64 can't be divided by zero")
    }
    let (result, overflow) =
      switch self {
      case .plus: left.addingReportingOverflow(right)
      case .minus: left.subtractingReportingOverflow(right)
      case .times: left.multipliedReportingOverflow(by: right)
      case .divided: left.dividedReportingOverflow(by: right)
      case .remainder: left.remainderReportingOverflow(dividingBy: right)
      }
    guard !overflow else { throw FilterError(description: "\(rawValue): int64 overflow") }
    return result
  }
}

extension DocumentStorage {
  /// A field's value. Of what the path leads through, names are looked at, and the values beside it are passed over.
  fileprivate func operand(at path: FieldPath) throws -> Operand {
    guard var json = path.names[0].withUnsafeBytes({ value(named: $0) }) else { return .missing }
    for name in path.names.dropFirst() {
      guard json.first == UInt8(ascii: "{") else { return .missing }
      var member: UnsafeRawBufferPointer?
      var reader = JSONReader(json)
      try name.withUnsafeBytes { name in
        try reader.readObject { reader, key in
          let isSought = compareBytes(key, name) == 0
          let range = try reader.skipValue()
          if isSought { member = UnsafeRawBufferPointer(rebasing: json[range]) }
        }
      }
      guard let member else { return .missing }
      json = member
    }
    var reader = JSONReader(json)
    return .value(try reader.readValue())
  }
}
