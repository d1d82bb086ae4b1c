/// A condition on documents as data: what a closure says, where it must be written down, sent, or looked at.
///
/// ```swift
/// .filter(.field("likes") > 0 && .field("address.city") == .value(city))
/// ```
///
/// As JSON it is Convex's: `{"$and":[{"$gt":[{"$field":"likes"},0]},{"$eq":[{"$field":"address.city"},"Rome"]}]}`. As an argument
/// of a function: `Arg("where", .filter)`.
///
/// **Values.** Comparisons use the one order over all values, so they never fail: missing < null < int64 < float64 < boolean <
/// string < bytes < array < object. No int64 equals a float64. A field that a document lacks is missing, and so is
/// `"a.b"` where `a` is no object.
///
/// **Errors.** `&&`, `||`, `!` and the whole expression want booleans; arithmetic wants two numbers of one type; an int64 may
/// not overflow or be divided by zero. `&&` and `||` look at no more than decides.
public indirect enum FilterExpression: Sendable {
  case literal(Value)
  /// What a field is that a document lacks.
  case missing
  case field(FieldPath)
  case comparison(Comparison, FilterExpression, FilterExpression)
  case arithmetic(Arithmetic, FilterExpression, FilterExpression)
  case negative(FilterExpression)
  /// All hold; so it does where there are none.
  case all([FilterExpression])
  /// One holds, at least.
  case any([FilterExpression])
  case not(FilterExpression)

  public enum Comparison: String, Sendable, CaseIterable {
    case equal = "$eq"
    case notEqual = "$neq"
    case less = "$lt"
    case lessOrEqual = "$lte"
    case greater = "$gt"
    case greaterOrEqual = "$gte"
  }

  public enum Arithmetic: String, Sendable, CaseIterable {
    case plus = "$add"
    case minus = "$sub"
    case times = "$mul"
    case divided = "$div"
    case remainder = "$mod"
  }

  /// A value of the app's own types.
  public static func value(_ value: some WireValue) -> FilterExpression {
    var writer = JSONWriter()
    value.encode(to: &writer)
    return writer.withUnsafeBytes {
      var reader = JSONReader($0)
      // What a type writes is JSON, but for names of fields that no document could have.
      return (try? reader.readValue()).map { .literal($0) } ?? .missing
    }
  }
}

/// Where in a document a field is: `likes`, or `address.city` for a field of an object.
public struct FieldPath: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  public let description: String
  let names: [ContiguousArray<UInt8>]

  public init(_ path: String) {
    description = path
    names = path.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(ContiguousArray.init)
  }

  public init(stringLiteral path: String) { self.init(path) }
}

extension FilterExpression {
  public static func == (left: FilterExpression, right: FilterExpression) -> FilterExpression { .comparison(.equal, left, right) }
  public static func != (left: FilterExpression, right: FilterExpression) -> FilterExpression { .comparison(.notEqual, left, right) }
  public static func < (left: FilterExpression, right: FilterExpression) -> FilterExpression { .comparison(.less, left, right) }
  public static func <= (left: FilterExpression, right: FilterExpression) -> FilterExpression {
    .comparison(.lessOrEqual, left, right)
  }
  public static func > (left: FilterExpression, right: FilterExpression) -> FilterExpression { .comparison(.greater, left, right) }
  public static func >= (left: FilterExpression, right: FilterExpression) -> FilterExpression {
    .comparison(.greaterOrEqual, left, right)
  }

  public static func + (left: FilterExpression, right: FilterExpression) -> FilterExpression { .arithmetic(.plus, left, right) }
  public static func - (left: FilterExpression, right: FilterExpression) -> FilterExpression { .arithmetic(.minus, left, right) }
  public static func * (left: FilterExpression, right: FilterExpression) -> FilterExpression { .arithmetic(.times, left, right) }
  public static func / (left: FilterExpression, right: FilterExpression) -> FilterExpression { .arithmetic(.divided, left, right) }
  public static func % (left: FilterExpression, right: FilterExpression) -> FilterExpression { .arithmetic(.remainder, left, right) }
  public static prefix func - (operand: FilterExpression) -> FilterExpression { .negative(operand) }

  // A chain of conditions is one list of them: nested, a few dozen would be deeper than JSON may be.
  public static func && (left: FilterExpression, right: FilterExpression) -> FilterExpression {
    if case .all(let conditions) = left { .all(conditions + [right]) } else { .all([left, right]) }
  }
  public static func || (left: FilterExpression, right: FilterExpression) -> FilterExpression {
    if case .any(let conditions) = left { .any(conditions + [right]) } else { .any([left, right]) }
  }
  public static prefix func ! (operand: FilterExpression) -> FilterExpression { .not(operand) }
}

// As for `Value`, a number is a float64.
extension FilterExpression: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  public init(integerLiteral value: Int64) { self = .literal(.float64(Double(value))) }
  public init(floatLiteral value: Double) { self = .literal(.float64(value)) }
  public init(stringLiteral value: String) { self = .literal(.string(value)) }
  public init(booleanLiteral value: Bool) { self = .literal(.boolean(value)) }
  public init(nilLiteral: ()) { self = .literal(.null) }
}
