import MartletValues
import Testing

@testable import MartletCommands

@Suite("The command line of data")
struct DataCommandTests {
  private func arguments(_ words: String...) throws -> Value {
    let command = try #require(try RootCommand.parseAsRoot(["data", "orders"] + words) as? DataCommand)
    return try command.query(limit: command.limit)
  }

  @Test("Nothing is asked for that wasn't said")
  func plain() throws { #expect(try arguments() == ["table": "orders", "limit": 20]) }

  @Test("A range is one of an index: values of its first fields, bounds on the next")
  func range() throws {
    #expect(
      try arguments(
        "--index", "by_status", "--eq", "paid", "--eq", "5", "--gte", "-1", "--lt", #"{"a":1}"#, "--order", "desc", "--limit", "3")
        == [
          "table": "orders", "limit": 3, "index": "by_status", "order": "desc",
          "range": ["eq": ["paid", 5], "gte": -1, "lt": ["a": 1]],
        ])
    #expect(try arguments("--index", "i", "--gt", "1", "--lte", "null")["range"] == ["gt": 1, "lte": nil])
  }

  @Test("A filter goes along as an expression")
  func filter() throws {
    #expect(try arguments("--where", "total > 5")["where"] == .object(["$gt": [["$field": "total"], ["$literal": 5]]]))
  }

  @Test(
    "What makes no sense is a wrong command line",
    arguments: [
      ["--eq", "1"], ["--index", "i", "--gt", "1", "--gte", "1"], ["--index", "i", "--lt", "1", "--lte", "1"],
      ["--index", "i", "--eq", "[1"],
      ["--order", "up"], ["--limit", "0"], ["--count", "1"], ["--live", "--count", "0"], ["--where", "a ="],
    ])
  func wrong(words: [String]) {
    #expect(throws: (any Error).self) { try RootCommand.parseAsRoot(["data", "orders"] + words) }
  }

  @Test("A wrong filter's message shows the place")
  func wrongFilter() async {
    let printed = PrintedText()
    let status = await MartletApp(schema: [], functions: []).run(
      ["data", "t", "--where", "a = = 1"], console: printed.console, environment: [:])
    #expect(status == 64)
    #expect(printed.errors.contains("  a = = 1\n      ^"), "\(printed.errors)")
  }
}
