import Foundation
import MartletValues
import Testing

@Suite("JSON reader, fuzzed")
struct JSONReaderFuzzTests {
  /// Every way of reading the text. None may crash, and the ways must agree on what is well formed.
  private func readEveryWay(_ text: [UInt8]) {
    let accepted = isWellFormed(text)
    let value: Value? = try? text.withReader { (reader: inout JSONReader) throws -> Value in
      let value = try reader.readValue()
      try reader.finish()
      return value
    }
    if let value {
      #expect(accepted, "readValue accepts what skipValue refuses: \(text)")
      #expect((try? Value(json: value.json)) == value)
    }
    _ = try? text.withReader { try walk(&$0) }
    let walked: Bool? = try? text.withReader { (reader: inout JSONReader) throws -> Bool in
      try walk(&reader)
      try reader.finish()
      return true
    }
    #expect((walked ?? false) == accepted, "\(text)")
    var key = IndexKeyWriter()
    text.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      try? key.append(json: &reader)
    }
    _ = text.withUnsafeBytes { DocumentID(utf8: $0) }
  }

  private func walk(_ reader: inout JSONReader) throws {
    switch try reader.peek() {
    case .null: try reader.readNull()
    case .boolean: _ = try reader.readBoolean()
    case .number: _ = try reader.readDouble()
    case .string:
      if try reader.readUnescapedString() == nil { _ = try reader.readString() }
    case .array: try reader.readArray { reader throws in try walk(&reader) }
    case .object: try reader.readObject { reader, _ throws in try walk(&reader) }
    }
  }

  @Test("No mutation of a valid text crashes the reader, and its ways of reading agree", arguments: 0..<8 as Range<UInt64>)
  func mutatedTexts(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let interesting: [UInt8] = Array("\"\\{}[]:,0123456789-+.eEtfnu$ \n\u{0}".utf8) + [0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF]
    for _ in 0..<3000 {
      var text = Array(random.value(depth: 4).json.utf8)
      readEveryWay(text)
      for _ in 0..<1 + random.below(4) {
        let place = random.below(text.count + 1)
        switch random.below(4) {
        case 0 where place < text.count: text.remove(at: place)
        case 1: text.insert(interesting.randomElement(using: &random)!, at: place)
        case 2 where place < text.count: text[place] = interesting.randomElement(using: &random)!
        default: text.removeSubrange(place...)
        }
      }
      readEveryWay(text)
    }
  }

  @Test("Random bytes do not crash the reader", arguments: 0..<4 as Range<UInt64>)
  func randomBytes(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let structural = Array("{}[]\",:\\u0e1- ".utf8)
    for round in 0..<5000 {
      let text: [UInt8] = (0..<random.below(40)).map { _ in
        round % 2 == 0 ? UInt8(truncatingIfNeeded: random.next()) : structural.randomElement(using: &random)!
      }
      readEveryWay(text)
    }
  }

  @Test("What the reader reads is what Foundation's JSONSerialization reads", arguments: 0..<4 as Range<UInt64>)
  func agreesWithFoundation(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<1000 {
      let value = random.value(depth: 4)
      let options: JSONSerialization.WritingOptions = random.below(2) == 0 ? [.prettyPrinted, .fragmentsAllowed] : [.fragmentsAllowed]
      // Our text, read by Foundation.
      let theirs = try JSONSerialization.jsonObject(with: Data(value.json.utf8), options: .fragmentsAllowed)
      #expect(same(value, theirs), "\(value.json)")
      // Foundation's text, read by us.
      let text = try JSONSerialization.data(withJSONObject: theirs, options: options)
      #expect(try Value(json: String(decoding: text, as: UTF8.self)) == value, "\(value.json)")
    }
  }

  private func same(_ value: Value, _ theirs: Any) -> Bool {
    switch value {
    case .null: return theirs is NSNull
    case .boolean(let boolean): return (theirs as? Bool) == boolean
    case .string(let string): return (theirs as? String).map { Array($0.utf8) == Array(string.utf8) } ?? false
    case .float64(let double) where double.isFinite && !(double == 0 && double.sign == .minus): 
      // Foundation reads a long number as a decimal and rounds it to a double a second time. (Exactness is tested against the standard library's parser.)
      guard let number = theirs as? NSNumber else { return false }
      return abs(number.doubleValue - double) <= double.magnitude * 1e-14
    case .array(let elements):
      guard let others = theirs as? [Any], others.count == elements.count else { return false }
      return zip(elements, others).allSatisfy { same($0, $1) }
    case .object(let object):
      guard let others = theirs as? [String: Any], others.count == object.count else { return false }
      return object.allSatisfy { key, value in others[key].map { same(value, $0) } ?? false }
    case .int64, .bytes, .float64:
      // A special form: an object with one name for Foundation.
      guard let others = theirs as? [String: String], others.count == 1, let form = others.first else { return false }
      return value.json == "{\"\(form.key)\":\"\(form.value)\"}"
    }
  }
}
