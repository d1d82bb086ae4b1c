import ArgumentParser
import MartletClient
import Synchronization

/// Carries out a shell's lines, one after another, over one connection.
///
/// A line is a command, parsed and run as the executable does; or a function's name and arguments, for which `run` may be left out. An error is
/// told, and is no reason to end.
final class ShellSession: Sendable {
  let client: MartletClient
  let context: CommandContext
  /// Whether every line's output is to be JSON.
  private let wantsJSON: Bool
  private let known = Mutex(ShellCatalog())

  enum LineEnd: Hashable, Sendable {
    case done
    case failed
    case exit
  }

  init(_ client: MartletClient, _ context: CommandContext, wantsJSON: Bool) {
    self.client = client
    self.context = context
    self.wantsJSON = wantsJSON
  }

  var catalog: ShellCatalog { known.withLock { $0 } }

  /// What the server has may change with each of its starts, and tables come with functions that make them.
  func refreshCatalog() async {
    guard let catalog = await ShellCatalog.load(client) else { return }
    known.withLock { $0 = catalog }
  }

  /// - Parameters:
  ///   - columns: the terminal's, now.
  ///   - willRun: is told of the command before it runs.
  func run(_ line: String, columns: Int? = nil, willRun: @Sendable (any AppCommand) -> Void = { _ in }) async throws -> LineEnd {
    var context = context
    if let columns { context.console.columns = columns }
    var asJSON = wantsJSON
    do {
      var words = try ShellWords(line).words
      guard let first = words.first, !first.hasPrefix("#") else { return .done }
      if ShellVocabulary.endings.contains(first), words.count == 1 { return .exit }
      if first == ShellVocabulary.help, words.count == 1 {
        try context.console.output.write(ShellVocabulary.helpText(columns: context.console.columns))
        return .done
      }
      if first == ShellVocabulary.help { words = Array(words.dropFirst()) + ["--help"] }
      let command = try command(words)
      asJSON = command.wantsJSON
      willRun(command)
      context.functionKind = ShellVocabulary.verbs[first]
      try await command.run(in: context)
      return .done
    } catch is CancellationError {
      try context.console.errors.write("Given up. What was under way may have been done all the same.\n")
      return .failed
    } catch let error as OutputClosed {
      throw error
    } catch {
      return Failure(error).report(to: context.console, asJSON: asJSON) == 0 ? .done : .failed
    }
  }

  private func command(_ words: [String]) throws -> any AppCommand {
    let first = words[0]
    let (type, rest): (any ParsableCommand.Type, [String])
    if let known = ShellVocabulary.command(first) {
      (type, rest) = (known, Array(words.dropFirst()))
    } else if ShellVocabulary.verbs[first] != nil {
      (type, rest) = (RunCommand.self, Array(words.dropFirst()))
    } else if first.contains(":") {
      (type, rest) = (RunCommand.self, words)
    } else if ["serve", "restore", "shell"].contains(first) {
      throw UsageError("\"\(first)\" is a command of the system's prompt: this one speaks with a server that runs")
    } else {
      throw UsageError("\"\(first)\" is no command, and a function is named module:name. \"help\" lists what there is")
    }
    var parsed = try type.parseAsRoot(rest + (wantsJSON && !rest.contains("--json") ? ["--json"] : []))
    guard let command = parsed as? any AppCommand else {
      // ArgumentParser's own: it prints help.
      try parsed.run()
      throw ExitCode.success
    }
    return command
  }
}
