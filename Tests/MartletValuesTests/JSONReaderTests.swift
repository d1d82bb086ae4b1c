import MartletValues
import Testing

@Suite("JSON reader")
struct JSONReaderTests {
  @Test(
    "Malformed text is refused",
    arguments: [
      "", " ", "nul", "nulll", "tru", "falsey", "+1", "-", "01", "-01", "1.", ".5", "1e", "1e+", "1.e1", "0x1", "NaN", "Infinity", "1e400", "-1e400",
      "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u123g\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "\"a\nb\"", "\"\u{0}\"", "\"\\",
      "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{,}", "{1:2}",
      "[1}", "{\"a\":1]", "1 2", "'a'", "/*c*/1", "\u{FEFF}1", "[\u{A0}1]", "\u{B}1",
    ])
  func malformed(text: String) {
    #expect(!isWellFormed(Array(text.utf8)))
    #expect(throws: (any Error).self) { try Value(json: text) }
  }

  @Test(
    "Ill-formed UTF-8 is refused",
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xE2, 0x82],
      [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xFF], [0xFE],
    ] as [[UInt8]])
  func illFormedUTF8(bytes: [UInt8]) {
    #expect(!isWellFormed([0x22] + bytes + [0x22]))
    #expect(!isWellFormed([0x22] + Array("long enough to be read in words ".utf8) + bytes + Array(" and more of the same\"".utf8)))
    #expect(!isWellFormed([0x22] + bytes))
  }

  @Test("Every scalar is accepted in a string, bare and escaped")
  func everyScalar() throws {
    for code in stride(from: UInt32(0x20), through: 0x10FFFF, by: 1) {
      guard let scalar = Unicode.Scalar(code), scalar != "\"", scalar != "\\" else { continue }
      if code > 0x3000 && code % 61 != 0 && code & 0xFFF > 2 && code & 0xFFF < 0xFFD { continue }
      let bare = try reading("\"\(scalar)\"") { try $0.readString() }
      #expect(Array(bare.unicodeScalars) == [scalar])
      let units = Array(String(scalar).utf16).map { "\\u" + String(repeating: "0", count: 4 - String($0, radix: 16).count) + String($0, radix: 16) }
      let escaped = try reading("\"\(units.joined())\"") { try $0.readString() }
      #expect(Array(escaped.unicodeScalars) == [scalar])
    }
  }

  @Test("The nearest double is read, for numbers of every shape", arguments: 0..<4 as Range<UInt64>)
  func numbers(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for round in 0..<40_000 {
      var text: String
      switch round % 4 {
      case 0: text = Double(bitPattern: random.next()).description
      case 1: text = random.double().description
      case 2:  // up to 21 digits with a point anywhere
        var digits = String((0..<1 + random.below(21)).map { _ in "0123456789".randomElement(using: &random)! })
        digits = String(digits.drop { $0 == "0" })
        if digits.isEmpty { digits = "0" }
        let whole = 1 + random.below(digits.count)
        text = String(digits.prefix(whole)) + (whole < digits.count ? "." + digits.dropFirst(whole) : "")
      default: text = "\(random.next() >> UInt64(random.below(64)))e\(random.below(50) - 25)"
      }
      guard let expected = Double(text), expected.isFinite else { continue }
      if random.below(3) == 0, !text.hasPrefix("-") { text = "-" + text }
      let sign: Double = text.hasPrefix("-") != (expected.sign == .minus) ? -1 : 1
      let found = try reading(text) { try $0.readDouble() }
      #expect(found.bitPattern == (sign * expected).bitPattern, "\(text)")
      #expect(isWellFormed(Array(text.utf8)))
    }
  }

  @Test("Halfway cases round to even, and neighbours of them away")
  func halfway() throws {
    for text in ["9007199254740993", "9007199254740992.9999", "9007199254740993.0001", "900719925474099.35", "1.00000000000000011", "4503599627370497.5", "18446744073709551615", "9999999999999999999"] {
      #expect(try reading(text) { try $0.readDouble() } == Double(text)!, "\(text)")
    }
    #expect(try reading("1e-400") { try $0.readDouble() } == 0)
    #expect(try reading("-0") { try $0.readDouble() }.sign == .minus)
    #expect(try reading("0." + String(repeating: "0", count: 400) + "1e401") { try $0.readDouble() } == 1)
    #expect(throws: JSONError.self) { try reading("1" + String(repeating: "0", count: 400)) { try $0.readDouble() } }
    #expect(throws: JSONError.self) { try reading("1e99999999999999999999999") { try $0.skipValue() } }
    #expect(try reading("1e-99999999999999999999999") { try $0.readDouble() } == 0)
  }

  @Test("Nesting is bounded: one level more than the maximum is an error, in every way of reading")
  func depth() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      func nested(_ levels: Int) -> [UInt8] {
        Array((String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)).utf8)
      }
      for maximum in [1, 5, 64, 256] {
        #expect(isWellFormed(nested(maximum), maximumDepth: maximum))
        #expect(!isWellFormed(nested(maximum + 1), maximumDepth: maximum))
        #expect((try? nested(maximum).withReader(maximumDepth: maximum) { try $0.readValue() }) != nil)
        #expect((try? nested(maximum + 1).withReader(maximumDepth: maximum) { try $0.readValue() }) == nil)
      }
      #expect(!isWellFormed(nested(1_000_000), maximumDepth: .max))
      #expect(!isWellFormed(Array(String(repeating: open, count: 1_000_000).utf8), maximumDepth: .max))
    }
  }

  @Test("An error says what stands where, and what was expected")
  func messages() {
    func message(_ text: String) -> String {
      do {
        _ = try Value(json: text)
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(message("{\"a\": [1 x]}") == "unexpected character 'x' at byte 9, expected , or ]")
    #expect(message("{\"a\":1 ") == "unexpected end at byte 7, expected a value")
    #expect(message("[\u{1}]") == "unexpected character 0x01 at byte 1, expected a value")
    #expect(message("007") == "leading zero at byte 0")
    #expect(message("\"\\ud800\"") == "lone surrogate at byte 1")
  }

  @Test(
    "What is JSON but no value is refused by readValue alone",
    arguments: [
      "{\"\":1}", "{\"$a\":1}", "{\"é\":1}", "{\"a\":1,\"a\":2}", "{\"b\":1,\"a\":2,\"b\":3}", "{\"a\\u0000\":1}", "{\"a\":1,\"$integer\":\"AAAAAAAAAAA=\"}",
      "{\"$integer\":\"AAAAAAAAAAA=\",\"a\":1}", "{\"$integer\":1}", "{\"$integer\":\"AAAAAAAAAA==\"}", "{\"$integer\":\"AAAAAAAAAAB=\"}", "{\"$integer\":\"\"}",
      "{\"$float\":\"AAAAAAAA8D8=\"}", "{\"$float\":\"AAAAAAAAAAA=\"}", "{\"$bytes\":\"A\"}", "{\"$bytes\":\"AB==\"}", "{\"$bytes\":\"AA=A\"}", "{\"$bytes\":\"====\"}",
      "{\"$bytes\":\"AA*=\"}", "{\"$set\":[]}", "{\"$undefined\":null}", "{\"$integ\\u0065r\":\"AAAAAAAAAAA=\"}",
    ])
  func notValues(text: String) {
    #expect(isWellFormed(Array(text.utf8)))
    #expect(throws: JSONError.self) { try Value(json: text) }
  }

  @Test("The special forms are read and written as Convex spells them")
  func specialForms() throws {
    let forms: [(Value, String)] = [
      (.int64(3), #"{"$integer":"AwAAAAAAAAA="}"#), (.int64(.max), #"{"$integer":"/////////38="}"#), (.int64(.min), #"{"$integer":"AAAAAAAAAIA="}"#),
      (.int64(-1), #"{"$integer":"//////////8="}"#), (.float64(.nan), #"{"$float":"AAAAAAAA+H8="}"#), (.float64(.infinity), #"{"$float":"AAAAAAAA8H8="}"#),
      (.float64(-.infinity), #"{"$float":"AAAAAAAA8P8="}"#), (.float64(-0.0), #"{"$float":"AAAAAAAAAIA="}"#), (.bytes([0, 1, 2]), #"{"$bytes":"AAEC"}"#),
      (.bytes([]), #"{"$bytes":""}"#), (.bytes([255]), #"{"$bytes":"/w=="}"#),
    ]
    for (value, text) in forms {
      #expect(value.json == text)
      #expect(try Value(json: text) == value)
      #expect(try Value(json: text.replacing("/", with: "\\/")) == value)
      #expect(try Value(json: "[ \(text.replacing(":", with: " : ")) ]") == [value])
    }
  }

  @Test("A string with escapes is not lent, and nothing of it is consumed")
  func unescapedStrings() throws {
    try reading(#"["plain", "a\tb", "é"]"#) { reader in
      var strings: [String] = []
      try reader.readArray { reader throws in
        let before = reader.position
        if let body = try reader.readUnescapedString() {
          strings.append(String(decoding: body, as: UTF8.self))
        } else {
          #expect(reader.position == before || reader.position == before + 1)  // at most the space before it
          strings.append("escaped " + (try reader.readString()))
        }
      }
      #expect(strings == ["plain", "escaped a\tb", "é"])
    }
  }

  @Test("Members arrive with their names unescaped, and skipValue answers the bytes of a value")
  func membersAndRanges() throws {
    try reading(#" { "a" : [1, {"x": "]}"}] , "\u0062\n" : "t" } "#) { reader in
      var members: [String] = []
      try reader.readObject { reader, key throws in
        let name = String(decoding: key, as: UTF8.self)
        let range = try reader.skipValue()
        members.append(name + "=" + String(decoding: reader.bytes(in: range), as: UTF8.self))
      }
      try reader.finish()
      #expect(members == [#"a=[1, {"x": "]}"}]"#, "b\n=\"t\""])
    }
  }
}
