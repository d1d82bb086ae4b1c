import MartletTesting
import MartletValues
import MartletWire
import TestSupport
import Testing

/// Random values as answers have them, and random edits of them.
struct RandomAnswers {
  var random: TestRandom
  private var lastID = 0

  init(seed: UInt64) { random = TestRandom(seed: seed) }

  mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }
  mutating func oneIn(_ count: Int) -> Bool { number(0..<count) == 0 }

  mutating func scalar() -> Value {
    switch number(0..<9) {
    case 0: .null
    case 1: .boolean(oneIn(2))
    case 2: .int64(Int64(number(0..<4)))
    case 3: .float64(Double(number(0..<100_000)) / 100)
    case 4: .string(["", "\"", "\\", "a\nb", "]},{[", "Grüße", "👋🏽", "\\\""][number(0..<8)])
    case 5: .string(String(repeating: "lorem ipsum ", count: number(0..<6)))
    case 6: .bytes((0..<number(0..<5)).map { UInt8($0) })
    default: .float64(Double(number(0..<20)))
    }
  }

  mutating func row(depth: Int = 2) -> Value {
    lastID += 1
    var row: ObjectValue = ["_creationTime": .float64(Double(1_795_240_800_000 + lastID)), "_id": .string("id\(lastID)")]
    for name in ["Aa", "balance", "owner", "tags", "zip"] where !oneIn(4) {
      row[name] = oneIn(5) ? value(depth: depth - 1) : scalar()
    }
    return .object(row)
  }

  mutating func value(depth: Int) -> Value {
    guard depth > 0 else { return scalar() }
    switch number(0..<7) {
    case 0: return scalar()
    case 1, 2: return .array((0..<number(0..<12)).map { _ in row(depth: depth - 1) })
    case 3: return .array((0..<number(0..<12)).map { _ in scalar() })
    case 4: return .array((0..<number(0..<5)).map { _ in value(depth: depth - 1) })
    case 5: return ["continueCursor": scalar(), "isDone": .boolean(oneIn(2)), "page": .array((0..<number(0..<30)).map { _ in row(depth: depth - 1) })]
    default:
      var object: ObjectValue = [:]
      for _ in 0..<number(0..<6) { object["f\(number(0..<12))"] = value(depth: depth - 1) }
      return .object(object)
    }
  }

  mutating func edited(_ value: Value, depth: Int = 4) -> Value {
    switch value {
    case .array(var list):
      for _ in 0..<number(1..<4) {
        let index = list.isEmpty ? 0 : number(0..<list.count)
        switch number(0..<12) {
        case 0: list.insert(oneIn(2) ? row() : scalar(), at: index)
        case 1: list.append(contentsOf: (0..<number(1..<4)).map { _ in row() })
        case 2, 3: if !list.isEmpty { list.remove(at: index) }
        case 4, 5: if !list.isEmpty { list.insert(list.remove(at: index), at: number(0..<(list.count + 1))) }
        case 6: if !list.isEmpty { list.removeSubrange(index..<number(index..<(list.count + 1))) }
        case 7: if oneIn(4) { list.shuffle(using: &random) }
        case 8: if oneIn(4) { list.reverse() }
        case 9: if !list.isEmpty { list.insert(list[index], at: number(0..<(list.count + 1))) }
        default: if !list.isEmpty { list[index] = edited(list[index], depth: depth - 1) }
        }
      }
      return .array(list)
    case .object(var object):
      for _ in 0..<number(1..<3) {
        switch number(0..<6) {
        case 0: object["f\(number(0..<12))"] = self.value(depth: 1)
        case 1: if let name = object.randomElement(using: &random)?.key { object[name] = nil }
        default: if let (name, member) = object.randomElement(using: &random) { object[name] = edited(member, depth: depth - 1) }
        }
      }
      return .object(object)
    default: return oneIn(6) ? self.value(depth: 1) : scalar()
    }
  }
}

extension Value {
  fileprivate var isContainer: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }
}

