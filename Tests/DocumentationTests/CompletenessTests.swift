import Foundation
import Martlet
import MartletCommands
import MartletWire
import Testing

@Suite("What the pages must not leave out")
struct CompletenessTests {
  // MARK: docs/protocol.md

  @Test("The protocol's page has every verb of a client", arguments: ClientVerb.allCases.map { "\($0.name)" })
  func clientVerbs(_ verb: String) throws {
    let section = try #require(try Page.section("## What a client says", of: "docs/protocol.md"))
    #expect(section.contains("| `\(verb) ") || section.contains("| `\(verb)` "))
  }

  @Test("The protocol's page has every line of a server", arguments: ServerLine.Kind.allCases.map { "\($0)" })
  func serverLines(_ kind: String) throws {
    let section = try #require(try Page.section("## What the server says", of: "docs/protocol.md"))
    #expect(section.contains("| `\(kind) "))
  }

  @Test("The protocol's page has every error code, and no other")
  func errorCodes() throws {
    let section = try #require(try Page.section("## Errors", of: "docs/protocol.md"))
    let codes = section.matches(of: #/(?m)^\| `(\w+)` \|/#).map { String($0.1) }
    #expect(codes == ErrorCode.all.map(\.rawValue))
  }

  // MARK: docs/functions.md

  @Test("The functions' page has every limit with its default")
  func limits() throws {
    let section = try #require(try Page.section("## Limits", of: "docs/functions.md"))
    let limits = Mirror(reflecting: Limits()).children
    #expect(!limits.isEmpty)
    for (name, value) in limits {
      let value = try #require(value as? Int)
      #expect(section.contains("| `\(try #require(name))` | \(grouped(value)) |"))
    }
  }

  private func grouped(_ number: Int) -> String {
    var digits = String(number)
    var position = digits.count - 3
    while position > 0 {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: position))
      position -= 3
    }
    return digits
  }

  // MARK: docs/metrics.md

  @Test("The metrics' page has every metric with its kind and dimensions, and no other")
  func metrics() throws {
    let section = try #require(try Page.section("## The list", of: "docs/metrics.md"))
    let rows = section.matches(of: #/(?m)^\| `(\w+)` \| (\w+) \| ([^|]*)\|/#).map { "\($0.1) \($0.2) \($0.3.filter { !"` ".contains($0) })" }
    #expect(rows == EngineMetric.allCases.map { "\($0.rawValue) \($0.kind.rawValue) \($0.dimensions.joined(separator: ","))" })
  }

  // MARK: docs/commands.md

  private static let page = "docs/commands.md"

  @Test("The commands' page has every command, and each of its options")
  func commands() throws {
    let common = try #require(try Page.section("## Options that most share", of: Self.page))
    for (command, help) in try Self.helps() {
      let section = try #require(try Page.section("## \(command)", of: Self.page), "\(Self.page) has no section \(command)")
      for option in Self.options(in: help) {
        #expect(section.contains("`\(option)") || common.contains("`\(option)"), "\(command) has \(option)")
      }
    }
  }

  @Test("The commands' page names no option that there isn't")
  func inventions() throws {
    let known = Set(try Self.helps().flatMap { Self.options(in: $0.help) })
    let named = Set(Self.options(in: try Repository.text(Self.page)))
    #expect(named.subtracting(known) == [])
  }

  // MARK: docs/operating.md

  @Test("Each command line of the operating guide is of a command that there is, with options that it has")
  func commandLines() throws {
    let helps = try Self.helps()
    let lines = try Repository.text("docs/operating.md").matches(of: #/(?m)^ *martlet (.+)$/#).map { String($0.1) }
    #expect(lines.count >= 10)
    for line in lines {
      guard let (_, help) = helps.first(where: { line == $0.command || line.hasPrefix($0.command + " ") }) else {
        Issue.record("martlet \(line): no such command")
        continue
      }
      let known = Self.options(in: help)
      for option in Self.options(in: line) { #expect(known.contains(option), "martlet \(line)") }
    }
  }

  /// Every command that does something, with its `--help`.
  private static func helps() throws -> [(command: String, help: String)] {
    var helps: [(command: String, help: String)] = []
    func visit(_ command: String) throws {
      let help = try Program("\"$martlet\" \(command) --help").allLines().joined(separator: "\n")
      let subcommands = subcommands(in: help)
      if subcommands.isEmpty { helps.append((command, help)) }
      for name in subcommands { try visit(command.isEmpty ? name : "\(command) \(name)") }
    }
    try visit("")
    guard helps.count > 5 else { throw Failure("--help lists \(helps.map(\.command)) only") }
    return helps
  }

  private static func options(in text: String) -> [String] {
    text.matches(of: #/--[a-z][a-z-]*/#).map { String($0.0) }
  }

  private static func subcommands(in help: String) -> [String] {
    var names: [String] = []
    var isListing = false
    for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasSuffix("SUBCOMMANDS:") {
        isListing = true
      } else if line.isEmpty {
        isListing = false
      } else if isListing, let match = line.prefixMatch(of: #/  ([a-z]+)/#) {
        names.append(String(match.1))
      }
    }
    return names
  }
}
