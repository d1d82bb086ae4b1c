import MartletValues
import Testing

private struct Circle: Sendable, Equatable {
  var radius: Double
  static let validator = Validator<Circle>.object(Property("radius", \Circle.radius, .double)) { radius in
    guard radius >= 0 else { throw ValidationError(expected: "a radius of 0 or more", found: "\(radius)") }
    return Circle(radius: radius)
  }
}

private struct Square: Codable, Sendable, Equatable {
  var side: Double
  var label: String?
}

private enum Shape: Sendable, Equatable {
  case circle(Circle), square(Square), point

  static let validator = Validator<Shape>.tagged(
    "kind", Case("circle", Circle.validator, Shape.circle), Case("square", .codable(Square.self), Shape.square), Case("point", Shape.point)
  ) { shape, circle, square, point in
    switch shape {
    case .circle(let it): circle(it)
    case .square(let it): square(it)
    case .point: point()
    }
  }
}

private enum Block: Sendable, Equatable {
  case text(String), number(Double), shapes([Shape]), nothing

  static let validator = Validator<Block>.union(
    Case(.string, Block.text), Case(.double, Block.number), Case(.array(Shape.validator), Block.shapes), Case(.null) { _ in Block.nothing }
  ) { block, text, number, shapes, nothing in
    switch block {
    case .text(let it): text(it)
    case .number(let it): number(it)
    case .shapes(let it): shapes(it)
    case .nothing: nothing()
    }
  }
}

private enum Priority: Int, CaseIterable, Sendable { case low = 1, high = 10 }
private enum Ratio: Double, CaseIterable, Sendable { case half = 0.5, whole = 1 }

@Suite("Unions")
struct UnionTests {
  private func roundTrip<T: Equatable>(_ validator: Validator<T>, _ value: T, _ text: String) throws {
    var writer = JSONWriter()
    validator.encode(value, &writer)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    #expect(try reading(text) { try validator.decode(&$0) } == value)
    #expect(message(validator, text, check: true) == "accepted")
  }

