import MartletValues
import Testing

@testable import MartletCommands

@Suite("Filters typed at a prompt")
struct TypedFilterTests {
  @Test(
    "A filter is translated to the server's expression",
    arguments: [
      (
        #"status == "paid" && total > 100"#,
        #"{"$and":[{"$eq":[{"$field":"status"},{"$literal":"paid"}]},{"$gt":[{"$field":"total"},{"$literal":100}]}]}"#
      ),
      (
        "!(a = 1 or b != 2)",
        #"{"$not":{"$or":[{"$eq":[{"$field":"a"},{"$literal":1}]},{"$neq":[{"$field":"b"},{"$literal":2}]}]}}"#
      ),
      ("address.city = 'Bern'", #"{"$eq":[{"$field":"address.city"},{"$literal":"Bern"}]}"#),
      ("note == missing", #"{"$eq":[{"$field":"note"},{"$literal":{"$undefined":null}}]}"#),
      ("note != undefined", #"{"$neq":[{"$field":"note"},{"$literal":{"$undefined":null}}]}"#),
      ("a <= -1.5e+3", #"{"$lte":[{"$field":"a"},{"$literal":-1500}]}"#),
      ("10 >= a", #"{"$gte":[{"$literal":10},{"$field":"a"}]}"#),
      ("low<high", #"{"$lt":[{"$field":"low"},{"$field":"high"}]}"#),
      ("isActive", #"{"$eq":[{"$field":"isActive"},{"$literal":true}]}"#),
      ("not isActive", #"{"$not":{"$eq":[{"$field":"isActive"},{"$literal":true}]}}"#),
      ("x == null", #"{"$eq":[{"$field":"x"},{"$literal":null}]}"#),
      ("x == false", #"{"$eq":[{"$field":"x"},{"$literal":false}]}"#),
      (#"tags == ["a]", {"b": [1]}]"#, #"{"$eq":[{"$field":"tags"},{"$literal":["a]",{"b":[1]}]}]}"#),
      (#"x == {"$integer":"BQAAAAAAAAA="}"#, #"{"$eq":[{"$field":"x"},{"$literal":{"$integer":"BQAAAAAAAAA="}}]}"#),
      ("x == 5n", #"{"$eq":[{"$field":"x"},{"$literal":{"$integer":"BQAAAAAAAAA="}}]}"#),
    ])
  func translated(text: String, json: String) throws {
    #expect(try TypedFilter(text).json.json == json)
  }

  @Test(
    "Not binds closer than and, and that closer than or; words and signs mean the same",
    arguments: [
      "a || b && !c", "a or b and not c", "a OR (b AND NOT c)", "a||b&&!c", "(a) or ((b and (not (c))))", "\n a\tor b and not c ",
    ])
  func precedence(text: String) throws {
    func isTrue(_ field: String) -> TypedFilter { .comparison(.equal, .field(field), .literal(true)) }
    #expect(try TypedFilter(text) == .or([isTrue("a"), .and([isTrue("b"), .not(isTrue("c"))])]))
  }

  @Test(
    "Strings stand between either quote, with JSON's escapes",
    arguments: [
      (#""it's""#, "it's"), (#"'say "hi"'"#, #"say "hi""#), (#"'it\'s'"#, "it's"), (#""a\"b\\c\n\u00e9""#, "a\"b\\c\né"),
      ("''", ""), ("'a or b'", "a or b"), ("'日本'", "日本"), ("'a\tb'", "a\tb"),
    ])
  func strings(text: String, value: String) throws {
    #expect(try TypedFilter("x = \(text)") == .comparison(.equal, .field("x"), .literal(.string(value))))
  }

  @Test("Words within names and strings are no operators")
  func names() throws {
    #expect(try TypedFilter("order_2.android = nothing") == .comparison(.equal, .field("order_2.android"), .field("nothing")))
  }

  @Test(
    "What is wrong is said with its place",
    arguments: [
      ("", 0, "no filter"), ("total >", 7, "after \">\", found the end"), ("total > and x", 8, "found \"and\""),
      ("a = 1 b = 2", 6, "\"and\", \"or\" or the end, found \"b\""), ("a = 1)", 5, "closes none"), ("(a = 1", 0, "not closed"),
      ("(a = 1 b", 7, "\"and\", \"or\" or \")\""), ("1 < a < 3", 6, "can't be chained"), ("a = 'x", 4, "no end"),
      ("a = [1", 4, "not closed"),
      ("a = [1,]", 4, "not JSON"), ("a & b", 2, "write &&"), ("a | b", 2, "write ||"), ("a = 10x", 4, "no number"),
      ("a ~ b", 2, "means nothing"),
      ("5", 0, "a value alone"), ("a and", 5, "found the end"), ("== 1", 0, "found \"==\""), ("()", 1, "found \")\""),
      (#"a = "\x""#, 4, "not a string"), ("a = 01", 4, "no number"), ("a. = 1", 1, "means nothing"),
    ])
  func refused(text: String, position: Int, reason: String) throws {
    let error = try #require(throws: TypedFilterError.self) { try TypedFilter(text) }
    #expect(error.position == position && error.reason.contains(reason), "\(error)")
  }

  @Test("A mark stands under the place, also behind wide characters")
  func mark() {
    #expect(TypedFilterError(reason: "no", text: "日\n= x", position: 4).description == "no\n  日 = x\n       ^")
  }

  @Test("As deep as the server can read it, and no deeper")
  func depth() throws {
    func nested(_ levels: Int) -> String { String(repeating: "(a and ", count: levels) + "b" + String(repeating: ")", count: levels) }
    let json = try TypedFilter(nested(24)).json.json
    var (levels, deepest) = (0, 0)
    for character in json {
      if "{[".contains(character) { levels += 1 } else if "}]".contains(character) { levels -= 1 }
      deepest = max(deepest, levels)
    }
    #expect(deepest < 60, "the arguments around it need some of the 64 levels that the server reads")
    #expect(throws: TypedFilterError.self) { try TypedFilter(nested(25)) }
    #expect(throws: TypedFilterError.self) { try TypedFilter(String(repeating: "!", count: 100_000) + "a") }
  }

  @Test("Any text is either a filter or refused with a place in it", arguments: 1...20)
  func anyText(seed: UInt64) {
    let pieces = [
      "a", "b.c", " ", "==", "!=", "<", ">=", "!", "&&", "or", " and ", "(", ")", "'x'", "\"", "5", "-", "[", "]", "{}", "missing", ".",
    ]
    var state = seed
    for _ in 0..<500 {
      var text = ""
      for _ in 0..<12 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += pieces[Int(state >> 33) % pieces.count]
      }
      do { _ = try TypedFilter(text) } catch let error as TypedFilterError {
        #expect((0...text.count).contains(error.position), "\(error)")
      } catch { Issue.record("\(text): \(error)") }
    }
  }
}
