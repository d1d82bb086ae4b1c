import Foundation
import MartletValues
import Synchronization
import Testing

@testable import MartletCommands

/// What a command printed, by where.
final class PrintedText: Sendable {
  private let texts = Mutex((output: "", errors: ""))

  var output: String { texts.withLock { $0.output } }
  var errors: String { texts.withLock { $0.errors } }

  var console: Console {
    Console(
      output: TextSink { text in self.texts.withLock { $0.output += text } },
      errors: TextSink { text in self.texts.withLock { $0.errors += text } })
  }
}

@Suite("Exit statuses")
struct ExitStatusTests {
  private let printed = PrintedText()
  /// A port that no server has: it is reserved, and only root could listen there.
  private let nowhere = "martlet://127.0.0.1:1"

  private func run(_ words: String..., app: MartletApp = MartletApp(schema: [], functions: [])) async -> Int32 {
    await app.run(words, console: printed.console, environment: ["MARTLET_COMMAND": "./app", "MARTLET_URL": nowhere])
  }

  @Test("Help and version are no errors, and go to standard output", arguments: [["--help"], ["help", "run"], ["--version"], []])
  func help(words: [String]) async {
    let status = await MartletApp(schema: [], functions: []).run(words, console: printed.console, environment: [:])
    #expect(status == 0)
    #expect(!printed.output.isEmpty)
    #expect(printed.errors.isEmpty)
  }

  @Test(
    "A wrong command line ends with 64",
    arguments: [
      ["nonsense"], ["run"], ["run", "a:b", "--bogus"], ["run", "a:b", "{bad"], ["subscribe", "a:b", "--count", "0"],
      ["data", "t", "--limit", "no"], ["stats", "--url", "http://x"], ["serve", "--port", "65536"],
      ["serve", "--fetch-allow", "localhost,10.0.0.0/8"], ["serve", "--fetch-timeout", "0"], ["serve", "--fetch-bytes", "0"], ["serve", "--grace=-1"],
      ["serve", "--durability", "none"], ["serve", "--example", "bank"], ["serve", "--admin-key", ""],
    ])
  func usage(words: [String]) async {
    let status = await MartletApp(schema: [], functions: []).run(words, console: printed.console, environment: [:])
    #expect(status == 64)
    #expect(printed.output.isEmpty)
    #expect(printed.errors.hasPrefix("Error: "))
  }

  @Test("Where no server answers, the status is 1, and the message says how to start one")
  func noServer() async {
    #expect(await run("stats") == 1)
    #expect(printed.errors.contains("no server answers at \(nowhere)"))
    #expect(printed.errors.contains("./app serve"))
  }

  @Test("With --json an error is an object with a code")
  func jsonError() async throws {
    #expect(await run("stats", "--json") == 1)
    let error = try Value(json: printed.errors.trimmingCharacters(in: .newlines))
    #expect(error["code"] == "connection_lost")
  }

  @Test("Restoring over data is refused, and leaves them as they are")
  func restoreOverData() async throws {
    let path = FileManager.default.temporaryDirectory.path + "/martlet-\(UUID().uuidString)"
    try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(await run("restore", "any", "--data", path) == 1)
    #expect(printed.errors.contains("there are data in \(path) already"))
    #expect(await run("serve", "--restore", "any", "--data", path) == 1)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
  }

  @Test("A snapshot's path that leads nowhere is told, and makes no data")
  func missingSnapshot() async {
    let path = FileManager.default.temporaryDirectory.path + "/martlet-\(UUID().uuidString)"
    #expect(await run("restore", "\(path)/none", "--data", path) == 1)
    #expect(printed.errors == "Error: there is no file \(path)/none to restore\n")
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("A server whose app needs a variable that isn't set doesn't start, says which, and makes no data", arguments: [[:], ["SHOP_KEY": ""]])
  func missingVariable(environment: [String: String]) async {
    let path = FileManager.default.temporaryDirectory.path + "/martlet-\(UUID().uuidString)"
    let app = MartletApp(schema: [], functions: [], requiredEnvironment: ["SHOP_KEY"])
    let status = await app.run(["serve", "--port", "0", "--data", path], console: printed.console, environment: environment)
    #expect(status == 1)
    #expect(printed.errors == "Error: the environment variable SHOP_KEY is not set; start the server with it\n")
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("A reader that has gone is no error")
  func closedOutput() async {
    var console = printed.console
    console.output = TextSink { _ in throw OutputClosed() }
    #expect(Failure(OutputClosed()).report(to: console, asJSON: false) == 0)
    #expect(printed.errors.isEmpty)
  }

  @Test("An example that there isn't is a wrong command line, and those that there are are named")
  func unknownExample() async {
    let app = MartletApp(examples: [Example("bank", AppDefinition(tables: [], modules: []), suggestions: [])])
    #expect(await run("serve", "--example", "bank", "shop", app: app) == 64)
    #expect(printed.errors.contains("\"shop\"; there are: bank"))
  }

  @Test(
    "Examples are several values of one option, or several options, each once",
    arguments: [["--example", "a", "b"], ["--example", "a", "--example", "b"], ["--example", "a", "b", "--example", "a"]])
  func examples(words: [String]) throws {
    let app = MartletApp(examples: ["a", "b", "c"].map { Example($0, AppDefinition(tables: [], modules: []), suggestions: []) })
    try MartletApp.$current.withValue(app) {
      let command = try #require(RootCommand.parseAsRoot(["serve"] + words + ["--port", "0"]) as? ServeExamplesCommand)
      #expect(try ServeExamplesCommand.examples(command.names).map(\.name) == ["a", "b"])
    }
  }
}
