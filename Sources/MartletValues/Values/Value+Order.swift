extension Value: Comparable, Hashable {
  /// null < int64 < float64 < boolean < string < bytes < array < object; floats by IEEE total order, strings by UTF-8 bytes, arrays and objects element by element,
  /// a prefix first. Negative, zero or positive.
  public static func order(_ left: Value, _ right: Value) -> Int {
    switch (left, right) {
    case (.null, .null): 0
    case (.int64(let a), .int64(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.float64(let a), .float64(let b)): order(IndexKey.orderedBits(a), IndexKey.orderedBits(b))
    case (.boolean(let a), .boolean(let b)): (a ? 1 : 0) - (b ? 1 : 0)
    case (.string(let a), .string(let b)): order(utf8: a, b)
    case (.bytes(let a), .bytes(let b)): a.withUnsafeBytes { a in b.withUnsafeBytes { a.order($0) } }
    case (.array(let a), .array(let b)): order(a, b)
    case (.object(let a), .object(let b)): ObjectValue.order(a, b)
    default: left.rank - right.rank
    }
  }

  private var rank: Int {
    switch self {
    case .null: 0
    case .int64: 1
    case .float64: 2
    case .boolean: 3
    case .string: 4
    case .bytes: 5
    case .array: 6
    case .object: 7
    }
  }

  static func order(utf8 left: String, _ right: String) -> Int {
    left.withUTF8Bytes { left in right.withUTF8Bytes { left.order($0) } }
  }

  @usableFromInline
  static func precedes(utf8 left: String, _ right: String) -> Bool { order(utf8: left, right) < 0 }

  private static func order(_ left: UInt64, _ right: UInt64) -> Int { left < right ? -1 : left > right ? 1 : 0 }

  private static func order(_ left: [Value], _ right: [Value]) -> Int {
    for index in 0..<min(left.count, right.count) {
      let elements = order(left[index], right[index])
      if elements != 0 { return elements }
    }
    return left.count - right.count
  }

  public static func < (left: Value, right: Value) -> Bool { order(left, right) < 0 }

  public static func == (left: Value, right: Value) -> Bool { order(left, right) == 0 }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(rank)
    switch self {
    case .null: break
    case .int64(let value): hasher.combine(value)
    case .float64(let value): hasher.combine(value.bitPattern)
    case .boolean(let value): hasher.combine(value)
    case .string(let value): value.withUTF8Bytes { hasher.combine(bytes: $0) }
    case .bytes(let value): hasher.combine(value)
    case .array(let elements): hasher.combine(elements)
    case .object(let object): object.hash(into: &hasher)
    }
  }
}
