import MartletValues
import Testing

private enum Status: String, CaseIterable, Sendable { case pending, shipped }

private struct Line: Sendable, Equatable {
  var product: String
  var quantity: Int
  var note: String?
}

@Suite("Validators")
struct ValidatorTests {
  private static let line = Validator<Line>.object(
    Property("quantity", \.quantity, .wholeNumber), Property("product", \.product, .string), Property("note", \.note, .optional(.string))
  ) { Line(product: $1, quantity: $0, note: $2) }

  private func written<T>(_ validator: Validator<T>, _ value: T) -> String {
    var writer = JSONWriter()
    validator.encode(value, &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test("An error names the path, what was expected and what was found, decoded or only checked", arguments: [true, false])
  func errors(check: Bool) {
    let lines: Validator<[Line]> = .array(Self.line)
    #expect(message(lines, #""three""#, check: check) == "expected array, found string")
    #expect(message(lines, #"[{"product":"p","quantity":1},{"product":5,"quantity":1}]"#, check: check) == "[1].product: expected string, found number")
    #expect(message(lines, #"[{"product":"p"}]"#, check: check) == "[0].quantity: expected whole number, found nothing")
    #expect(message(lines, #"[{"product":"p","quantity":1,"size":{}}]"#, check: check) == "[0].size: expected no such field, found object")
    #expect(message(lines, #"[{"product":"p","quantity":1,"quantity":1}]"#, check: check) == "[0].quantity: expected each field once, found a second one")
    #expect(message(lines, #"[{"product":"p","quantity":1.5}]"#, check: check) == "[0].quantity: expected whole number, found 1.5")
    let nested: Validator<[String: [[Double]]]> = .record(.array(.array(.double)))
    #expect(message(nested, #"{"a":[[1],[2,{"$integer":"AwAAAAAAAAA="}]]}"#, check: check) == "a[1][1]: expected number, found int64")
    #expect(message(nested, #"{"a":[],"a":[]}"#, check: check) == "a: expected each field once, found a second one")
  }

  @Test("A path begins where the caller says")
  func prefix() {
    let error = ValidationError(path: [.index(2), .field("quantity")], expected: "number", found: "string")
    #expect(error.prefixed(by: .field("items")).prefixed(by: .field("args")).description == "args.items[2].quantity: expected number, found string")
  }

  @Test("Each scalar accepts its own type alone")
  func scalars() {
    let texts: [(kind: String, text: String)] = [
      ("null", "null"), ("boolean", "true"), ("int64", #"{"$integer":"AwAAAAAAAAA="}"#), ("number", "1"), ("number", #"{"$float":"AAAAAAAA+H8="}"#), ("string", #""x""#),
      ("bytes", #"{"$bytes":"AAEC"}"#), ("array", "[]"), ("object", "{}"),
    ]
    func verify<T>(_ validator: Validator<T>, _ kind: String) {
      for (found, text) in texts {
        for check in [true, false] {
          #expect(message(validator, text, check: check) == (found == kind ? "accepted" : "expected \(kind), found \(found)"))
        }
      }
    }
    verify(Validator<Null>.null, "null")
    verify(Validator<Bool>.boolean, "boolean")
    verify(Validator<Int64>.int64, "int64")
    verify(Validator<Double>.double, "number")
    verify(Validator<String>.string, "string")
    verify(Validator<Bytes>.bytes, "bytes")
    for (_, text) in texts { #expect(message(Validator<Value>.any, text) == "accepted") }
  }

  @Test("An object is decoded whatever the order of its members, and written in the order of their names, without those that are nil")
  func objects() throws {
    let text = #" { "note" : "n" , "product":"p\n","quantity": 3 } "#
    let line = try reading(text) { try Self.line.decode(&$0) }
    #expect(line == Line(product: "p\n", quantity: 3, note: "n"))
    #expect(written(Self.line, line) == #"{"note":"n","product":"p\n","quantity":3}"#)
    #expect(written(Self.line, Line(product: "p", quantity: 3, note: nil)) == #"{"product":"p","quantity":3}"#)
    #expect(try reading(#"{"product":"p","quantity":3,"note":null}"#) { try Self.line.decode(&$0) }.note == nil)
  }

  @Test("In a document absence is not null: the shape's check refuses a null where a member may be absent")
  func absenceIsNotNull() {
    #expect(message(Self.line, #"{"product":"p","quantity":3}"#, check: true) == "accepted")
    #expect(message(Self.line, #"{"product":"p","quantity":3,"note":null}"#, check: true) == "note: expected string, found null")
  }

  @Test("Literals, enumerations and unions say what they accept")
  func choices() {
    let status: Validator<Status> = .enumeration()
    #expect(message(status, #""pending""#) == "accepted")
    #expect(message(status, #""p\u0065nding""#) == "accepted")
    #expect(message(status, #""lost""#) == #"expected "pending" or "shipped", found another string"#)
    #expect(message(status, "1") == #"expected "pending" or "shipped", found number"#)
    let literal: Validator<String> = .literal("x")
    #expect(message(literal, #""y""#) == #"expected "x", found another string"#)
    #expect(message(literal, "[]", check: true) == #"expected "x", found array"#)
    let union: Validator<Value> = .union(Validator<String>.string, Validator<Null>.null, Self.line)
    #expect(message(union, "null") == "accepted")
    #expect(message(union, "true") == "expected string or null or {quantity: whole number, product: string, note?: string}, found boolean")
    #expect(
      message(union, #"{"product":1,"quantity":1}"#)
        == "expected string or null or {quantity: whole number, product: string, note?: string}, found object; as {quantity: whole number, …}: product: expected string, found number")
  }

  @Test("An id must be well formed, and of the table where the table's number is known")
  func ids() throws {
    let id = DocumentID(tableNumber: 10001, high: 1, low: 2)
    let shape = ValidatorShape.id(table: "users")
    let text = "\"\(id)\""
    try reading(text) { try shape.check(&$0) }
    try reading(text) { try shape.check(&$0) { $0 == "users" ? 10001 : nil } }
    #expect(throws: ValidationError(expected: "id of users", found: "id of another table")) { try reading(text) { try shape.check(&$0) { _ in 10002 } } }
    #expect(throws: ValidationError(expected: "id of users", found: "string that is none")) { try reading("\"nobody\"") { try shape.check(&$0) } }
    #expect(throws: ValidationError(expected: "id of users", found: "number")) { try reading("1") { try shape.check(&$0) } }
  }

  @Test("Any value is a legal value: what readValue refuses, the check refuses")
  func anyIsChecked() {
    for text in [#"[{"$x":1}]"#, #"{"a":1,"a":2}"#, #"[[{"":1}]]"#, "[1,]"] { #expect(message(Validator<Value>.any, text, check: true) != "accepted") }
  }

  @Test("Objects of more than 64 members are checked too")
  func wideObjects() {
    let shape = ValidatorShape.object((0..<100).map { .init(name: "f\($0)", shape: .float64) })
    func check(_ members: [Int]) -> Bool {
      let text = "{" + members.map { "\"f\($0)\":1" }.joined(separator: ",") + "}"
      return (try? reading(text) { try shape.check(&$0) }) != nil
    }
    #expect(check(Array(0..<100)))
    #expect(check((0..<100).reversed()))
    #expect(!check(Array(0..<99)))
    #expect(!check(Array(0..<100) + [99]))
  }

  @Test("A shape has a form for people and a form in JSON")
  func forms() {
    let shape = ValidatorShape.array(.object([.init(name: "productId", shape: .id(table: "products")), .init(name: "quantity", shape: .optional(.float64))]))
    #expect(shape.description == "array of {productId: id of products, quantity?: number}")
    #expect(
      shape.jsonForm.json
        == #"{"type":"array","value":{"type":"object","value":{"productId":{"fieldType":{"tableName":"products","type":"id"},"optional":false},"quantity":{"fieldType":{"type":"number"},"optional":true}}}}"#
    )
  }

  @Test("Swift's own types cross the wire and come back")
  func wireValues() throws {
    func roundTrip<T: WireValue & Equatable>(_ value: T, _ text: String) throws {
      var writer = JSONWriter()
      value.encode(to: &writer)
      #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
      #expect(try reading(text) { try T.decode(from: &$0) } == value)
    }
    try roundTrip(["b": [1.5, nil], "a": []] as [String: [Double?]], #"{"a":[],"b":[1.5,null]}"#)
    try roundTrip(Bytes([1]), #"{"$bytes":"AQ=="}"#)
    try roundTrip(Null(), "null")
    try roundTrip(Int64(1), #"{"$integer":"AQAAAAAAAAA="}"#)
    #expect(throws: ValidationError(path: [.index(1)], expected: "boolean", found: "string")) { try reading(#"[true,"x"]"#) { try [Bool].decode(from: &$0) } }
  }

  @Test("Two calls with equal arguments have equal bytes")
  func calls() {
    let one = FunctionCall<Null>(kind: .mutation, name: "m:f", arguments: ["b": 1, "a": "x"])
    #expect(one == FunctionCall<Null>(kind: .mutation, name: "m:f", arguments: ["a": "x", "b": 1]))
    #expect(one.arguments == Array(#"{"a":"x","b":1}"#.utf8))
  }
}
