import ArgumentParser
import MartletValues
import Testing

@testable import MartletCommands

@Suite("The shell's lines")
struct ShellWordsTests {
  @Test(
    "Words are as in a system's shell, but JSON needs no quotes around it",
    arguments: [
      (#"  a  b "#, ["a", "b"]), ("", []), (#"'a b' "c \"d\" 'e'" f\ g"#, ["a b", #"c "d" 'e'"#, "f g"]),
      (#"orders:list {"status": "p'}", "n": [1, {}]} x"#, ["orders:list", #"{"status": "p'}", "n": [1, {}]}"#, "x"]),
      (#"orders:list '{"status":"p"}'"#, ["orders:list", #"{"status":"p"}"#]),
      (#"owner="Ada L." code="1\"0" tags=["a b", 2] plain=a'b c'"#, [#"owner="Ada L.""#, #"code="1\"0""#, #"tags=["a b", 2]"#, "plain=ab c"]),
      (#"data t --where='a = "b"' --eq="x y" --where "status == 'paid'""#, ["data", "t", #"--where=a = "b""#, "--eq=x y", "--where", "status == 'paid'"]),
      (#"''"#, [""]),
    ])
  func words(line: String, words: [String]) throws { #expect(try ShellWords(line).words == words) }

  @Test("What isn't closed is an error", arguments: ["'a", #""a"#, "{", #"f a={"b":1"#, #"a="b"#, "[1}", #"{"a":"}"#])
  func open(line: String) { #expect(throws: (any Error).self) { try ShellWords(line) } }

  @Test("A pair's value that is a JSON string is a string, whatever it looks like")
  func strings() throws {
    #expect(try CallArguments(ShellWords(#"code="10" n=10 s=ada"#).words).value == ["code": "10", "n": 10, "s": "ada"])
  }
}

@Suite("The shell's completion")
struct ShellCompleterTests {
  private let completer: ShellCompleter

  init() throws {
    let functions = try Value(
      json: """
        [{"name":"accounts:get","kind":"query","visibility":"public","args":{"type":"object","value":{"id":{"fieldType":{"type":"id","tableName":"accounts"},"optional":false}}}},
         {"name":"accounts:open","kind":"mutation","visibility":"public","args":{"type":"object","value":{"owner":{"fieldType":{"type":"string"},"optional":false},
           "kind":{"fieldType":{"type":"union","value":[{"type":"literal","value":"giro"},{"type":"literal","value":"10"}]},"optional":true}}}},
         {"name":"accounts:sweep","kind":"action","visibility":"internal","args":{"type":"object","value":{}}}]
        """)
    let tables = try Value(
      json: """
        [{"name":"accounts","documents":1,"indexes":[{"name":"by_id","fields":["_id"]},{"name":"by_owner","fields":["owner"]}],
          "schema":{"type":"object","value":{"owner":{"fieldType":{"type":"string"},"optional":false},"balance":{"fieldType":{"type":"number"},"optional":false}}}},
         {"name":"orders","documents":0,"indexes":[],"schema":{"type":"any"}}]
        """)
    completer = ShellCompleter(catalog: ShellCatalog(functions: functions, tables: tables))
  }

  private func texts(_ line: String) -> [String] { completer.complete(line).candidates.map(\.text) }

  @Test("A line begins with a command or a function that can be called")
  func first() {
    #expect(texts("acc") == ["accounts:get", "accounts:open"])
    #expect(texts("s") == ["schema", "snapshot", "stats", "subscribe"])
    #expect(texts("") .contains("exit") && completer.complete("da").candidates == [.init(text: "data", suffix: " ")])
  }

  @Test("After a verb come the functions of its kind, after subscribe queries, and after a function its arguments and their values")
  func functions() {
    #expect(texts("query ") == ["accounts:get"] && texts("mutation a") == ["accounts:open"] && texts("subscribe ") == ["accounts:get"])
    #expect(texts("run accounts:o") == ["accounts:open"])
    #expect(texts("accounts:open ") == ["kind=", "owner="] && texts("run accounts:open owner=ada k") == ["kind="])
    #expect(completer.complete("accounts:get i").candidates == [.init(text: "id=", suffix: "")])
    #expect(texts("accounts:open kind=") == [#"kind="10""#, "kind=giro"] && texts("accounts:open kind=g") == ["kind=giro"])
    #expect(texts("accounts:nothing ") == [])
  }

  @Test("After data come tables, then options; after an option what it may be; in a filter fields")
  func data() {
    #expect(texts("data ") == ["accounts", "orders"] && texts("schema o") == ["orders"])
    #expect(texts("data accounts --l") == ["--limit", "--live", "--lt", "--lte"])
    #expect(texts("data accounts --index by_") == ["by_id", "by_owner"] && texts("data accounts --order ") == ["asc", "desc"])
    #expect(texts("data accounts --where 'bal") == ["balance"] && texts("data accounts --where 'balance > 1 and o") == ["owner"])
    #expect(texts("data accounts --where 'balance > 1' o") == [])
    #expect(completer.complete("data accounts --where 'bal").typed == 3)
  }

  @Test("Commands with subcommands, and their options")
  func subcommands() {
    #expect(texts("jobs ") == ["cancel", "list"] && texts("crons r") == ["run", "runs"])
    #expect(texts("jobs --st") == ["--state"] && texts("jobs --state p") == ["pending"] && texts("logs --level w") == ["warning"])
    #expect(texts("help d") == ["data"])
  }
}
