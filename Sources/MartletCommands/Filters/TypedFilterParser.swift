/// Recursive descent over a filter's tokens: `or` of `and`s of `not`s of comparisons.
struct TypedFilterParser {
  private var tokens: TypedFilterTokenizer
  private var token: TypedFilterToken
  private var depth = 0

  /// The server reads JSON to 64 levels, and each level here takes two of them.
  private static let deepest = 24

  init(_ text: String) throws {
    tokens = TypedFilterTokenizer(text)
    token = try tokens.next()
  }

  /// The whole text.
  mutating func expression() throws -> TypedFilter {
    if token.kind == .end { throw error("there is no filter; write one such as total > 100") }
    let expression = try disjunction()
    switch token.kind {
    case .end: return expression
    case .close: throw error("this parenthesis closes none")
    case .comparison: throw error("comparisons can't be chained; join two by \"and\"")
    default: throw error("expected \"and\", \"or\" or the end, found \(found)")
    }
  }

  private mutating func disjunction() throws -> TypedFilter {
    var parts = [try conjunction()]
    while try take(.or) { parts.append(try conjunction()) }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func conjunction() throws -> TypedFilter {
    var parts = [try negation()]
    while try take(.and) { parts.append(try negation()) }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func negation() throws -> TypedFilter {
    guard token.kind == .not || token.kind == .open else { return try comparison() }
    guard depth < Self.deepest else { throw error("this is nested more than \(Self.deepest) levels deep") }
    depth += 1
    defer { depth -= 1 }
    if try take(.not) { return .not(try negation()) }
    let opening = token
    _ = try take(.open)
    let expression = try disjunction()
    guard try take(.close) else {
      if token.kind == .end { throw tokens.error("this parenthesis is not closed", at: opening.position) }
      throw error("expected \"and\", \"or\" or \")\", found \(found)")
    }
    return expression
  }

  private mutating func comparison() throws -> TypedFilter {
    let first = token
    guard let left = try operand() else { throw error("expected a field or a value, found \(found)") }
    guard case .comparison(let comparison) = token.kind else {
      // A field alone asks whether it is true.
      if case .field = left { return .comparison(.equal, left, .literal(true)) }
      throw tokens.error("a value alone is no filter; compare it: total > 100", at: first.position)
    }
    let sign = token.text
    token = try tokens.next()
    guard let right = try operand() else { throw error("expected a field or a value after \"\(sign)\", found \(found)") }
    return .comparison(comparison, left, right)
  }

  private mutating func operand() throws -> TypedFilter.Operand? {
    guard case .operand(let operand) = token.kind else { return nil }
    token = try tokens.next()
    return operand
  }

  private mutating func take(_ kind: TypedFilterToken.Kind) throws -> Bool {
    guard token.kind == kind else { return false }
    token = try tokens.next()
    return true
  }

  private var found: String { token.kind == .end ? "the end" : "\"\(token.text)\"" }

  private func error(_ reason: String) -> TypedFilterError { tokens.error(reason, at: token.position) }
}