@Suite("Patches of random values")
struct PatchModelTests {
  @Test("G5: what a patch makes of the old value is the new one, to the byte, in two ways of applying it", arguments: 1...40)
  func model(seed: UInt64) throws {
    var answers = RandomAnswers(seed: seed)
    var sent = 0
    var bytes = (whole: 0, sent: 0)
    var value = answers.value(depth: 3)
    for _ in 0..<600 {
      let old = value
      value = answers.oneIn(12) ? answers.value(depth: 3) : answers.edited(value)
      let (oldText, newText) = (old.json, value.json)
      guard let patch = difference(oldText, newText, atMost: .max) else {
        #expect(!old.isContainer || !value.isContainer || oldText.first != newText.first, "there is a patch between two lists, or two objects")
        continue
      }
      #expect(try apply(patch, to: oldText) == newText, "\(patch)\nof \(oldText)")
      #expect(try old.patched(by: Value(json: patch)) == value, "\(patch)\nof \(oldText)")
      if oldText == newText { #expect(patch == "[]") }
      let short = difference(oldText, newText)
      if let short {
        #expect(short == patch)
        #expect(short.utf8.count * 4 <= newText.utf8.count * 3)
        sent += 1
        bytes.whole += newText.utf8.count
        bytes.sent += short.utf8.count
      }
    }
    #expect(sent > 100, "most edits of what is long enough are patches: \(sent)")
    #expect(bytes.sent * 3 < bytes.whole, "\(bytes)")
  }

  @Test("Long lists under many edits at once", arguments: 1...10)
  func longLists(seed: UInt64) throws {
    var answers = RandomAnswers(seed: seed &+ 1_000)
    var list = (0..<400).map { _ in answers.row() }
    for _ in 0..<25 {
      let old = list
      for _ in 0..<answers.number(1..<40) {
        let index = answers.number(0..<list.count)
        switch answers.number(0..<5) {
        case 0: list.insert(answers.row(), at: index)
        case 1: list.remove(at: index)
        case 2: list.insert(list.remove(at: index), at: answers.number(0..<list.count))
        default: list[index] = answers.edited(list[index])
        }
      }
      let (oldText, newText) = (Value.array(old).json, Value.array(list).json)
      let patch = try #require(difference(oldText, newText))
      #expect(patch.utf8.count * 2 < newText.utf8.count)
      #expect(try apply(patch, to: oldText) == newText)
      #expect(try Value.array(old).patched(by: Value(json: patch)) == .array(list))
    }
  }

  @Test("Bytes that were changed at random are refused or read as something else, and never read outside of the text", arguments: 1...20)
  func garbage(seed: UInt64) {
    var answers = RandomAnswers(seed: seed &+ 2_000)
    let marks = Array(#"[]{}",:\ 0"#.utf8)
    func damaged(_ text: String) -> [UInt8] {
      var bytes = Array(text.utf8)
      for _ in 0..<answers.number(0..<4) where !bytes.isEmpty {
        let index = answers.number(0..<bytes.count)
        switch answers.number(0..<4) {
        case 0: bytes[index] = marks[answers.number(0..<marks.count)]
        case 1: bytes.remove(at: index)
        case 2: bytes.removeSubrange(index...)
        default: bytes.insert(contentsOf: bytes[answers.number(0..<(index + 1))...index], at: index)
        }
      }
      return bytes
    }
    var found = 0
    for _ in 0..<300 {
      let value = answers.value(depth: 3)
      let next = answers.edited(value)
      let old = damaged(value.json)
      let new = damaged(next.json)
      let patch = old.withUnsafeBytes { old in new.withUnsafeBytes { ValuePatch.difference(from: old, to: $0, atMost: .max) } }
      for patch in [patch, difference(value.json, next.json, atMost: .max).map(damaged)] {
        guard let patch else { continue }
        found += 1
        _ = old.withUnsafeBytes { old in patch.withUnsafeBytes { try? ValuePatch.apply($0, to: old) } }
      }
    }
    #expect(found > 100)
  }
}
