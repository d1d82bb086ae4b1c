import ArgumentParser
import Foundation
import MartletClient

struct ShellCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "shell", abstract: "A prompt with history and completion, for functions and for every command, over one connection.",
    discussion: """
        martlet> accounts:open owner=ada balance=1000
        martlet> subscribe accounts:total

      "help" there tells more. What was typed is kept in ~/.martlet_history, or in martlet/history of XDG_STATE_HOME. Where standard \
      input is no terminal, its lines are carried out one after another, until one fails; # begins a line that is a remark.
      """)

  @Flag(help: "Go on after a line that failed. The status is 1 all the same.")
  var keepGoing = false

  @OptionGroup var connection: ConnectionOptions

  /// Somebody waits at the prompt. A server that is started again is back sooner.
  var offlineTimeoutSeconds: Double? { 5 }

  func run(_ client: MartletClient, _ context: CommandContext) async throws {
    var inner = context
    inner.shellClient = client
    let session = ShellSession(client, inner, wantsJSON: wantsJSON)
    if let terminal = context.console.terminal, terminal.hasKeyboard {
      try await InteractiveShell(session, terminal, address: connection.url(context.environment)).run()
    } else {
      try await runScript(session, context.console)
    }
  }

  private func runScript(_ session: ShellSession, _ console: Console) async throws {
    var number = 0
    var hasFailed = false
    while let line = await Self.nextLine() {
      number += 1
      switch try await session.run(line) {
      case .done: continue
      case .exit: if hasFailed { throw ExitCode.failure } else { return }
      case .failed:
        hasFailed = true
        if !wantsJSON { try console.errors.write("(line \(number): \(CellText(.string(line)).text))\n") }
        guard keepGoing else { throw ExitCode.failure }
      }
    }
    if hasFailed { throw ExitCode.failure }
  }

  /// Waits on a thread of its own: the tasks' threads are few, and the connection needs them.
  private static func nextLine() async -> String? {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: readLine()) }
    }
  }
}
