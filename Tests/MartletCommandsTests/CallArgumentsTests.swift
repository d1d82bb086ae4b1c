import MartletValues
import Testing

@testable import MartletCommands

@Suite("Arguments typed at a prompt")
struct CallArgumentsTests {
  @Test("No argument is the empty object")
  func none() throws { #expect(try CallArguments([]).value == [:]) }

  @Test("One JSON object stands for itself", arguments: [#"{"a":[1,{"b":null}]}"#, " {\n\"a\": [1, {\"b\": null}]}"])
  func object(text: String) throws {
    #expect(try CallArguments([text]).value == ["a": [1, ["b": nil]]])
  }

  @Test(
    "A pair's value is JSON where it can be read as such, else a string",
    arguments: [
      ("10", 10), ("-0.5", -0.5), ("true", true), ("null", nil), (#"["a",1]"#, ["a", 1]), (#"{"b":2}"#, ["b": 2]),
      (#""10""#, "10"), ("ada", "ada"), ("", ""), ("a=b", "a=b"), ("10 apples", "10 apples"), ("O'Neill", "O'Neill"), ("é", "é"),
    ] as [(String, Value)])
  func pair(text: String, value: Value) throws {
    #expect(try CallArguments(["x=" + text]).value == ["x": value])
  }

  @Test("An argument may be an expression, whose names begin with $", arguments: [#"where={"$gt":[{"$field":"a"},1]}"#, #"{"where":{"$gt":[{"$field":"a"},1]}}"#])
  func expression(text: String) throws {
    #expect(try CallArguments([text]).value == ["where": ["$gt": [["$field": "a"], 1]]])
    #expect(throws: UsageError.self) { try CallArguments([#"a={"$integer":"5"}"#]) }
    #expect(try CallArguments([#"a={"$integer":"BQAAAAAAAAA="}"#]).value == ["a": .int64(5)])
  }

  @Test("Pairs become the fields of one object")
  func pairs() throws {
    #expect(try CallArguments(["owner=ada", "balance=10"]).value == ["balance": 10, "owner": "ada"])
  }

  @Test(
    "What is neither is refused, with the reason",
    arguments: [
      (["{status:pending}"], "quotes"), (["[1]"], "name=value"), (["pending"], "name=value"), (["=1"], "name=value"),
      ([#"{"a":1}"#, "b=2"], "too much"), (["a=1", #"{"b":2}"#], "name=value"), (["a=1", "a=2"], "twice"),
      (["$a=1"], "ASCII"), (["é=1"], "ASCII"), (["items=[1"], "items='\"[1\"'"), (["x=\"open"], "not valid JSON"),
    ])
  func refused(words: [String], reason: String) {
    let error = #expect(throws: UsageError.self) { try CallArguments(words) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }
}
