package import MartletValues

/// Writes values as Convex's export has them: a float64 always with a point or an exponent, an int64 as the plain number.
package enum UniformJSON {
  package static func write(_ value: Value, to writer: inout JSONWriter) {
    switch value {
    case .int64(let integer): writer.write(decimal: integer)
    case .float64(let number):
      guard number.isFinite else { return writer.write(double: number) }
      if number == 0, number.sign == .minus { return writer.write(raw: "-0.0") }
      let start = writer.count
      writer.write(double: number)
      let isWhole = writer.withUnsafeBytes { bytes in
        !bytes[start...].contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
      }
      if isWhole { writer.write(raw: ".0") }
    case .array(let elements):
      writer.write(byte: UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
        write(element, to: &writer)
      }
      writer.write(byte: UInt8(ascii: "]"))
    case .object(let object):
      writer.write(byte: UInt8(ascii: "{"))
      for (index, (key, value)) in object.enumerated() {
        if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
        writer.write(key: key)
        write(value, to: &writer)
      }
      writer.write(byte: UInt8(ascii: "}"))
    default: writer.write(value: value)
    }
  }
}
