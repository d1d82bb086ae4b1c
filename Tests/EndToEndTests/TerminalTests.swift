import Foundation
import MartletValues
import Testing

extension EndToEnd {
  @Suite("The commands at a terminal")
  struct TerminalTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder)
    }

    private var url: String { "martlet://127.0.0.1:\(server.port)" }

    @Test("subscribe draws its value again in place when it changes and when the window does, and Ctrl-C leaves the last drawing")
    func subscribe() throws {
      let client = try server.connect()
      let terminal = try PseudoTerminal(["subscribe", "accounts:total", "--url", url], in: folder, columns: 120)
      try terminal.read(until: "── accounts:total · update 1 · timestamp ")
      try terminal.read(until: " · connected ──")
      try terminal.read(until: "count  0")
      _ = try client.open("ada", 70)
      // The fields that changed are bold, and marked.
      let drawn = try terminal.read(until: "total  \u{1B}[1m70")
      #expect(drawn.contains("\u{1B}[3A") && drawn.contains("update 2") && drawn.contains("2 changed"), "\(drawn.debugDescription)")
      terminal.resize(rows: 2, columns: 20)
      try terminal.read(until: "── accounts:total …\u{1B}[K\r\n\u{1B}[J\u{1B}[?25h")
      try terminal.type("x\u{3}")
      let (status, rest) = try terminal.waitForExit()
      #expect(status == 0 && !rest.contains("x") && rest.hasSuffix("\r\u{1B}[J"), "\(rest.debugDescription)")
      #expect(!drawn.contains("\u{1B}[?1049h"), "a second screen would take the last drawing away")
    }

    @Test("subscribe shows that the connection is lost, and goes on when the server is back")
    func loss() throws {
      let client = try server.connect()
      _ = try client.open("ada", 1)
      let terminal = try PseudoTerminal(["subscribe", "accounts:total", "--url", url], in: folder)
      try terminal.read(until: "total  1")
      let port = server.port
      server.kill()
      try terminal.read(until: "connecting again, attempt ")
      try terminal.read(until: "total  1")
      let again = try ServerProcess(folder, arguments: ["--port", "\(port)"])
      try terminal.read(until: " · connected")
      _ = try again.connect().open("bob", 2)
      try terminal.read(until: "total  \u{1B}[1m3")
      try terminal.type("\u{3}")
      #expect(try terminal.waitForExit().status == 0)
    }

    @Test("The shell completes and runs lines, shows a live query until Ctrl-C, tells of a lost connection, and keeps its history")
    func shell() throws {
      let client = try server.connect()
      let terminal = try PseudoTerminal(["shell", "--url", url], in: folder)
      try terminal.read(until: "martlet> ")
      try terminal.type("acc\top\t")
      try terminal.read(until: "accounts:open")
      try terminal.type("\t")
      try terminal.read(until: "accounts:openMany")
      try terminal.type(" ow\tada bal\t5\r")
      try terminal.read(until: "balance=5\u{1B}[K")
      try terminal.read(until: "martlet> ")
      #expect(try client.total() == (1, 5))
      try terminal.type("subscribe accounts:total\r")
      try terminal.read(until: "update 1")
      try terminal.read(until: "total  5")
      _ = try client.open("bob", 6)
      try terminal.read(until: "total  \u{1B}[1m11")
      try terminal.type("\u{3}")
      try terminal.read(until: "martlet> ")
      try terminal.type("accounts:nothing\r")
      try terminal.read(until: "unknown_function")
      try terminal.read(until: "martlet> ")
      // Two lines at once: the second waits for the first.
      try terminal.type("query accounts:total --json\rmutation accounts:total\r")
      try terminal.read(until: #"{"count":2,"total":11}"#)
      try terminal.read(until: "wrong_kind")
      try terminal.read(until: "martlet> ")
      server.kill()
      try terminal.read(until: "The connection is lost")
      try terminal.read(until: "martlet> ")
      try terminal.type("\u{1B}[A")
      try terminal.read(until: "mutation accounts:total")
      try terminal.type("\u{15}exit\r")
      #expect(try terminal.waitForExit().status == 0)
      let history = Executable.contents(folder.file("martlet/history")).split(separator: "\n")
      #expect(
        history == [
          "accounts:open owner=ada balance=5", "subscribe accounts:total", "accounts:nothing", "query accounts:total --json",
          "mutation accounts:total", "exit",
        ])
    }
  }

  @Suite("The shell as a script")
  struct ScriptTests {
    let folder: TemporaryFolder
    let server: ServerProcess

    init() throws {
      folder = try TemporaryFolder()
      server = try ServerProcess(folder)
    }

    private func shell(_ input: String, _ options: String...) throws -> (status: Int32, output: String, errors: String) {
      try Executable.run(["shell", "--url", "martlet://127.0.0.1:\(server.port)"] + options, in: folder, input: input)
    }

    @Test("Lines of standard input are carried out one after another, functions and commands alike")
    func lines() throws {
      let ended = try shell(
        """
        # a remark

        accounts:open owner="Ada L." balance=10
        mutation accounts:open {"owner": "bob", "balance": 5}
        accounts:byOwner owner='Ada L.' --json
        data accounts --where "owner == 'bob'" --json
        subscribe accounts:total --count 1 --json
        tables
        help
        exit
        nothing after this
        """)
      #expect(ended.status == 0 && ended.errors.isEmpty, "\(ended)")
      let json = try ended.output.split(separator: "\n").filter { $0.hasPrefix("{") || $0.hasPrefix("[") }.map { try Value(json: String($0)) }
      try #require(json.count == 3, "\(ended.output)")
      #expect(json[0][0]?["owner"] == "Ada L." && json[1]["balance"] == 5 && json[2]["value"] == ["count": 2, "total": 15])
      #expect(ended.output.contains("by_owner (owner)") && ended.output.contains("COMMANDS"))
    }

    @Test("The first line that fails ends a script with status 1 and its number, unless it is to go on; with --json all is JSON")
    func failures() throws {
      let script = "accounts:open owner=ada balance=-1\ndata accounts --limit none\n\"open\nfly\nserve\naccounts:total"
      let ended = try shell(script)
      #expect(ended.status == 1 && ended.output.isEmpty && ended.errors.contains("balance must be") && ended.errors.contains("(line 1: "))
      let whole = try shell(script, "--keep-going")
      #expect(whole.status == 1 && whole.output.contains("count"), "\(whole)")
      for text in ["--limit", "no closing \"", "\"fly\" is no command", "(line 4: fly)", "\"serve\" is a command of the system's prompt"] {
        #expect(whole.errors.contains(text), "\(text) in \(whole.errors)")
      }
      let json = try shell("accounts:total\naccounts:nothing", "--json")
      #expect(json.status == 1 && json.output == "{\"count\":0,\"total\":0}\n")
      #expect(try Value(json: json.errors)["code"] == "unknown_function")
    }

    @Test("--diff shows what an update changes, as JSON and as text")
    func diff() throws {
      let client = try server.connect()
      let url = "martlet://127.0.0.1:\(server.port)"
      _ = try client.open("ada", 1)
      for options in [["--json"], []] {
        let child = try Executable.spawn(
          ["data", "accounts", "--live", "--diff", "--count", "2", "--url", url] + options, errors: folder.file("errors"))
        do {
          var first = ""
          while !first.contains("ada") { first += try Executable.readLine(from: child.output, Deadline()) }
          let id = try client.open("bob", 2)
          var second = ""
          while !second.contains("bob") { second += try Executable.readLine(from: child.output, Deadline()) }
          #expect(second.contains(id) && !second.contains("ada"), "\(second)")
          #expect(second.contains(options.isEmpty ? ": 1 added ──" : #""changes":[{"at":"#), "\(second)")
        } catch {
          Executable.killAndReap(child)
          throw error
        }
        #expect(try Executable.waitForExit(child, Deadline()) == 0)
      }
    }
  }
}
