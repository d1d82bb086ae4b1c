import Foundation
import MartletWire
import Testing

/// The README, typed by a test: one after another, its blocks that are marked `run: …` are carried out against one server.
@Suite("The README's session")
struct SessionTests {
  @Test("What the README shows is what a new user sees")
  func readme() throws {
    let blocks = try Page("README.md").blocks.filter { $0.mark?.hasPrefix("run: ") == true }
    #expect(blocks.count >= 7, "the README has lost its session")
    let session = try Session()
    for block in blocks { try session.play(block) }
    try session.expectThatTheWatcherCameBack()
  }

  @Test("./dev/run serves what the test of the README serves")
  func script() throws {
    let script = try Repository.text("dev/run")
    #expect(script.contains("serve --example bank store"))
    #expect(script.contains("demo=Snapshots/demo.martlet.sqlite"))
  }
}

/// Three terminals.
private final class Session {
  private let folder: URL
  private var port = 0
  private var server: Program?
  private var watcher: Program?

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-readme-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    watcher?.kill()
    server?.kill()
    try? FileManager.default.removeItem(at: folder)
  }

  func play(_ block: Page.Block) throws {
    switch block.mark {
    case "run: serve": try serve(block.commands)
    case "run: watch":
      let (command, shown) = try #require(block.commands.first)
      watcher = try program(command)
      try #expect(Shape.of(watcher!.lines(shown.count)) == Shape.of(shown))
    case "run: watched":
      try #expect(Shape.of(#require(watcher).lines(block.lines.count)) == Shape.of(block.lines))
    case "run: commands":
      for (command, shown) in block.commands {
        try #expect(Shape.of(program(command).allLines()) == Shape.of(shown), "\(command)")
      }
    case "run: nc": try talk(block.lines.dropFirst())
    case "run: kill":
      // Whatever it kills must not be the watcher: that is a martlet too.
      #expect(block.commands.first?.command == "pkill -9 -f 'martlet serve'")
      try #require(server).kill()
      try serve(Array(block.commands.dropFirst()))
    default: Issue.record("the README has a mark that no test knows: \(block.mark ?? "")")
    }
  }

  /// `./dev/run`, but for building: on a free port, with its data elsewhere.
  private func serve(_ commands: [(command: String, shown: [String])]) throws {
    let (command, shown) = try #require(commands.first)
    #expect(command == "./dev/run")
    let data = folder.appendingPathComponent("martlet.sqlite").path
    let restore = FileManager.default.fileExists(atPath: data) ? "" : "--restore Snapshots/demo.martlet.sqlite"
    let server = try Program(
      "\"$martlet\" serve --example bank store --port \(port) --data '\(data)' --snapshots '\(folder.path)' \(restore)",
      environment: ["MARTLET_COMMAND": "./dev/martlet"])
    self.server = server
    let lines = try server.lines(shown.count)
    #expect(Shape.of(lines) == Shape.of(shown))
    let address = try #require(lines.lazy.compactMap { $0.firstMatch(of: #/127\.0\.0\.1:(\d+)/#) }.first)
    port = try #require(Int(address.1))
  }

  private func program(_ command: String) throws -> Program {
    try Program(
      command.replacing("./dev/martlet", with: "\"$martlet\""),
      environment: ["MARTLET_URL": "martlet://127.0.0.1:\(port)"])
  }

  private func talk(_ lines: ArraySlice<String>) throws {
    let socket = try LineSocket(port: port)
    for line in lines {
      let verb = Array(line.prefix { $0 != " " }.utf8)
      if verb.withUnsafeBytes({ ClientVerb($0) }) != nil {
        try socket.send(line)
      } else {
        try #expect(Shape.of(socket.line()) == Shape.of(line))
      }
    }
  }

  /// What it has shown since: the change that was made by hand, and after the restart the value as of then.
  func expectThatTheWatcherCameBack() throws {
    let watcher = try #require(watcher)
    let change = try watcher.lines(4)
    let again = try watcher.lines(4)
    #expect(change[1...] == again[1...])
    #expect(change[1] == "count  7")
  }
}

extension Page.Block {
  /// Each line that begins with `$ `, and what stands under it.
  fileprivate var commands: [(command: String, shown: [String])] {
    var commands: [(command: String, shown: [String])] = []
    for line in lines {
      if line.hasPrefix("$ ") {
        commands.append((String(line.dropFirst(2)), []))
      } else if !commands.isEmpty {
        commands[commands.count - 1].shown.append(line)
      }
    }
    return commands
  }
}
