import Testing

@testable import MartletValues

@Suite("JSON writer")
struct JSONWriterTests {
  private func text(_ double: Double) -> String { Value.float64(double).json }

  @Test("An integral double below 2^53 prints without a fraction")
  func integralDoubles() {
    #expect(text(0) == "0")
    #expect(text(1998) == "1998")
    #expect(text(-7) == "-7")
    #expect(text(0x1p53 - 1) == "9007199254740991")
    #expect(text(-0x1p53 + 1) == "-9007199254740991")
    #expect(text(0x1p53) == "9007199254740992.0")
    for shift in 0..<53 { #expect(text(Double(1 << shift)) == String(1 << shift)) }
    var power = 1
    while power < 1 << 52 {
      for number in [power - 1, power, power + 1] { #expect(text(Double(number)) == String(number)) }
      power *= 10
    }
  }

  @Test("A canonical copy of a text is what its value writes, and takes expressions as well", arguments: 0..<4 as Range<UInt64>)
  func canonicalCopy(seed: UInt64) throws {
    func copy(_ text: String) throws -> String {
      try Array(text.utf8).withUnsafeBytes { bytes in
        var reader = JSONReader(bytes)
        var writer = JSONWriter()
        try writer.write(canonical: &reader)
        try reader.finish()
        return writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
      }
    }
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let value = random.value(depth: 3)
      #expect(try copy(value.json) == value.json)
    }
    #expect(try copy(#" { "b" : [ 1.0 , -0 , "\u0061\/" ] , "a" : { } } "#) == #"{"a":{},"b":[1,{"$float":"AAAAAAAAAIA="},"a/"]}"#)
    #expect(try copy(#"{"$gt":[{"$field":"a"},{"$integer":"BQAAAAAAAAA="}],"$b":1,"é":null}"#) == #"{"$b":1,"$gt":[{"$field":"a"},{"$integer":"BQAAAAAAAAA="}],"é":null}"#)
    #expect(try copy(#"{"a":2,"b":3,"a":1}"#) == #"{"a":2,"a":1,"b":3}"#)
    #expect(throws: JSONError.self) { try copy(#"{"a":[1,]}"#) }
    #expect(throws: JSONError.self) { try copy(String(repeating: "[", count: 100)) }
  }

  @Test("Other doubles print as Swift prints them, the shortest that reads back", arguments: 0..<4 as Range<UInt64>)
  func fractions(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for round in 0..<40_000 {
      var double: Double
      switch round % 4 {
      case 0: double = Double(random.below(1 << 40)) / 1000
      case 1: double = Double(random.below(1 << 52)) / Double([10, 100, 1000, 1024, 10_000].randomElement(using: &random)!)
      case 2: double = Double(random.below(10_000)) / 1000
      default: double = Double(bitPattern: random.next())
      }
      if random.below(4) == 0 { double = random.below(2) == 0 ? double.nextUp : double.nextDown }
      guard double.isFinite, double.rounded() != double else { continue }
      #expect(text(double) == double.description)
      #expect(try reading(text(double)) { try $0.readDouble() } == double)
    }
    #expect(text(0.1) == "0.1")
    #expect(text(19.99) == "19.99")
    #expect(text(-0.005) == "-0.005")
    #expect(text(0.0005) == "0.0005")
    #expect(text(1_795_240_800_000.123) == "1795240800000.123")
  }

  @Test("Strings escape what JSON demands and nothing else")
  func strings() {
    #expect(Value.string("a\"b\\c/d\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é😀").json == #""a\"b\\c/d\b\f\n\r\t\u0000\u001f"# + "\u{7F}é😀\"")
    for length in 0..<40 {
      let plain = String(repeating: "x", count: length)
      #expect(Value.string(plain).json == "\"\(plain)\"")
      #expect(Value.string(plain + "\n").json == "\"\(plain)\\n\"")
      #expect(Value.string("\"" + plain).json == "\"\\\"\(plain)\"")
    }
  }

  @Test("A writer grows, is truncated and is used again without losing a byte")
  func growth() {
    var writer = JSONWriter(capacity: 1)
    var expected: [UInt8] = []
    var random = SeededGenerator(seed: 1)
    for round in 0..<3000 {
      switch random.below(5) {
      case 0:
        writer.write(byte: UInt8(truncatingIfNeeded: round))
        expected.append(UInt8(truncatingIfNeeded: round))
      case 1:
        writer.write(raw: [UInt8](repeating: 7, count: round % 300))
        expected += [UInt8](repeating: 7, count: round % 300)
      case 2:
        writer.write(key: "name")
        expected += Array("\"name\":".utf8)
      case 3:
        writer.write(decimal: Int64(round) - 1500)
        expected += Array(String(round - 1500).utf8)
      default:
        let kept = random.below(expected.count + 1)
        if expected.count > 20_000 {
          writer.truncate(to: kept)
          expected.removeSubrange(kept...)
        }
      }
    }
    #expect(writer.bytes == expected)
    #expect(writer.count == expected.count)
    writer.removeAll()
    writer.write(decimal: .min)
    writer.write(boolean: true)
    writer.writeNull()
    writer.write(raw: "raw")
    #expect(writer.bytes == Array("-9223372036854775808truenullraw".utf8))
  }

  @Test("A whole number beyond ±2^53 is noted, and its text is read as none; one within is written as it is")
  func wholeNumbers() throws {
    var writer = JSONWriter()
    for number in [0, 1, -1, 1 << 53, -1 << 53] {
      writer.removeAll()
      writer.write(wholeNumber: number)
      #expect(writer.unfitNumber == 0)
      #expect(try writer.withUnsafeBytes { bytes in
        var reader = JSONReader(bytes)
        return try Int.decode(from: &reader)
      } == number)
    }
    for number in [(1 << 53) + 1, -(1 << 53) - 1, (1 << 53) + 2, Int.max, Int.min] {
      writer.removeAll()
      writer.write(wholeNumber: number)
      #expect(writer.unfitNumber == number)
      #expect(throws: ValidationError.self) {
        try writer.withUnsafeBytes { bytes in
          var reader = JSONReader(bytes)
          return try Int.decode(from: &reader)
        }
      }
    }
    writer.removeAll()
    #expect(writer.unfitNumber == 0)
  }
}
