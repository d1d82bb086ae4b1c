import MartletValues

/// One value as the text of a table's cell, in one line.
///
/// Strings stand without quotes, as a person would write them. Control characters are shown as escapes: data come from
/// anyone, and a terminal would obey them.
struct CellText: Hashable {
  enum Alignment: Hashable { case left, right }

  var text: String
  var alignment = Alignment.left
  var style = TextStyle.plain

  init(_ value: Value, field: String? = nil) {
    switch value {
    case .null: text = "null"
    case .boolean(let value): text = value ? "true" : "false"
    case .int64(let value):
      text = String(value)
      alignment = .right
    case .float64(let value):
      if field == "_creationTime", let time = ISOTime.text(milliseconds: value) {
        text = time
      } else {
        text = Self.number(value)
        alignment = .right
      }
    case .string(let value): text = Self.printable(value)
    case .bytes(let value): text = "\(value.count) bytes"
    case .array, .object: text = Self.printable(value.json)
    }
  }

  /// JSON's form of a number, but for the four that JSON can't write.
  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    if value == 0 { return value.sign == .minus ? "-0" : "0" }
    return Value.float64(value).json
  }

  private static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Controls and the marks that turn the direction of writing, which can make a line read as another.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