  @Test("An enum with payloads is an object with a tag, its members in the order of their names")
  func tagged() throws {
    try roundTrip(Shape.validator, .circle(Circle(radius: 2)), #"{"kind":"circle","radius":2}"#)
    try roundTrip(Shape.validator, .square(Square(side: 1, label: "a")), #"{"kind":"square","label":"a","side":1}"#)
    try roundTrip(Shape.validator, .square(Square(side: 1)), #"{"kind":"square","side":1}"#)
    try roundTrip(Shape.validator, .point, #"{"kind":"point"}"#)
    #expect(try reading(#" { "radius" : 2 , "k\u0069nd" : "c\u0069rcle" } "#) { try Shape.validator.decode(&$0) } == .circle(Circle(radius: 2)))
    try roundTrip(
      .record(.array(Shape.validator)), ["b": [.point], "a": [.circle(Circle(radius: 0)), .point]],
      #"{"a":[{"kind":"circle","radius":0},{"kind":"point"}],"b":[{"kind":"point"}]}"#)
    #expect(
      Shape.validator.shape.description
        == #"{kind: "circle", radius: number} or {kind: "square", side: number, label?: string} or {kind: "point"}"#)
  }

  @Test("The tag decides which case an error is about")
  func tagErrors() {
    #expect(message(Shape.validator, #"{"kind":"circle","radius":"x"}"#) == "radius: expected number, found string")
    #expect(message(Shape.validator, #"{"kind":"circle"}"#) == "radius: expected number, found nothing")
    #expect(message(Shape.validator, #"{"kind":"circle","radius":-1}"#) == "expected a radius of 0 or more, found -1.0")
    #expect(message(Shape.validator, #"{"kind":"square","side":1,"size":1}"#) == "size: expected no such field, found number")
    #expect(message(Shape.validator, #"{"kind":"square","side":1,"label":2}"#) == "label: expected string, found number")
    #expect(message(Shape.validator, #"{"kind":"point","side":1}"#) == "side: expected no such field, found number")
    #expect(message(Shape.validator, #"{"kind":"line"}"#) == #"kind: expected "circle" or "square" or "point", found another string"#)
    #expect(message(Shape.validator, #"{"radius":1}"#) == #"kind: expected "circle" or "square" or "point", found nothing"#)
    #expect(message(Shape.validator, "3") == "expected \(Shape.validator.shape), found number")
    #expect(message(Shape.validator, #"{"$integer":"AQAAAAAAAAA="}"#) == "expected \(Shape.validator.shape), found int64")
    #expect(message(Shape.validator, #"{"kind":"circle","kind":"circle","radius":1}"#) == "kind: expected each field once, found a second one")
  }

  @Test("A union without tags is told by what fits, the first first")
  func untagged() throws {
    try roundTrip(Block.validator, .text("a"), #""a""#)
    try roundTrip(Block.validator, .number(1.5), "1.5")
    try roundTrip(Block.validator, .number(.infinity), Value.float64(.infinity).json)
    try roundTrip(Block.validator, .shapes([.point, .circle(Circle(radius: 1))]), #"[{"kind":"point"},{"kind":"circle","radius":1}]"#)
    try roundTrip(Block.validator, .nothing, "null")
    #expect(message(Block.validator, "true").hasSuffix(", found boolean"))
    #expect(message(Block.validator, "[[1]]").hasSuffix("; as array of {kind: \"circle\", radius: number} or {kind: \"square\", side: number, lab…: [0]: expected \(Shape.validator.shape), found array"))
  }

  @Test("The error of a union says why each member failed, below the same path, decoded or only checked", arguments: [true, false])
  func reasons(check: Bool) {
    let circle = ValidatorShape.object([.init(name: "kind", shape: .literal("circle")), .init(name: "r", shape: .float64)])
    let square = ValidatorShape.object([.init(name: "kind", shape: .literal("square")), .init(name: "a", shape: .float64)])
    let plain = ValidatorShape.object([.init(name: "x", shape: .array(.string)), .init(name: "y", shape: .string)])
    let shape = ValidatorShape.object([.init(name: "shape", shape: .union([circle, square, plain]))])
    let validator = Validator<Value>.union(Validator<Value>(shape: shape))
    let expected = #"shape: expected {kind: "circle", r: number} or {kind: "square", a: number} or {x: array of string, y: string}, found object"#
    #expect(
      message(validator, #"{"shape":{"kind":"circle","r":"x"}}"#, check: check).contains(
        expected
          + #"; as {kind: "circle", …}: r: expected number, found string; as {kind: "square", …}: kind: expected "square", found another string; as {x: array of string, …}: kind: expected no such field, found string"#
      ))
    #expect(
      message(validator, #"{"shape":{"x":["a",1],"y":"b"}}"#, check: check).contains(
        #"; as {x: array of string, …}: x[1]: expected string, found number"#))
  }

  @Test("A value that is no kind of any member is refused in one line; so is a string that is none of the literals")
  func short() {
    let literals = Validator<Value>.union(Validator<String>.literal("a"), Validator<String>.literal("b"))
    #expect(message(literals, #""c""#) == #"expected "a" or "b", found another string"#)
    #expect(message(literals, "1") == #"expected "a" or "b", found number"#)
    let mixed = Validator<Value>.union(Validator<String>.literal("a"), Validator<Double>.double)
    #expect(message(mixed, "[]") == #"expected "a" or number, found array"#)
    #expect(message(mixed, #""c""#) == #"expected "a" or number, found string; as "a": expected "a", found another string"#)
  }

  @Test("A large union's error stays short, and shows what agreed the furthest")
  func bounded() {
    let shapes = (0..<200).map { number in
      ValidatorShape.object([
        .init(name: "kind", shape: .literal(.string("kind number \(number)"))),
        .init(name: "inner", shape: .union((0..<20).map { .object([.init(name: "deep\($0)", shape: .string)]) })),
      ])
    }
    let text = #"{"kind":"kind number 150","inner":{"deep7":1}}"#
    let message = message(Validator<Value>.union(Validator<Value>(shape: .union(shapes))), text)
    #expect(message.count <= 2_000)
    #expect(message.contains("kind number 150"))
    #expect(message.contains("deep7: expected string, found number"))
    #expect(message.contains("or 188 others"))
  }

  @Test("What is ruled out at a glance is what the whole check refuses too", arguments: 1...4)
  func glance(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let shapes: [ValidatorShape] = [
      .null, .boolean, .int64, .float64, .wholeNumber, .string, .bytes, .literal("a"), .literal(1), .enumeration(["a", "b"]), .array(.any),
      .record(.any), .object([.init(name: "a", shape: .literal("b")), .init(name: "b", shape: .optional(.any))]),
      .object([.init(name: "a", shape: .optional(.any)), .init(name: "ab", shape: .optional(.any))]), .id(table: "t"), .any,
    ]
    for _ in 0..<4_000 {
      let text = random.value().json
      let chosen = (0..<3).map { _ in shapes.randomElement(using: &random)! }
      let single = chosen.contains { shape in (try? reading(text) { try shape.check(&$0) }) != nil }
      let union = (try? reading(text) { try ValidatorShape.union(chosen).check(&$0) }) != nil
      #expect(single == union, "\(text) as \(chosen)")
    }
  }

  @Test("An enum's raw values may be numbers")
  func numbers() throws {
    try roundTrip(.enumeration(Priority.self), .high, "10")
    try roundTrip(.array(.enumeration(Ratio.self)), [.half, .whole], "[0.5,1]")
    #expect(message(Validator<Priority>.enumeration(), "2") == "expected 1 or 10, found another number")
    #expect(message(Validator<Priority>.enumeration(), "2", check: true) == "expected 1 or 10, found another number")
    #expect(message(Validator<Priority>.enumeration(), #""1""#) == "expected 1 or 10, found string")
  }
}
