import MartletValues

extension SeededGenerator {
  /// Values of all kinds, chosen so that neighbours in the order, prefixes and equal values are common.
  mutating func value(depth: Int = 3) -> Value {
    switch below(depth > 0 ? 10 : 8) {
    case 0: return .null
    case 1: return .int64(integer())
    case 2, 3: return .float64(double())
    case 4: return .boolean(below(2) == 0)
    case 5, 6: return .string(string())
    case 7: return .bytes((0..<below(20)).map { _ in [0, 1, 0x7F, 0xFF].randomElement(using: &self)! })
    case 8: return .array((0..<below(4)).map { _ in value(depth: depth - 1) })
    default:
      var object = ObjectValue()
      for _ in 0..<below(4) { object[["a", "b", "ab", "~", " ", "longer name of a field"].randomElement(using: &self)!] = value(depth: depth - 1) }
      return .object(object)
    }
  }

  mutating func integer() -> Int64 {
    let edges: [Int64] = [0, 1, -1, 127, 128, -128, -129, 32767, 32768, -32768, -32769, 1 << 31, 1 << 31 - 1, -(1 << 31), -(1 << 31) - 1, .max, .min]
    return below(2) == 0 ? edges.randomElement(using: &self)! : Int64(truncatingIfNeeded: next()) >> Int64(below(64))
  }

  mutating func double() -> Double {
    switch below(6) {
    case 0: return [0, -0.0, 1, -1, .infinity, -.infinity, .nan, -.nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0x1p53, 0x1p53 - 1, 1e21].randomElement(using: &self)!
    case 1: return Double(below(2000) - 1000)
    case 2: return Double(below(2_000_000) - 1_000_000) / 1000
    case 3: return 1_795_240_800_000 + Double(below(100_000)) / 1024
    default: return Double(bitPattern: next())
    }
  }

  mutating func string() -> String {
    let pieces = ["", "a", "b", "\u{0}", "\u{1}", "\"", "\\", "\n", "é", "e\u{301}", "日本", "😀", "\u{FFFF}", "\u{D7FF}", "\u{10FFFF}", "plain text of some length"]
    return (0..<below(5)).map { _ in pieces.randomElement(using: &self)! }.joined()
  }
}

extension Array where Element == UInt8 {
  func withReader<R>(maximumDepth: Int = 64, _ body: (inout JSONReader) throws -> R) rethrows -> R {
    try withUnsafeBytes { bytes in
      var reader = JSONReader(bytes, maximumDepth: maximumDepth)
      return try body(&reader)
    }
  }
}

/// Whether the whole text is one well-formed value.
func isWellFormed(_ text: [UInt8], maximumDepth: Int = 64) -> Bool {
  do {
    try text.withReader(maximumDepth: maximumDepth) { reader in
      _ = try reader.skipValue()
      try reader.finish()
    }
    return true
  } catch { return false }
}

func reading<R>(_ text: String, _ body: (inout JSONReader) throws -> R) rethrows -> R { try Array(text.utf8).withReader(body) }
