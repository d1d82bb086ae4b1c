import MartletValues
import Testing

@Suite("Values")
struct ValueTests {
  @Test("Kinds are ordered null, int64, float64, boolean, string, bytes, array, object")
  func kindsAreOrdered() {
    let ascending: [Value] = [
      .null, .int64(.min), .int64(-1), .int64(.max), .float64(-.nan), .float64(-.infinity), -1, .float64(-0.0), 0, 1, .float64(.infinity), .float64(.nan),
      false, true, "", "a", "aa", "b", .string("\u{FFFF}"), .string("😀"), .bytes([]), .bytes([0]), .bytes([0, 0]), .bytes([1]),
      [], [nil], [nil, nil], [0], [:], ["a": nil], ["a": nil, "b": nil], ["a": 0], ["b": nil],
    ]
    for (left, low) in ascending.enumerated() {
      for (right, high) in ascending.enumerated() {
        #expect((low < high) == (left < right), "\(low) and \(high)")
        #expect((low == high) == (left == right), "\(low) and \(high)")
      }
    }
  }

  @Test("Equality is by bits: −0 is not 0, NaN equals itself, an int64 equals no float64, and only the same UTF-8 is the same string")
  func equality() {
    #expect(Value.float64(-0.0) != 0)
    #expect(Value.float64(.nan) == .float64(.nan))
    #expect(Value.int64(1) != 1)
    #expect(Value.string("\u{E9}") != .string("e\u{301}"))
    #expect(Set<Value>([.float64(0), .float64(-0.0), .int64(0), .string("\u{E9}"), .string("e\u{301}")]).count == 5)
  }

  @Test("Equal values have equal hashes and equal texts, and a text reads back as the value", arguments: 0..<4 as Range<UInt64>)
  func textsRoundTrip(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      var value = random.value(depth: 4)
      // A NaN's payload and sign travel too, as bits.
      let text = value.json
      let back = try Value(json: text)
      #expect(back == value, "\(text)")
      #expect(back.hashValue == value.hashValue)
      #expect(back.json == text)
      value = random.value()
      #expect((value == back) == (value.json == text))
    }
  }

  @Test("An object keeps its fields sorted by name, whatever the order they came in")
  func objectFieldsAreSorted() {
    var object: ObjectValue = ["b": 1, "a": 2, "Z": 3]
    #expect(object.map(\.key) == ["Z", "a", "b"])
    object["aa"] = 4
    object["Z"] = nil
    object["b"] = 5
    object["none"] = nil
    #expect(object == ["a": 2, "aa": 4, "b": 5])
    #expect(object["aa"] == 4)
    #expect(object["Z"] == nil)
    #expect(Value.object(object)["b"] == 5)
  }

  @Test("An integer literal is a float64, as a number in JSON is")
  func integerLiteral() throws {
    #expect(try Value(json: "3") == 3)
    #expect(Value.float64(3) == 3)
  }
}
