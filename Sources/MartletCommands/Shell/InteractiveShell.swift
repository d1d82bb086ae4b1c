import ArgumentParser
import MartletClient
import Synchronization
import UnixSignals

/// The shell at a terminal: a prompt, lines with history and completion, and what becomes of the connection told in between.
///
/// Ctrl-C ends what runs and never the shell; SIGTERM ends both, and leaves the terminal as it was.
final class InteractiveShell: Sendable {
  private let session: ShellSession
  private let terminal: Terminal
  private let address: String
  private let reader: TerminalLineReader
  private let running = Mutex(Running())

  private struct Running {
    var line: Task<ShellSession.LineEnd, any Error>?
    /// Whether it shows by itself how the connection stands.
    var isLive = false
    var mustEnd = false
  }

  init(_ session: ShellSession, _ terminal: Terminal, address: String) {
    self.session = session
    self.terminal = terminal
    self.address = address
    reader = TerminalLineReader(terminal, session.context.console.output)
  }

  private var output: TextSink { session.context.console.output }

  func run() async throws {
    let name = session.context.app.name
    try say("Connected to \(address). \"help\" tells what can be typed; Ctrl-D ends.")
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        for await signal in signals where self.take(signal) { return true }
        return false
      }
      group.addTask {
        try await self.tellStates()
        return false
      }
      group.addTask {
        try await self.readLines(prompt: "\(name)> ")
        return true
      }
      while let isTheEnd = try await group.next(), !isTheEnd {}
      group.cancelAll()
    }
  }

  private func readLines(prompt: String) async throws {
    let session = session
    var history = LineHistory(path: LineHistory.path(session.context.environment))
    await session.refreshCatalog()
    while true {
      let input = try await reader.read(prompt: prompt, history: history.lines) { ShellCompleter(catalog: session.catalog).complete($0) }
      switch input {
      case .end: return
      case .abandoned: continue
      case .line(let line):
        history.add(line)
        guard try await run(line) != .exit, !running.withLock({ $0.mustEnd }) else { return }
        // Behind the prompt: who types doesn't wait for it.
        Task { await session.refreshCatalog() }
      }
    }
  }

  private func run(_ line: String) async throws -> ShellSession.LineEnd {
    let task = Task {
      try await session.run(line, columns: terminal.size().columns) { command in
        self.running.withLock { $0.isLive = command is any LiveCommand }
      }
    }
    running.withLock { $0.line = task }
    defer {
      running.withLock { running in
        running.line = nil
        running.isLive = false
      }
    }
    return try await task.value
  }

  /// Returns whether the shell ends.
  private func take(_ signal: UnixSignal) -> Bool {
    let line = running.withLock { running in
      running.mustEnd = signal == .sigterm
      return running.line
    }
    line?.cancel()
    return signal == .sigterm
  }

  // MARK: The connection

  /// Once when it is lost, once when it is back: what lies between is only of interest to what waits for it.
  private func tellStates() async throws {
    var isLost = false
    for await state in session.client.connectionStates {
      switch state {
      case .connecting: continue
      case .connected:
        guard isLost else { continue }
        isLost = false
        try await tell("Connected again.", .frame)
        await session.refreshCatalog()
      case .reconnecting(_, let reason):
        guard !isLost else { continue }
        isLost = true
        try await tell("The connection is lost, and is being made again: \(CellText(.string(reason)).text)", .warning)
      case .closed(let error):
        if let error { try await tell("The connection is closed: \(error.message)", .warning) }
      }
    }
  }

  /// Above the line that is typed, or below what a command has shown. What is live tells it by itself.
  private func tell(_ text: String, _ style: TextStyle) async throws {
    let line = terminal.painter.paint("── \(text) ──", style) + "\n"
    guard !running.withLock({ $0.isLive }), try await !reader.say(line) else { return }
    try output.write(line)
  }

  private func say(_ text: String) throws { try output.write(text + "\n") }
}
