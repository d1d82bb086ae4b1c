import ArgumentParser
import Foundation
@_exported import Martlet

/// An app's executable, whole: its server, and every command that speaks with one.
///
/// ```swift
/// import MartletCommands
///
/// await MartletApp(schema: [Accounts.self], functions: [Bank.self]).main()
/// ```
///
/// `serve` starts the app; `run`, `subscribe`, `functions`, `tables`, `schema`, `data`, `stats`, `snapshot`, `jobs`, `crons` and `logs` ask a
/// running server, of this app or of any other, and `shell` is a prompt for all of these; `restore` makes a stopped server's data file from a
/// snapshot. `--help` tells of each.
///
/// The process ends with 0; with 1 after an error, which is told on standard error; with 64 where the command line is wrong.
public struct MartletApp: Sendable {
  let name: String
  let content: Content

  enum Content: Sendable {
    /// What `serve` serves, always.
    case app(AppDefinition)
    /// What `serve --example` chooses from.
    case examples([Example])
  }

  /// - Parameters:
  ///   - schema: the tables.
  ///   - functions: the modules whose functions are served.
  ///   - triggers: what runs with each change of a table.
  ///   - crons: what runs on a calendar, or at intervals.
  ///   - limits: what a function may use that doesn't declare limits of its own; `serve --limit` changes them.
  ///   - pools: the pools that its actions name, with how many run in each at a time: `["payments": 4]`.
  ///   - workpools: the pools in which its functions enqueue work.
  ///   - fetch: what its actions may fetch; `serve --fetch-allow` adds hosts.
  ///   - tokens: who holds the tokens that clients sign in with; nobody can where it is left out.
  ///   - requiredEnvironment: variables that its actions can't do without, as keys to other services. Where one is not set, or empty, the server
  ///     says so and doesn't start.
  ///   - name: what the executable is called in its help.
  public init(
    schema: [any Table.Type], functions: [any FunctionModule.Type], triggers: [Trigger] = [],
    crons: [Cron] = [], limits: Limits = Limits(), pools: [String: Int] = [:], workpools: [Workpool] = [],
    fetch: FetchRules = FetchRules(), tokens: (any TokenVerifier)? = nil, requiredEnvironment: [String] = [],
    name: String = "martlet"
  ) {
    self.name = name
    content = .app(
      AppDefinition(
        tables: schema, modules: functions, triggers: triggers, crons: crons, limits: limits, pools: pools,
        workpools: workpools, fetch: fetch, tokens: tokens, requiredEnvironment: requiredEnvironment))
  }

  package init(examples: [Example], name: String = "martlet") {
    self.name = name
    content = .examples(examples)
  }

  /// Runs the command that the process was started with, and ends the process.
  public func main() async {
    // A reader that goes away (`martlet data orders | head`) is seen as an error of `write`, not as a signal.
    signal(SIGPIPE, SIG_IGN)
    let arguments = Array(CommandLine.arguments.dropFirst())
    let environment = ProcessInfo.processInfo.environment
    let status = await run(arguments, console: .ofProcess(environment), environment: environment)
    exit(status)
  }

  /// The same without the process: what is printed goes to `console`, and the answer is the exit status.
  func run(_ arguments: [String], console: Console, environment: [String: String]) async -> Int32 {
    // The commands' descriptions are static, and depend on the app. They are made while this value is bound.
    await Self.$current.withValue(self) {
      var wantsJSON = false
      do {
        var command = try RootCommand.parseAsRoot(arguments)
        if let command = command as? any AppCommand {
          wantsJSON = command.wantsJSON
          try await command.run(in: CommandContext(app: self, console: console, environment: environment))
        } else {
          try command.run()
        }
        return 0
      } catch {
        return Failure(error).report(to: console, asJSON: wantsJSON)
      }
    }
  }

  @TaskLocal static var current = MartletApp(schema: [], functions: [])
}

/// An app that comes with the `martlet` executable.
package struct Example: Sendable {
  let name: String
  let app: AppDefinition
  /// Commands worth typing in a second terminal, without the executable's name: `subscribe accounts:total`.
  let suggestions: [String]

  package init(_ name: String, _ app: AppDefinition, suggestions: [String]) {
    self.name = name
    self.app = app
    self.suggestions = suggestions
  }
}
