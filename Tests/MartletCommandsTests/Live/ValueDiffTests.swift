import MartletValues
import Testing

@testable import MartletCommands

@Suite("What changed from one value to the next")
struct ValueDiffTests {
  private func changes(_ old: Value, _ new: Value) -> String { ValueDiff(from: old, to: new).json.json }

  @Test("Of objects it is fields, however deep")
  func objects() {
    let old: Value = ["a": 1, "b": ["c": "x", "d": 2], "gone": nil]
    #expect(
      changes(old, ["a": 1, "b": ["c": "y", "d": 2], "new": true])
        == #"[{"from":null,"op":"remove","path":["gone"]},{"from":"x","op":"set","path":["b","c"],"value":"y"},{"op":"add","path":["new"],"value":true}]"#)
    #expect(changes(old, old) == "[]")
    #expect(changes(1, "1") == #"[{"from":1,"op":"set","path":[],"value":"1"}]"#)
  }

  @Test("Of documents it is rows by their ids, with a move only of those that left the others' order")
  func documents() {
    let old: Value = [["_id": "a", "n": 1], ["_id": "b", "n": 2], ["_id": "c", "n": 3]]
    let new: Value = [["_id": "b", "n": 5], ["_id": "d", "n": 4], ["_id": "a", "n": 1]]
    #expect(
      changes(old, new)
        == #"[{"from":{"_id":"c","n":3},"op":"remove","path":["c"]},{"at":0,"op":"move","path":["b"]},{"from":2,"op":"set","path":["b","n"],"value":5},{"at":1,"op":"add","path":["d"],"value":{"_id":"d","n":4}}]"#
    )
  }

  @Test("Of other lists it is what lies between the common beginning and the common end")
  func lists() {
    #expect(changes([1, 2, 3], [0, 1, 2, 3]) == #"[{"op":"add","path":[0],"value":0}]"#)
    #expect(changes([1, 2, 3, 4], [1, 4]) == #"[{"from":3,"op":"remove","path":[2]},{"from":2,"op":"remove","path":[1]}]"#)
    // Two documents of one id can't be told apart by it.
    #expect(changes([["_id": "a"]], [["_id": "a"], ["_id": "a"]]) == #"[{"op":"add","path":[1],"value":{"_id":"a"}}]"#)
  }

  @Test("The changes, carried out, make the new value of the old one: thousands of values", arguments: 1...8)
  func model(seed: UInt64) throws {
    var random = Generator(seed: seed)
    for _ in 0..<400 {
      let old = Self.value(depth: 0, &random)
      let new = Bool.random(using: &random) ? Self.changed(old, &random) : Self.value(depth: 0, &random)
      let diff = ValueDiff(from: old, to: new)
      #expect(Self.apply(diff.entries, to: old) == new, "from \(old) to \(new): \(diff.json)")
      #expect(diff.entries.isEmpty == (old == new))
    }
  }

  // MARK: The text

  private func text(_ old: Value, _ new: Value, columns: Int? = nil) -> String {
    ValueDiff(from: old, to: new).text(columns: columns, painter: .plain)
  }

  @Test("Documents that changed are a table, in which a changed field shows both values")
  func documentsAsText() {
    let old: Value = [["_id": "a", "n": 1, "who": "ada"], ["_id": "b", "n": 2, "who": "bob"]]
    let new: Value = [["_id": "a", "n": 7, "who": "ada"], ["_id": "c", "n": 3, "who": "eve", "note": "new"]]
    #expect(
      text(old, new) == """
           _id  n      who  note
           ───  ─────  ───  ────
        -  b    2      bob
        ~  a    1 → 7
        +  c    3      eve  new

        """)
    #expect(ValueDiff(from: old, to: new).count.text == "1 added, 1 removed, 1 changed")
    #expect(ValueDiff(from: old, to: .array(old.elements.reversed())).count.text == "1 moved")
  }

  @Test("Other changes are a line each, with the path")
  func pathsAsText() {
    #expect(
      text(["total": 5, "tags": ["a"], "by": ["x": 1]], ["total": 6, "tags": ["a", "b"], "by": [:]]) == """
        -  by.x     1
        +  tags[1]  b
        ~  total    5 → 6

        """)
    #expect(text("a", "b") == "~  value  a → b\n")
  }

  // MARK: The oracle

  private static func apply(_ entries: [ValueDiff.Entry], to value: Value) -> Value {
    entries.reduce(value) { value, entry in
      switch (entry.change, entry.path.last) {
      case (.removed(let gone), _):
        return edited(value, entry.path[...]) { before in
          #expect(before == gone)
          return nil
        }
      case (.set(let from, let to), _):
        return edited(value, entry.path[...]) { before in
          #expect(before == from)
          return to
        }
      case (.moved(let place), _):
        var taken: Value?
        let without = edited(value, entry.path[...]) { before in
          taken = before
          return nil
        }
        return insert(taken!, at: place, into: without, entry.path.dropLast())
      case (.added(let new, let place?), _), (.added(let new, _), .index(let place)?):
        return insert(new, at: place, into: value, entry.path.dropLast())
      case (.added(let new, nil), _): return edited(value, entry.path[...]) { _ in new }
      }
    }
  }

  private static func insert(_ new: Value, at place: Int, into value: Value, _ path: ArraySlice<ValueDiff.Step>) -> Value {
    edited(value, path) { list in
      var elements = list!.elements
      elements.insert(new, at: place)
      return .array(elements)
    }
  }

  private static func edited(_ value: Value, _ path: ArraySlice<ValueDiff.Step>, _ body: (Value?) -> Value?) -> Value {
    edit(value as Value?, path, body)!
  }

  private static func edit(_ value: Value?, _ path: ArraySlice<ValueDiff.Step>, _ body: (Value?) -> Value?) -> Value? {
    guard let step = path.first else { return body(value) }
    switch (step, value) {
    case (.field(let name), .object(var object)?):
      object[name] = edit(object[name], path.dropFirst(), body)
      return .object(object)
    case (.index(let index), .array(var elements)?):
      if let new = edit(elements[index], path.dropFirst(), body) { elements[index] = new } else { elements.remove(at: index) }
      return .array(elements)
    case (.document(let id), .array(var elements)?):
      let index = elements.firstIndex { $0["_id"] == .string(id) }!
      if let new = edit(elements[index], path.dropFirst(), body) { elements[index] = new } else { elements.remove(at: index) }
      return .array(elements)
    default: fatalError("the path \(path) leads nowhere")
    }
  }

  private static func value(depth: Int, _ random: inout Generator) -> Value {
    switch Int.random(in: 0..<(depth > 2 ? 3 : 6), using: &random) {
    case 0: return .float64(Double(Int.random(in: 0..<3, using: &random)))
    case 1: return .string(["a", "b"].randomElement(using: &random)!)
    case 2: return nil
    case 3: return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in value(depth: depth + 1, &random) })
    case 4:
      let names = ["a", "b", "c", "d"].filter { _ in Bool.random(using: &random) }
      return .object(ObjectValue(uniqueFields: names.map { ($0, value(depth: depth + 1, &random)) }))
    default: return documents(depth, &random)
    }
  }

  private static func documents(_ depth: Int, _ random: inout Generator) -> Value {
    .array(
      "abcdefgh".filter { _ in Bool.random(using: &random) }.shuffled(using: &random).map { id in
        ["_id": .string(String(id)), "n": value(depth: depth + 2, &random)]
      })
  }

  /// Something like it: so that most stays and some changes.
  private static func changed(_ value: Value, _ random: inout Generator) -> Value {
    switch value {
    case .array(var elements):
      if Bool.random(using: &random) { elements.shuffle(using: &random) }
      return .array(elements.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }.map { changed($0, &random) })
    case .object(let object):
      return .object(
        ObjectValue(
          uniqueFields: object.map { name, value in
            (name, name == "_id" || Bool.random(using: &random) ? value : changed(value, &random))
          }))
    default: return Self.value(depth: 3, &random)
    }
  }
}
