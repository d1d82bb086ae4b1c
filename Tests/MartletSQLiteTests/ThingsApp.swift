import Martlet

/// A table with indexes that count and sum, for servers whose disk is simulated.
struct Things: Table {
  static let name = "things"
  let number = Field(.wholeNumber)
  let kind = Field(.string)
  let weight = Field(.double)

  let byNumber = Index("by_number", \Things.number)
  let byKind = Index("by_kind", \Things.kind, \Things.weight, summing: \Things.weight)
  let byWeight = Index("by_weight", \Things.weight)
}

enum ThingFunctions: FunctionModule {
  static let path = "things"
  static let functions: [any ServerFunction] = [put, remove, all, sums, light]

  static let put = Mutation("put", Arg("number", .wholeNumber), Arg("kind", .string), Arg("weight", .double)) { ctx, number, kind, weight in
    if let thing = try ctx.db.query(Things.self).withIndex(\.byNumber, { $0.eq(\.number, number) }).unique() {
      try ctx.db.patch(thing.id) {
        $0.kind = kind
        $0.weight = weight
      }
    } else {
      try ctx.db.insert(Things.self) {
        $0.number = number
        $0.kind = kind
        $0.weight = weight
      }
    }
  }

  static let remove = Mutation("remove", Arg("number", .wholeNumber)) { ctx, number in
    if let thing = try ctx.db.query(Things.self).withIndex(\.byNumber, { $0.eq(\.number, number) }).unique() { try ctx.db.delete(thing.id) }
  }

  static func text(_ thing: Document<Things>) -> String { "\(thing.number):\(thing.kind):\(thing.weight)" }

  /// Everything, without an index.
  static let all = Query("all") { ctx in
    try ctx.db.query(Things.self).collect().sorted { $0.number < $1.number }.map(text).joined(separator: " ")
  }

  static let sums = Query("sums") { ctx in
    try ["a", "b", "c"].map { kind in
      let range = try ctx.db.query(Things.self).withIndex(\.byKind) { $0.eq(\.kind, kind) }
      return "\(kind):\(try range.count()):\(try range.sum(\.weight))"
    }.joined(separator: " ")
  }

  static let light = Query("light") { ctx in
    try ctx.db.query(Things.self).withIndex(\.byWeight) { $0.lt(\.weight, 50) }.collect().map(text).joined(separator: " ")
  }
}

/// The same as a dictionary.
struct ThingsModel {
  enum Operation {
    case put(Int, String, Double)
    case remove(Int)

    var call: String {
      switch self {
      case .put(let number, let kind, let weight): #"things:put {"number":\#(number),"kind":"\#(kind)","weight":\#(weight)}"#
      case .remove(let number): #"things:remove {"number":\#(number)}"#
      }
    }
  }

  private var things: [Int: (kind: String, weight: Double)] = [:]

  init(_ operations: some Sequence<Operation>) {
    for operation in operations {
      switch operation {
      case .put(let number, let kind, let weight): things[number] = (kind, weight)
      case .remove(let number): things[number] = nil
      }
    }
  }

  func has(_ number: Int) -> Bool { things[number] != nil }

  private func text(_ thing: (key: Int, value: (kind: String, weight: Double))) -> String { "\(thing.key):\(thing.value.kind):\(thing.value.weight)" }

  var all: String { things.sorted { $0.key < $1.key }.map(text).joined(separator: " ") }

  var sums: String {
    ["a", "b", "c"].map { kind in
      let weights = things.values.filter { $0.kind == kind }.map(\.weight)
      return "\(kind):\(weights.count):\(weights.reduce(0, +))"
    }.joined(separator: " ")
  }

  /// Weights are all different.
  var light: String { things.filter { $0.value.weight < 50 }.sorted { $0.value.weight < $1.value.weight }.map(text).joined(separator: " ") }
}
