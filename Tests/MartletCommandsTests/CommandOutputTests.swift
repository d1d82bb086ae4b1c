import Foundation
import MartletClient
import Testing

@testable import MartletCommands

@Suite("What commands print")
struct CommandOutputTests {
  @Test("An update for a program is one line, with the timestamp's every digit")
  func updateAsJSON() throws {
    let update = Update<Value>(result: .success(["a": "x\ny"]), timestamp: 9_007_199_254_740_993)
    var feed = UpdateFeed(isJSON: true)
    #expect(feed.text(of: update) == #"{"timestamp":9007199254740993,"value":{"a":"x\ny"}}"# + "\n")
  }

  @Test("A failed update has an error in the value's place")
  func failedUpdate() {
    let error = MartletError(.application, "No such order", data: ["id": 7])
    let update = Update<Value>(result: .failure(error), timestamp: 5)
    var (lines, blocks) = (UpdateFeed(isJSON: true), UpdateFeed(isJSON: false))
    #expect(
      lines.text(of: update) == #"{"timestamp":5,"error":{"code":"application","data":{"id":7},"message":"No such order"}}"# + "\n")
    #expect(blocks.text(of: update) == "── update 1, timestamp 5 ──\nfailed: No such order (application)\n\n")
  }

  @Test("Shapes are told in words")
  func shapes() throws {
    let items = ValidatorShape.array(
      .object([
        .init(name: "productId", shape: .id(table: "products"), optional: false),
        .init(name: "quantity", shape: .float64, optional: true),
      ]))
    #expect(ShapeText.of(items.jsonForm) == "array of {productId: id of products, quantity?: number}")
    #expect(ShapeText.of(ValidatorShape.array(.enumeration(["a", "b"])).jsonForm) == #"array of ("a" or "b")"#)
    #expect(ShapeText.of(ValidatorShape.record(.int64).jsonForm) == "record of int64")
    #expect(ShapeText.of(["type": "later"]) == #"{"type":"later"}"#)
  }

  @Test("Functions are a table of names, kinds and arguments")
  func functions() {
    let functions: [Value] = [
      [
        "name": "accounts:open", "kind": "mutation", "visibility": "public",
        "args": ValidatorShape.object([.init(name: "owner", shape: .string, optional: false)]).jsonForm,
      ],
      ["name": "sweeps:old", "kind": "query", "visibility": "internal", "args": ValidatorShape.object([]).jsonForm],
    ]
    #expect(
      FunctionsCommand.table(functions).render() == """
        function       kind            arguments
        ─────────────  ──────────────  ─────────────
        accounts:open  mutation        owner: string
        sweeps:old     internal query

        """)
  }

  @Test("A server on the standard address needs no --url; one elsewhere is named, by an address that can be called")
  func welcome() throws {
    func text(_ host: String, _ port: Int) throws -> String {
      Welcome(
        host: host, port: port, documents: 12_345, timestamp: 9, options: try ServeOptions.parse([]), invocation: "./app",
        examples: [Example("bank", AppDefinition(tables: [], modules: []), suggestions: ["subscribe accounts:total"])], hasFunctions: true
      ).text
    }
    #expect(try text("127.0.0.1", 7433).contains("  ./app subscribe accounts:total\n"))
    #expect(try text("127.0.0.1", 7433).contains("with 12,345 documents in data/martlet.sqlite"))
    #expect(try text("0.0.0.0", 80).contains("  ./app subscribe accounts:total --url martlet://127.0.0.1:80\n"))
    #expect(try text("::1", 80).contains("listens on [::1]:80, "))
  }

  @Test("What an example lacks of the environment is said, with what to type; what is there isn't")
  func missingEnvironment() throws {
    func text(_ environment: [String: String]) throws -> String {
      Welcome(
        host: "127.0.0.1", port: 7433, documents: 0, timestamp: 0, options: try ServeOptions.parse([]), invocation: "./app",
        examples: [
          Example("game", AppDefinition(tables: [], modules: []), suggestions: [], environment: [("A_KEY", "nothing is told"), ("URL", "no more comes")])
        ], hasFunctions: true, environment: environment
      ).text
    }
    let both = try text(["A_KEY": ""])
    #expect(both.contains("\nA_KEY is not set, so nothing is told: start with A_KEY=… ./app serve --example game\n"))
    #expect(both.contains("\nURL is not set, so no more comes: start with URL=… ./app serve --example game\n"))
    #expect(try !text(["A_KEY": "k", "URL": "u"]).contains("not set"))
  }

  @Test("A pipe that nobody reads any more is noticed without writing, and when writing")
  func brokenPipe() throws {
    // `main` does the same: the default is to end the process.
    signal(SIGPIPE, SIG_IGN)
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[1]) }
    let sink = TextSink.file(ends[1])
    try sink.write("one\n")
    #expect(!sink.isClosed())
    close(ends[0])
    #expect(sink.isClosed())
    #expect(throws: OutputClosed.self) { try sink.write("two\n") }
  }

  @Test("Numbers are grouped by thousands", arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
  func grouped(number: Int, text: String) { #expect(number.grouped == text) }
}
