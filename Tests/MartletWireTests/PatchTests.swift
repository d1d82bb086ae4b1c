import Foundation
import MartletTesting
import MartletValues
import Testing

@testable import MartletWire

@Suite("Patches")
struct PatchTests {
  // MARK: The examples for clients in any language

  struct Example: Sendable, CustomStringConvertible {
    var name: String
    var old: Value
    var patch: Value
    /// nil for a patch that is to be refused.
    var new: Value?
    var description: String { name }
  }

  static let examples: [Example] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Fixtures/patches.json")
    guard let text = try? String(contentsOf: file, encoding: .utf8), case .array(let examples)? = try? Value(json: text) else { return [] }
    return examples.compactMap { example in
      guard case .string(let name)? = example["name"], let old = example["old"], let patch = example["patch"] else { return nil }
      return Example(name: name, old: old, patch: patch, new: example["new"])
    }
  }()

  @Test("There are examples, of patches that fit and of such that don't")
  func examplesAreThere() {
    #expect(Self.examples.count { $0.new != nil } >= 20)
    #expect(Self.examples.count { $0.new == nil } >= 10)
  }

  @Test("The examples come out as they say", arguments: examples)
  func comesOut(_ example: Example) throws {
    if let new = example.new {
      #expect(try apply(example.patch.json, to: example.old.json) == new.json)
      #expect(try example.old.patched(by: example.patch) == new)
    } else {
      #expect(throws: (any Error).self) { try apply(example.patch.json, to: example.old.json) }
      #expect(throws: (any Error).self) { try example.old.patched(by: example.patch) }
    }
  }

  // MARK: What is found

  /// Documents as a list of the bank's accounts has them.
  static func rows(_ range: some Sequence<Int>) -> [Value] {
    range.map {
      ["_creationTime": .float64(1_795_240_800_000 + Double($0)), "_id": .string("row-\($0)"), "balance": 100, "owner": .string("owner \($0)")]
    }
  }

  static func row(_ row: Value, balance: Double) -> Value {
    guard case .object(var object) = row else { return row }
    object["balance"] = .float64(balance)
    return .object(object)
  }

  @Test("One field of one of 1,000 rows is one set, thousands of times shorter than the list")
  func oneField() throws {
    let old = Self.rows(0..<1_000)
    var new = old
    new[412] = Self.row(old[412], balance: 7)
    let patch = try #require(found(.array(old), .array(new)))
    #expect(patch == #"[["set",[412,"balance"],7]]"#)
    #expect(patch.utf8.count * 2_000 < Value.array(new).json.utf8.count)
  }

  @Test("The same within a page")
  func oneFieldOfAPage() throws {
    let old = Self.rows(0..<50)
    var new = old
    new[3] = Self.row(old[3], balance: 7)
    let page = { (rows: [Value], cursor: String) -> Value in ["continueCursor": .string(cursor), "isDone": false, "page": .array(rows)] }
    #expect(found(page(old, "x"), page(new, "x")) == #"[["set",["page",3,"balance"],7]]"#)
    #expect(found(page(old, "x"), page(new, "y")) == #"[["set",["continueCursor"],"y"],["set",["page",3,"balance"],7]]"#)
  }

  @Test("Rows that come, go and move are one operation each")
  func rows() {
    let rows = Self.rows(0..<20)
    let old = Value.array(rows)
    #expect(found(old, .array(Array(rows[1...]))) == #"[["remove",[0]]]"#)
    #expect(found(old, .array(Array(rows[..<19]))) == #"[["remove",[19]]]"#)
    #expect(found(old, .array(Array(rows[..<5] + rows[9...]))) == #"[["remove",[5],4]]"#)
    #expect(found(.array(Array(rows[1...])), old) == "[[\"insert\",[0],\(rows[0].json)]]")
    #expect(found(.array(Array(rows[..<18])), old) == "[[\"insert\",[18],\(rows[18].json),\(rows[19].json)]]")
    #expect(found(old, .array([rows[19]] + rows[..<19])) == #"[["move",[19],0]]"#)
    #expect(found(old, .array(Array(rows[1...]) + [rows[0]])) == #"[["move",[0],19]]"#)
    #expect(found(old, .array(Array(rows[..<4] + [rows[7]] + rows[4..<7] + rows[8...]))) == #"[["move",[7],4]]"#)
  }

  @Test("A row that changes and moves isn't sent again")
  func changeAndMove() {
    let rows = Self.rows(0..<20)
    let new = [Self.row(rows[12], balance: 900)] + rows[..<12] + rows[13...]
    #expect(found(.array(rows), .array(new)) == #"[["move",[12],0],["set",[0,"balance"],900]]"#)
  }

  @Test("A list of a fixed length, in which one comes and one goes")
  func top() {
    let rows = Self.rows(0..<11)
    let new = Array(rows[..<3] + [rows[10]] + rows[3..<9])
    #expect(found(.array(Array(rows[..<10])), .array(new)) == "[[\"remove\",[9]],[\"insert\",[3],\(rows[10].json)]]")
  }

  @Test("Lists of what has no id, and members that come and go")
  func others() {
    let words = (0..<20).map { Value.string("word number \($0)") }
    #expect(found(.array(words), .array(Array(words[..<7] + words[8...]))) == #"[["remove",[7]]]"#)
    #expect(found(.array(words), .array(Array(words[..<7]) + ["x"] + words[8...])) == #"[["set",[7],"x"]]"#)
    let old: Value = ["list": .array(words), "z": 1, "b": ["c": [1, 2, 3], "d": .array(words)]]
    let new: Value = ["list": .array(words), "a": 1, "b": ["c": [1, 3], "d": .array(words)]]
    #expect(found(old, new) == #"[["set",["a"],1],["remove",["b","c",1]],["unset",["z"]]]"#)
  }

  // MARK: What is sent whole

  @Test("What is short, or has changed nearly everywhere, is no patch")
  func sentWhole() {
    #expect(found([1], [2]) == nil)
    let old = Self.rows(0..<20)
    let new = Self.rows(100..<120)
    #expect(found(.array(old), .array(new)) == nil)
    #expect(found(.array(old), .string(String(repeating: "a", count: 500))) == nil)
    #expect(found(.array(old), ["page": .array(old)]) == nil)
    // As a shuffle: each move is an operation, and shorter than the row, but they are too many.
    let big = Value.array((0..<30_000).map { .float64(Double($0)) })
    let shifted = Value.array((0..<30_000).map { .float64(Double($0 * 7 % 30_000)) })
    #expect(found(big, shifted) == nil)
  }

  @Test("A value that is longer than what may be compared is sent whole")
  func tooLong() {
    let rows = Self.rows(0..<1_000).map { row -> Value in ["_id": row["_id"]!, "text": .string(String(repeating: "x", count: 2_500))] }
    var new = rows
    new[4] = ["_id": "row-4", "text": ""]
    #expect(Value.array(rows).json.utf8.count > ValuePatch.mostBytes)
    #expect(found(.array(rows), .array(new)) == nil)
    #expect(found(.array(Array(rows[..<300])), .array(Array(new[..<300]))) == #"[["set",[4,"text"],""]]"#)
  }

  @Test("What isn't canonical is no patch where a patch could not be right by bytes")
  func notCanonical() {
    let tail = String(repeating: "x", count: 200)
    #expect(difference(#"{"b":1,"a":2,"t":"\#(tail)"}"#, #"{"b":1,"a":3,"t":"\#(tail)"}"#) == nil)
    #expect(difference(#"{ "a":1,"t":"\#(tail)"}"#, #"{ "a":2,"t":"\#(tail)"}"#) == nil)
    #expect(difference(#"{"a\n":1,"t":"\#(tail)"}"#, #"{"a\n":2,"t":"\#(tail)"}"#) == nil)
    #expect(difference(#"[1,"\#(tail)"] x"#, #"[2,"\#(tail)"] y"#) == nil)
  }

  @Test("A deep nest is compared as far as the levels go, and set whole below")
  func deep() throws {
    let nest = { (value: String, levels: Int) in String(repeating: "[", count: levels) + value + String(repeating: "]", count: levels) }
    for levels in [1, 4, 30, 63, 64, 200] {
      let text = String(repeating: "x", count: 2_000)
      let old = nest("1,\"\(text)\"", levels)
      let new = nest("2,\"\(text)\"", levels)
      let patch = difference(old, new)
      #expect((patch != nil) == (levels < 5))
      if let patch { #expect(try apply(patch, to: old) == new) }
    }
  }

  // MARK: Means

  private func found(_ old: Value, _ new: Value) -> String? { difference(old.json, new.json) }
}

func difference(_ old: String, _ new: String, atMost limit: Int? = nil) -> String? {
  let patch = Array(old.utf8).withUnsafeBytes { old in
    Array(new.utf8).withUnsafeBytes { new in
      if let limit { return ValuePatch.difference(from: old, to: new, atMost: limit) }
      return ValuePatch.difference(from: old, to: new)
    }
  }
  return patch.map { String(decoding: $0, as: UTF8.self) }
}

func apply(_ patch: String, to old: String) throws -> String {
  let value = try Array(patch.utf8).withUnsafeBytes { patch in
    try Array(old.utf8).withUnsafeBytes { try ValuePatch.apply(patch, to: $0) }
  }
  return String(decoding: value, as: UTF8.self)
}
